"""Discounted purchases of regular buyers: what a silence may hide, looked at once for all silences.

An active customer who has passed j of the k stages of a wait makes purchase n at stage m = n k - j,
if they are still there: with (beta)_(n-1) / (a+beta)_(n-1). Their rate is then Gamma(R + j, A), so
the time s of that stage has z = s / (A + s) ~ Beta(m, R + j), and what they purchase within t is

    D_j = sum over n of (beta)_(n-1) / (a+beta)_(n-1) * integral to t of exp(-d s) dBeta(z)

The sum over n stands under one integral, by Gauss-Legendre in panels whose length grows with the
time ahead; who is of one age shares its nodes, and the sum becomes a product of matrices. All terms
are positive. D_j depends on x and T alone; the silence only says how likely each j is.

Without an end the integral over time is known: with phi = lambda / (lambda + d)

    D_j = E[phi^(k-j) / (1 - (1-p) phi^k)]      lambda ~ Gamma(R + j, A), p ~ Beta(a, beta)

by the trapezoidal rule on ln lambda, whose nodes are shared by who has the same x. Notation is that
of `clv.numerics.stages_ahead`.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, gammaln

from clv.numerics.alive import mean_over_leaving
from clv.numerics.stages import unseen
from clv.numerics.stages_ahead import Silent

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Gauss-Legendre nodes of a panel, and its width in ln(1 + s / wait).
NODES, WIDTH = 16, 0.6
#: Stages that are summed over at most, and of these before the horizon as a rule: with more, the
#: first ones would be lost beside the others.
TERMS, USUAL = 3000, 500.0
#: What is below exp(-this) of the rest is left out.
DEPTH = 40.0
#: Steps in ln lambda, in units of its spread.
STEP, LONGEST_STEP = 0.7, 0.2


class Leaving(NamedTuple):
    """Leaves with p ~ Beta(a, beta); beta is a row's own."""

    a: float
    beta: Floats

    def of(self, rows: Rows | NDArray[np.bool_]) -> Self:
        return self._replace(beta=self.beta[rows])


def summable(t: float, k: int, silent: Silent) -> NDArray[np.bool_]:
    """Whose purchases within t are few enough to be added up."""
    likely = silent.R * t / silent.A
    return (likely < USUAL) & (_stages(t, silent.R, silent.A) <= TERMS - k)


def within(t: float, discount_rate: float, k: int, silent: Silent, leaving: Leaving) -> Floats:
    """Discounted purchases within `t` of customers active now; see `summable`."""
    value = np.empty((k, len(silent.R)))
    for rows in _alike(silent.A):
        some, place = np.unique(silent.R[rows], return_index=True)
        A = float(silent.A[rows[0]])
        each = _of_an_age((t, discount_rate), k, some, A, leaving.of(rows[place]))
        value[:, rows] = each[:, np.searchsorted(some, silent.R[rows])]
    return _over_hidden(value, silent)


def endless(discount_rate: float, k: int, silent: Silent, leaving: Leaving) -> Floats:
    """All purchases to come, discounted, of customers active now."""
    value = np.empty((k, len(silent.R)))
    for rows in _alike(silent.R):
        some = np.unique(silent.A[rows])
        R = float(silent.R[rows[0]])
        each = _of_a_frequency(discount_rate, k, R, some, leaving.of(rows[:1]))
        value[:, rows] = each[:, np.searchsorted(some, silent.A[rows])]
    return _over_hidden(value, silent)


def _over_hidden(value: Floats, silent: Silent) -> Floats:
    """The mean over the stages that the silence may hide."""
    hidden = unseen(len(value), silent.R, silent.silence / silent.A)
    mean: Floats = (hidden * value).sum(axis=0) / hidden.sum(axis=0)
    return mean


def _alike(values: Floats) -> Iterator[Rows]:
    """The rows of each value."""
    order = np.argsort(values, kind="stable")
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(values[order])) + 1)


def _stages(t: float, R: Floats, A: Floats | float) -> Floats:
    """How many stages may come within t: a bound that chance does not pass."""
    odds = t / np.asarray(A)
    likely = R * odds
    stages: Floats = likely + 10 * np.sqrt(likely * (1 + odds)) + DEPTH * (1 + odds)
    return stages


