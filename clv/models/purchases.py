"""What every model of purchases answers, whoever the customers are and however they leave.

Every `summary` is a frame with frequency, recency and T, times in the unit that the model was
fitted to; answers have one value per row. A model says how likely a customer is still active, and
what an active customer will do; the rest follows from the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.numerics.grouping import distinct

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Gauss-Legendre nodes of a discounted horizon, and how many more for each factor e of discount:
#: relative error below 1e-9 from a day to 50 years.
NODES, NODES_PER_E, MOST_NODES = 6, 4, 64
#: An endless horizon ends where the discount has come to exp(-this).
ENDLESS = 40.0


def require_horizon(t: float) -> None:
    """Raises BadSettings for a horizon that is no length of time."""
    if not 0 <= t < np.inf:
        raise BadSettings("a horizon is 0 or more, and ends", t=t)


class Purchases(ABC):
    """A model of when customers purchase and when they leave."""

    #: The columns on which the future of a customer depends who is active now.
    FUTURE: ClassVar[tuple[str, ...]] = (c.FREQUENCY, c.T)

    @abstractmethod
    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active."""

    @abstractmethod
    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases that a new customer makes within `t` (any shape)."""

    @abstractmethod
    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """Expected purchases within the next `t` (one for all or one each) of active customers.

        It looks at the columns of FUTURE alone. Callers give each kind of customer once.
        """

    @abstractmethod
    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase of a customer who is active."""

    @abstractmethod
    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """One random future each: the purchases within the next `t` of customers active now.

        It looks at the columns of FUTURE alone. Differences between customers and chance are both
        in it; the parameters are taken as certain.
        """

    @abstractmethod
    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Random new customers, one for each age: every repeat purchase as (row, time).

        Time runs from the first purchase, at 0, to the customer's age. Pairs in any order.
        """

    def conditional_expected_purchases(self, t: float, summary: pd.DataFrame) -> Floats:
        """Purchases within the next `t`, by what each customer did so far."""
        require_horizon(t)
        futures, rows = self._futures(summary)
        expected: Floats = self.p_alive(summary) * self.purchases_while_active(t, futures)[rows]
        return expected

    def discounted_expected_purchases(
        self, t: float, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """Purchases within the next `t`, each times exp(-discount_rate * time until then).

        By parts, with E the undiscounted expectation: exp(-d t) E(t) + d * integral of
        exp(-d s) E(s); the integral by Gauss-Legendre on ln(1 + s / (time_scale + T)), where E is
        tame.
        """
        require_horizon(t)
        futures, rows = self._futures(summary)
        active = self._discounted_while_active(t, futures, discount_rate)
        expected: Floats = self.p_alive(summary) * active[rows]
        return expected

    def discounted_expected_residual_transactions(
        self, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """DERT: all purchases to come, each times exp(-discount_rate * time until then).

        Fader, Hardie & Lee (2005), RFM and CLV, Journal of Marketing Research 42(4). The rate is
        continuous, by the model's unit of time, and above zero.
        """
        return self.discounted_expected_purchases(ENDLESS / discount_rate, summary, discount_rate)

    def leaving_known(self, summary: pd.DataFrame) -> NDArray[np.bool_]:
        """Where `p_alive` is a finding: not where the model takes it for granted."""
        return np.ones(len(summary), dtype=np.bool_)

    @property
    @abstractmethod
    def time_scale(self) -> float:
        """The time in which a new customer's future changes: alpha of the models with a rate."""

    def _discounted_while_active(
        self, t: float, futures: pd.DataFrame, discount_rate: float
    ) -> Floats:
        active: Floats = np.exp(-discount_rate * t) * self.purchases_while_active(t, futures)
        if not discount_rate:
            return active
        scale = self.time_scale + futures[c.T].to_numpy(dtype=np.float64)
        span = np.log1p(t / scale)
        nodes = min(NODES + NODES_PER_E * int(np.ceil(discount_rate * t)), MOST_NODES)
        for node, weight in zip(*np.polynomial.legendre.leggauss(nodes), strict=True):
            w = span * (1 + node) / 2
            s = scale * np.expm1(w)
            change = span / 2 * weight * scale * np.exp(w) * np.exp(-discount_rate * s)
            active += discount_rate * change * self.purchases_while_active(s, futures)
        return active

    def _futures(self, summary: pd.DataFrame) -> tuple[pd.DataFrame, Rows]:
        """The kinds of customers whose futures differ, and which kind each row is of."""
        values = [summary[name].to_numpy(dtype=np.float64) for name in self.FUTURE]
        kinds, rows = distinct(*values)
        # Built of one array: column by column takes pandas longer than all that is asked of it.
        return pd.DataFrame(np.stack(kinds).T, columns=_named(self.FUTURE), copy=False), rows


@cache
def _named(columns: tuple[str, ...]) -> pd.Index[str]:
    return pd.Index(columns)
