"""A challenger without a theory: gradient-boosted trees on the summary, taught by an earlier split.

The shop is cut in the past. Trees learn from what was known of each customer then to what the
customer did in the horizon that followed: purchases, and spend, both with the Poisson loss, whose
forecasts are expected values. They are then shown what is known today. No total is corrected: how
far off the trees were in the past says little about how far off they will be.

Needs scikit-learn (the extra `challenger`), which is imported where it is used alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.choice.metrics import Actual
from clv.choice.origins import came_after, known_at, read_history
from clv.errors import BadSettings, ConvergenceError, NotEnoughData
from clv.forecast import Forecast
from clv.models.histories import history
from clv.past import Past
from clv.summary import money

Floats = NDArray[np.float64]

#: Small steps, few leaves and large ones: the target is mostly noise.
SETTINGS: dict[str, Any] = {
    "loss": "poisson",
    "learning_rate": 0.03,
    "max_iter": 200,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 100,
    "early_stopping": False,
    "random_state": 0,
}
MIN_CUSTOMERS = 200
MIN_PURCHASES = 50


@dataclass(frozen=True, eq=False)
class Challenger:
    """Two fitted regressors. `taught_days` is the horizon that they learned.

    `looks_at` are places in FEATURES, of those that tell customers apart. Another horizon takes its
    share: purchases are then in proportion to time.
    """

    name: ClassVar[str] = "boosted trees"

    purchases: Any
    spend: Any
    taught_days: int
    customers: int
    looks_at: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def fit(cls, past: Past, horizon_days: int) -> Challenger:
        """Taught by the longest split that leaves as much history before it as it looks ahead.

        Raises NotEnoughData, and BadSettings where scikit-learn isn't installed.
        """
        _required("sklearn.ensemble")
        before, after, days = _lesson(past, horizon_days)
        features = features_of(before.summary)
        telling = tuple(np.flatnonzero([_tells(column) for column in features.T]).tolist())
        if not telling:
            raise NotEnoughData("boosted trees need customers who differ", customers=len(features))
        features = features[:, telling]
        short = f"taught by {days} instead of {horizon_days} days, and stretched in proportion"
        return cls(
            purchases=_taught(features, after.purchases),
            spend=_taught(features, np.maximum(after.spend, 0)),
            taught_days=days,
            customers=len(before.summary),
            looks_at=telling,
            warnings=(short,) if days < horizon_days else (),
        )

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        """Purchases come evenly within the horizon; `discount_rate` is continuous, per day."""
        features, share = features_of(summary)[:, self.looks_at], horizon_days / self.taught_days
        purchases = _told(self.purchases, features) * share
        spend = _told(self.spend, features) * share
        unknown, discount = np.full(len(summary), np.nan), discount_rate * horizon_days
        discounted = purchases * (-np.expm1(-discount) / discount if discount else 1.0)
        return Forecast(unknown, purchases, discounted, spend / purchases, unknown)

    def card(self) -> dict[str, Any]:
        taught = {"taught_days": self.taught_days, "customers": self.customers}
        features = [FEATURES[place] for place in self.looks_at]
        return {self.name: {**taught, **SETTINGS, "features": features}}


FEATURES = (
    "frequency",
    "recency",
    "age",
    "silence",
    "purchases_a_day",
    "mean_gap",
    "silence_by_gap",
    "mean_value",
    "net",
)


def features_of(summary: pd.DataFrame) -> Floats:
    """FEATURES of every row; NaN, which trees understand, where there is no gap."""
    x, t_x, age = history(summary)
    net = np.maximum(np.nan_to_num(money(summary, c.NET), nan=0.0), 0.0)
    gap = np.where(x > 0, t_x / np.maximum(x, 1), np.nan)
    silence = age - t_x
    rate = (x + 1) / (age + 1)
    return np.column_stack([x, t_x, age, silence, rate, gap, silence / gap, net / (x + 1), net])


def _lesson(past: Past, horizon_days: int) -> tuple[Past, Actual, int]:
    """What was known at an earlier split, what came after it, and the days between."""
    if past.days is None:
        raise NotEnoughData("boosted trees need the purchases of each day")
    known = read_history(past.days, past.as_of, most_customers=len(past.summary))
    days = max(min(horizon_days, known.days // 2), 1)
    before = known_at(known, past.as_of - timedelta(days=days))
    after = came_after(known, before, days)
    purchases = int(after.purchases.sum())
    if len(before.summary) < MIN_CUSTOMERS or purchases < MIN_PURCHASES or after.spend.sum() <= 0:
        raise NotEnoughData(
            "boosted trees need more to learn from",
            customers=len(before.summary),
            purchases=purchases,
            min_customers=MIN_CUSTOMERS,
            min_purchases=MIN_PURCHASES,
        )
    return before, after, days


def _tells(column: Floats) -> bool:
    """Two values at least: the trees' binning fails on a column that has but one."""
    known = column[~np.isnan(column)]
    return len(known) > 0 and bool((known != known[0]).any())


def _taught(features: Floats, target: Floats) -> Any:
    """One regressor; on one core, so that the sums, and the trees, are the same on any machine."""
    regressor = _required("sklearn.ensemble").HistGradientBoostingRegressor(**SETTINGS)
    with _required("threadpoolctl").threadpool_limits(limits=1, user_api="openmp"):
        try:
            return regressor.fit(features, target)
        except ValueError as error:
            raise ConvergenceError(
                f"boosted trees can't be taught: {error}", customers=len(target)
            ) from error


def _told(regressor: Any, features: Floats) -> Floats:
    with _required("threadpoolctl").threadpool_limits(limits=1, user_api="openmp"):
        return np.asarray(regressor.predict(features), dtype=np.float64)


def _required(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise BadSettings(
            "boosted trees need scikit-learn: pip install 'clv-sync[challenger]'"
        ) from error
