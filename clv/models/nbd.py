"""NBD: customers buy at rates of their own and never leave. The explicit model without churn.

Ehrenberg, A. S. C. (1959), The Pattern of Consumer Purchases, Applied Statistics 8(1), 26-41; the
gamma mixture of Poisson processes, seen for as long as each customer's age.

x    frequency, repeat purchases          lambda ~ Gamma(r, alpha)  purchase rate
T    age, first purchase to today         alpha in units of T, r without unit

Log-likelihood of a customer who makes x purchases at any given times:

    ln G(r+x) / G(r) + r ln alpha - (r+x) ln(alpha+T)

It lacks the x ln T - ln x! of the likelihood of x alone, so that it stands beside those of the
models in which customers leave.
"""

# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, exprel, gammaln, polygamma

from clv.models.fitted import Fitted
from clv.models.histories import Histories, future, grouped
from clv.models.purchases import Purchases, Rows
from clv.numerics.grouping import tallied
from clv.numerics.newton import maximise

Floats = NDArray[np.float64]

#: More purchases within a horizon than anybody makes; keeps chance from overflowing.
MOST_PURCHASES = 1e9


@dataclass(frozen=True, kw_only=True)
class NBD(Fitted, Purchases):
    """A fitted NBD. `alpha` is in the unit of the times that it was fitted to (days here)."""

    NAME: ClassVar[str] = "NBD"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("r", "alpha")

    r: float
    alpha: float

    @classmethod
    def fit(cls, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Self:
        """The most likely parameters; `weights` counts how many customers each row stands for.

        Raises NotEnoughData, ConvergenceError.
        """
        given = grouped(summary, weights, model=cls.NAME)
        # Times in units of the mean age: the walls then mean the same under days and weeks.
        unit = given.mean_age
        data = given.in_units_of(unit)
        best = maximise(_Likelihood(data), _starts(data.rate))
        r, alpha = (float(value) for value in best.parameters)
        return cls(
            r=r,
            alpha=alpha * unit,
            log_likelihood=best.log_likelihood - given.purchases * float(np.log(unit)),
            customers=given.customers,
            log_covariance=best.log_covariance,
            at_wall=best.at_wall(cls.PARAMETERS),
        )

    @property
    def time_scale(self) -> float:
        return self.alpha

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """1: nobody leaves."""
        return np.ones(len(summary))

    def leaving_known(self, summary: pd.DataFrame) -> NDArray[np.bool_]:
        """Nowhere: that all stay is taken for granted."""
        return np.zeros(len(summary), dtype=np.bool_)

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases that a new customer makes within `t` (any shape)."""
        within: Floats = np.asarray(t, dtype=np.float64) * (self.r / self.alpha)
        return within

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """The expected rate, (r+x) / (alpha+T), times `t`."""
        x, T = future(summary)
        within: Floats = (self.r + x) / (self.alpha + T) * np.asarray(t, dtype=np.float64)
        return within

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase: one over the expected rate."""
        x, T = future(summary)
        wait: Floats = (self.alpha + T) / (self.r + x)
        return wait

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Purchases at a rate of their own."""
        x, T = future(summary)
        rate = rng.gamma(self.r + x) / (self.alpha + T)
        return rng.poisson(np.minimum(rate * t, MOST_PURCHASES)).astype(np.float64)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Purchases fall anywhere."""
        rate = rng.gamma(self.r, size=len(ages)) / self.alpha
        rows = np.repeat(np.arange(len(ages)), rng.poisson(rate * ages))
        return rows, rng.random(len(rows)) * ages[rows]

    def _discounted_while_active(
        self, t: float, futures: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """At a constant rate, a discounted time has the length (1 - exp(-d t)) / d."""
        return self.purchases_while_active(t * float(exprel(-discount_rate * t)), futures)


def _starts(rate: float) -> list[tuple[float, ...]]:
    """Very mixed to nearly alike customers, at the rate seen on average."""
    return [(r, r / rate) for r in (0.3, 1.0, 3.0, 10.0)]


class _Likelihood:
    """Value, gradient and Hessian of the log-likelihood by (r, alpha).

    Customers of an age count together, and so do those of as many purchases.
    """

    def __init__(self, given: Histories) -> None:
        (self.x,), self.of_x = tallied(given.x, weights=given.counts)
        (self.T,), self.of_T = tallied(given.T, weights=given.counts)
        _, self.purchases = tallied(given.T, weights=given.counts * given.x)

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        r, alpha = (float(value) for value in parameters)
        x, n, T, many, purchases = self.x, self.of_x, self.T, self.of_T, self.purchases
        age = alpha + T
        value = n @ (gammaln(r + x) - gammaln(r))
        value -= r * (many @ np.log1p(T / alpha)) + purchases @ np.log(age)
        by_r = n @ (digamma(r + x) - digamma(r)) - many @ np.log1p(T / alpha)
        by_alpha = ((r / alpha * many * T) - purchases) @ (1 / age)
        mixed = many @ (T / age) / alpha
        by_r_twice = n @ (polygamma(1, r + x) - polygamma(1, r))
        by_alpha_twice = (r * many + purchases) @ age**-2 - r * many.sum() / alpha**2
        hessian = np.array([[by_r_twice, mixed], [mixed, by_alpha_twice]])
        return float(value), np.array([by_r, by_alpha]), hessian
