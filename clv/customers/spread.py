"""How value is spread: the curve from the best customer on, and how many are worth what."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv.summary import money

Floats = NDArray[np.float64]

#: Points of a curve: a line needs no more.
POINTS = 100
#: Classes of value grow so: 1, 2, 5, 10, 20, ...
STEPS = (1.0, 2.0, 5.0)
#: Most classes that a histogram has; smaller values share the first.
MOST_CLASSES = 12


def concentration_curve(value: pd.Series) -> pd.DataFrame:
    """Which share of customers, the best first, brings which share of all positive value.

    Columns customers and value, from (0, 0) to (1, 1) in at most POINTS steps; only (0, 0) where
    nobody brings anything. `value` by customer.
    """
    worth = np.sort(_positive(value))[::-1]
    total = float(worth.sum())
    if not total:
        return pd.DataFrame({"customers": [0.0], "value": [0.0]})
    brought = np.append(0.0, worth.cumsum() / total)
    places = np.unique(np.rint(np.linspace(0, len(worth), POINTS + 1)).astype(np.int64))
    return pd.DataFrame(
        {"customers": places / len(worth), "value": np.minimum(brought[places], 1.0)}
    )


def value_classes(value: pd.Series) -> pd.DataFrame:
    """How many customers lie in each class of value, and what they bring together.

    Columns above, up_to (inf in the last), customers, value. The first class is those without
    value, the others grow as 1, 2, 5, 10, so that the few large ones stay in sight. Every customer
    is in exactly one class.
    """
    worth = _positive(value)
    edges = _edges(worth)
    place = np.searchsorted(edges, worth, side="left")
    size = len(edges) + 1
    return pd.DataFrame(
        {
            "above": np.append(-np.inf, edges),
            "up_to": np.append(edges, np.inf),
            "customers": np.bincount(place, minlength=size),
            "value": np.bincount(place, worth, size),
        }
    )


def _edges(worth: Floats) -> Floats:
    """0, and the round numbers below the highest value."""
    some = worth[worth > 0]
    if not len(some):
        return np.array([0.0])
    low, high = (int(np.floor(np.log10(end))) for end in (some.min(), some.max()))
    round_ones = [step * 10.0**power for power in range(low, high + 1) for step in STEPS]
    inside = [edge for edge in round_ones if some.min() < edge < some.max()]
    return np.array([0.0, *inside[-(MOST_CLASSES - 2) :]])


def _positive(value: pd.Series) -> Floats:
    return np.maximum(np.nan_to_num(money(value.to_frame("value"), "value")), 0)
