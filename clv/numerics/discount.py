"""Discounted purchases of customers whose future changes soon: within few of their own waits.

The quadrature of `clv.models.purchases` looks at a customer on the scale of alpha + T. Somebody
with many purchases behind may leave, or show the rhythm of regular waits, on the scale of a single
wait. The same integral is then taken in panels whose length grows from there with the time ahead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Gauss-Legendre nodes of a panel, and its width in ln(1 + s / wait).
NODES, WIDTH = 12, 0.5
#: From exp(-this) of discount on, nothing counts.
ENDLESS = 40.0


def discounted_from_wait(
    t: float, discount_rate: float, wait: Floats, within: Callable[[Floats], Floats]
) -> Floats:
    """exp(-d t) E(t) + d * integral of exp(-d s) E(s) to t, with E(s) = `within`(s), row by row.

    `within` takes and gives several moments of each row: shape (moments, rows).
    """
    if not len(wait):
        return np.zeros(0)
    end = min(t, ENDLESS / discount_rate)
    span = np.log1p(end / wait)
    total: Floats = np.exp(-discount_rate * t) * within(np.full((1, len(wait)), t))[0]
    panels = int(np.ceil(span.max(initial=1.0) / WIDTH))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    for panel in range(panels):
        s = wait * np.expm1(span * ((panel + (1 + nodes[:, None]) / 2) / panels))
        change = (s + wait) * (span * (weights[:, None] / 2 / panels))
        total += discount_rate * (change * np.exp(-discount_rate * s) * within(s)).sum(axis=0)
    return total
