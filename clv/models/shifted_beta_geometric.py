"""sBG: how long customers keep renewing a subscription.

Fader, P. S. & Hardie, B. G. S. (2007), How to Project Customer Retention, Journal of Interactive
Marketing 21(1), 76-90. Values: Fader & Hardie (2010), Customer-Base Valuation in a Contractual
Setting, Marketing Science 29(1), 85-93.

x    frequency, renewals made           theta ~ Beta(alpha, beta)  leaves at a renewal
T    renewals that were due until now   x <= T, whole; x < T has left, at renewal x + 1

    P(leaves at renewal t) = B(alpha+1, beta+t-1) / B(alpha, beta)
    S(t) = B(alpha, beta+t) / B(alpha, beta),   r(t) = S(t) / S(t-1) = (beta+t-1) / (alpha+beta+t-1)

Leaving is seen, so P(alive) is 1 or 0. Horizons are whole numbers of renewals, a part of one is
none; the next renewal is one period away and weighs exp(-discount_rate).
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, polygamma

from clv import columns as c
from clv.models.fitted import Fitted
from clv.models.histories import grouped
from clv.models.purchases import Purchases, Rows
from clv.numerics.newton import maximise
from clv.numerics.opportunities import opportunities_left, require, whole

Floats = NDArray[np.float64]

#: Mixed and alike customers, fleeting and loyal.
STARTS = ((0.5, 0.5), (1.0, 5.0), (5.0, 50.0), (5.0, 5.0))


@dataclass(frozen=True, kw_only=True)
class ShiftedBetaGeometric(Fitted, Purchases):
    """A fitted sBG. All times are numbers of renewals; purchases are renewals."""

    NAME: ClassVar[str] = "sBG"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    FUTURE: ClassVar[tuple[str, ...]] = (c.T,)

    alpha: float
    beta: float

    @classmethod
    def fit(cls, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Self:
        """The most likely parameters; `weights` counts how many customers each row stands for.

        It looks at frequency and T alone. Raises BadSummary where the rows don't count renewals,
        NotEnoughData, ConvergenceError.
        """
        x, T = _renewals(summary)
        rows = pd.DataFrame({c.FREQUENCY: x, c.RECENCY: x, c.T: T})
        given = grouped(rows, weights, model=cls.NAME)
        best = maximise(_Likelihood(given.x, given.T, given.counts), STARTS)
        alpha, beta = (float(value) for value in best.parameters)
        return cls(
            alpha=alpha,
            beta=beta,
            log_likelihood=best.log_likelihood,
            customers=given.customers,
            log_covariance=best.log_covariance,
            at_wall=best.at_wall(cls.PARAMETERS),
        )

    @property
    def time_scale(self) -> float:
        """The renewals that a customer with the mean of theta lives through."""
        return (self.alpha + self.beta) / self.alpha

    def survival(self, t: ArrayLike) -> Floats:
        """The share of new customers still there after `t` renewals (any shape)."""
        renewals = whole(t)
        log_share = betaln(self.alpha, self.beta + renewals) - betaln(self.alpha, self.beta)
        # The difference of two logarithms may leave a share of one a rounding error above it.
        return np.asarray(np.exp(np.minimum(log_share, 0.0)))

    def retention_rate(self, t: ArrayLike) -> Floats:
        """The share of those who came to renewal `t` (1, 2, ...; any shape) who make it."""
        stayed = self.beta + whole(t) - 1
        return np.asarray(stayed / (self.alpha + stayed))

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """1 for those who made every renewal that was due, 0 for the others."""
        x, T = _renewals(summary)
        return np.where(x == T, 1.0, 0.0)

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Renewals that a new customer makes of the next `t` (any shape)."""
        horizon = whole(t)
        flat = np.ravel(horizon)
        return self._renewals_left(flat, np.zeros_like(flat), 0.0).reshape(horizon.shape)

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """Renewals made of the next `t` by customers who made all T so far."""
        return self._renewals_left(t, _age(summary), 0.0)

    def expected_residual_lifetime(self, summary: pd.DataFrame, within: float) -> Floats:
        """Renewals that each customer still makes of the next `within`: 0 for those who left.

        There is no endless one: its mean is infinite where alpha <= 1, as in both data sets of the
        paper.
        """
        return self.conditional_expected_purchases(within, summary)

    def discounted_expected_residual_lifetime(
        self, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """DERL: all renewals to come just before the next is due, which is not discounted.

        Fader & Hardie (2010), equation 6, with exp(-discount_rate) for its 1 / (1 + d). DERT, where
        the next renewal is a period away, is exp(-discount_rate) times this.
        """
        ahead = self.discounted_expected_residual_transactions(summary, discount_rate)
        return np.asarray(np.exp(discount_rate) * ahead)

    def discounted_expected_purchases(
        self, t: float, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """Renewals made of the next `t`, the k-th times exp(-discount_rate * k)."""
        futures, rows = self._futures(summary)
        active = self._renewals_left(t, _age(futures), discount_rate)
        expected: Floats = self.p_alive(summary) * active[rows]
        return expected

    def discounted_expected_residual_transactions(
        self, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """DERT: all renewals to come, the k-th times exp(-discount_rate * k)."""
        return self.discounted_expected_purchases(np.inf, summary, discount_rate)

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """One period: the next renewal is due then."""
        return np.ones(len(summary))

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Renewals of active customers until they leave, with a chance of their own."""
        return np.minimum(self._made(self.beta + _age(summary), rng), whole(t))

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Renewals at 1, 2, ... up to each age until the customer leaves."""
        made = self._made(np.full(len(ages), self.beta), rng)
        many = np.minimum(made, whole(ages)).astype(np.int64)
        rows = np.repeat(np.arange(len(ages)), many)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many) + 1
        return rows, number.astype(np.float64)

    def _made(self, beta: Floats, rng: np.random.Generator) -> Floats:
        """Random numbers of renewals before customers leave."""
        theta = np.maximum(rng.beta(self.alpha, beta), 1e-15)
        return rng.geometric(theta).astype(np.float64) - 1

    def _renewals_left(self, t: ArrayLike, T: Floats, discount_rate: float) -> Floats:
        stayed = self.beta + T
        next_one = np.exp(-discount_rate) * stayed / (self.alpha + stayed)
        left = opportunities_left(whole(t), self.alpha, stayed + 1, discount_rate)
        expected: Floats = next_one * left
        return expected


def _renewals(summary: pd.DataFrame) -> tuple[Floats, Floats]:
    """x and T of every row. Raises BadSummary where they can't be counts of renewals."""
    x, T = (summary[name].to_numpy(dtype=np.float64) for name in (c.FREQUENCY, c.T))
    for name, values in ((c.FREQUENCY, x), (c.T, T)):
        right = np.isfinite(values) & (values >= 0) & (values == np.floor(values))
        require(summary, name, right, "renewals are counted in whole numbers")
    require(summary, c.FREQUENCY, x <= T, "more renewals made than were due")
    return x, T


def _age(summary: pd.DataFrame) -> Floats:
    return summary[c.T].to_numpy(dtype=np.float64)


class _Likelihood:
    """Value, gradient and Hessian of the log-likelihood by (alpha, beta).

    Whoever left after x renewals has B(alpha+1, beta+x), whoever is there after T B(alpha, beta+T).
    """

    def __init__(self, x: Floats, T: Floats, counts: Floats) -> None:
        self.left, self.made, self.counts = (x < T).astype(np.float64), x, counts

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        alpha, beta = parameters
        n, left, stayed = self.counts, alpha + self.left, beta + self.made
        value = n @ (betaln(left, stayed) - betaln(alpha, beta))
        both = digamma(left + stayed) - digamma(alpha + beta)
        by_alpha = n @ (digamma(left) - digamma(alpha) - both)
        by_beta = n @ (digamma(stayed) - digamma(beta) - both)
        bent = n @ (polygamma(1, left + stayed) - polygamma(1, alpha + beta))
        hessian = np.full((2, 2), -bent)
        hessian[0, 0] += n @ (polygamma(1, left) - polygamma(1, alpha))
        hessian[1, 1] += n @ (polygamma(1, stayed) - polygamma(1, beta))
        return float(value), np.array([by_alpha, by_beta]), hessian
