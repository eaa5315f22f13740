"""Histories as the likelihoods take them: each once, with the customers it stands for."""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv import columns as c
from clv.errors import BadSummary, NotEnoughData
from clv.numerics.grouping import distinct

Floats = NDArray[np.float64]

MIN_CUSTOMERS = 10
MIN_REPEATERS = 3


class Histories(NamedTuple):
    """Distinct histories and the customers behind each. Times in any one unit."""

    x: Floats
    t_x: Floats
    T: Floats
    counts: Floats

    def in_units_of(self, unit: float) -> Histories:
        return self._replace(t_x=self.t_x / unit, T=self.T / unit)

    @property
    def mean_age(self) -> float:
        """The unit of time in which the walls around the parameters mean the same everywhere."""
        return float(self.counts @ self.T / self.counts.sum())

    @property
    def customers(self) -> int:
        return round(float(self.counts.sum()))

    @property
    def purchases(self) -> float:
        """Repeat purchases of all customers: d log-likelihood = purchases x d log of the unit."""
        return float(self.counts @ self.x)

    @property
    def rate(self) -> float:
        """Repeat purchases per customer and unit of time."""
        return self.purchases / float(self.counts @ self.T)


def history(summary: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """x, t_x and T of every row."""
    x, t_x, T = (summary[name].to_numpy(dtype=np.float64) for name in (c.FREQUENCY, c.RECENCY, c.T))
    return x, t_x, T


def future(summary: pd.DataFrame) -> tuple[Floats, Floats]:
    """x and T of every row: all that the future of an active customer depends on where waits
    are exponential."""
    x, T = (summary[name].to_numpy(dtype=np.float64) for name in (c.FREQUENCY, c.T))
    return x, T


def possible(x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats, Floats]:
    """The histories themselves, if all of them can be. Raises BadSummary."""
    doubts = (
        (c.FREQUENCY, ~(x >= 0) | (x != np.floor(x)) | np.isinf(x), "no count of purchases"),
        (c.RECENCY, ~(t_x >= 0), "missing or negative"),
        (c.T, ~(t_x <= T) | np.isinf(T), "an age that ends before the last purchase"),
        (
            c.RECENCY,
            (x == 0) != (t_x == 0),
            "repeat purchases without time between, or the reverse",
        ),
    )
    for column, bad, message in doubts:
        if bad.any():
            raise BadSummary(message, column=column, rows=int(bad.sum()))
    return x, t_x, T


def grouped(summary: pd.DataFrame, weights: ArrayLike | None = None, *, model: str) -> Histories:
    """The distinct histories. `weights` counts how many customers each row stands for.

    Raises BadSummary, and NotEnoughData where `model` could be fitted to nothing but chance.
    """
    groups, rows = distinct(*possible(*history(summary)))
    each = None if weights is None else np.asarray(weights, dtype=np.float64)
    counts = np.bincount(rows, weights=each, minlength=len(groups[0])).astype(np.float64)
    x, t_x, T = groups
    histories = Histories(x, t_x, T, counts)
    repeaters = float(counts[histories.x > 0].sum())
    if histories.customers < MIN_CUSTOMERS or repeaters < MIN_REPEATERS:
        raise NotEnoughData(
            f"{model} needs more customers",
            customers=histories.customers,
            repeaters=round(repeaters),
            min_customers=MIN_CUSTOMERS,
            min_repeaters=MIN_REPEATERS,
        )
    return histories
