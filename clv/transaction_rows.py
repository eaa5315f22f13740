"""A transactions frame read once: checked, and turned into whole numbers that sort fast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from numbers import Number

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSettings, BadTransactions
from clv.reason import NO_CURRENCY
from clv.summary import ABSURD

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TICKS_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
#: Days that nanoseconds since 1970 can tell, which is what pandas' calendar works with.
FIRST_DAY = -106_651  # 1678-01-01
LAST_DAY = 106_650  # 2261-12-31
#: The first day of somebody who never purchased.
NEVER = np.iinfo(np.int64).max
#: The place of a customer who isn't named.
NOBODY = -1


@dataclass(frozen=True)
class Rows:
    """The rows up to the end of `as_of`. `who` is a place in `customers`, which are sorted.

    `day` counts from 1970-01-01 in UTC, `value` is NaN where missing, `places` are the rows'
    positions in the frame, `later` counts the rows after `as_of`, `nameless` those up to it that
    say no customer.
    """

    customers: pd.Index
    who: Ints
    day: Ints
    value: Floats
    places: NDArray[np.intp]
    later: int
    nameless: int

    @property
    def is_purchase(self) -> Bools:
        """Worth 0 or more: no refund, and not without value."""
        return self.value >= 0

    @property
    def first_day(self) -> Ints:
        """Each customer's first purchase day; NEVER without one."""
        purchase = self.is_purchase
        first = np.full(len(self.customers), NEVER)
        np.minimum.at(first, self.who[purchase], self.day[purchase])
        return first


def read(transactions: pd.DataFrame, as_of: date | str | pd.Timestamp) -> Rows:
    """Check a transactions frame and read it up to `as_of`. Raises BadTransactions, BadSettings."""
    last = whole_day(as_of)
    _require_columns(transactions)
    day = days(transactions[c.ORDERED_AT])
    places = np.flatnonzero(day <= last)
    later = len(day) - len(places)
    if later:  # nothing is asked of what is yet to come
        transactions, day = transactions.iloc[places], day[places]
    _require_one_currency(transactions)
    value = values(transactions[c.NET_VALUE])
    who, customers = _customers(transactions[c.CUSTOMER_ID])
    named = who != NOBODY
    nameless = len(named) - int(named.sum())
    if nameless:
        who, day, value, places = who[named], day[named], value[named], places[named]
    _refuse(c.ORDERED_AT, day < FIRST_DAY, "dates before 1678", "Correct them, or leave them out.")
    return Rows(customers, who, day, value, places, later, nameless)


def currency_of(transactions: pd.DataFrame, as_of: date | str | pd.Timestamp) -> str:
    """The currency of the rows up to `as_of`, which `read` has found to be one."""
    if c.CURRENCY in transactions.columns:
        known = transactions[c.CURRENCY][days(transactions[c.ORDERED_AT]) <= whole_day(as_of)]
        for currency in known.dropna().unique():
            return str(currency)
    return NO_CURRENCY


def amounts(transactions: pd.DataFrame, rows: Rows, name: str) -> Floats:
    """A money column of the rows that were read; missing amounts are zero."""
    require_column(transactions, name)
    if name == c.NET_VALUE:
        return np.nan_to_num(rows.value)
    return np.nan_to_num(values(transactions[name])[rows.places])


def whole_day(as_of: date | str | pd.Timestamp) -> int:
    """The UTC day of `as_of`, counted from 1970-01-01."""
    try:
        instant = pd.NaT if isinstance(as_of, Number) else pd.Timestamp(as_of)
    except (TypeError, ValueError):
        instant = pd.NaT
    if pd.isna(instant):
        raise BadSettings("as_of is no date", as_of=repr(as_of))
    if instant.tzinfo is not None:
        instant = instant.tz_convert("UTC").tz_localize(None)
    day = (instant.to_pydatetime(warn=False).date() - date(1970, 1, 1)).days
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadSettings("as_of must lie between 1678 and 2261", as_of=repr(as_of))
    return day


def epoch_days(days: Ints) -> NDArray[np.datetime64]:
    """Days counted from 1970-01-01 as a frame's dates."""
    return days.astype("datetime64[D]").astype("datetime64[ns]")


def values(column: pd.Series) -> Floats:
    """Money as floats, missing ones as NaN; what is infinite or no number is refused."""
    strange = column.dtype.kind in "bcmM"  # numpy would make numbers even of dates
    try:
        numbers = (column.astype(str) if strange else column).to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError, ArithmeticError):
        raise BadTransactions(
            "these are not numbers",
            column=str(column.name),
            rows=len(column) if strange else sum(not _is_number(value) for value in column),
            mend="Give amounts as numbers or Decimal, without currency signs.",
        ) from None
    mend = "Correct them, or leave them out."
    _refuse(str(column.name), np.abs(numbers) >= ABSURD, "beyond a trillion", mend)
    return numbers


