"""Customers by the month or quarter of their first purchase: what they brought, and who came back.

Age 0 is the cohort's own month (or quarter), age 1 the next. A cell is shown only where its whole
period lies before the end of `as_of`: what can't be known yet is missing, not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.transaction_rows import NEVER, amounts, read, whole_day
from clv.transactions import AsOf

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Every = Literal["month", "quarter"]
MONTHS: dict[Every, int] = {"month": 1, "quarter": 3}


@dataclass(frozen=True)
class Cohorts:
    """Frames by cohort (its first day) and age in months or quarters; NaN where not fully seen.

    `customers` by cohort; `net`: cumulative value per customer; `active`: the share of the cohort
    that purchased in the period, 1 at age 0; `still_open`: value, by cohort, in periods that
    aren't over at the end of `as_of`.
    """

    customers: pd.Series
    net: pd.DataFrame
    active: pd.DataFrame
    still_open: pd.Series

    @property
    def total(self) -> float:
        """All that these customers brought: what the cells say plus what is still open."""
        seen = self.net.ffill(axis=1).iloc[:, -1].fillna(0) if self.net.size else 0.0
        return float((self.customers * seen + self.still_open).sum())


def cohorts(
    transactions: pd.DataFrame,
    as_of: AsOf,
    *,
    every: Every = "month",
    value: str = c.NET_VALUE,
) -> Cohorts:
    """Value and retention by cohort and age up to `as_of`.

    `value` names the column that is added up, such as a margin; missing amounts add nothing.
    Refunds count in the period in which they came. Raises BadTransactions, BadSettings.
    """
    if every not in MONTHS:
        raise BadSettings("cohorts are by month or quarter", every=every)
    rows, months = read(transactions, as_of), MONTHS[every]
    first_day = rows.first_day
    kept = first_day[rows.who] < NEVER
    who, period = rows.who[kept], _periods(rows.day[kept], months)
    born = _periods(first_day, months)  # of NEVER: an odd number that nothing looks at
    table = _Table.from_first(born[first_day < NEVER], as_of, months)
    # A refund may come before the first purchase that is known: it counts at age 0.
    place = _Place(born[who] - table.start, np.maximum(period - born[who], 0))
    net = table.cells(place, amounts(transactions, rows, value)[kept])
    once = _first_of_each(who, place.age, rows.is_purchase[kept])
    active = table.cells(_Place(place.born[once], place.age[once]), np.ones(len(once)))
    return table.cohorts(table.count(born[first_day < NEVER]), net, active)


def _first_of_each(who: Ints, age: Ints, purchase: NDArray[np.bool_]) -> NDArray[np.intp]:
    """One purchase row of each customer and age."""
    rows = np.flatnonzero(purchase)
    ages = int(age.max(initial=0)) + 1
    return rows[np.unique(who[rows] * ages + age[rows], return_index=True)[1]]


class _Place(NamedTuple):
    """Where rows belong: which cohort, and at which age."""

    born: Ints
    age: Ints


@dataclass(frozen=True)
class _Table:
    """Cohorts by age: `size` periods from `start` on; those from `open_from` on aren't over."""

    start: int
    size: int
    open_from: int
    months: int

    @classmethod
    def from_first(cls, born: Ints, as_of: AsOf, months: int) -> Self:
        """From the first cohort to the period of `as_of`; the day after tells if that is over."""
        last, after = _periods(whole_day(as_of) + np.array([0, 1]), months).tolist()
        start = int(born.min(initial=last + 1))
        return cls(start, last + 1 - start, after - start, months)

    def count(self, born: Ints) -> Floats:
        return np.bincount(born - self.start, minlength=self.size).astype(np.float64)

    def cells(self, place: _Place, amount: Floats) -> Floats:
        flat = np.bincount(place.born * self.size + place.age, amount, self.size**2)
        return flat.astype(np.float64).reshape(self.size, self.size)

    def cohorts(self, customers: Floats, net: Floats, active: Floats) -> Cohorts:
        """The frames, without the cohorts that have nobody."""
        some = np.flatnonzero(customers)
        unseen = np.add.outer(some, np.arange(self.size)) >= self.open_from
        first_days = _first_days(self.start + some, self.months)
        index = pd.DatetimeIndex(first_days, name="cohort")
        people = customers[some][:, None]
        open_net = np.where(unseen, net[some], 0).sum(axis=1).round(6)
        return Cohorts(
            pd.Series(people[:, 0].astype(np.int64), index=index, name="customers"),
            _seen(net[some].cumsum(axis=1) / people, unseen, index),
            _seen(active[some] / people, unseen, index),
            pd.Series(open_net, index=index, name="still_open"),
        )


def _seen(cells: Floats, unseen: NDArray[np.bool_], index: pd.DatetimeIndex) -> pd.DataFrame:
    """The cells that are fully seen, without the ages that no cohort has reached."""
    ages = pd.RangeIndex(cells.shape[1], name="age")
    frame = pd.DataFrame(np.where(unseen, np.nan, cells), index=index, columns=ages)
    return frame.dropna(axis=1, how="all")


def _periods(day: Ints, months: int) -> Ints:
    """Months (or quarters) since 1970-01."""
    month: Ints = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return month // months


def _first_days(period: Ints, months: int) -> NDArray[np.datetime64]:
    return (period * months).astype("datetime64[M]").astype("datetime64[ns]")
