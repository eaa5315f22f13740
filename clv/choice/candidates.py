"""Every way to forecast that the backtest compares, by the key that a command line takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from clv import columns as c
from clv.choice.baselines import Hiatus, OrderFormula, RepeatRate
from clv.choice.challenger import Challenger
from clv.choice.origins import TRAITS
from clv.choice.trials import Entry
from clv.errors import NotEnoughData
from clv.forecast import (
    SHOP_AVERAGE,
    ByModels,
    Candidate,
    by_models,
    paired,
    shop_average,
    spending_of,
)
from clv.models.beta_geo import BetaGeoNBD
from clv.models.covariates import Covariates
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.nbd import NBD
from clv.models.pareto_nbd import ParetoNBD
from clv.past import Past
from clv.season.seasonal import Seasonal


def with_log_waits(past: Past) -> pd.DataFrame:
    """The summary with what the waits say about regularity, where the days are known.

    `log_waits` adds up ln(days between a customer's purchase days).
    """
    if past.days is None:
        return past.summary
    who = past.summary.index.get_indexer(pd.Index(past.days[c.CUSTOMER_ID]))
    day = past.days[c.DAY].to_numpy().astype("datetime64[D]").astype(np.int64)
    same = (who[1:] == who[:-1]) & (who[1:] >= 0)
    logs = np.log(np.diff(day)[same])
    total = np.bincount(who[1:][same], weights=logs, minlength=len(past.summary))
    return past.summary.assign(**{c.LOG_WAITS: total})


def _regular(past: Past, horizon_days: int) -> ByModels:
    return paired(MBGCNBDk.fit(with_log_waits(past)), spending_of(past))


def seasonal(model: Any) -> Candidate:
    """The candidate that fits a model and the shop's season together."""

    def fit(past: Past, horizon_days: int) -> ByModels:
        if past.activity is None:
            raise NotEnoughData("a season needs the purchases of each day")
        fitted = Seasonal.fit(model, past.summary, past.activity, past.as_of)
        return paired(fitted, spending_of(past))

    return fit


def with_covariates(model: Any) -> Candidate:
    """The candidate that lets a model differ by what is known of customers from the start."""

    def fit(past: Past, horizon_days: int) -> ByModels:
        known = tuple(name for name in TRAITS if name in past.summary.columns)
        if not known:
            raise NotEnoughData(f"nothing is known of customers' {', '.join(TRAITS)}")
        return paired(Covariates(model, known).fit(past.summary), spending_of(past))

    return fit


def _average(past: Past, horizon_days: int) -> ByModels:
    return shop_average(past, SHOP_AVERAGE, "")


BASELINES = (
    Entry("average", SHOP_AVERAGE, _average, "baseline", 2),
    Entry("repeat-rate", RepeatRate.name, RepeatRate.fit, "baseline", 1),
    Entry("formula", OrderFormula.name, OrderFormula.fit, "baseline", 0),
    Entry("hiatus", Hiatus.name, Hiatus.fit, "baseline", 3),
)

MODELS = (
    Entry("nbd", NBD.NAME, by_models(NBD.fit), complexity=2),
    Entry("bg", BetaGeoNBD.NAME, by_models(BetaGeoNBD.fit), complexity=4),
    Entry("mbg", ModifiedBetaGeoNBD.NAME, by_models(ModifiedBetaGeoNBD.fit), complexity=4),
    Entry("pareto", ParetoNBD.NAME, by_models(ParetoNBD.fit), complexity=5),
    Entry("cnbd", MBGCNBDk.NAME, _regular, complexity=6),
)

#: By the plain model's key. A season is found from the days of more than a year.
SEASONAL = tuple(
    Entry(
        f"seasonal-{key}",
        f"seasonal {model.NAME}",
        seasonal(model),
        complexity=complexity,
        plain=key,
    )
    for key, model, complexity in (
        ("nbd", NBD, 12),
        ("bg", BetaGeoNBD, 14),
        ("mbg", ModifiedBetaGeoNBD, 14),
        ("pareto", ParetoNBD, 15),
        ("cnbd", MBGCNBDk, 16),
    )
)

COVARIATE = tuple(
    Entry(f"{key}-covariates", f"{model.NAME} with covariates", with_covariates(model), "model", 24)
    for key, model in (("bg", BetaGeoNBD), ("mbg", ModifiedBetaGeoNBD), ("pareto", ParetoNBD))
)

CHALLENGER = Entry("boosting", Challenger.name, Challenger.fit, "challenger", 100)

#: All candidates by key, in the order in which they are shown.
CANDIDATES: dict[str, Entry] = {
    entry.key: entry for entry in (*MODELS, *SEASONAL, *COVARIATE, CHALLENGER, *BASELINES)
}
