"""Pareto/NBD: how often customers buy, and whether they still do; they may lapse at any time.

Schmittlein, D. C., Morrison, D. G. & Colombo, R. (1987), Counting Your Customers: Who Are They and
What Will They Do Next?, Management Science 33(1), 1-24. Derived step by step in Fader, P. S. &
Hardie, B. G. S. (2005), A Note on Deriving the Pareto/NBD Model, brucehardie.com/notes/009.

x    frequency, repeat purchases          lambda ~ Gamma(r, alpha)  purchase rate while active
t_x  recency, first to last purchase      mu ~ Gamma(s, beta)       rate of lapsing
T    age, first purchase to today         alpha and beta in units of T, the others without unit

Likelihood of a customer, active until T or lapsed at some y before:

    G(r+x) alpha^r beta^s / G(r) * { (alpha+T)^-(r+x) (beta+T)^-s
        + s * integral from t_x to T of (alpha+y)^-(r+x) (beta+y)^-(s+1) dy }

P(alive) is the first term's share. The integral and its derivatives are computed in
`clv.numerics.lapse`; those of its logarithm are means and variances over the y at which the
customer may have lapsed.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, expit, exprel, gammaln, polygamma

from clv.models.fitted import Fitted
from clv.models.histories import future, grouped, history
from clv.models.purchases import Purchases, Rows
from clv.numerics.grouping import distinct
from clv.numerics.lapse import Known, Silence, gauss_legendre
from clv.numerics.newton import maximise, thinned

Floats = NDArray[np.float64]
#: Customers at a time: what is worked on stays within a processor's cache.
BLOCK = 1 << 14
#: A discounted future ends where it has come to exp(-NEGLIGIBLE); its Gauss-Legendre nodes.
NEGLIGIBLE, NODES = 36.0, 64
#: More purchases within a horizon than anybody makes; keeps chance from overflowing.
MOST_PURCHASES = 1e9


@dataclass(frozen=True, kw_only=True)
class ParetoNBD(Fitted, Purchases):
    """A fitted Pareto/NBD. `alpha` and `beta` are in the unit of the times it was fitted to."""

    NAME: ClassVar[str] = "Pareto/NBD"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")

    r: float
    alpha: float
    s: float
    beta: float

    @classmethod
    def fit(cls, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Self:
        """The most likely parameters; `weights` counts how many customers each row stands for.

        Raises NotEnoughData, ConvergenceError.
        """
        given = grouped(summary, weights, model=cls.NAME)
        # Times in units of the mean age: the walls then mean the same under days and weeks.
        unit = given.mean_age
        data = given.in_units_of(unit)
        best = maximise(_Likelihood(*data), _starts(data.rate), thinned(_Likelihood, *data))
        r, alpha, s, beta = (float(value) for value in best.parameters)
        return cls(
            r=r,
            alpha=alpha * unit,
            s=s,
            beta=beta * unit,
            log_likelihood=best.log_likelihood - given.purchases * float(np.log(unit)),
            customers=given.customers,
            log_covariance=best.log_covariance,
            at_wall=best.at_wall(cls.PARAMETERS),
        )

    @property
    def time_scale(self) -> float:
        return self.beta

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active; one-time buyers may have lapsed, too."""
        kinds, rows = distinct(*history(summary))
        alive = np.ones(len(kinds[0]))
        for start in range(0, len(alive), BLOCK):
            some = slice(start, start + BLOCK)
            silence = Silence.since(self._known, *(column[some] for column in kinds))
            alive[some] = expit(silence.log_active - silence.log_lapsed)
        return alive[rows]

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases that a new customer makes within `t` (any shape).

        r / alpha times the time for which the customer is expected to be active.
        """
        active = _active_time(np.asarray(t, dtype=np.float64), np.float64(self.beta), self.s)
        within: Floats = self.r / self.alpha * active
        return within

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """(r+x) / (alpha+T) times the time for which they are expected to stay active."""
        x, T = future(summary)
        active = _active_time(np.asarray(t, dtype=np.float64), self.beta + T, self.s)
        within: Floats = (self.r + x) / (self.alpha + T) * active
        return within

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase of a customer who is active: one over the expected rate."""
        x, T = future(summary)
        wait: Floats = (self.alpha + T) / (self.r + x)
        return wait

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Purchases at a rate of their own, for as long as the customer stays active."""
        x, T = future(summary)
        rate = rng.gamma(self.r + x) / (self.alpha + T)
        active = np.minimum(_lifetimes(rng.gamma(self.s, size=len(x)) / (self.beta + T), rng), t)
        return rng.poisson(np.minimum(rate * active, MOST_PURCHASES)).astype(np.float64)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Purchases fall anywhere between the first one and the lapse."""
        rate = rng.gamma(self.r, size=len(ages)) / self.alpha
        lapse = _lifetimes(rng.gamma(self.s, size=len(ages)) / self.beta, rng)
        active = np.minimum(lapse, ages)
        rows = np.repeat(np.arange(len(ages)), rng.poisson(rate * active))
        return rows, rng.random(len(rows)) * active[rows]

    def _discounted_while_active(
        self, t: float, futures: pd.DataFrame, discount_rate: float
    ) -> Floats:
        x, T = future(futures)
        (ages,), rows = distinct(T)
        parts = np.array_split(self.beta + ages, 1 + len(ages) // BLOCK)
        time = np.concatenate([_discounted_time(t, B, self.s, discount_rate) for B in parts])
        within: Floats = (self.r + x) / (self.alpha + T) * time[rows]
        return within

    @property
    def _known(self) -> Known:
        return Known(self.r, self.alpha, self.s, self.beta)


def _active_time(t: Floats | np.float64, B: Floats | np.float64, s: float) -> Floats:
    """How much of the next `t` a customer active now stays active, lapsing at Gamma(s, B).

    B (1 - (B / (B+t))^(s-1)) / (s-1), which has no pole at s = 1.
    """
    log_growth = np.log1p(t / B)
    time: Floats = B * log_growth * exprel((1 - s) * log_growth)
    return time


def _discounted_time(t: float, B: Floats, s: float, discount_rate: float) -> Floats:
    """The same, each moment y ahead times exp(-discount_rate * y): by Gauss-Legendre nodes.

    B times the integral of exp((1-s) w - discount_rate B (e^w - 1)) over w = ln(1 + y/B), as far as
    it isn't negligible.
    """
    if not discount_rate:
        return _active_time(np.float64(t), B, s)
    fade, end = discount_rate * B, np.log1p(t / B)
    end = np.minimum(end, np.log1p((NEGLIGIBLE + max(1 - s, 0) * end) / fade))
    if s > 1:
        end = np.minimum(end, NEGLIGIBLE / (s - 1))
    places, widths = gauss_legendre(NODES)
    w = places * end
    time: Floats = B * end * (widths * np.exp((1 - s) * w - fade * np.expm1(w))).sum(axis=0)
    return time


def _lifetimes(rates: Floats, rng: np.random.Generator) -> Floats:
    """Times until the lapse; endless where the rate is too small for a number."""
    with np.errstate(divide="ignore", over="ignore"):
        times: Floats = rng.standard_exponential(len(rates)) / rates
    return times


def _starts(rate: float) -> list[tuple[float, ...]]:
    """Mixed and alike customers, loyal and fleeting, at the rate seen on average."""
    kinds = ((0.5, 0.6, 0.5), (1.0, 2.0, 4.0), (3.0, 0.3, 2.0), (10.0, 1.0, 0.2))
    return [(r, r / rate, s, beta) for r, s, beta in kinds]


class _Likelihood:
    """Value, gradient and Hessian of the log-likelihood by (r, alpha, s, beta)."""

    def __init__(self, x: Floats, t_x: Floats, T: Floats, counts: Floats) -> None:
        self.x, self.t_x, self.T, self.counts = x, t_x, T, counts
        # Gamma functions see nothing but x.
        (self.some_x,), rows = distinct(x)
        self.of_x = np.bincount(rows, weights=counts)

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        known = Known(*(float(value) for value in parameters))
        value, gradient, hessian = self._histogram(known.r)
        for start in range(0, len(self.x), BLOCK):
            rows = slice(start, start + BLOCK)
            some = _Ways(known, self.x[rows], self.t_x[rows], self.T[rows], self.counts[rows])
            value += some.value()
            for total, more in zip((gradient, hessian), some.derivatives(), strict=True):
                total += more
        upper = np.triu(hessian)
        return value, gradient, upper + np.triu(upper, 1).T

    def _histogram(self, r: float) -> tuple[float, Floats, Floats]:
        """ln G(r+x) / G(r), which depends on x alone."""
        x, n = self.some_x, self.of_x
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        gradient[0] = n @ (digamma(r + x) - digamma(r))
        hessian[0, 0] = n @ (polygamma(1, r + x) - polygamma(1, r))
        return float(n @ (gammaln(r + x) - gammaln(r))), gradient, hessian


class _Ways:
    """Active until T or lapsed before, of some customers: the logarithm of the sum of the two."""

    def __init__(self, known: Known, x: Floats, t_x: Floats, T: Floats, counts: Floats) -> None:
        self.known, self.x, self.t_x, self.T, self.counts = known, x, t_x, T, counts
        self.silence = Silence.since(known, x, t_x, T)
        self.log_active = self.silence.log_active
        self.log_lapsed = np.full(len(x), -np.inf)
        self.gone = np.zeros(len(x))
        #: Of `Lapses.moments`: zero where t_x = T. Then their covariance, over all customers.
        self.means, self.spread = np.zeros((6, len(x))), np.zeros((4, 4))
        self._integrate()

    def _integrate(self) -> None:
        silence, same = self.silence, np.ones(len(self.x))
        falls = silence.R / silence.early_alpha, (self.known.s + 1) / silence.early_beta
        steep = np.stack([same, falls[0], same, falls[1]])
        for some in silence.lapses():
            rows = some.rows
            self.log_lapsed[rows] = some.log_weight
            self.gone[rows] = expit(some.log_weight - self.log_active[rows])
            weights = self.counts[rows] * self.gone[rows]
            self.means[:, rows], spread = some.moments(steep[:, rows], weights)
            self.spread += spread

    def value(self) -> float:
        r, alpha, s, beta = self.known
        at_last = r * np.log1p(self.t_x / alpha) + s * np.log1p(self.t_x / beta)
        at_last += self.x * np.log(self.silence.early_alpha)
        return float(self.counts @ (np.logaddexp(self.log_active, self.log_lapsed) - at_last))

    def derivatives(self) -> tuple[Floats, Floats]:
        """Gradient and Hessian: of a mean over the ways, and of the ways' variance."""
        stayed, lapsed = self.counts * (1 - self.gone), self.counts * self.gone
        active, gone = self._slopes_active(), self._slopes_gone()
        between = active - gone
        hessian = self.spread + (between * (stayed * self.gone)) @ between.T
        return active @ stayed + gone @ lapsed, hessian + self._curvature(stayed, lapsed)

    def _slopes_active(self) -> Floats:
        """Each customer's derivatives of the logarithm of the first way."""
        r, alpha, s, beta = self.known
        by_alpha = (r * self.T / alpha - self.x) / (alpha + self.T)
        by_beta = s * self.T / beta / (beta + self.T)
        return np.stack([-np.log1p(self.T / alpha), by_alpha, -np.log1p(self.T / beta), by_beta])

    def _slopes_gone(self) -> Floats:
        """The same of the second way: their means over the moments of the lapse."""
        r, alpha, s, beta = self.known
        log_alpha, by_alpha, log_beta, by_beta, _, _ = self.means
        return np.stack(
            [
                -np.log1p(self.t_x / alpha) - log_alpha,
                r / alpha - self.silence.R / self.silence.early_alpha * by_alpha,
                -np.log1p(self.t_x / beta) - log_beta + 1 / s,
                s / beta - (s + 1) / self.silence.early_beta * by_beta,
            ]
        )

    def _curvature(self, stayed: Floats, lapsed: Floats) -> Floats:
        """Second derivatives of the ways' logarithms, each weighed by its chance."""
        r, alpha, s, beta = self.known
        R, n = self.silence.R, self.counts.sum()
        late_alpha, late_beta = 1 / (alpha + self.T), 1 / (beta + self.T)
        early_alpha, early_beta = 1 / self.silence.early_alpha, 1 / self.silence.early_beta
        _, alpha_1, _, beta_1, alpha_2, beta_2 = self.means
        hessian = np.zeros((4, 4))
        hessian[0, 1] = n / alpha - stayed @ late_alpha - lapsed @ (early_alpha * alpha_1)
        hessian[1, 1] = stayed @ (R * late_alpha**2) + lapsed @ (R * early_alpha**2 * alpha_2)
        hessian[1, 1] -= n * r / alpha**2
        hessian[2, 2] = -lapsed.sum() / s**2
        hessian[2, 3] = n / beta - stayed @ late_beta - lapsed @ (early_beta * beta_1)
        hessian[3, 3] = s * (stayed @ late_beta**2) + (s + 1) * (lapsed @ (early_beta**2 * beta_2))
        hessian[3, 3] -= n * s / beta**2
        return hessian
