"""How likely it is that a customer lapsed unseen: one integral of a positive integrand.

A customer who buys at rate lambda ~ Gamma(r, alpha) and lapses at rate mu ~ Gamma(s, beta) either
was active until T or lapsed at some y between the last purchase, t_x, and T. In units of the
density at t_x, with R = r + x, the second way weighs, with y from t_x to T,

    s * integral of ((alpha+t_x) / (alpha+y))^R ((beta+t_x) / (beta+y))^(s+1) dy / (beta+t_x)

(Schmittlein, Morrison & Colombo 1987, before it is written as a difference of two 2F1, which cancel
each other). With m the smaller of alpha and beta, M the other and w = ln((m+y) / (m+t_x)), the
integrand is exp(phi), where

    phi = -p w - q ln(1 + k (e^w - 1)),  k = (m+t_x) / (M+t_x) <= 1,

and p, q are R - 1, s + 1 if alpha is the smaller, s, R if beta is. phi is concave and has no
singularity nearer than pi i to the line, whatever the ratio of alpha and beta. Where it has fallen
by FALL, the rest is left out. Up to there, Gauss-Legendre nodes, as many as the length and the fall
of each customer's integrand need, leave a relative error below 1e-11.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: The integrand is followed down to exp(-FALL) of its start.
FALL = 32.0
#: How many nodes there may be; each customer gets the fewest that do.
RULES = (6, 8, 10, 12, 16, 20, 24, 32, 40, 56, 80)
#: Nodes times customers at a time: what fits into a processor's cache.
BLOCK = 1 << 15


class Known(NamedTuple):
    """The parameters, in any one unit of time."""

    r: float
    alpha: float
    s: float
    beta: float


class Lapses(NamedTuple):
    """Some customers' moments of lapsing, y, at nodes (first axis) by customers (second axis).

    `log_weight` is the logarithm of the integral with its s; `chance` is that of each y, given that
    the customer lapsed: it sums to 1 over the nodes. `log_alpha` is ln((alpha+y)/(alpha+t_x)),
    `alpha` its exp(-), and so for beta.
    """

    rows: Rows
    log_weight: Floats
    chance: Floats
    log_alpha: Floats
    alpha: Floats
    log_beta: Floats
    beta: Floats

    def moments(self, steep: Floats, customers: Floats) -> tuple[Floats, Floats]:
        """Each customer's means and the covariance of all, of what the likelihood differs by.

        Means of `log_alpha`, `alpha`, `log_beta`, `beta` and of the squares of `alpha` and `beta`,
        by customer; the covariance of the first four, times `steep`, summed over `customers`.
        """
        values = (self.log_alpha, self.alpha, self.log_beta, self.beta)
        means = [np.einsum("nc,nc->c", self.chance, value) for value in values]
        squares = [np.einsum("nc,nc,nc->c", self.chance, v, v) for v in (self.alpha, self.beta)]
        apart = np.empty((4, *self.chance.shape))
        for place, (value, mean) in enumerate(zip(values, means, strict=True)):
            np.subtract(value, mean, out=apart[place])
        apart *= steep[:, None, :]
        weighted = apart * (self.chance * customers)
        return np.stack(means + squares), weighted.reshape(4, -1) @ apart.reshape(4, -1).T


class Silence(NamedTuple):
    """Customers since their last purchase: how much alpha + y and beta + y grow from t_x to T."""

    known: Known
    R: Floats
    early_alpha: Floats
    early_beta: Floats
    log_alpha: Floats
    log_beta: Floats

    @classmethod
    def since(cls, known: Known, x: Floats, t_x: Floats, T: Floats) -> Silence:
        early_alpha, early_beta, silent = known.alpha + t_x, known.beta + t_x, T - t_x
        log_alpha, log_beta = np.log1p(silent / early_alpha), np.log1p(silent / early_beta)
        return cls(known, known.r + x, early_alpha, early_beta, log_alpha, log_beta)

    @property
    def log_active(self) -> Floats:
        """The logarithm of the weight of having been active until T."""
        weight: Floats = -self.R * self.log_alpha - self.known.s * self.log_beta
        return weight

    @property
    def log_lapsed(self) -> Floats:
        """The logarithm of the weight of having lapsed before; minus infinity where t_x = T."""
        weight = np.full(self.R.shape, -np.inf)
        for some in self.lapses():
            weight[some.rows] = some.log_weight
        return weight

    def lapses(self) -> Iterator[Lapses]:
        """Every customer with T > t_x once, in blocks that take a few megabytes each."""
        late = np.flatnonzero((self.log_alpha > 0) & (self.log_beta > 0))
        alpha_is_low = self.known.alpha <= self.known.beta
        integrand, log_unit = self._integrand(late, alpha_is_low)
        end, nodes = integrand.region()
        for many, some in _blocks(nodes):
            log_total, chance, low, high = integrand.of(some).at_nodes(end[some], many)
            growth = (*low, *high) if alpha_is_low else (*high, *low)
            yield Lapses(late[some], log_total + log_unit[some], chance, *growth)

    def _integrand(self, late: Rows, alpha_is_low: bool) -> tuple[_Integrand, Floats]:
        """The integrand of these customers, and the logarithm of what stands before it."""
        R, s = self.R[late], np.full(len(late), self.known.s)
        alpha, beta = self.early_alpha[late], self.early_beta[late]
        log_alpha, log_beta = self.log_alpha[late], self.log_beta[late]
        if alpha_is_low:
            k = alpha / beta
            return _Integrand(R - 1, s + 1, k, log_alpha, log_beta), np.log(s * k)
        return _Integrand(s, R, beta / alpha, log_beta, log_alpha), np.log(s)


class _Integrand(NamedTuple):
    """exp(phi) of some customers, for w from 0 to `log_low`; `log_high` is the other growth."""

    p: Floats
    q: Floats
    k: Floats
    log_low: Floats
    log_high: Floats

    def of(self, rows: Rows) -> _Integrand:
        return _Integrand(*(column[rows] for column in self))

    def region(self) -> tuple[Floats, NDArray[np.intp]]:
        """Up to which w each customer is followed, and how many nodes that takes.

        phi rises from 0 only for one-time buyers, if r < 1, and then by no more than w.
        """
        last = -self.p * self.log_low - self.q * self.log_high
        end = self._cut(last)
        # Measured: what 2e-12 takes, over twelve powers of ten of alpha, beta, r + x and s.
        wanted = 5 + 2 * end + 1.4 * np.minimum(np.maximum(-last, 0), FALL) ** 0.7
        return end, _RULE[np.minimum(np.ceil(wanted).astype(np.intp), RULES[-1])]

    def at_nodes(
        self, end: Floats, nodes: int
    ) -> tuple[Floats, Floats, tuple[Floats, Floats], tuple[Floats, Floats]]:
        """The logarithm of the integral, the nodes' shares of it, and both growths at the nodes."""
        places, widths = gauss_legendre(nodes)
        log_low = places * end
        low = np.exp(log_low)
        high = 1 + self.k * (low - 1)
        log_high = np.log(high)
        share = widths * np.exp(-self.p * log_low - self.q * log_high)
        total = share.sum(axis=0)
        share /= total
        return np.log(total * end), share, (log_low, 1 / low), (log_high, 1 / high)

    def _phi(self, w: Floats) -> Floats:
        value: Floats = -self.p * w - self.q * np.log1p(self.k * np.expm1(w))
        return value

    def _cut(self, last: Floats) -> Floats:
        """Where phi has fallen to -FALL, or a little behind; all of it if it doesn't so far.

        Newton's method from the right: phi is concave, so that no step goes too far.
        """
        end = self.log_low.copy()
        rows, below = np.arange(len(end)), -FALL - last
        while len(rows := rows[below > 1]):
            some, below = self.of(rows), below[below > 1]
            grown = some.k * np.exp(end[rows])
            end[rows] -= below / (some.p + some.q * grown / (1 - some.k + grown))
            below = -FALL - some._phi(end[rows])
        return end


#: The rule for every number of nodes wanted.
_RULE = np.array(RULES)[np.searchsorted(RULES, np.arange(RULES[-1] + 1))]


@cache
def gauss_legendre(nodes: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre on 0 to 1, as columns."""
    places, widths = np.polynomial.legendre.leggauss(nodes)
    return (places[:, None] + 1) / 2, widths[:, None] / 2


def _blocks(nodes: NDArray[np.intp]) -> Iterator[tuple[int, Rows]]:
    """Customers who take the same number of nodes, some at a time."""
    for many in RULES:
        rows = np.flatnonzero(nodes == many)
        for start in range(0, len(rows), BLOCK // many):
            yield many, rows[start : start + BLOCK // many]
