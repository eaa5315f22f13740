"""Gamma-Gamma: what a customer's purchases are worth on average.

Fader, P. S. & Hardie, B. G. S. (2013), The Gamma-Gamma Model of Monetary Value,
http://www.brucehardie.com/notes/025/.

x    purchases            a purchase is worth Gamma(p, nu), nu ~ Gamma(q, v)
m_x  their mean value     v in units of money, p and q without unit

Log-likelihood of a customer (the note's equation 1a):

    ln G(px+q) - ln G(px) - ln G(q) + q ln v + (px-1) ln m_x + px ln x - (px+q) ln(v + x m_x)

and the expected mean spend (equation 5): p (v + x m_x) / (px + q - 1); without purchases
p v / (q - 1), which exists for q > 1 only.

Of many customers, those with the same x whose m_x differ by less than a bin's width are taken as
one, at the geometric mean of their m_x. Their ln m_x then add up exactly; what the rest of the
likelihood loses is the variance within a bin. It moves the parameters by a millionth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln, polygamma

from clv import columns
from clv.errors import NotEnoughData
from clv.models.fitted import Fitted
from clv.numerics.grouping import distinct
from clv.numerics.newton import maximise, thinned

Floats = NDArray[np.float64]

MIN_CUSTOMERS = 10
#: Customers' means are cut to these quantiles before they are averaged.
WINSORISED = (0.01, 0.99)
#: Rows above which spending is binned, and the bins' width in ln m_x.
BINNED_ABOVE = 100_000
BIN_WIDTH = 0.002


@dataclass(frozen=True, kw_only=True)
class GammaGamma(Fitted):
    """A fitted Gamma-Gamma. `v` is in the money that it was fitted to.

    `robust_mean` is the mean of the customers' means, cut at the first and last percentile. Where
    `is_robust` it stands in for the model's mean, which is infinite or without ground in the data.
    Every `summary` is a frame with frequency (here the number of purchases behind the mean) and
    monetary_value.
    """

    NAME: ClassVar[str] = "Gamma-Gamma"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("p", "q", "v")

    p: float
    q: float
    v: float
    robust_mean: float

    @classmethod
    def fit(cls, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Self:
        """The most likely parameters of those who purchased at a positive mean.

        `weights` counts how many customers each row stands for. Raises NotEnoughData,
        ConvergenceError.
        """
        x, m, counts = _spenders(summary, weights)
        if len(x) > BINNED_ABOVE:
            x, m, counts = binned(x, m, counts)
        unit = float(counts @ m / counts.sum())
        data = (x, m / unit, counts)
        best = maximise(_Likelihood(*data), _starts(), thinned(_Likelihood, *data))
        p, q, v = (float(value) for value in best.parameters)
        return cls(
            p=p,
            q=q,
            v=v * unit,
            log_likelihood=best.log_likelihood - float(counts.sum()) * float(np.log(unit)),
            customers=round(float(counts.sum())),
            robust_mean=winsorised_mean(m, counts),
            log_covariance=best.log_covariance,
            at_wall=best.at_wall(cls.PARAMETERS),
        )

    @property
    def population_mean(self) -> float:
        """What a purchase of a customer is worth of whom nothing is known."""
        return self.robust_mean if self.is_robust else self.p * self.v / (self.q - 1)

    @property
    def is_robust(self) -> bool:
        """The model's own mean is infinite (q <= 1) or more than twice what customers spend."""
        return self.q <= 1 or self.p * self.v / (self.q - 1) > 2 * self.robust_mean

    def expected_spend(self, summary: pd.DataFrame) -> Floats:
        """Mean value of a customer's purchases to come; a negative mean counts as nothing spent.

        Where `is_robust`, everybody is expected to spend `robust_mean`.
        """
        x, m = _spending(summary)
        if self.is_robust:
            return np.full(len(x), self.robust_mean)
        spent = np.where(x > 0, x * np.maximum(m, 0), 0.0)
        return self.p * (self.v + spent) / (self.p * x + self.q - 1)


