"""What a scorer has to know of all of a shop's customers, put together from parts of them.

It adds up, so that machines can share a shop. And it grows with what differs (values to the cent,
kinds of customers), not with how many customers there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.forecast import Forecast, Predictor, by_day, models_of
from clv.settings import ScoreSettings
from clv.tiers import Cuts, Tiers, cuts_of
from clv.uncertainty.futures import Kinds
from clv.uncertainty.intervals import kinds_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Customers that are forecast at a time: some 100 MB.
BLOCK = 500_000


@dataclass(frozen=True)
class Data:
    """How much a scoring rests on, for the model card."""

    customers: int = 0
    repeaters: int = 0
    purchase_days: int = 0
    history_days: int = 0
    days_since_last_order: int = 0

    @classmethod
    def of(cls, people: pd.DataFrame) -> Data:
        if people.empty:
            return cls()
        x, age = people[c.FREQUENCY], people[c.T]
        return cls(
            customers=len(people),
            repeaters=int((x > 0).sum()),
            purchase_days=int(x.sum()) + len(people),
            history_days=int(age.max()),
            days_since_last_order=int((age - people[c.RECENCY]).min()),
        )

    def __add__(self, other: Data) -> Data:
        if not self.customers or not other.customers:
            return self if self.customers else other
        return Data(
            self.customers + other.customers,
            self.repeaters + other.repeaters,
            self.purchase_days + other.purchase_days,
            max(self.history_days, other.history_days),
            min(self.days_since_last_order, other.days_since_last_order),
        )


@dataclass(frozen=True, eq=False)
class Crowd:
    """How many customers have which predicted value, without the new ones, who take no share.

    `cents` are the values, each once and rising, `customers` how many have it. `kinds` of customers
    are known where models forecast.
    """

    cents: Ints
    customers: Ints
    data: Data
    kinds: Kinds | None

    @classmethod
    def of(cls, predictor: Predictor, people: pd.DataFrame, settings: ScoreSettings) -> Crowd:
        """Of some customers: frequency, recency, T, orders and net."""
        starts = range(0, max(len(people), 1), BLOCK)
        blocks = (people.iloc[start : start + BLOCK] for start in starts)
        return reduce(add, (_of_block(predictor, block, settings) for block in blocks))

    def __add__(self, other: Crowd) -> Crowd:
        value, place = np.unique(np.concatenate([self.cents, other.cents]), return_inverse=True)
        many = np.concatenate([self.customers, other.customers])
        kinds = [kinds for kinds in (self.kinds, other.kinds) if kinds]
        return Crowd(
            value,
            np.bincount(place, many, len(value)).astype(np.int64),
            self.data + other.data,
            Kinds.together(kinds) if kinds else None,
        )

    def cuts(self, tiers: Tiers) -> Cuts:
        """Where the shop's tiers begin."""
        return cuts_of(self.cents, self.customers, tiers)


def _of_block(predictor: Predictor, people: pd.DataFrame, settings: ScoreSettings) -> Crowd:
    predicted = cents(forecast(predictor, people, settings).value)
    if settings.tiers.new is not None:
        predicted = predicted[~are_new(people, settings)]
    value, customers = np.unique(predicted, return_counts=True)
    models = models_of(predictor)
    kinds = kinds_of(models.buying, people, settings.horizon_days) if models else None
    return Crowd(value, customers.astype(np.int64), Data.of(people), kinds)


def are_new(people: pd.DataFrame, settings: ScoreSettings) -> NDArray[np.bool_]:
    """One order, placed within the tiers' `new_days`."""
    recent = people[c.T].to_numpy() <= settings.tiers.new_days
    once: NDArray[np.bool_] = people[c.ORDERS].to_numpy() == 1
    return once & recent


def forecast(predictor: Predictor, people: pd.DataFrame, settings: ScoreSettings) -> Forecast:
    rate = by_day(settings.discount_per_year)
    return predictor.forecast(people, settings.horizon_days, rate)


def cents(values: Floats) -> Ints:
    return np.rint(values * 100).astype(np.int64)
