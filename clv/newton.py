"""Maximum likelihood by Newton's method on log-parameters, with walls around the absurd.

Every model here has a few positive parameters. On their logarithms the likelihood is close to
quadratic and Newton's method needs four to ten steps. Where it isn't concave, directions of
negative curvature are turned around and the step is halved until the likelihood rises, so that a
step never makes it worse.

The walls: a prior that is flat for parameters between 1e-4 and 1e4 (in units that the model takes
from its data, so that days and weeks give the same fit) and Gaussian beyond. Inside, the estimate
is the plain maximum; a likelihood that rises for ever, as where all customers are alike, stops at
the wall instead of running off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clv.errors import ConvergenceError

Floats = NDArray[np.float64]
#: Value, gradient and Hessian by the parameters themselves.
Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]

WALL = np.log(1e4)
STEPS = 100
#: Half the Newton decrement: how much log-likelihood the next step can win.
ENOUGH = 1e-9
LONGEST_STEP = 2.0


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is highest; `hessian` is by the parameters, without the walls."""

    parameters: Floats
    log_likelihood: float
    hessian: Floats

    def standard_errors(self, units: Floats) -> list[float | None]:
        """From the inverse of the observed information; None where it isn't positive definite."""
        try:
            variances = np.diag(np.linalg.inv(-self.hessian))
        except np.linalg.LinAlgError:
            variances = np.full(len(units), np.nan)
        if not np.all(variances > 0):
            return [None] * len(units)
        return [float(error) for error in np.sqrt(variances) * units]

    def at_wall(self, names: Sequence[str]) -> tuple[str, ...]:
        """The parameters that only the wall has stopped."""
        beyond = np.abs(np.log(self.parameters)) > WALL
        return tuple(name for name, is_beyond in zip(names, beyond, strict=True) if is_beyond)


def maximise(likelihood: Likelihood, starts: Sequence[Sequence[float]]) -> Maximum:
    """The highest maximum that the starts lead to, most promising start first.

    A maximum between the walls ends the search. Raises ConvergenceError if no start leads to one.
    """
    points = [np.log(np.asarray(start, dtype=np.float64)) for start in starts]
    points.sort(key=lambda point: -_walled(likelihood, point)[0])
    found = []
    for point in points:
        ascent = _ascend(likelihood, point)
        if ascent is None:
            continue
        found.append(ascent)
        if np.all(np.abs(ascent) <= WALL):
            break
    if not found:
        raise ConvergenceError(
            "the likelihood has no maximum that Newton's method can find",
            starts=len(starts),
            steps=STEPS,
        )
    best = max(found, key=lambda point: _walled(likelihood, point)[0])
    value, _, hessian = likelihood(np.exp(best))
    return Maximum(np.exp(best), value, hessian)


def _ascend(likelihood: Likelihood, point: Floats) -> Floats | None:
    """Climb from a start to a maximum; None if it isn't reached."""
    value, gradient, hessian = _walled(likelihood, point)
    for _ in range(STEPS):
        step = _uphill(gradient, hessian)
        gain = float(gradient @ step) / 2
        if not np.isfinite(gain):
            return None
        reached = _climb(likelihood, point, step, value)
        if reached is None:
            # Rounding hides the rise: at the summit that is the end, elsewhere a failure.
            return point if gain <= ENOUGH * (1 + abs(value)) else None
        point, (value, gradient, hessian) = reached
        if gain < ENOUGH:
            return point
    return None


def _climb(
    likelihood: Likelihood, point: Floats, step: Floats, value: float
) -> tuple[Floats, tuple[float, Floats, Floats]] | None:
    """The first of ever shorter steps that rises; None if none does."""
    for _ in range(30):
        there = _walled(likelihood, point + step)
        if there[0] >= value:
            return point + step, there
        step = step / 2
    return None


def _uphill(gradient: Floats, hessian: Floats) -> Floats:
    """Newton's step with every curvature taken as if the likelihood were concave, not too long."""
    if not np.all(np.isfinite(hessian)):
        return np.full_like(gradient, np.nan)
    curvature, axes = np.linalg.eigh(-hessian)
    floor = 1e-10 * max(1.0, float(np.abs(curvature).max()))
    step: Floats = axes @ ((axes.T @ gradient) / np.maximum(np.abs(curvature), floor))
    longest = float(np.abs(step).max())
    return step * (LONGEST_STEP / longest) if longest > LONGEST_STEP else step


def _walled(likelihood: Likelihood, point: Floats) -> tuple[float, Floats, Floats]:
    """Value, gradient and Hessian by the log-parameters, with the walls."""
    parameters = np.exp(point)
    value, gradient, hessian = likelihood(parameters)
    beyond = np.sign(point) * np.maximum(np.abs(point) - WALL, 0)
    by_log = gradient * parameters
    curved = hessian * np.outer(parameters, parameters) + np.diag(by_log - (beyond != 0))
    return value - float(beyond @ beyond) / 2, by_log - beyond, curved
