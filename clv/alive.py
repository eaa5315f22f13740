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

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, exprel, log_expit

Floats = NDArray[np.float64]

TERMS = 400
NODES = 400
#: Relative error that the series may have before the integral takes over.
TOLERANCE = 1e-10
#: The integrand is followed down to exp(-DEPTH) of its peak.
DEPTH = 40.0
#: Rows at a time: keeps the nodes of the integral within some 20 MB.
BLOCK = 2048


def purchases_while_alive(t: Floats, R: Floats, A: Floats, a: float, beta: Floats) -> Floats:
    """Expected purchases within `t` of customers active now. All arrays of one shape, one axis."""
    value, error = _by_series(t / (A + t), R, a, beta)
    unsure = ~(error <= TOLERANCE * value)
    for rows in _blocks(np.flatnonzero(unsure)):
        value[rows] = _by_integral(t[rows] / A[rows], R[rows], a, beta[rows])
    return value


def _blocks(rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return np.array_split(rows, -(-len(rows) // BLOCK)) if len(rows) else []


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


def _by_integral(horizon: Floats, R: Floats, a: float, beta: Floats) -> Floats:
    """The trapezoidal rule on y = logit p; `horizon` is t / A.

    For a < 1 the integrand has a long tail at p = 0, where it is flat: there the integral of its
    distance from R t / A, its value at p = 0, is taken instead.
    """
    y, spacing = _nodes(a if a >= 1 else a + 1, beta)
    beta = beta[:, None]
    log_weight = a * log_expit(y) + beta * log_expit(-y) - betaln(a, beta)
    weight = np.exp(log_weight) * spacing
    at_zero = (R * horizon)[:, None]
    p = expit(y)
    within = -np.expm1(-R[:, None] * np.log1p(p * horizon[:, None])) / p
    if a >= 1:
        return np.asarray((weight * within).sum(axis=1))
    return np.asarray(at_zero[:, 0] - (weight * (at_zero - within)).sum(axis=1))


def _nodes(a: float, beta: Floats) -> tuple[Floats, Floats]:
    """Nodes in y and their spacing: y = peak + width sinh(u), with even steps in u."""
    peak = np.log(a) - np.log(beta)
    width = np.minimum(np.sqrt(1 / a + 1 / beta), 1.0)
    left, right = (np.arcsinh(reach / width) for reach in _reaches(a, beta, peak))
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
