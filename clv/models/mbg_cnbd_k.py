"""MBG/CNBD-k: MBG/NBD for customers who buy regularly, as of groceries or by subscription.

Platzer, M. & Reutterer, T. (2016), Ticking Away the Moments, Marketing Science 35(5), 779-799;
Reutterer, T., Platzer, M. & Schroeder, N. (2021), Leveraging Purchase Regularity for Predicting
Customer Behavior the Easy Way, International Journal of Research in Marketing 38(1), 194-215.

x    frequency, repeat purchases          lambda ~ Gamma(r, alpha)  rate of stages while active
t_x  recency, first to last purchase      p ~ Beta(a, b)            leaves after any purchase
T    age, first purchase to today         k                         stages of a wait: Erlang-k
                                          alpha in units of T, the others without unit

A wait takes k / lambda on average; k = 1 is MBG/NBD. The likelihood and P(alive) are those of
`clv.models.dropout`, and what the waits say about k is added to it. With the waits w of every
customer (`log_waits`, the sum of ln w) that is

    (k-1) sum of ln w - x ln G(k)

Where only their sum t_x is known, its own density takes the place of theirs (a sum of Erlang waits
is Erlang again). Per customer, and as before 0 for k = 1:

    (k-1) x ln t_x - ln G(k x) + ln G(x)
"""

# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from clv import columns as c
from clv.errors import BadSettings, ConvergenceError
from clv.models.dropout import Habit, Known, most_likely, probability_alive
from clv.models.dropout_draws import random_events, random_histories, until_leaving
from clv.models.fitted import Fitted
from clv.models.histories import Histories, grouped, history
from clv.models.purchases import ENDLESS, Purchases, Rows
from clv.numerics.discount import discounted_from_wait
from clv.numerics.grouping import distinct
from clv.numerics.stages import unseen
from clv.numerics.stages_ahead import Silent, purchases_after_silence
from clv.numerics.stages_discounted import Leaving, endless, summable, within

Floats = NDArray[np.float64]

#: More stages than this look like a calendar.
MOST_STAGES = 12
#: Horizons of more waits than this are looked at wait by wait where they are discounted.
SOON = 2.0


