"""Forecasts without a model: what every model must beat before it is believed.

x    frequency, repeat purchase days      T    age, first purchase to the origin
t_x  recency, first to last purchase      h    the horizon

repeat rate   x h / (length of the shop's history): everybody repeats as before. Spend: the mean
              of the repeat days
formula       (x + 1) h / T: average order value times purchase frequency times horizon
hiatus        who was silent for longer than `silence_days` is gone, the others repeat at x / T.
              Wübben, M. & von Wangenheim, F. (2008), Instant Customer Base Analysis: Managerial
              Heuristics Often "Get It Right", Journal of Marketing 72(3), 82-93
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.forecast import Forecast
from clv.models.histories import history
from clv.past import Past
from clv.summary import money

Floats = NDArray[np.float64]

#: The share of repeat purchases that come within `silence_days` of the one before.
USUAL = 0.9


@dataclass(frozen=True)
class _Rule(ABC):
    """What the baselines share: a forecast from purchases and spend, nothing about leaving."""

    name: ClassVar[str]
    warnings: ClassVar[tuple[str, ...]] = ()

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        """Purchases come evenly within the horizon; `discount_rate` is continuous, per day."""
        purchases, unknown = self.purchases(summary, horizon_days), np.full(len(summary), np.nan)
        discount = discount_rate * horizon_days
        share = -np.expm1(-discount) / discount if discount else 1.0
        return Forecast(unknown, purchases, purchases * share, self.spend(summary), unknown)

    @abstractmethod
    def purchases(self, summary: pd.DataFrame, horizon_days: int) -> Floats:
        """How many each customer makes within the horizon."""

    def spend(self, summary: pd.DataFrame) -> Floats:
        """The mean value of the repeat days, 0 where there are none or more went back."""
        return np.maximum(np.nan_to_num(money(summary, c.MONETARY_VALUE), nan=0.0), 0.0)

    def card(self) -> dict[str, Any]:
        return {self.name: asdict(self)}


@dataclass(frozen=True)
class RepeatRate(_Rule):
    """Everybody buys as often as in the shop's history, however long they were there."""

    name: ClassVar[str] = "repeat rate x horizon"

    history_days: int

    @classmethod
    def fit(cls, past: Past, horizon_days: int) -> RepeatRate:
        return cls(history_days=_history_days(past.summary))

    def purchases(self, summary: pd.DataFrame, horizon_days: int) -> Floats:
        x, _, _ = history(summary)
        return x * (horizon_days / self.history_days)


@dataclass(frozen=True)
class OrderFormula(_Rule):
    """Average order value times purchases a day, the first one too, times the horizon."""

    name: ClassVar[str] = "AOV x frequency x horizon"

    @classmethod
    def fit(cls, past: Past, horizon_days: int) -> OrderFormula:
        return cls()

    def purchases(self, summary: pd.DataFrame, horizon_days: int) -> Floats:
        x, _, age = history(summary)
        return (x + 1) * (horizon_days / np.maximum(age, 1.0))

    def spend(self, summary: pd.DataFrame) -> Floats:
        x, _, _ = history(summary)
        return np.maximum(money(summary, c.NET), 0.0) / (x + 1)


@dataclass(frozen=True)
class Hiatus(_Rule):
    """Silent for longer than `silence_days`: gone. The others go on as before."""

    name: ClassVar[str] = "hiatus rule"

    silence_days: float

    @classmethod
    def fit(cls, past: Past, horizon_days: int) -> Hiatus:
        """Longer than most waits of repeat buyers is a silence: their mean gaps' 90% quantile."""
        x, t_x, _ = history(past.summary)
        gaps, weights = (t_x / np.maximum(x, 1))[x > 0], x[x > 0]
        if not len(gaps):
            return cls(silence_days=0.0)
        order = np.argsort(gaps)
        place = np.searchsorted(np.cumsum(weights[order]), USUAL * weights.sum())
        return cls(silence_days=float(gaps[order][min(place, len(gaps) - 1)]))

    def purchases(self, summary: pd.DataFrame, horizon_days: int) -> Floats:
        x, t_x, age = history(summary)
        active = age - t_x <= self.silence_days
        return np.where(active, x * (horizon_days / np.maximum(age, 1.0)), 0.0)


def _history_days(summary: pd.DataFrame) -> int:
    """Days of the shop's history, the first and the last one too."""
    return int(summary[c.T].max()) + 1 if len(summary) else 1
