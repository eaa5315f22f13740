"""Functions of a horizon, known at some moments and then everywhere.

What a model expects within t bends on a scale of its own and grows ever more slowly: in
ln(1 + t / scale) it is so smooth that few Chebyshev coefficients tell it all. Its nearest
singularity lies where 1 + t / (scale + age) turns zero, that is at a distance of pi from the real
line, and sets how many coefficients there must be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.chebyshev import chebval, chebvander
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: What is left out is exp(-DEPTH) of the whole.
DEPTH = 30.0
MOST_NODES = 80


@dataclass(frozen=True)
class LogTime:
    """Horizons from 0 to `longest`, in the unit of `scale`, on the logarithmic scale.

    `least` nodes are for functions that aren't that smooth.
    """

    scale: float
    longest: float
    least: int = 0

    @cached_property
    def moments(self) -> Floats:
        """Where a function must be known: shape (nodes,)."""
        times: Floats = self.scale * np.expm1(self._span * (np.cos(self._angles) + 1) / 2)
        return np.clip(times, 0.0, self.longest)

    def coefficients(self, values: Floats) -> Floats:
        """Of functions with these values (nodes, ...) at the moments: shape (nodes, ...)."""
        nodes = len(self._angles)
        found: Floats = 2 / nodes * np.tensordot(self._waves, values, axes=1)
        found[0] /= 2
        return found

    def at(self, t: Floats, coefficients: Floats) -> Floats:
        """The values at `t` (any shape) of the function with these coefficients (nodes,)."""
        return np.asarray(chebval(self._places(t), coefficients), dtype=np.float64)

    def basis(self, t: Floats) -> Floats:
        """What each coefficient adds to the value at `t` (many,): shape (many, nodes)."""
        return np.asarray(chebvander(self._places(t), len(self._angles) - 1), dtype=np.float64)

    @property
    def _span(self) -> float:
        return float(np.log1p(self.longest / self.scale))

    @cached_property
    def _angles(self) -> Floats:
        nodes = np.ceil(4 + DEPTH / np.arcsinh(2 * np.pi / max(self._span, 1e-3)))
        many = max(int(min(nodes, MOST_NODES)), self.least)
        return np.pi * (np.arange(many) + 0.5) / many

    @cached_property
    def _waves(self) -> Floats:
        waves: Floats = np.cos(np.outer(np.arange(len(self._angles)), self._angles))
        return waves

    def _places(self, t: Floats) -> Floats:
        """Where the horizons lie between -1 and 1."""
        if not self.longest:
            return np.zeros_like(t)
        places = 2 * np.log1p(t / self.scale) / self._span - 1
        return np.asarray(np.clip(places, -1.0, 1.0), dtype=np.float64)