def binned(x: Floats, m: Floats, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Customers alike in their spending taken as one: x, geometric mean of m_x, customers.

    m_x must be positive. Bins add up: those of two batches, binned again, are those of both.
    """
    log_m = np.log(m)
    (kinds, _), rows = distinct(x, np.floor(log_m / BIN_WIDTH))
    together: Floats = np.bincount(rows, counts).astype(np.float64)
    return kinds, np.exp(np.bincount(rows, counts * log_m) / together), together


def winsorised_mean(values: Floats, counts: Floats | None = None) -> float:
    """The mean with the outermost values pulled in to the quantiles of `WINSORISED`.

    `counts` says how often each value is there.
    """
    if not len(values):
        return 0.0
    if counts is None:
        counts = np.ones(len(values))
    lowest, highest = _quantiles(values, counts)
    return float(counts @ np.clip(values, lowest, highest) / counts.sum())


def _quantiles(values: Floats, counts: Floats) -> Floats:
    """Those of `WINSORISED`, straight between the values on both sides as in `numpy.quantile`."""
    order = np.argsort(values)
    values, until = values[order], np.cumsum(counts[order])
    at = np.multiply(WINSORISED, max(until[-1] - 1, 0.0))
    below, above = (
        values[np.minimum(np.searchsorted(until, place, side="right"), len(values) - 1)]
        for place in (np.floor(at), np.floor(at) + 1)
    )
    quantiles: Floats = below + (at - np.floor(at)) * (above - below)
    return quantiles


def _spenders(summary: pd.DataFrame, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """x, m_x and the customers behind each row of positive spending.

    Raises NotEnoughData.
    """
    x, m = _spending(summary)
    counts = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    some = (x > 0) & (m > 0) & (counts > 0)
    if float(counts[some].sum()) < MIN_CUSTOMERS:
        raise NotEnoughData(
            "Gamma-Gamma needs more customers",
            customers=round(float(counts[some].sum())),
            min_customers=MIN_CUSTOMERS,
        )
    return x[some], m[some], counts[some]


def _spending(summary: pd.DataFrame) -> tuple[Floats, Floats]:
    """Purchases and mean value as floats; no value reads as 0."""
    x = summary[columns.FREQUENCY].to_numpy(dtype=np.float64)
    m = summary[columns.MONETARY_VALUE].to_numpy(dtype=np.float64, na_value=np.nan)
    return x, np.nan_to_num(m, nan=0.0)


def _starts() -> list[tuple[float, float, float]]:
    """Mean one (the unit of money), from very mixed to rather even purchases."""
    return [(p, q, (q - 1) / p) for p, q in ((2.0, 3.0), (6.0, 4.0), (1.0, 2.0), (30.0, 10.0))]


class _Likelihood:
    """Value, gradient and Hessian of the log-likelihood by (p, q, v)."""

    def __init__(self, x: Floats, m: Floats, counts: Floats) -> None:
        self.n = float(counts.sum())
        self.x, self.spent, self.counts = x, x * m, counts
        self.log_m, self.log_spent = float(counts @ np.log(m)), float(counts * x @ np.log(x * m))
        # Gamma functions see nothing but x.
        (self.some_x,), rows = distinct(x)
        self.of_x = np.bincount(rows, counts)

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        p, q, v = parameters
        x, n = self.some_x, self.of_x
        total = v + self.spent
        # Summed once for all: ln(v + x m) and 1 / (v + x m), plain and times x.
        log_total, share = self.counts * np.log(total), self.counts / total
        log_sum, x_log_sum = float(log_total.sum()), float(self.x @ log_total)
        share_sum, x_share_sum = float(share.sum()), float(self.x @ share)
        both = digamma(p * x + q)
        value = (
            n @ (gammaln(p * x + q) - gammaln(p * x) - gammaln(q))
            + self.n * q * np.log(v)
            + p * (self.log_spent - x_log_sum)
            - self.log_m
            - q * log_sum
        )
        gradient = np.array(
            [
                n @ (x * (both - digamma(p * x))) + self.log_spent - x_log_sum,
                n @ (both - digamma(q)) + self.n * np.log(v) - log_sum,
                self.n * q / v - p * x_share_sum - q * share_sum,
            ]
        )
        by_square = (p * self.x + q) @ (share / total)
        hessian = self._hessian(p, q, v, (share_sum, x_share_sum, by_square))
        return float(value), gradient, hessian

    def _hessian(self, p: float, q: float, v: float, sums: tuple[float, float, float]) -> Floats:
        x, n = self.some_x, self.of_x
        share_sum, x_share_sum, by_square = sums
        both = polygamma(1, p * x + q)
        pp = n @ (x**2 * (both - polygamma(1, p * x)))
        pq = n @ (x * both)
        qq = n @ (both - polygamma(1, q))
        qv = self.n / v - share_sum
        vv = -self.n * q / v**2 + by_square
        return np.array([[pp, pq, -x_share_sum], [pq, qq, qv], [-x_share_sum, qv, vv]])
