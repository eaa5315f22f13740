"""How much a customer of regular waits who is still active will buy.

After each purchase the customer leaves with probability p ~ Beta(a, beta) and otherwise passes
through stages at rate lambda, k to a purchase (`clv.numerics.stages`). The silence since the last
purchase hides j < k of them. Counting stages from that purchase, with lambda ~ Gamma(R, A -
silence) at that time, z = t / (A + t) and the silence's share s = silence / (A + t), purchases
within t are

    E = sum over l >= k of H_l G(floor(l/k)),   G(m) = sum over i < m of (beta)_i / (a+beta)_i
    H_l = (R)_l (1-z)^R / Q * sum over j < k of s^j z^(l-j) / (j! (l-j)!)

H_l is the chance of l stages by the horizon and G(m) the purchases made of m possible ones. This is
exact, where the papers approximate, and all its terms are positive.

Of long horizons and busy customers the sum is too long. There, given p, the expectation of q^m of m
possible purchases, q = 1 - p, is written by the k-th roots w of q, and (1 - that) / p is integrated
over p as in `clv.numerics.alive`:

    E[q^m] = sum over w of p w / (k q (1-w)) Y^-R sum over j of P(j) (w / Y)^j
    Y = 1 + (1-w) t / A
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_expit

from clv.numerics.alive import mean_over_leaving
from clv.numerics.stages import unseen

Floats = NDArray[np.float64]

#: Stages that are summed over at most.
TERMS = 400
#: Relative error that the sum may leave out before the integral takes over.
TOLERANCE = 1e-12
#: Rows times stages of a wait at a time: what is worked on stays within a core's cache.
BLOCK = 8192
INTEGRAL_BLOCK = 512
#: The logit of a probability that is as good as none.
LEAVE_NEVER = -300.0


class Silent(NamedTuple):
    """Active customers: R = r + k x, A = alpha + T, and T - t_x. Arrays of one axis."""

    R: Floats
    A: Floats
    silence: Floats

    def of(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        return type(self)(*(column[rows] for column in self))


def purchases_after_silence(
    t: ArrayLike, k: int, silent: Silent, a: float, beta: ArrayLike
) -> Floats:
    """Expected purchases within `t` (one for all or one each) of customers active now."""
    t, beta = (np.broadcast_to(np.asarray(one, dtype=float), silent.R.shape) for one in (t, beta))
    odds = t / silent.A
    likely = silent.R * odds
    long = likely + 6 * np.sqrt(likely * (1 + odds)) > TERMS
    value = np.empty_like(silent.R)
    for rows in _alike(np.flatnonzero(~long), likely + 37 * odds, BLOCK // k):
        value[rows], left_out = _by_stages(t[rows], k, silent.of(rows), a, beta[rows])
        long[rows] = ~(left_out <= TOLERANCE * value[rows])
    for rows in _alike(np.flatnonzero(long), likely, INTEGRAL_BLOCK):
        value[rows] = _by_integral(odds[rows], k, silent.of(rows), a, beta[rows])
    return value


def _alike(rows: NDArray[np.intp], effort: Floats, block: int) -> list[NDArray[np.intp]]:
    """The rows in blocks of about the same effort."""
    if not len(rows):
        return []
    return np.array_split(rows[np.argsort(effort[rows])], -(-len(rows) // block))


def _by_stages(t: Floats, k: int, silent: Silent, a: float, beta: Floats) -> tuple[Floats, Floats]:
    """The sum, and a bound of what was left out."""
    R, A, silence = silent
    z, j = t / (A + t), np.arange(k)[:, None]
    chance = unseen(k, R, silence / (A + t))
    chance *= np.exp(R * np.log1p(-z)) / unseen(k, R, silence / A).sum(axis=0)
    for stage in range(k - 1):
        chance[: stage + 1] *= (R + stage) * z / (stage + 1 - j[: stage + 1])
    value, left_out = np.zeros_like(R), np.full_like(R, np.inf)
    made, next_made = np.zeros_like(R), np.ones_like(R)
    for purchase in range(1, TERMS // k + 1):
        made += next_made
        next_made = next_made * (beta + (purchase - 1)) / (a + beta + (purchase - 1))
        for stage in range(purchase * k - 1, purchase * k + k - 1):
            chance *= (R + stage) * z / (stage + 1 - j)
            term = made * chance.sum(axis=0)
            value += term
        ratio = np.minimum((R + stage + 1) * z / (stage + 3 - k), 1 - 1e-16)
        # `made` grows no faster than the count of purchases.
        fading = ratio / (1 - ratio)
        left_out = term * fading * (1 + (1 + (1 + fading) / k) / purchase)
        if np.all(left_out <= TOLERANCE * value):
            break
    return value, left_out


def _by_integral(odds: Floats, k: int, silent: Silent, a: float, beta: Floats) -> Floats:
    passed = unseen(k, silent.R, silent.silence / silent.A)
    passed /= passed.sum(axis=0)

    def given(y: Floats) -> Floats:
        return _given_p(y, odds[:, None], k, silent.R[:, None], passed[:, :, None])

    at_zero = given(np.full((len(odds), 1), LEAVE_NEVER))[:, 0]
    return mean_over_leaving(a, beta, given, at_zero, at_zero * (1 + 1 / silent.R) / 2)


def _given_p(y: Floats, odds: Floats, k: int, R: Floats, passed: Floats) -> Floats:
    """Purchases of customers who leave with probability p each time, y = logit p."""
    log_p, log_q = log_expit(y), log_expit(-y)
    log_w = log_q / k
    # The positive root: its part of E[q^m] comes close to 1, so the difference is computed.
    fewer = np.expm1(log_w)
    log_Y = np.log1p(-fewer * odds)
    log_c = np.log1p(np.mean([np.expm1(-i * log_w) for i in range(k)], axis=0))
    less = sum(passed[j] * np.expm1(j * (log_w - log_Y)) for j in range(1, k))
    with np.errstate(divide="ignore"):
        log_stages = np.log1p(np.maximum(less, -1.0))
    value: Floats = -np.expm1(log_c - R * log_Y + log_stages) * np.exp(-log_p)
    # The other roots, in pairs of conjugates.
    for turn in range(1, k // 2 + 1):
        w = np.exp(log_w + 2j * np.pi * turn / k)
        Y = 1 + (1 - w) * odds
        stages = sum(passed[j] * (w / Y) ** j for j in range(k))
        part = (w / (1 - w) * stages * np.exp(-R * np.log(Y) - log_q)).real / k
        value -= part if 2 * turn == k else 2 * part
    return value
