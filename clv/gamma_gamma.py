"""Gamma-Gamma: what a customer's purchases are worth on average.

Fader, P. S. & Hardie, B. G. S. (2013), The Gamma-Gamma Model of Monetary Value,
http://www.brucehardie.com/notes/025/.

x    purchases            a purchase is worth Gamma(p, nu), nu ~ Gamma(q, v)
m_x  their mean value     v in units of money, p and q without unit

Log-likelihood of a customer (the note's equation 1a):

    ln G(px+q) - ln G(px) - ln G(q) + q ln v + (px-1) ln m_x + px ln x - (px+q) ln(v + x m_x)

and the expected mean spend (equation 5): p (v + x m_x) / (px + q - 1); without purchases
p v / (q - 1), which exists for q > 1 only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from clv import columns
from clv.errors import NotEnoughData
from clv.fitted import Fitted
from clv.grouping import distinct
from clv.newton import maximise, thinned

Floats = NDArray[np.float64]

MIN_CUSTOMERS = 10
#: Customers' means are cut to these quantiles before they are averaged.
WINSORISED = (0.01, 0.99)


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
    def fit(cls, summary: pd.DataFrame) -> Self:
        """The most likely parameters of those who purchased at a positive mean.

        Raises NotEnoughData, ConvergenceError.
        """
        x, m = _spending(summary)
        some = (x > 0) & (m > 0)
        x, m = x[some], m[some]
        if len(x) < MIN_CUSTOMERS:
            raise NotEnoughData(
                "Gamma-Gamma needs more customers", customers=len(x), min_customers=MIN_CUSTOMERS
            )
        unit = float(m.mean())
        best = maximise(_Likelihood(x, m / unit), _starts(), thinned(_Likelihood, x, m / unit))
        p, q, v = (float(value) for value in best.parameters)
        return cls(
            p=p,
            q=q,
            v=v * unit,
            log_likelihood=best.log_likelihood - len(x) * float(np.log(unit)),
            customers=len(x),
            robust_mean=winsorised_mean(m),
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


def winsorised_mean(values: Floats) -> float:
    """The mean with the outermost values pulled in to the quantiles of `WINSORISED`."""
    if not len(values):
        return 0.0
    lowest, highest = np.quantile(values, WINSORISED)
    return float(np.clip(values, lowest, highest).mean())


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

    def __init__(self, x: Floats, m: Floats) -> None:
        self.n = float(len(x))
        self.x, self.spent = x, x * m
        self.log_m, self.log_spent = float(np.log(m).sum()), float(x @ np.log(x * m))
        # Gamma functions see nothing but x.
        (self.some_x,), rows = distinct(x)
        self.of_x = np.bincount(rows).astype(np.float64)

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        p, q, v = parameters
        x, n, all_x = self.some_x, self.of_x, self.x
        exponent = p * all_x + q
        total = v + self.spent
        log_total, share = np.log(total), 1 / total
        value = (
            n @ (gammaln(p * x + q) - gammaln(p * x) - gammaln(q))
            + self.n * q * np.log(v)
            + p * self.log_spent
            - self.log_m
            - exponent @ log_total
        )
        both = digamma(p * x + q)
        gradient = np.array(
            [
                n @ (x * (both - digamma(p * x))) + self.log_spent - all_x @ log_total,
                n @ (both - digamma(q)) + self.n * np.log(v) - log_total.sum(),
                self.n * q / v - exponent @ share,
            ]
        )
        return float(value), gradient, self._hessian(p, q, v, share)

    def _hessian(self, p: float, q: float, v: float, share: Floats) -> Floats:
        x, n = self.some_x, self.of_x
        both = polygamma(1, p * x + q)
        pp = n @ (x**2 * (both - polygamma(1, p * x)))
        pq = n @ (x * both)
        pv = -(self.x @ share)
        qq = n @ (both - polygamma(1, q))
        qv = self.n / v - share.sum()
        vv = -self.n * q / v**2 + (p * self.x + q) @ share**2
        return np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]])
