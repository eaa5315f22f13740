"""BG/NBD: how often customers buy, and whether they still do.

Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "Counting Your Customers" the Easy Way: An
Alternative to the Pareto/NBD Model, Marketing Science 24(2), 275-284.

x    frequency, repeat purchases          lambda ~ Gamma(r, alpha)  purchase rate while active
t_x  recency, first to last purchase      p ~ Beta(a, b)            leaves after a repeat purchase
T    age, first purchase to today         alpha in units of T, the others without unit

The likelihood (the paper's section on spreadsheets, A1 to A4) and P(alive) are those of
`clv.models.dropout` with as many chances to leave as repeat purchases.
"""

# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv import columns as c
from clv.models.dropout import Habit, Known, most_likely, probability_alive
from clv.models.dropout_draws import random_events, random_histories, until_leaving
from clv.models.fitted import Fitted
from clv.models.histories import future, grouped, history
from clv.models.purchases import Purchases, Rows
from clv.numerics.alive import Active, purchases_while_alive, with_fleeting

Floats = NDArray[np.float64]

HABIT = Habit(at_first=0)


@dataclass(frozen=True, kw_only=True)
class BetaGeoNBD(Fitted, Purchases):
    """A fitted BG/NBD. `alpha` is in the unit of the times that it was fitted to (days here)."""

    NAME: ClassVar[str] = "BG/NBD"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Self:
        """The most likely parameters; `weights` counts how many customers each row stands for.

        Raises NotEnoughData, ConvergenceError.
        """
        return cls(**most_likely(grouped(summary, weights, model=cls.NAME), HABIT, cls))

    @property
    def time_scale(self) -> float:
        return self.alpha

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active: 1 by definition where frequency is 0."""
        return probability_alive(self._known, HABIT, history(summary))

    def leaving_known(self, summary: pd.DataFrame) -> NDArray[np.bool_]:
        """Only of those who came back: the others are active by definition."""
        came_back: NDArray[np.bool_] = summary[c.FREQUENCY].to_numpy() > 0
        return came_back

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases that a new customer makes within `t` (any shape)."""
        return purchases_while_alive(t, self.r, self.alpha, self.a, self.b)

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """The paper's equation 10 without its P(alive)."""
        x, T = future(summary)
        return purchases_while_alive(t, self.r + x, self.alpha + T, self.a, self.b + x)

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase of a customer who is active: one over the expected rate."""
        x, T = future(summary)
        wait: Floats = (self.alpha + T) / (self.r + x)
        return wait

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Purchases at a rate of their own, up to the one after which the customer leaves."""
        x, T = future(summary)
        wanted = random_events(t, self.r + x, self.alpha + T, rng)
        return until_leaving(wanted, self.a, self.b + x, rng)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Waits are exponential; after each repeat purchase the customer leaves or not."""
        return random_histories(self._known, HABIT, ages, rng)

    def _discounted_while_active(
        self, t: float, futures: pd.DataFrame, discount_rate: float
    ) -> Floats:
        active = super()._discounted_while_active(t, futures, discount_rate)
        x, T = future(futures)
        customers = Active(self.r + x, self.alpha + T, self.a, self.b + x)
        return with_fleeting(active, t, discount_rate, customers)

    @property
    def _known(self) -> Known:
        return Known(self.r, self.alpha, self.a, self.b)
