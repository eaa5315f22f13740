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

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, expit, gammaln, polygamma

from clv import columns
from clv.alive import purchases_while_alive
from clv.errors import NotEnoughData
from clv.grouping import distinct
from clv.newton import maximise, thinned

Floats = NDArray[np.float64]

NAMES = ("r", "alpha", "a", "b")
MIN_CUSTOMERS = 10
MIN_REPEATERS = 3
#: Gauss-Legendre nodes of the discounted horizon, and how many more for each factor e of discount:
#: relative error below 1e-9 from a day to 50 years.
NODES, NODES_PER_E, MOST_NODES = 6, 4, 64


@dataclass(frozen=True)
class BetaGeoNBD:
    """A fitted BG/NBD. `alpha` is in the unit of the times that it was fitted to (days here).

    `standard_errors` by parameter, None where the data don't determine them; `at_wall` names
    parameters that would have run off (customers then hardly differ in what they describe).
    Every `summary` is a frame with frequency, recency and T; answers have one value per row.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: int
    standard_errors: Mapping[str, float | None] = field(default_factory=dict)
    at_wall: tuple[str, ...] = ()

    @classmethod
    def fit(cls, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Self:
        """The most likely parameters; `weights` counts how many customers each row stands for.

        Raises NotEnoughData, ConvergenceError.
        """
        groups, counts = _groups(summary, weights)
        _require_enough(groups[0], counts)
        x, t_x, T = groups
        # Times in units of the mean age: the walls then mean the same under days and weeks.
        unit = float(counts @ T / counts.sum())
        data = (x, t_x / unit, T / unit, counts)
        best = maximise(_Likelihood(*data), _starts(*data), thinned(_Likelihood, *data))
        units = np.array([1.0, unit, 1.0, 1.0])
        r, alpha, a, b = (float(value) for value in best.parameters * units)
        return cls(
            r=r,
            alpha=alpha,
            a=a,
            b=b,
            log_likelihood=best.log_likelihood - float(counts @ x) * float(np.log(unit)),
            customers=round(float(counts.sum())),
            standard_errors=dict(zip(NAMES, best.standard_errors(units), strict=True)),
            at_wall=best.at_wall(NAMES),
        )

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active: 1 by definition where frequency is 0."""
        x, t_x, T = _history(summary)
        log_odds = (
            np.log(self.a)
            - np.log(self.b + np.maximum(x, 1) - 1)
            + (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        )
        return np.where(x > 0, expit(-log_odds), 1.0)

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases that a new customer makes within `t` (any shape)."""
        times = np.asarray(t, dtype=np.float64)
        flat = np.ravel(times)
        same = np.ones_like(flat)
        within = purchases_while_alive(
            flat, self.r * same, self.alpha * same, self.a, self.b * same
        )
        return within.reshape(times.shape)

    def conditional_expected_purchases(self, t: float, summary: pd.DataFrame) -> Floats:
        """Purchases within the next `t`, by what each customer did so far (paper's equation 10)."""
        x, T, rows = self._pairs(summary)
        return self.p_alive(summary) * self._while_alive(t, x, T)[rows]

    def discounted_expected_purchases(
        self, t: float, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """Purchases within the next `t`, each times exp(-discount_rate * time until then).

        By parts, with E the undiscounted expectation: exp(-d t) E(t) + d * integral of
        exp(-d s) E(s); the integral by Gauss-Legendre on ln(1 + s / (alpha + T)), where E is tame.
        """
        x, T, rows = self._pairs(summary)
        alive = np.exp(-discount_rate * t) * self._while_alive(t, x, T)
        if discount_rate:
            A = self.alpha + T
            span = np.log1p(t / A)
            nodes = min(NODES + NODES_PER_E * int(np.ceil(discount_rate * t)), MOST_NODES)
            for node, weight in zip(*np.polynomial.legendre.leggauss(nodes), strict=True):
                w = span * (1 + node) / 2
                s = A * np.expm1(w)
                change = span / 2 * weight * A * np.exp(w) * np.exp(-discount_rate * s)
                alive += discount_rate * change * self._while_alive(s, x, T)
        expected: Floats = self.p_alive(summary) * alive[rows]
        return expected

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase of a customer who is active: one over the expected rate."""
        x, _, T = _history(summary)
        wait: Floats = (self.alpha + T) / (self.r + x)
        return wait

    def to_json(self) -> str:
        """The parameters as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        values = json.loads(text)
        return cls(**{**values, "at_wall": tuple(values["at_wall"])})

    def _while_alive(self, t: float | Floats, x: Floats, T: Floats) -> Floats:
        horizon = np.broadcast_to(np.asarray(t, dtype=np.float64), x.shape)
        return purchases_while_alive(horizon, self.r + x, self.alpha + T, self.a, self.b + x)

    def _pairs(self, summary: pd.DataFrame) -> tuple[Floats, Floats, NDArray[np.intp]]:
        """The distinct (x, T): the future of an active customer depends on them alone."""
        x, _, T = _history(summary)
        (x, T), rows = distinct(x, T)
        return x, T, rows


def _history(summary: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    x, t_x, T = (
        summary[name].to_numpy(dtype=np.float64)
        for name in (columns.FREQUENCY, columns.RECENCY, columns.T)
    )
    return x, t_x, T


def _groups(summary: pd.DataFrame, weights: ArrayLike | None) -> tuple[tuple[Floats, ...], Floats]:
    """The distinct (x, t_x, T) and how many customers share each."""
    groups, rows = distinct(*_history(summary))
    each = None if weights is None else np.asarray(weights, dtype=np.float64)
    counts = np.bincount(rows, weights=each, minlength=len(groups[0]))
    return groups, counts.astype(np.float64)


def _require_enough(x: Floats, counts: Floats) -> None:
    customers, repeaters = float(counts.sum()), float(counts[x > 0].sum())
    if customers < MIN_CUSTOMERS or repeaters < MIN_REPEATERS:
        raise NotEnoughData(
            "BG/NBD needs more customers",
            customers=round(customers),
            repeaters=round(repeaters),
            min_customers=MIN_CUSTOMERS,
            min_repeaters=MIN_REPEATERS,
        )


def _starts(x: Floats, t_x: Floats, T: Floats, counts: Floats) -> list[tuple[float, ...]]:
    """Mixed and alike customers, loyal and fleeting, at the rate seen on average."""
    rate = float(counts @ x) / float(counts @ T)
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
