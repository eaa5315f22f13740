"""A shop's daily activity, by the five days of the year that a season takes together.

The year is cut into 73 bins of five days, the history into cells: one bin in one year each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSummary, NotEnoughData
from clv.season.index import LEAP_DAY, slots

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BIN_DAYS, BINS = 5, 73
#: Days that a history needs; fewer can't tell a season from customers who age or change.
MIN_HISTORY_DAYS = 456
#: This share of the customers may come before the history begins: a shop's first trials.
STRAY = 0.01


@dataclass(frozen=True)
class Activity:
    """First and repeat purchases by day, `first` (days since 1970-01-01) to the scoring day."""

    first: int
    first_purchases: Floats
    repeat_purchases: Floats

    @classmethod
    def read(cls, activity: pd.DataFrame, as_of: int) -> Self:
        """From a frame with a date index, up to the day `as_of`.

        Raises BadSummary without its columns, NotEnoughData where the history is too short.
        """
        names = [c.FIRST_PURCHASES, c.REPEAT_PURCHASES]
        for name in names:
            if name not in activity.columns:
                raise BadSummary("the activity lacks a column", column=name, rows=len(activity))
        days = activity.index.to_numpy().astype("datetime64[D]").astype(np.int64)
        known = days <= as_of
        first = int(days[known].min()) if known.any() else as_of
        new, again = (
            np.bincount(
                days[known] - first,
                activity[name].to_numpy(dtype=np.float64)[known],
                as_of - first + 1,
            ).astype(np.float64)
            for name in names
        )
        _require_history(new)
        return cls(first, new, again)

    @property
    def days(self) -> Ints:
        return self.first + np.arange(len(self.first_purchases), dtype=np.int64)


@dataclass(frozen=True)
class Cells:
    """The history by bins: where each cell begins, its bin, its z and its repeat purchases."""

    starts: Ints
    bins: Ints
    z: Floats
    purchases: Floats

    @classmethod
    def of(cls, activity: Activity) -> Self:
        bins = bin_of(activity.days)
        starts = np.flatnonzero(np.diff(bins, prepend=-1))
        ends = np.append(starts[1:], len(bins))
        return cls(
            starts,
            bins[starts],
            (starts + ends) / len(bins) - 1,
            np.add.reduceat(activity.repeat_purchases, starts),
        )


def bin_of(days: Ints) -> Ints:
    """The bin of the year of some days; February 29 goes with March 1."""
    place = slots(days)
    return (place - (place > LEAP_DAY)) // BIN_DAYS


def _require_history(first_purchases: Floats) -> None:
    counted = np.cumsum(first_purchases) > STRAY * first_purchases.sum()
    if counted.sum() < MIN_HISTORY_DAYS:
        raise NotEnoughData(
            "a season needs a longer history",
            history_days=int(counted.sum()),
            min_history_days=MIN_HISTORY_DAYS,
        )
