"""How much a customer who is still active will buy: one integral, computed without poles.

After each purchase the customer leaves with probability p ~ Beta(a, beta) and otherwise buys at
rate lambda ~ Gamma(R, A). Purchases within t, for a customer who is active now:

    E = E[(1 - exp(-lambda p t)) / p] = E_p[(1 - (1 + p t / A)^-R) / p]

(Fader, Hardie & Lee 2005, equation 9 before the integral over p). BG/NBD has R = r + x,
A = alpha + T and beta = b + x. With z = t / (A + t), C = a + beta - 1 and D = C - R, Euler's
transformation of the paper's 2F1 and taking out the pole at a = 1 give

    E = -C expm1((a-1) log1p(-z)) / (a-1) - (1-z)^(a-1) D z F
    F = sum over m >= 0 of (D+1)_m (a)_m / ((C+1)_m (2)_m) z^m

The series tells how much its terms cancel; where that costs too many digits, or it converges too
slowly (a long horizon), the integral over p is summed by the trapezoidal rule on the logit of p,
whose terms are all positive.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, exprel, log_expit, poch

from clv.numerics.discount import discounted_from_wait

Floats = NDArray[np.float64]

TERMS = 400
NODES = 800
#: Relative error that the series may have before the integral takes over.
TOLERANCE = 1e-10
#: Customers are fleeting whose rate of leaving is certain to this many waits.
FLEETING = 2.0
#: The same holds where the horizon is this many times all that is known of a rate.
FRESH = 1e5
#: The integrand is followed down to exp(-DEPTH) of its peak.
DEPTH = 40.0
#: Rows at a time, of the series and of the integral: what is worked on stays within a core's cache.
BLOCK = 2048
INTEGRAL_BLOCK = 128


def purchases_while_alive(
    t: ArrayLike, R: ArrayLike, A: ArrayLike, a: float, beta: ArrayLike
) -> Floats:
    """Expected purchases within `t` of customers active now, by rates and leaving: any shapes."""
    columns = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (t, R, A, beta)))
    times, rates, ages, stays = (column.reshape(-1) for column in columns)
    value = np.empty(len(times))
    # Series of about the same length together: each block ends with its longest.
    order = np.argsort(times / ages) if len(times) > BLOCK else np.arange(len(times))
    for start in range(0, len(order), BLOCK):
        rows = order[start : start + BLOCK]
        value[rows] = _of_some(a, times[rows], rates[rows], ages[rows], stays[rows])
    return value.reshape(columns[0].shape)


class Active(NamedTuple):
    """Customers active now, one per row: rates Gamma(R, A), leaving Beta(a, beta)."""

    R: Floats
    A: Floats
    a: float
    beta: Floats


def with_fleeting(discounted: Floats, t: float, discount_rate: float, customers: Active) -> Floats:
    """Discounted purchases, those of customers taken again who may leave after few waits."""
    R, A, a, beta = customers
    fleeting = np.flatnonzero((R * (a / (a + beta)) > FLEETING) | (t > FRESH * A))
    if discount_rate and len(fleeting):
        R, A, beta = R[fleeting], A[fleeting], beta[fleeting]
        discounted[fleeting] = discounted_from_wait(
            t,
            discount_rate,
            A / np.maximum(R, 1),
            lambda s: purchases_while_alive(s, R, A, a, beta),
        )
    return discounted


def _of_some(a: float, t: Floats, R: Floats, A: Floats, beta: Floats) -> Floats:
    value, error = _by_series(t / (A + t), R, a, beta)
    unsure = np.flatnonzero(~(error <= TOLERANCE * value) | ~np.isfinite(value))
    for start in range(0, len(unsure), INTEGRAL_BLOCK):
        rows = unsure[start : start + INTEGRAL_BLOCK]
        value[rows] = _by_integral(t[rows] / A[rows], R[rows], a, beta[rows])
    return value


def _by_series(z: Floats, R: Floats, a: float, beta: Floats) -> tuple[Floats, Floats]:
    """The value and a bound of its absolute error. NaN or infinite where numbers overflow."""
    C = a + beta - 1
    D = C - R
    log_rest = np.log1p(-z)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        plain = -C * log_rest * exprel((a - 1) * log_rest)
        factor = np.exp((a - 1) * log_rest) * D * z
        F, magnitude, tail = _sum_of_terms(z, D, C, a)
        value = plain - factor * F
        rounding = 4 * np.finfo(float).eps * (np.abs(plain) + np.abs(factor) * magnitude)
        return value, rounding + np.abs(factor) * tail


def _sum_of_terms(z: Floats, D: Floats, C: Floats, a: float) -> tuple[Floats, Floats, Floats]:
    """F, the sum of its terms' magnitudes, and a bound of what was left out."""
    term = np.ones_like(z)
    F, magnitude, tail = np.ones_like(z), np.ones_like(z), np.zeros_like(z)
    for m in range(TERMS):
        ratio = (D + 1 + m) * (a + m) / ((C + 1 + m) * (2 + m)) * z
        term = term * ratio
        F += term
        magnitude += np.abs(term)
        # The ratio tends to z; from where it is below one, the tail is at most geometric.
        bound = np.minimum(np.maximum(np.abs(ratio), z), 1.0)
        if m % 8 == 7:
            tail = np.abs(term) * bound / np.maximum(1 - bound, 1e-300)
            if not np.any(tail > 1e-14 * np.abs(F)):
                break
    return F, magnitude, tail


