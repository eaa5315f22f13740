"""BG/BB: purchases at discrete opportunities, such as yearly appeals or weekly markets.

Fader, P. S., Hardie, B. G. S. & Shang, J. (2010), Customer-Base Analysis in a Discrete-Time
Noncontractual Setting, Marketing Science 29(6), 1086-1108.

x    frequency, opportunities taken         p ~ Beta(alpha, beta)       takes one while active
t_x  recency, number of the last one taken  theta ~ Beta(gamma, delta)  leaves before one
n    T, opportunities so far                0 <= x <= t_x <= n, all whole

Likelihood of a customer: active throughout, or gone before opportunity
j + 1 for a j from t_x on,

    B(alpha, beta) B(gamma, delta) L = B(alpha+x, beta+n-x) B(gamma, delta+n)
        + sum over t_x <= j < n of B(alpha+x, beta+j-x) B(gamma+1, delta+j)

"Active" means: there at opportunity n + 1, as in the paper's Table 6. Horizons are whole
numbers of opportunities; a part of one is none. Discount rates are continuous, per opportunity: the
next one weighs exp(-discount_rate).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, gammaln, polygamma

from clv import columns as c
from clv.models.fitted import Fitted
from clv.models.histories import grouped, history
from clv.models.purchases import Purchases, Rows
from clv.numerics.grouping import distinct
from clv.numerics.newton import maximise, thinned
from clv.numerics.opportunities import opportunities_left, require, whole

Floats = NDArray[np.float64]

#: Mixed and alike customers, keen and reluctant, loyal and fleeting.
STARTS = (
    (1.0, 1.0, 0.5, 3.0),
    (0.5, 2.0, 0.5, 10.0),
    (3.0, 3.0, 2.0, 20.0),
    (10.0, 40.0, 1.0, 2.0),
)


@dataclass(frozen=True, kw_only=True)
class BetaGeoBetaBinomial(Fitted, Purchases):
    """A fitted BG/BB. All times are numbers of opportunities."""

    NAME: ClassVar[str] = "BG/BB"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("alpha", "beta", "gamma", "delta")

    alpha: float
    beta: float
    gamma: float
    delta: float

    @classmethod
    def fit(cls, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Self:
        """The most likely parameters; `weights` counts how many customers each row stands for.

        Raises BadSummary where the rows don't count opportunities, NotEnoughData, ConvergenceError.
        """
        _opportunities(summary)
        given = grouped(summary, weights, model=cls.NAME)
        best = maximise(_Likelihood(*given), STARTS, thinned(_Likelihood, *given))
        alpha, beta, gamma, delta = (float(value) for value in best.parameters)
        return cls(
            alpha=alpha,
            beta=beta,
            gamma=gamma,
            delta=delta,
            log_likelihood=best.log_likelihood,
            customers=given.customers,
            log_covariance=best.log_covariance,
            at_wall=best.at_wall(cls.PARAMETERS),
        )

    @property
    def time_scale(self) -> float:
        """The opportunities that a customer with the mean of theta lives through."""
        return (self.gamma + self.delta) / self.gamma

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being there at the next opportunity."""
        histories, rows = distinct(*_opportunities(summary))
        alive: Floats = (1 / (1 + self._odds_of_having_left(*histories)))[rows]
        return alive

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Purchases that a new customer makes at the next `t` opportunities (any shape)."""
        horizon = whole(t)
        first = self.alpha / (self.alpha + self.beta) * self.delta / (self.gamma + self.delta)
        flat = np.ravel(horizon)
        left = opportunities_left(flat, self.gamma, np.full(flat.shape, self.delta + 1))
        return first * left.reshape(horizon.shape)

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """Purchases at the next `t` opportunities of customers there at the first of them."""
        return self._at_next(t, summary, 0.0)

    def discounted_expected_purchases(
        self, t: float, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """Purchases at the next `t` opportunities, the k-th times exp(-discount_rate * k)."""
        futures, rows = self._futures(summary)
        active = np.exp(-discount_rate) * self._at_next(t, futures, discount_rate)
        expected: Floats = self.p_alive(summary) * active[rows]
        return expected

    def discounted_expected_residual_transactions(
        self, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """DERT of the paper, with exp(-discount_rate) for its 1 / (1 + d)."""
        return self.discounted_expected_purchases(np.inf, summary, discount_rate)

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Opportunities to the next purchase of a customer who is active and stays."""
        x, n = _future(summary)
        wait: Floats = (self.alpha + self.beta + n) / (self.alpha + x)
        return wait

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Each takes opportunities with a chance of their own until they leave."""
        x, n = _future(summary)
        p = rng.beta(self.alpha + x, self.beta + np.maximum(n - x, 0))
        there = np.minimum(self._stays(self.delta + n + 1, rng), whole(t))
        return rng.binomial(there.astype(np.int64), p).astype(np.float64)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Purchases at opportunities 1, 2, ... up to each age; a part of one is none."""
        p = rng.beta(self.alpha, self.beta, len(ages))
        there = self._stays(np.full(len(ages), self.delta), rng) - 1
        many = np.minimum(there, whole(ages)).astype(np.int64)
        rows = np.repeat(np.arange(len(ages)), many)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many) + 1
        taken = rng.random(len(rows)) < p[rows]
        return rows[taken], number[taken].astype(np.float64)

    def _stays(self, delta: Floats, rng: np.random.Generator) -> Floats:
        """Random numbers of the opportunity before which customers leave: 1 is the next."""
        theta = np.maximum(rng.beta(self.gamma, delta), 1e-15)
        return rng.geometric(theta).astype(np.float64)

    def _at_next(self, t: ArrayLike, summary: pd.DataFrame, discount_rate: float) -> Floats:
        """Purchases of active customers; the next opportunity is not discounted."""
        x, n = _future(summary)
        p = (self.alpha + x) / (self.alpha + self.beta + n)
        return p * opportunities_left(whole(t), self.gamma, self.delta + n + 1, discount_rate)

    def _odds_of_having_left(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """Gone before opportunity j + 1, t_x <= j <= n, against being there at n + 1.

        From j = n downwards each term is the one before times a ratio above one.
        """
        order = np.argsort(t_x - n, kind="stable")
        x, last, gap = x[order], n[order], (n - t_x)[order]
        term = self.gamma / (self.delta + last)
        odds = term.copy()
        with np.errstate(over="ignore"):
            for step in range(1, int(gap.max(initial=0)) + 1):
                some = slice(0, int(np.searchsorted(-gap, -step, side="right")))
                j = last[some] - step
                more = (self.alpha + self.beta + j) / (self.beta + j - x[some])
                term = term[some] * more * ((self.gamma + self.delta + j + 1) / (self.delta + j))
                odds[some] += term
        back = np.empty_like(odds)
        back[order] = odds
        return back


def _opportunities(summary: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """x, t_x and n of every row. Raises BadSummary where they can't be counts of opportunities."""
    x, t_x, n = history(summary)
    for name, values in ((c.FREQUENCY, x), (c.RECENCY, t_x), (c.T, n)):
        right = np.isfinite(values) & (values >= 0) & (values == np.floor(values))
        require(summary, name, right, "opportunities are counted in whole numbers")
    require(summary, c.RECENCY, (x <= t_x) & ((x > 0) | (t_x == 0)), "fewer than were taken")
    require(summary, c.T, t_x <= n, "the last purchase is after the last opportunity")
    return x, t_x, n


def _future(summary: pd.DataFrame) -> tuple[Floats, Floats]:
    x, n = (summary[name].to_numpy(dtype=np.float64) for name in (c.FREQUENCY, c.T))
    return x, n


#: The ten second derivatives of four parameters: rows and columns of the upper triangle.
_ROW, _COLUMN = np.triu_indices(4)
_BETA_TWICE = 4


class _Likelihood:
    """Value, gradient and Hessian of the log-likelihood by (alpha, beta, gamma, delta).

    Customers of the same x share the terms of the sum over j, and a sum from t_x to n - 1 is the
    one from t_x on without the one from n on. So one walk down from the last opportunity adds up
    everybody's terms, for each x once. The terms fall with j: the difference of the two sums loses
    no more digits than the longest history divided by n - t_x has.
    """

    def __init__(self, x: Floats, t_x: Floats, n: Floats, counts: Floats) -> None:
        self.some_x = np.unique(x).astype(np.intp)
        self.kind = np.searchsorted(self.some_x, x)
        self.x, self.n, self.counts = x.astype(np.intp), n.astype(np.intp), counts
        self.top = int(self.n.max())
        self.first, self.beyond = (_places(j, self.top) for j in (t_x.astype(np.intp), self.n))

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = self._histories(_Terms(parameters, self.top))
        alpha, beta, gamma, delta = parameters
        value += float(self.counts @ gammaln(alpha + self.x))
        gradient[0] += self.counts @ digamma(alpha + self.x)
        hessian[0, 0] += self.counts @ polygamma(1, alpha + self.x)
        customers = float(self.counts.sum())
        for place, (one, other) in ((0, (alpha, beta)), (2, (gamma, delta))):
            pair, both = slice(place, place + 2), np.array([one, other])
            value -= customers * float(betaln(one, other))
            gradient[pair] -= customers * (digamma(both) - digamma(one + other))
            curve = np.diag(polygamma(1, both)) - polygamma(1, one + other)
            hessian[pair, pair] -= customers * np.triu(curve)
        return value, gradient, hessian + np.triu(hessian, 1).T

    def _histories(self, terms: _Terms) -> tuple[float, Floats, Floats]:
        """Active throughout or gone at some j: the log of the sum; an upper triangle's Hessian."""
        log_sums, means = self._walk(terms)
        log_active, of_active = terms.active(self.x, self.n)
        highest = np.maximum(log_sums[0], log_active)
        gone, later, active = np.exp(np.stack([*log_sums, log_active]) - highest)
        total = gone - later + active
        mean = (gone * means[0] - later * means[1] + active * of_active) / total
        slopes, curves = mean[:4], mean[4:]
        hessian = np.zeros((4, 4))
        hessian[_ROW, _COLUMN] = (curves - slopes[_ROW] * slopes[_COLUMN]) @ self.counts
        return float(self.counts @ (np.log(total) + highest)), slopes @ self.counts, hessian

    def _walk(self, terms: _Terms) -> tuple[Floats, Floats]:
        """Logs of the sums from t_x on and from n on, and the means of the derivatives in them."""
        log_sum = np.full(len(self.some_x), -np.inf)
        mean = np.zeros((14, len(self.some_x)))
        log_sums = np.full((2, len(self.x)), -np.inf)
        means = np.zeros((2, 14, len(self.x)))
        for j in range(self.top - 1, -1, -1):
            some = slice(0, int(np.searchsorted(self.some_x, j, side="right")))
            log_term, derivatives = terms.gone(self.some_x[some], j)
            more = np.logaddexp(log_sum[some], log_term)
            mean[:, some] += np.exp(log_term - more) * (derivatives - mean[:, some])
            log_sum[some] = more
            for side, rows in ((0, self.first[j]), (1, self.beyond[j])):
                log_sums[side, rows] = log_sum[self.kind[rows]]
                means[side][:, rows] = mean[:, self.kind[rows]]
        return log_sums, means


def _places(of: NDArray[np.intp], top: int) -> list[NDArray[np.intp]]:
    """Which rows have 0, 1, ... `top`."""
    order = np.argsort(of, kind="stable")
    return np.split(order, np.searchsorted(of[order], np.arange(1, top + 1)))


class _Terms:
    """The terms of the sum over j and their derivatives, without what is the same for all j."""

    def __init__(self, parameters: Floats, top: int) -> None:
        alpha, beta, gamma, delta = parameters
        j = np.arange(top + 1)
        # Every gamma function has a whole number added to a parameter: looked up in tables.
        self.misses = _tables(beta + j)
        taken, stayed = _tables(alpha + beta + j), _tables(delta + j)
        self._gone = _parts(taken, stayed, _tables(gamma + 1 + delta + j), _tables(gamma + 1))
        self._active = _parts(taken, stayed, _tables(gamma + delta + j), _tables(gamma))

    def gone(self, x: NDArray[np.intp], j: int) -> tuple[Floats, Floats]:
        return self._of(self._gone, x, j)

    def active(self, x: NDArray[np.intp], n: NDArray[np.intp]) -> tuple[Floats, Floats]:
        return self._of(self._active, x, n)

    def _of(
        self, parts: Floats, x: NDArray[np.intp], j: int | NDArray[np.intp]
    ) -> tuple[Floats, Floats]:
        """The log of the term; first derivatives, then their products plus the second ones."""
        log_term, slope, curve = self.misses[:, j - x]
        part = parts[:, j] if isinstance(j, np.ndarray) else parts[:, [j]]
        derivatives = part[1:] + np.zeros_like(log_term)
        derivatives[1] += slope
        derivatives[4 + _BETA_TWICE] += curve
        derivatives[4:] += derivatives[_ROW] * derivatives[_COLUMN]
        return log_term + part[0], derivatives


def _tables(values: ArrayLike) -> Floats:
    """ln Gamma and its first two derivatives."""
    at = np.asarray(values, dtype=np.float64)
    return np.array([gammaln(at), digamma(at), polygamma(1, at)])


def _parts(taken: Floats, stayed: Floats, lived: Floats, gamma: Floats) -> Floats:
    """By j: the log of the term, four first derivatives, ten second ones; but for beta + j - x."""
    none = np.zeros_like(taken[0])
    first = (-taken[1], -taken[1], gamma[1] - lived[1], stayed[1] - lived[1])
    by_alpha = (-taken[2], -taken[2], none, none)
    by_beta = (-taken[2], none, none)
    by_gamma = (gamma[2] - lived[2], -lived[2])
    log_term = gamma[0] + stayed[0] - lived[0] - taken[0]
    return np.stack([log_term, *first, *by_alpha, *by_beta, *by_gamma, stayed[2] - lived[2]])