@dataclass(frozen=True, kw_only=True)
class MBGCNBDk(Fitted, Purchases):
    """A fitted MBG/CNBD-k. `alpha` is in the unit of the times that it was fitted to (days here).

    `log_likelihood` compares with that of the other models, and between any k.
    """

    NAME: ClassVar[str] = "MBG/CNBD-k"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    FUTURE: ClassVar[tuple[str, ...]] = (c.FREQUENCY, c.RECENCY, c.T)

    k: int
    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(
        cls, summary: pd.DataFrame, weights: ArrayLike | None = None, k: int | None = None
    ) -> Self:
        """The most likely parameters, and k where it isn't given: the first from which it falls.

        `weights` counts how many customers each row stands for. With the column `log_waits` all
        that the waits say counts for k, else what their sums say; that takes more customers to
        tell, some thousands. Raises NotEnoughData, ConvergenceError, BadSettings.
        """
        if k is not None and not 1 <= k <= MOST_STAGES:
            raise BadSettings("k is out of its range", k=k, least=1, most=MOST_STAGES)
        given, waits = grouped(summary, weights, model=cls.NAME), _Waits.of(summary, weights)
        if k is not None:
            return cls._with(k, given, waits)
        best = cls._with(1, given, waits)
        for more in range(2, MOST_STAGES + 1):
            model = cls._with(more, given, waits, best)
            if model.log_likelihood <= best.log_likelihood:
                break
            best = model
        return best

    @classmethod
    def _with(cls, k: int, given: Histories, waits: _Waits, near: Self | None = None) -> Self:
        """The most likely one of k stages; `near` is one of k - 1."""
        fields = None
        if near is not None:
            start = (near.r, near.alpha * near.k / k, near.a, near.b)
            with suppress(ConvergenceError):
                fields = most_likely(given, Habit(1, k), cls, start)
        if fields is None:
            fields = most_likely(given, Habit(1, k), cls)
        fields["log_likelihood"] += waits.log_likelihood(k)
        return cls(k=k, **fields)

    @property
    def time_scale(self) -> float:
        return self.alpha

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active."""
        return probability_alive(self._known, self._habit, history(summary))

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases that a new customer makes within `t` (any shape)."""
        times = np.asarray(t, dtype=np.float64)
        new = np.ones(times.size)
        silent = Silent(self.r * new, self.alpha * new, 0 * new)
        stays = self.b / (self.a + self.b)
        within = purchases_after_silence(times.ravel(), self.k, silent, self.a, self.b + 1)
        return np.asarray(stays * within.reshape(times.shape))

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """Exact, the stages that the silence may hide included, where the paper approximates."""
        x, silent = self._silent(summary)
        return purchases_after_silence(t, self.k, silent, self.a, self.b + x + 1)

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase of a customer who is active: stages left at expected rates."""
        _, (R, A, silence) = self._silent(summary)
        hidden = unseen(self.k, R, silence / A)
        passed = np.arange(self.k)[:, None]
        wait = A * (hidden * (self.k - passed) / (R + passed)).sum(axis=0)
        return np.asarray(wait / hidden.sum(axis=0))

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Stages at a rate of their own, k to a purchase, up to the one after which they leave."""
        x, (R, A, silence) = self._silent(summary)
        passed = _drawn(unseen(self.k, R, silence / A), rng)
        stages = passed + random_events(t, R + passed, A, rng)
        return until_leaving(stages // self.k, self.a, self.b + x + 1, rng)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Waits are Erlang-k; after every purchase, the first too, customers leave or not."""
        return random_histories(self._known, self._habit, ages, rng)

    def _discounted_while_active(
        self, t: float, futures: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """Added up where purchases are few enough; else in the rhythm of the waits, if soon."""
        if not discount_rate:
            return super()._discounted_while_active(t, futures, discount_rate)
        x, silent = self._silent(futures)
        leaving = Leaving(self.a, self.b + x + 1)
        if discount_rate * t >= ENDLESS:
            return endless(discount_rate, self.k, silent, leaving)
        few = summable(t, self.k, silent)
        wait = silent.A * np.minimum(self.k / silent.R, 1)
        soon = ~few & (wait * SOON < t)
        late = ~few & ~soon
        active = np.empty_like(x)
        active[few] = within(t, discount_rate, self.k, silent.of(few), leaving.of(few))
        active[soon] = self._soon(t, futures[soon], discount_rate, wait[soon])
        active[late] = super()._discounted_while_active(t, futures[late], discount_rate)
        return active

    def _soon(self, t: float, futures: pd.DataFrame, discount_rate: float, wait: Floats) -> Floats:
        """In panels as long as a wait at first: of busy customers and long horizons."""
        x, silent = self._silent(futures)

        def expected(s: Floats) -> Floats:
            rows = np.tile(np.arange(len(x)), len(s))
            beta = self.b + x[rows] + 1
            value = purchases_after_silence(s.ravel(), self.k, silent.of(rows), self.a, beta)
            return value.reshape(s.shape)

        return discounted_from_wait(t, discount_rate, wait, expected)

    def _silent(self, summary: pd.DataFrame) -> tuple[Floats, Silent]:
        x, t_x, T = history(summary)
        return x, Silent(self.r + self.k * x, self.alpha + T, T - t_x)

    @property
    def _habit(self) -> Habit:
        return Habit(at_first=1, stages=self.k)

    @property
    def _known(self) -> Known:
        return Known(self.r, self.alpha, self.a, self.b)


def _drawn(weights: Floats, rng: np.random.Generator) -> Floats:
    """One of the places along the first axis for each column, as likely as its weight."""
    passed = np.cumsum(weights, axis=0)
    drawn = (passed < rng.random(weights.shape[1]) * passed[-1]).sum(axis=0)
    return np.asarray(drawn, dtype=np.float64)


@dataclass(frozen=True)
class _Waits:
    """What the waits of all customers say about k."""

    x: Floats
    counts: Floats
    logs: float
    known: bool

    @classmethod
    def of(cls, summary: pd.DataFrame, weights: ArrayLike | None) -> Self:
        x, t_x, _ = history(summary)
        counts = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
        known = c.LOG_WAITS in summary
        if known:
            logs = summary[c.LOG_WAITS].to_numpy(dtype=np.float64)
        else:
            logs = x * np.log(np.maximum(t_x, np.finfo(float).tiny))
        back = x > 0
        (some,), rows = distinct(x[back])
        of_some = np.bincount(rows, weights=counts[back]).astype(np.float64)
        return cls(some, of_some, float(counts[back] @ logs[back]), known)

    def log_likelihood(self, k: int) -> float:
        shape = self.x * gammaln(k) if self.known else gammaln(k * self.x) - gammaln(self.x)
        return (k - 1) * self.logs - float(self.counts @ shape)