def _by_integral(odds: Floats, R: Floats, a: float, beta: Floats) -> Floats:
    """For `odds` = t / A."""
    likely = R * odds
    R, odds = R[:, None], odds[:, None]

    def given(y: Floats) -> Floats:
        p = expit(y)
        within: Floats = -np.expm1(-R * np.log1p(p * odds)) / p
        return within

    return mean_over_leaving(a, beta, given, likely, (1 + R[:, 0]) / 2 * odds[:, 0])


def mean_over_leaving(
    a: float, beta: Floats, given: Callable[[Floats], Floats], at_zero: Floats, fall: Floats
) -> Floats:
    """The mean over p ~ Beta(a, beta) of a function that falls from `at_zero` at p = 0.

    The trapezoidal rule on y = logit p; `given` takes nodes (rows, NODES) of y. For a < 1 the
    integrand has a long tail towards p = 0: there the function's distance from at_zero (1-p)^fall
    is integrated, which comes close to it and has a known mean.
    """
    heavy = a < 1
    y, spacing = _nodes(a + heavy, beta, fall)
    weight = np.exp(a * log_expit(y) + beta[:, None] * log_expit(-y) - betaln(a, beta)[:, None])
    weight *= spacing
    if not heavy:
        return np.asarray((weight * given(y)).sum(axis=1))
    near = at_zero[:, None] * np.exp(fall[:, None] * log_expit(-y))
    known = at_zero * (poch(beta, a) / poch(beta + fall, a))
    return np.asarray(known + (weight * (given(y) - near)).sum(axis=1))


def _nodes(a: float, beta: Floats, fall: Floats) -> tuple[Floats, Floats]:
    """Nodes in y and their spacing: y = peak + width sinh(u), with even steps in u."""
    peak = np.log(a) - np.log(beta)
    width = np.minimum(np.sqrt(1 / a + 1 / beta), 1.0)
    left, right = _reaches(a, beta, peak)
    # What falls early keeps its weight further to the left.
    left += np.log1p(fall / beta)
    left, right = (np.arcsinh(reach / width) for reach in (left, right))
    step = (left + right) / (NODES - 1)
    u = -left[:, None] + step[:, None] * np.arange(NODES)
    width = width[:, None]
    return peak[:, None] + width * np.sinh(u), step[:, None] * width * np.cosh(u)


def _reaches(a: float, beta: Floats, peak: Floats) -> tuple[Floats, Floats]:
    """How far from its peak the weight has surely fallen by DEPTH, to the left and to the right.

    f(y) = a log p + beta log(1 - p) is concave with curvature k at the peak that fades no faster
    than exp(-d), so it falls by at least k (d - 1 + exp(-d)); and f(y) <= a y, f(y) <= -beta y.
    """
    fall = DEPTH * (1 / a + 1 / beta)
    round_peak = fall + np.sqrt(2 * fall)
    drop = DEPTH - a * log_expit(peak) - beta * log_expit(-peak)
    return np.minimum(round_peak, peak + drop / a), np.minimum(round_peak, drop / beta - peak)
