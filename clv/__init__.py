"""Customer lifetime value: frames and numbers in, frames and numbers out."""

from clv import columns, errors, report, segments
from clv.card import Totals, model_card, predictor_card
from clv.choice.backtest import backtest
from clv.choice.candidates import CANDIDATES
from clv.crowd import Crowd
from clv.forecast import Needs, Predictor
from clv.models.beta_geo import BetaGeoNBD
from clv.models.beta_geo_beta_binomial import BetaGeoBetaBinomial
from clv.models.covariates import WithCovariates
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.nbd import NBD
from clv.models.pareto_nbd import ParetoNBD
from clv.models.shifted_beta_geometric import ShiftedBetaGeometric
from clv.models.simulate import simulate
from clv.past import Past
from clv.scorer import Scorer
from clv.scores import (
    AUTO,
    Scored,
    crowd_of,
    fitted,
    kept,
    looks_at_traits,
    past_of,
    people,
    refitted,
    score,
    score_summary,
    scored_batch,
)
from clv.season.index import SeasonalIndex
from clv.season.seasonal import Seasonal
from clv.settings import ScoreSettings
from clv.tiers import Tiers
from clv.transactions import summarise
from clv.uncertainty.calibration import Calibration
from clv.what_if import what_if

__all__ = [
    "AUTO",
    "CANDIDATES",
    "NBD",
    "BetaGeoBetaBinomial",
    "BetaGeoNBD",
    "Calibration",
    "Crowd",
    "GammaGamma",
    "MBGCNBDk",
    "ModifiedBetaGeoNBD",
    "Needs",
    "ParetoNBD",
    "Past",
    "Predictor",
    "ScoreSettings",
    "Scored",
    "Scorer",
    "Seasonal",
    "SeasonalIndex",
    "ShiftedBetaGeometric",
    "Tiers",
    "Totals",
    "WithCovariates",
    "backtest",
    "columns",
    "crowd_of",
    "errors",
    "fitted",
    "kept",
    "looks_at_traits",
    "model_card",
    "past_of",
    "people",
    "predictor_card",
    "refitted",
    "report",
    "score",
    "score_summary",
    "scored_batch",
    "segments",
    "simulate",
    "summarise",
    "what_if",
]
