"""Maximum likelihood by Newton's method on log-parameters, with walls around the absurd.

Every model here has a few positive parameters. On their logarithms the likelihood is close to
quadratic and Newton's method needs four to ten steps. Where it isn't concave, directions of
negative curvature are turned around and the step is halved until the likelihood rises, so that a
step never makes it worse.

The walls: the prior is flat for parameters between 1e-4 and 1e4, in units that the model takes
from its data so that days and weeks give the same fit, and zero beyond. Inside, the estimate is the
plain maximum; a likelihood that rises for ever, as where all customers are alike, stops at the wall
instead of running off, and the model says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clv.errors import ConvergenceError

Floats = NDArray[np.float64]
#: Value, gradient and Hessian by the parameters themselves.
Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]

WALL = np.log(1e4)
STEPS = 100
#: Half the Newton decrement, how much log-likelihood the next and last step can win: as a share of
#: it, since a sum over millions of customers is no more exact than that.
ENOUGH = 1e-11
#: A rise that rounding may hide where parameters at a wall make large terms cancel; it says nothing
#: about the customers.
HIDDEN = 1e-6
LONGEST_STEP = 2.0
#: The share of a step that must fit between the walls.
LEAST_ROOM = 1e-3
#: Rows above which a fit starts from a thinned sample of about this size.
ROUGH = 20_000


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is highest between the walls; `log_hessian` is by the log-parameters."""

    parameters: Floats
    log_likelihood: float
    log_hessian: Floats

    @property
    def log_covariance(self) -> tuple[tuple[float, ...], ...] | None:
        """Of the log-parameters: the inverse of the observed information.

        Parameters at a wall are taken as certain: zero. None where the rest isn't determined.
        """
        free = ~self._stopped()
        covariance = np.zeros_like(self.log_hessian)
        try:
            inverse = np.linalg.inv(-self.log_hessian[np.ix_(free, free)])
        except np.linalg.LinAlgError:
            return None
        if not (np.all(np.isfinite(inverse)) and np.all(np.linalg.eigvalsh(inverse) > 0)):
            return None
        covariance[np.ix_(free, free)] = inverse
        return tuple(tuple(float(value) for value in row) for row in covariance)

    def at_wall(self, names: Sequence[str]) -> tuple[str, ...]:
        """The parameters that only the wall has stopped."""
        return tuple(name for name, at_wall in zip(names, self._stopped(), strict=True) if at_wall)

    def _stopped(self) -> NDArray[np.bool_]:
        stopped: NDArray[np.bool_] = np.abs(np.log(self.parameters)) > WALL - 1e-6
        return stopped


def maximise(
    likelihood: Likelihood, starts: Sequence[Sequence[float]], rough: Likelihood | None = None
) -> Maximum:
    """The highest maximum that the starts lead to, most promising start first.

    A maximum between the walls ends the search. `rough`, the likelihood of fewer customers, finds
    a start near the maximum at small cost. Raises ConvergenceError if no start leads to one.
    """
    if rough is not None:
        with suppress(ConvergenceError):
            near = _ascend(likelihood, np.log(maximise(rough, starts).parameters))
            if near is not None:
                return _maximum(near)
    found = _ascents(likelihood, sorted(starts, key=lambda s: -likelihood(np.asarray(s))[0]))
    if not found:
        raise ConvergenceError(
            "the likelihood has no maximum that Newton's method can find",
            starts=len(starts),
            steps=STEPS,
        )
    return _maximum(max(found, key=lambda place: place.value))


def _maximum(place: _Place) -> Maximum:
    return Maximum(np.exp(place.point), place.value, place.hessian)


def thinned(make: Callable[..., Likelihood], *data: Floats) -> Likelihood | None:
    """The likelihood of every so-manieth row, some `ROUGH` of them; None if there are few."""
    stride = len(data[0]) // ROUGH
    return make(*(column[::stride] for column in data)) if stride > 1 else None


def _ascents(likelihood: Likelihood, starts: Sequence[Sequence[float]]) -> list[_Place]:
    """The maxima found, up to the first between the walls."""
    found = []
    for start in starts:
        summit = _ascend(likelihood, np.log(np.asarray(start, dtype=np.float64)))
        if summit is not None:
            found.append(summit)
            if np.all(np.abs(summit.point) < WALL):
                break
    return found


@dataclass(frozen=True)
class _Place:
    """A point in log-parameters: the likelihood, its gradient and Hessian there."""

    point: Floats
    value: float
    gradient: Floats
    hessian: Floats


def _ascend(likelihood: Likelihood, start: Floats) -> _Place | None:
    """Climb from a start to a maximum; None if it isn't reached."""
    place = _at(likelihood, start)
    for _ in range(STEPS):
        if not np.all(np.isfinite(place.hessian)):
            return None
        step = _uphill(place)
        gain = float(place.gradient @ step) / 2
        if gain < ENOUGH * (1 + abs(place.value)):
            return _at(likelihood, _between_walls(place.point + step))
        higher = _climb(likelihood, place, step)
        if higher is None:
            # Rounding hides the rise: near the summit that is the end, elsewhere a failure.
            return place if gain < HIDDEN + ENOUGH * abs(place.value) else None
        place = higher
    return None


def _climb(likelihood: Likelihood, place: _Place, step: Floats) -> _Place | None:
    """The first of ever shorter steps that rises, cut off at the walls; None if none does."""
    for _ in range(30):
        there = _at(likelihood, _along(place.point, step))
        if there.value > place.value:
            return there
        step = step / 2
    return None


def _along(point: Floats, step: Floats) -> Floats:
    """The end of a step, which stops as a whole at the first wall: sideways it would lose height.

    Only a step that has next to no room slides along the wall.
    """
    ways = step != 0
    room = (np.sign(step[ways]) * WALL - point[ways]) / step[ways]
    share = min(1.0, float(room.min(initial=1.0)))
    return _between_walls(point + (share if share > LEAST_ROOM else 1.0) * step)


def _between_walls(point: Floats) -> Floats:
    return np.clip(point, -WALL, WALL)


def _uphill(place: _Place) -> Floats:
    """Newton's step, along a wall where the likelihood rises behind it, not too long."""
    beside = np.sign(place.point) * (np.abs(place.point) >= WALL)
    step = _inside(place, beside, beside * place.gradient <= 0)
    longest = float(np.abs(step).max())
    return step * (LONGEST_STEP / longest) if longest > LONGEST_STEP else step


def _inside(place: _Place, beside: Floats, free: NDArray[np.bool_]) -> Floats:
    """Newton's step in the free parameters; those that it would take through a wall stay there."""
    step = np.zeros_like(place.point)
    step[free] = _newton(place.gradient[free], place.hessian[np.ix_(free, free)])
    through = beside * step > 0
    return _inside(place, beside, free & ~through) if through.any() else step


def _newton(gradient: Floats, hessian: Floats) -> Floats:
    """The step to the summit, with every curvature taken as if the likelihood were concave."""
    if not len(gradient):
        return gradient
    curvature, axes = np.linalg.eigh(-hessian)
    floor = 1e-10 * max(1.0, float(np.abs(curvature).max()))
    step: Floats = axes @ ((axes.T @ gradient) / np.maximum(np.abs(curvature), floor))
    return step


def _at(likelihood: Likelihood, point: Floats) -> _Place:
    """The likelihood at a point, with gradient and Hessian by the log-parameters."""
    parameters = np.exp(point)
    value, gradient, hessian = likelihood(parameters)
    by_log = gradient * parameters
    return _Place(
        point, value, by_log, hessian * np.outer(parameters, parameters) + np.diag(by_log)
    )
