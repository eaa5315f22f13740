"""What BG/NBD, MBG/NBD and MBG/CNBD-k share: after a purchase, a customer may leave for ever.

x    frequency, repeat purchases          lambda ~ Gamma(r, alpha)  rate of stages while active
t_x  recency, first to last purchase      p ~ Beta(a, b)            leaves after a purchase
T    age, first purchase to today         k                         stages of a wait: Erlang-k
                                          n                         chances to have left so far

Two things tell the models apart. A customer of BG/NBD can't leave before the first repeat purchase
(n = x); one of the others may leave right after the first purchase (n = x + 1). And waits between
purchases are exponential (k = 1) or more regular than that (k > 1). With R = r + k x, the
log-likelihood of a customer is

    ln G(R)/G(r) + r ln alpha - R ln(alpha+T) + ln G(a+b) G(b+n) / (G(b) G(a+b+n))
    + ln Q + [n > 0] ln(1 + exp u)
    u = ln a - ln(b+n-1) + R ln((alpha+T) / (alpha+t_x)) - ln Q

and P(alive) = 1 / (1 + [n > 0] exp u). Q allows for the stages that the silence since t_x may hide
(`clv.numerics.stages`); it is 1 where k = 1. What the waits between the purchases say for k > 1
depends on none of these parameters and is left to the model.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from clv.models.fitted import Fitted
from clv.models.histories import Histories
from clv.numerics.grouping import distinct
from clv.numerics.newton import maximise, thinned
from clv.numerics.stages import Unseen, log_unseen

Floats = NDArray[np.float64]
Slopes = tuple[float, Floats, Floats]

#: Rows at a time: what is worked on stays within a core's cache.
BLOCK = 8192
#: The places of r, alpha and b among the parameters.
LOGS = [0, 1, 3]


@dataclass(frozen=True)
class Habit:
    """What tells the models apart: chances to leave `at_first`, and the stages of a wait."""

    at_first: int
    stages: int = 1


class Known(NamedTuple):
    """The parameters, in any one unit of time."""

    r: float
    alpha: float
    a: float
    b: float


def most_likely(
    given: Histories, habit: Habit, model: type[Fitted], near: Sequence[float] | None = None
) -> dict[str, Any]:
    """The fields of the model most likely to have made these histories. Raises ConvergenceError.

    `near`, if given, is where the search starts, instead of everywhere.
    """
    # Times in units of the mean age: the walls then mean the same under days and weeks.
    unit = given.mean_age
    data = given.in_units_of(unit)
    make = partial(Likelihood, habit)
    if near is None:
        starts, rough = _starts(habit.stages * data.rate), thinned(make, *data)
    else:
        starts, rough = [(near[0], near[1] / unit, *near[2:])], None
    best = maximise(make(*data), starts, rough)
    known = Known(*(float(value) for value in best.parameters))
    return known._replace(alpha=known.alpha * unit)._asdict() | {
        "log_likelihood": best.log_likelihood
        - habit.stages * given.purchases * float(np.log(unit)),
        "customers": given.customers,
        "log_covariance": best.log_covariance,
        "at_wall": best.at_wall(model.PARAMETERS),
    }


def _starts(rate: float) -> list[tuple[float, ...]]:
    """Mixed and alike customers, loyal and fleeting, at the rate seen on average."""
    kinds = ((0.3, 0.8, 2.5), (1.0, 0.5, 5.0), (3.0, 0.1, 1.0), (10.0, 1.0, 1.0))
    return [(r, r / rate, a, b) for r, a, b in kinds]


def probability_alive(known: Known, habit: Habit, history: tuple[Floats, Floats, Floats]) -> Floats:
    """P(alive) after x, t_x and T: 1 by definition for those who had no chance to leave."""
    alive = np.ones(len(history[0]))
    for x, t_x, T, block in _blocks(*history, alive):
        n, R = x + habit.at_first, known.r + habit.stages * x
        u = np.log(known.a / (known.b + np.maximum(n, 1) - 1))
        u += R * np.log((known.alpha + T) / (known.alpha + t_x))
        if habit.stages > 1:
            u -= log_unseen(habit.stages, R, (T - t_x) / (known.alpha + T))
        with np.errstate(over="ignore"):
            np.copyto(block, 1 / (1 + np.exp(u)), where=n > 0)
    return alive


def _blocks(*columns: Floats) -> list[tuple[Floats, ...]]:
    starts = range(0, len(columns[0]), BLOCK)
    return [tuple(column[start : start + BLOCK] for column in columns) for start in starts]


class Likelihood:
    """Value, gradient and Hessian of the log-likelihood by (r, alpha, a, b)."""

    def __init__(self, habit: Habit, x: Floats, t_x: Floats, T: Floats, counts: Floats) -> None:
        self.habit = habit
        # Gamma functions see nothing but x, ages nothing but T; only those who could have left
        # have a softplus.
        (self.some_x,), rows = distinct(x)
        self.of_x = np.bincount(rows, weights=counts)
        (self.some_T,), rows = distinct(T)
        self.of_T = np.bincount(rows, weights=counts)
        self.bought = np.bincount(rows, weights=counts * x)
        could = x + habit.at_first > 0
        self.silent = _blocks(x[could], t_x[could], T[could], counts[could])

    def __call__(self, parameters: Floats) -> Slopes:
        known = Known(*parameters)
        value, gradient, hessian = self._purchases(known)
        for part in self._ages(known), *(self._silence(known, *block) for block in self.silent):
            value, gradient, hessian = value + part[0], gradient + part[1], hessian + part[2]
        upper = np.triu(hessian)
        return value, gradient, upper + np.triu(upper, 1).T

    def _purchases(self, known: Known) -> Slopes:
        """What depends on x alone: the gamma functions, and r ln alpha."""
        r, alpha, a, b = known
        count, many = self.of_x, float(self.of_x.sum())
        n, R = self.some_x + self.habit.at_first, r + self.habit.stages * self.some_x
        value = many * r * np.log(alpha) + count @ (
            (gammaln(R) - gammaln(r))
            + (gammaln(b + n) - gammaln(b))
            - (gammaln(a + b + n) - gammaln(a + b))
        )
        by_r = many * np.log(alpha) + count @ (digamma(R) - digamma(r))
        by_b = count @ (digamma(b + n) - digamma(b))
        by_ab = -count @ (digamma(a + b + n) - digamma(a + b))
        hessian = np.zeros((4, 4))
        hessian[0, 0] = count @ (polygamma(1, R) - polygamma(1, r))
        hessian[0, 1] = many / alpha
        hessian[1, 1] = -many * r / alpha**2
        hessian[2:, 2:] = -count @ (polygamma(1, a + b + n) - polygamma(1, a + b))
        hessian[3, 3] += count @ (polygamma(1, b + n) - polygamma(1, b))
        return float(value), np.array([by_r, many * r / alpha, by_ab, by_b + by_ab]), hessian

    def _ages(self, known: Known) -> Slopes:
        """-R ln(alpha + T)."""
        R, age = known.r * self.of_T + self.habit.stages * self.bought, known.alpha + self.some_T
        log_age = np.log(age)
        hessian = np.zeros((4, 4))
        hessian[0, 1] = -(self.of_T / age).sum()
        hessian[1, 1] = (R / age**2).sum()
        gradient = np.array([-self.of_T @ log_age, -(R / age).sum(), 0.0, 0.0])
        return -float(R @ log_age), gradient, hessian

    def _silence(self, known: Known, x: Floats, t_x: Floats, T: Floats, count: Floats) -> Slopes:
        """ln Q + softplus(u): active and silent, or gone since t_x."""
        R, left = known.r + self.habit.stages * x, known.b + x + (self.habit.at_first - 1)
        late, early = 1 / (known.alpha + T), 1 / (known.alpha + t_x)
        # By r, alpha and b; by a the slope is 1 / a throughout.
        slopes = np.empty((3, len(x)))
        np.log((known.alpha + T) * early, out=slopes[0])
        np.multiply(R, late - early, out=slopes[1])
        np.divide(-1, left, out=slopes[2])
        u = np.log(known.a / left) + R * slopes[0]
        if self.habit.stages == 1:
            return _softplus(known.a, u, slopes, count, (R, late, early))[0]
        unseen = Unseen.of(self.habit.stages, R, T - t_x, late)
        slopes[:2] -= unseen.slopes
        terms, gone = _softplus(known.a, u - unseen.log_sum, slopes, count, (R, late, early))
        terms[1][:2] += unseen.slopes @ count
        terms[2][:2, :2] += unseen.curvature @ (count - gone)
        return terms[0] + float(count @ unseen.log_sum), terms[1], terms[2]


def _softplus(
    a: float, u: Floats, slopes: Floats, count: Floats, rates: tuple[Floats, Floats, Floats]
) -> tuple[Slopes, Floats]:
    """ln(1 + exp u) of all, and how many of each row are likely gone."""
    R, late, early = rates
    rarer = np.exp(-np.abs(u))
    likelier = 1 / (1 + rarer)
    gone = count * np.where(u > 0, likelier, rarer * likelier)
    spread = count * (rarer * likelier**2)
    value = count @ (np.maximum(u, 0) - np.log(likelier))
    sums, all_gone = slopes @ gone, float(gone.sum())
    gradient = np.array([sums[0], sums[1], all_gone / a, sums[2]])
    hessian, by_a = np.zeros((4, 4)), slopes @ spread / a
    hessian[np.ix_(LOGS, LOGS)] = (slopes * spread) @ slopes.T
    hessian[LOGS, 2] = hessian[2, LOGS] = by_a
    hessian[2, 2] = (spread.sum() - all_gone) / a**2
    hessian[0, 1] += gone @ (late - early)
    hessian[1, 1] += gone @ (R * (early**2 - late**2))
    hessian[3, 3] += gone @ slopes[2] ** 2
    return (float(value), gradient, hessian), gone
