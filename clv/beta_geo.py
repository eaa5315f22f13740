"""BG/NBD: how often customers buy, and whether they still do.

Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "Counting Your Customers" the Easy Way: An
Alternative to the Pareto/NBD Model, Marketing Science 24(2), 275-284.

x    frequency, repeat purchases          lambda ~ Gamma(r, alpha)  purchase rate while active
t_x  recency, first to last purchase      p ~ Beta(a, b)            leaves after a purchase
T    age, first purchase to today         alpha in units of T, the others without unit

Log-likelihood of a customer (the paper's section on spreadsheets, A1 to A4), with the sum of the
two ways to be silent since t_x taken as a softplus:

    ln G(r+x)/G(r) + r ln alpha - (r+x) ln(alpha+T) + ln G(a+b) G(b+x) / (G(b) G(a+b+x))
    + [x > 0] ln(1 + exp u),   u = ln a - ln(b+x-1) + (r+x) ln((alpha+T) / (alpha+t_x))

so that P(alive) = 1 / (1 + [x > 0] exp u).
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, expit, gammaln, polygamma

from clv import columns as c
from clv.alive import purchases_while_alive
from clv.fitted import Fitted
from clv.grouping import distinct
from clv.histories import grouped, history
from clv.newton import maximise, thinned
from clv.purchases import Purchases, Rows

Floats = NDArray[np.float64]

#: More purchases within a horizon than anybody makes; keeps chance from overflowing.
MOST_PURCHASES = 1e9


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
        given = grouped(summary, weights, model=cls.NAME)
        # Times in units of the mean age: the walls then mean the same under days and weeks.
        unit = given.mean_age
        data = given.in_units_of(unit)
        best = maximise(_Likelihood(*data), _starts(data.rate), thinned(_Likelihood, *data))
        r, alpha, a, b = (float(value) for value in best.parameters)
        return cls(
            r=r,
            alpha=alpha * unit,
            a=a,
            b=b,
            log_likelihood=best.log_likelihood - given.purchases * float(np.log(unit)),
            customers=given.customers,
            log_covariance=best.log_covariance,
            at_wall=best.at_wall(cls.PARAMETERS),
        )

    @property
    def time_scale(self) -> float:
        return self.alpha

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active: 1 by definition where frequency is 0."""
        x, t_x, T = history(summary)
        log_odds = (
            np.log(self.a)
            - np.log(self.b + np.maximum(x, 1) - 1)
            + (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        )
        return np.where(x > 0, expit(-log_odds), 1.0)

    def leaving_known(self, summary: pd.DataFrame) -> NDArray[np.bool_]:
        """Only of those who came back: the others are active by definition."""
        return summary[c.FREQUENCY].to_numpy() > 0

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases that a new customer makes within `t` (any shape)."""
        times = np.asarray(t, dtype=np.float64)
        flat = np.ravel(times)
        same = np.ones_like(flat)
        within = purchases_while_alive(
            flat, self.r * same, self.alpha * same, self.a, self.b * same
        )
        return within.reshape(times.shape)

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """The paper's equation 10 without its P(alive)."""
        x, T = _future(summary)
        horizon = np.broadcast_to(np.asarray(t, dtype=np.float64), x.shape)
        return purchases_while_alive(horizon, self.r + x, self.alpha + T, self.a, self.b + x)

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase of a customer who is active: one over the expected rate."""
        x, T = _future(summary)
        wait: Floats = (self.alpha + T) / (self.r + x)
        return wait

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Purchases at a rate of their own, up to the one after which the customer leaves."""
        x, T = _future(summary)
        rate = rng.gamma(self.r + x) / (self.alpha + T)
        leaves = np.maximum(rng.beta(self.a, self.b + x), np.finfo(float).tiny)
        most = rng.geometric(leaves)
        wanted = rng.poisson(np.minimum(rate * t, MOST_PURCHASES))
        return np.minimum(wanted, most).astype(np.float64)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Waits are exponential; after each purchase the customer leaves or not."""
        rate = rng.gamma(self.r, 1 / self.alpha, len(ages))
        leaves = rng.beta(self.a, self.b, len(ages))
        active, last = np.arange(len(ages)), np.zeros(len(ages))
        rows, times = [active[:0]], [last[:0]]
        while len(active):
            with np.errstate(divide="ignore"):
                at = last + rng.standard_exponential(len(active)) / rate[active]
            within = at <= ages[active]
            active, last = active[within], at[within]
            rows.append(active)
            times.append(last)
            stays = rng.random(len(active)) >= leaves[active]
            active, last = active[stays], last[stays]
        return np.concatenate(rows), np.concatenate(times)


def _future(summary: pd.DataFrame) -> tuple[Floats, Floats]:
    x, T = (summary[name].to_numpy(dtype=np.float64) for name in (c.FREQUENCY, c.T))
    return x, T


def _starts(rate: float) -> list[tuple[float, ...]]:
    """Mixed and alike customers, loyal and fleeting, at the rate seen on average."""
    kinds = ((0.3, 0.8, 2.5), (1.0, 0.5, 5.0), (3.0, 0.1, 1.0), (10.0, 1.0, 1.0))
    return [(r, r / rate, a, b) for r, a, b in kinds]


class _Likelihood:
    """Value, gradient and Hessian of the log-likelihood by (r, alpha, a, b)."""

    def __init__(self, x: Floats, t_x: Floats, T: Floats, counts: Floats) -> None:
        self.x, self.T, self.counts = x, T, counts
        self.n = float(counts.sum())
        # Gamma functions see nothing but x; only those who came back have a softplus.
        (self.some_x,), rows = distinct(x)
        self.of_x = np.bincount(rows, weights=counts)
        back = x > 0
        self.back = (x[back], t_x[back], T[back], counts[back])

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        alike, ages, silence = (
            part(*parameters) for part in (self._histogram, self._ages, self._silence)
        )
        value = alike[0] + ages[0] + silence[0]
        upper = np.triu(alike[2] + ages[2] + silence[2])
        return value, alike[1] + ages[1] + silence[1], upper + np.triu(upper, 1).T

    def _histogram(
        self, r: float, alpha: float, a: float, b: float
    ) -> tuple[float, Floats, Floats]:
        """What depends on x alone: the gamma functions."""
        x, n = self.some_x, self.of_x
        value = n @ (
            (gammaln(r + x) - gammaln(r))
            + (gammaln(b + x) - gammaln(b))
            - (gammaln(a + b + x) - gammaln(a + b))
        )
        by_r = n @ (digamma(r + x) - digamma(r))
        by_b = n @ (digamma(b + x) - digamma(b))
        by_ab = -n @ (digamma(a + b + x) - digamma(a + b))
        hessian = np.zeros((4, 4))
        hessian[0, 0] = n @ (polygamma(1, r + x) - polygamma(1, r))
        hessian[2:, 2:] = -n @ (polygamma(1, a + b + x) - polygamma(1, a + b))
        hessian[3, 3] += n @ (polygamma(1, b + x) - polygamma(1, b))
        return float(value), np.array([by_r, 0.0, by_ab, by_b + by_ab]), hessian

    def _ages(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats, Floats]:
        """r ln alpha - (r + x) ln(alpha + T)."""
        n, exponent, age = self.counts, r + self.x, alpha + self.T
        log_ages = n @ np.log(age)
        share = n / age
        value = self.n * r * np.log(alpha) - (n * exponent) @ np.log(age)
        by_r = self.n * np.log(alpha) - log_ages
        by_alpha = self.n * r / alpha - share @ exponent
        hessian = np.zeros((4, 4))
        hessian[0, 1] = self.n / alpha - share.sum()
        hessian[1, 1] = -self.n * r / alpha**2 + (share / age) @ exponent
        return float(value), np.array([by_r, by_alpha, 0.0, 0.0]), hessian

    def _silence(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats, Floats]:
        """softplus(u) of those who came back: gone since t_x, or active and silent."""
        x, t_x, T, n = self.back
        exponent, left = r + x, b + x - 1
        u_r = np.log1p((T - t_x) / (alpha + t_x))
        u = np.log(a) - np.log(left) + exponent * u_r
        rarer = np.exp(-np.abs(u))
        gone = n * np.where(u > 0, 1, rarer) / (1 + rarer)
        spread = gone * np.where(u > 0, rarer, 1) / (1 + rarer)
        late, early = 1 / (alpha + T), 1 / (alpha + t_x)
        slopes = np.stack([u_r, exponent * (late - early), np.full_like(x, 1 / a), -1 / left])
        hessian = (slopes * spread) @ slopes.T
        hessian[0, 1] += gone @ (late - early)
        hessian[1, 1] += gone @ (exponent * (early**2 - late**2))
        hessian[2, 2] -= gone.sum() / a**2
        hessian[3, 3] += gone @ left**-2
        return float(n @ (np.maximum(u, 0) + np.log1p(rarer))), slopes @ gone, hessian
