"""Customers sorted by what they brought and how lately: ABC classes and RFM segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.summary import money

Floats = NDArray[np.float64]

ABC: Mapping[str, float] = {"A": 0.8, "B": 0.95, "C": 1.0}
QUINTILES = 5


@dataclass(frozen=True)
class Rule:
    """A segment: from and to which recency score and mean of frequency and monetary score."""

    name: str
    recency: tuple[int, int]
    frequency_and_value: tuple[int, int]


#: The field's common names. Each of the 25 pairs of scores has exactly one.
RULES = (
    Rule("champions", (4, 5), (4, 5)),
    Rule("loyal", (3, 3), (4, 5)),
    Rule("potential loyalists", (4, 5), (2, 3)),
    Rule("new", (5, 5), (1, 1)),
    Rule("promising", (4, 4), (1, 1)),
    Rule("need attention", (3, 3), (3, 3)),
    Rule("about to sleep", (3, 3), (1, 2)),
    Rule("at risk", (2, 2), (3, 5)),
    Rule("can't lose them", (1, 1), (4, 5)),
    Rule("hibernating", (2, 2), (1, 2)),
    Rule("hibernating", (1, 1), (3, 3)),
    Rule("lost", (1, 1), (1, 2)),
)


def abc_classes(value: pd.Series, shares: Mapping[str, float] = ABC) -> pd.Series:
    """A for those who bring the first 80% of all positive value, B up to 95%, C beyond.

    A customer is in A as long as those before bring less than 80%. Of equal customers the earlier
    row goes first; nobody without positive value gets above the last class. `value` by customer.
    Raises BadSettings.
    """
    ends = list(shares.values())
    if not ends or ends[-1] != 1 or ends[0] <= 0 or ends != sorted(set(ends)):
        raise BadSettings("class shares must rise from above 0 to 1", shares=ends)
    worth = _positive(value)
    order = np.argsort(-worth, kind="stable")
    before = np.append(0.0, worth[order].cumsum()[:-1])
    place = np.searchsorted(np.array(ends[:-1]) * worth.sum(), before, side="right")
    classes = np.empty(len(worth), dtype=object)
    classes[order] = np.array(list(shares), dtype=object)[place]
    return pd.Series(classes, index=value.index, name="abc_class", dtype=object)


def concentration(value: pd.Series) -> dict[str, float]:
    """How unevenly customers bring value; negative value counts as none.

    `top_20_share`: what the best fifth (rounded up) brings; `customers_for_80`: the share of
    customers that brings 80%; `gini`: 0 if all bring the same, towards 1 if one brings all. All
    are 0 where nobody brings anything.
    """
    worth = np.sort(_positive(value))[::-1]
    total, n = float(worth.sum()), len(worth)
    if not total:
        return {"top_20_share": 0.0, "customers_for_80": 0.0, "gini": 0.0}
    cumulative = worth.cumsum()
    ranks = np.arange(1, n + 1)
    # min: sums that differ in the last digit must not give more than everybody.
    enough = min(int(np.searchsorted(cumulative, 0.8 * total * (1 - 1e-12))) + 1, n)
    return {
        "top_20_share": min(float(cumulative[-(-n // 5) - 1]) / total, 1.0),
        "customers_for_80": enough / n,
        "gini": max(float((n + 1 - 2 * ranks) @ worth) / (n * total), 0.0),
    }


def rfm_scores(summary: pd.DataFrame) -> pd.DataFrame:
    """Scores 1 (worst) to 5 by quintile: r (silence), f (purchase days), m (net). By customer.

    Equal customers get equal scores: the quintile in the middle of those who are equal. So f has
    fewer than five values where most bought once. `summary` has frequency, recency, T and net.
    """
    silence = summary[c.T].to_numpy(dtype=np.float64) - summary[c.RECENCY].to_numpy()
    marks = {
        "r": quintiles(-silence),
        "f": quintiles(summary[c.FREQUENCY].to_numpy(dtype=np.float64)),
        "m": quintiles(money(summary, c.NET)),
    }
    return pd.DataFrame(marks, index=summary.index)


def quintiles(values: Floats) -> NDArray[np.int64]:
    """1 to 5 by rank, ties in the middle of their ranks; missing values are the lowest."""
    low = np.where(np.isnan(values), -np.inf, values)
    _, rows, counts = np.unique(low, return_inverse=True, return_counts=True)
    middle = counts.cumsum() - counts / 2
    scores = np.ceil(QUINTILES * middle[rows] / max(len(values), 1))
    return np.clip(scores, 1, QUINTILES).astype(np.int64)


def rfm_segments(scores: pd.DataFrame) -> pd.Series:
    """The segment of each customer by `RULES`. `scores` as `rfm_scores` gives them.

    Frequency and value count as their mean, half a point rounded up.
    """
    r = scores["r"].to_numpy().astype(np.int64)
    fm = (scores["f"].to_numpy().astype(np.int64) + scores["m"].to_numpy() + 1) // 2
    names = _grid()[r - 1, fm - 1]
    return pd.Series(names, index=scores.index, name="rfm_segment", dtype=object)


def _grid() -> NDArray[np.object_]:
    """The names by recency score and mean score, both from 1."""
    grid = np.empty((QUINTILES, QUINTILES), dtype=object)
    for rule in RULES:
        (r0, r1), (f0, f1) = rule.recency, rule.frequency_and_value
        grid[r0 - 1 : r1, f0 - 1 : f1] = rule.name
    return grid


def _positive(value: pd.Series) -> Floats:
    """Value as floats; what is missing or negative is none."""
    return np.maximum(np.nan_to_num(money(value.to_frame("value"), "value")), 0)
