"""Customer lifetime value: frames and numbers in, frames and numbers out."""

from clv import columns, errors
from clv.beta_geo import BetaGeoNBD
from clv.forecast import Needs
from clv.gamma_gamma import GammaGamma
from clv.scores import Scored, score, score_summary
from clv.settings import ScoreSettings
from clv.tiers import Tiers
from clv.transactions import summarise

__all__ = [
    "BetaGeoNBD",
    "GammaGamma",
    "Needs",
    "ScoreSettings",
    "Scored",
    "Tiers",
    "columns",
    "errors",
    "score",
    "score_summary",
    "summarise",
]