def _is_number(value: object) -> bool:
    """What one value alone would be taken for."""
    try:
        pd.Series([value], dtype=object).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError, ArithmeticError):
        return False
    return True


def days(column: pd.Series) -> Ints:
    """Each row's UTC day, counted from 1970-01-01."""
    instant = instants(column)
    whole: Ints = instant.view(np.int64) // TICKS_A_DAY[np.datetime_data(instant.dtype)[0]]
    return whole


def instants(column: pd.Series) -> NDArray[np.datetime64]:
    """Dates, instants of any zone or ISO 8601 text as instants in UTC, of whatever precision."""
    given = _parsed(column)
    if given.dt.tz is not None:
        given = given.dt.tz_convert("UTC").dt.tz_localize(None)
    instant: NDArray[np.datetime64] = given.to_numpy()
    mend = "Give dates, datetimes or ISO 8601 text such as 2026-11-22."
    _refuse(str(column.name), np.isnat(instant), "missing or no dates", mend)
    return instant


def _parsed(column: pd.Series) -> pd.Series:
    if column.dtype.kind == "M":
        ours = isinstance(column.dtype, (pd.DatetimeTZDtype, np.dtype))
        return column if ours else pd.to_datetime(column, utc=True).astype("datetime64[us, UTC]")
    given = column.astype(object)
    if not pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
        # A number could be seconds, nanoseconds or 20261122: guessing would be worse than asking.
        given = given.mask(given.map(lambda value: isinstance(value, Number)), None)
    return pd.to_datetime(given, utc=True, errors="coerce", format="ISO8601")


def _customers(column: pd.Series) -> tuple[Ints, pd.Index]:
    """Each row's customer as a place among the sorted ids; NOBODY where the id is missing."""
    codes, ids = alike(column)
    nobody = ids == "" if ids.dtype.kind not in "iuf" else np.zeros(len(ids), dtype=bool)
    order = _sorted(ids)
    rank = np.empty(len(ids) + 1, dtype=np.int64)
    rank[order] = np.arange(len(ids))
    rank[np.flatnonzero(nobody)] = NOBODY
    rank[-1] = NOBODY  # a missing id has code -1
    return rank[codes], ids[order]


def alike(column: pd.Series) -> tuple[NDArray[np.intp], pd.Index]:
    """Each row's place among the distinct values, in the order in which they come; -1: missing."""
    try:
        codes, uniques = pd.factorize(column)
    except TypeError:
        mend = "Give numbers or text."
        message, rows = "lists and the like, which can't be told apart", len(column)
        raise BadTransactions(message, column=str(column.name), rows=rows, mend=mend) from None
    return codes, pd.Index(uniques)


def _sorted(ids: pd.Index) -> NDArray[np.intp]:
    """The order of the ids; by their text where they can't be compared."""
    try:
        return ids.argsort()
    except TypeError:
        return np.argsort(ids.map(str).to_numpy(dtype=object), kind="stable")


def require_column(transactions: pd.DataFrame, name: str) -> None:
    """Raise BadTransactions where a column that is asked for isn't there."""
    if name not in transactions.columns:
        raise BadTransactions(
            "the transactions lack columns",
            column=name,
            rows=len(transactions),
            mend="Add it, or ask for another.",
        )


def _require_columns(transactions: pd.DataFrame) -> None:
    names = list(transactions.columns)
    missing = [name for name in c.TRANSACTIONS if name not in names]
    if missing:
        raise BadTransactions(
            "the transactions lack columns",
            column=",".join(missing),
            rows=len(transactions),
            mend=f"Rename yours to {', '.join(c.TRANSACTIONS)}.",
        )
    twice = [name for name in (*c.TRANSACTIONS, *c.TRANSACTION_DETAILS) if names.count(name) > 1]
    if twice:
        raise BadTransactions(
            "columns that come twice",
            column=",".join(twice),
            rows=len(transactions),
            mend="Keep one of each.",
        )


def _require_one_currency(transactions: pd.DataFrame) -> None:
    if c.CURRENCY not in transactions.columns:
        return
    found = transactions[c.CURRENCY].value_counts(dropna=False)
    if len(found) > 1:
        raise BadTransactions(
            "one call takes one currency",
            column=c.CURRENCY,
            rows=int(found.iloc[1:].sum()),
            mend="Convert the amounts, or summarise each currency by itself.",
            currencies=len(found),
        )


def _refuse(column: str, bad: Bools, message: str, mend: str) -> None:
    if bad.any():
        raise BadTransactions(message, column=column, rows=int(bad.sum()), mend=mend)
