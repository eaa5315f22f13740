"""Discrete opportunities: how many of the next ones a customer still lives through.

A customer leaves before each opportunity with a probability theta ~ Beta(a, b) of their own. Of one
who is there at the next opportunity, k = 0, each later one counts with E (1 - theta)^k exp(-d k),
where d is the discount rate per opportunity. With q = exp(-d) (1 - theta),

    left = sum over k < t of (b)_k / (a+b)_k exp(-d k) = E[(1 - q^t) / (1 - q)]

For endless t it is 2F1(1, b; a+b; exp(-d)): Fader, Hardie & Shang (2010), Marketing Science 29(6),
and Fader & Hardie (2010), Marketing Science 29(1), equation 6. The sum has positive terms only, and
so has the integral over theta that takes over where the sum gets long.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, log_expit

from clv.errors import BadSummary

Floats = NDArray[np.float64]

#: Terms that are summed one by one; beyond, the integral is faster.
TERMS = 256
NODES = 400
#: The integrand is followed down to exp(-DEPTH) of its peak.
DEPTH = 40.0
#: Rows at a time: keeps the nodes of the integral within some 20 MB.
BLOCK = 2048
#: A number of opportunities this close to the next whole one is meant to be it.
NEARLY = 1e-9


def whole(t: ArrayLike) -> Floats:
    """The opportunities within `t`: a part of one is none."""
    opportunities: Floats = np.floor(np.asarray(t, dtype=np.float64) + NEARLY)
    return opportunities


def require(summary: pd.DataFrame, column: str, right: NDArray[np.bool_], message: str) -> None:
    """Raises BadSummary with the number of rows that are not `right`."""
    if not right.all():
        raise BadSummary(message, column=column, rows=int((~right).sum()), of=len(summary))


def opportunities_left(t: ArrayLike, a: float, b: Floats, discount_rate: float = 0.0) -> Floats:
    """Expected opportunities that a customer lives through, of the next `t`, the first surely.

    `t` (whole, one for all or one each; endless only with a discount) and `b` have one axis. Each
    opportunity weighs exp(-discount_rate * k), the first one 1.
    """
    horizon = np.broadcast_to(np.asarray(t, dtype=np.float64), b.shape)
    left = np.empty(b.shape)
    few = horizon <= TERMS
    left[few] = _by_sum(horizon[few], a, b[few], discount_rate)
    for rows in _blocks(np.flatnonzero(~few)):
        left[rows] = _by_integral(horizon[rows], a, b[rows], discount_rate)
    return left


def _blocks(rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return np.array_split(rows, -(-len(rows) // BLOCK)) if len(rows) else []


def _by_sum(t: Floats, a: float, b: Floats, discount_rate: float) -> Floats:
    term, total = np.ones_like(b), np.zeros_like(b)
    later = np.exp(-discount_rate)
    for k in range(int(t.max(initial=0))):
        total += np.where(k < t, term, 0.0)
        term = term * (later * (b + k) / (a + b + k))
    return total


def _by_integral(t: Floats, a: float, b: Floats, discount_rate: float) -> Floats:
    """The trapezoidal rule on y, the logit of theta.

    For a < 1 the integrand has a long tail at theta = 0, where it is flat: there the integral of
    its distance from its value at 0 is taken instead.
    """
    y, spacing = _nodes(a if a >= 1 else a + 1, b)
    b, t = b[:, None], t[:, None]
    weight = spacing * np.exp(a * log_expit(y) + b * log_expit(-y) - betaln(a, b))
    within = _geometric(t, log_expit(-y) - discount_rate, expit(y) if not discount_rate else None)
    if a >= 1:
        return np.asarray((weight * within).sum(axis=1))
    at_zero = _geometric(t, np.full_like(b, -discount_rate)) if discount_rate else t
    return np.asarray((at_zero - (weight * (at_zero - within)).sum(axis=1, keepdims=True))[:, 0])


def _geometric(t: Floats, log_q: Floats, rest: Floats | None = None) -> Floats:
    """(1 - q^t) / (1 - q); `rest` is 1 - q where the caller knows it better."""
    sum_: Floats = -np.expm1(t * log_q) / (-np.expm1(log_q) if rest is None else rest)
    return sum_


def _nodes(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Nodes in y and their spacing: y = peak + width sinh(u), with even steps in u.

    The weight f(y) = a log theta + b log(1 - theta) is concave. Its curvature at the peak fades no
    faster than exp(-d), so d away it has fallen by at least k (d - 1 + exp(-d)); and f(y) <= a y,
    f(y) <= -b y. Whichever reaches DEPTH first is where the nodes end.
    """
    peak = np.log(a) - np.log(b)
    width = np.minimum(np.sqrt(1 / a + 1 / b), 1.0)[:, None]
    fall = DEPTH * (1 / a + 1 / b)
    drop = DEPTH - a * log_expit(peak) - b * log_expit(-peak)
    sides = (peak + drop / a, drop / b - peak)
    reaches = (np.minimum(fall + np.sqrt(2 * fall), side)[:, None] for side in sides)
    left, right = (np.arcsinh(reach / width) for reach in reaches)
    step = (left + right) / (NODES - 1)
    u = step * np.arange(NODES) - left
    return peak[:, None] + width * np.sinh(u), step * width * np.cosh(u)