def _of_an_age(ahead: tuple[float, float], k: int, R: Floats, A: float, leaving: Leaving) -> Floats:
    """D_j of customers of one age, by j and R."""
    t, discount_rate = ahead
    many = -(-int(_stages(t, R, A).max()) // k)
    s, weight = _times(t, A * min(k / float(R.max()), 1.0))
    log_z, log_rest, last = np.log(s / (A + s)), -np.log1p(s / A), float(-np.log1p(A / t))
    weight *= np.exp(-discount_rate * s) * A / (A + s) ** 2
    # Powers of z^k, over those of the last z, so that none of the logarithms below is large.
    powers = np.empty((many, len(s)))
    powers[0], powers[1:] = 1.0, np.exp(k * (log_z - last))
    np.multiply.accumulate(powers, axis=0, out=powers)
    place = np.arange(many, dtype=np.float64)[:, None]
    there = np.zeros((many, len(R)))
    np.cumsum(-np.log1p(leaving.a / (leaving.beta + place[:-1])), axis=0, out=there[1:])
    value = np.empty((k, len(R)))
    for j in range(k):
        logs = there - betaln(k - j + k * place, R + j) + k * place * last
        scale = logs.max(axis=0)
        come = np.exp(logs - scale).T @ powers
        once = (R + (j - 1))[:, None] * log_rest + scale[:, None] + (k - j - 1) * log_z
        value[j] = (come * np.exp(once)) @ weight
    return value


def _times(t: float, wait: float) -> tuple[Floats, Floats]:
    """Nodes and weights of an integral over time to t."""
    span = np.log1p(t / wait)
    panels = int(np.ceil(span / WIDTH))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    place = (np.arange(panels)[:, None] + (1 + nodes) / 2) / panels
    s = wait * np.expm1(span * place)
    return s.ravel(), ((s + wait) * (span / 2 / panels) * weights).ravel()


def _of_a_frequency(discount_rate: float, k: int, R: float, A: Floats, leaving: Leaving) -> Floats:
    """D_j of customers of one frequency, by j and A."""
    log_rate, step = _rates(discount_rate, k, R, A)
    log_phi = -np.logaddexp(0.0, np.log(discount_rate) - log_rate)
    made = _endless_at(k * log_phi, leaving)
    scaled = log_rate + np.log(A)[:, None]
    density = step * np.exp(R * scaled - np.exp(scaled) - gammaln(R))
    value = np.empty((k, len(A)))
    for hidden in range(k):
        value[hidden] = density @ (np.exp((k - hidden) * log_phi) * made)
        density *= np.exp(scaled) / (R + hidden)
    return value


def _rates(discount_rate: float, k: int, R: float, A: Floats) -> tuple[Floats, float]:
    """Nodes in ln lambda, and the step between them.

    The density falls from its peak at R / A by at least R (d - 1 + exp(-d)), and rates below the
    discount's count for less with another power of k.
    """
    slow, slower = (DEPTH / power + np.sqrt(2 * DEPTH / power) for power in (R, R + k))
    below = max(np.log(R / (discount_rate * A.max())), 0.0)
    lowest = np.log(R / A.max()) - min(slow, below + slower)
    highest = np.log((R + k + 10 * np.sqrt(R + k) + DEPTH) / A.min())
    step = min(LONGEST_STEP, STEP / float(np.sqrt(R + k)))
    return np.arange(lowest, highest + step, step), step


def _endless_at(log_y: Floats, leaving: Leaving) -> Floats:
    """The mean of 1 / (1 - (1-p) y) over p."""
    y, rest = np.exp(log_y)[:, None], -np.expm1(log_y)[:, None]

    def given(logit: Floats) -> Floats:
        return 1 / (rest + y * expit(logit))

    beta = np.broadcast_to(leaving.beta, log_y.shape)
    mean: Floats = mean_over_leaving(leaving.a, beta, given, 1 / rest[:, 0], (y / rest)[:, 0])
    return mean
