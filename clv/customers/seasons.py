"""When the year's money comes, how soon a category is bought again, and how much of it is new."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.customers.first_purchase import LEAST_CUSTOMERS
from clv.transaction_rows import read, require_column, whole_day
from clv.transactions import AsOf

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MONTHS = 12
#: A season needs every calendar month once, seen from its first to its last day.
FEWEST_MONTHS = 12


def monthly_value(transactions: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """Value of each calendar month, by its first day: of new and of returning customers.

    Columns new_value, returning_value, new_customers, returning_customers. New is whatever a
    customer buys on the day of the first purchase. Raises BadTransactions.
    """
    rows = read(transactions, as_of)
    fresh = rows.day == rows.first_day[rows.who]
    month = _months(rows.day)
    start, size = _span(month)
    worth = np.nan_to_num(rows.value)
    columns: dict[str, Floats | Ints] = {}
    for name, which in (("new", fresh), ("returning", ~fresh)):
        place = month[which] - start
        columns[f"{name}_value"] = (
            np.bincount(place, worth[which], size).astype(np.float64).round(6)
        )
        bought = which & rows.is_purchase
        pairs = np.unique(np.stack([month[bought] - start, rows.who[bought]]), axis=1)
        columns[f"{name}_customers"] = np.bincount(pairs[0], minlength=size)
    index = pd.DatetimeIndex(_first_days(start + np.arange(size)), name="month")
    return pd.DataFrame(columns, index=index)


def season(transactions: pd.DataFrame, as_of: AsOf) -> pd.Series:
    """What a calendar month brings against the mean month, by month 1 to 12: 1.3 is 30% more.

    Over whole months alone, each calendar month by the mean of its years. All NaN where not every
    calendar month was seen as a whole. Raises BadTransactions.
    """
    rows = read(transactions, as_of)
    month = _months(rows.day)
    index = pd.RangeIndex(1, MONTHS + 1, name="month")
    whole_until = int(_months(np.array([whole_day(as_of) + 1]))[0])
    start, size = _span(month)
    first_whole = start + (size > 0 and not _starts_its_month(rows.day))
    kept = (month >= first_whole) & (month < whole_until)
    if whole_until - first_whole < FEWEST_MONTHS:
        return pd.Series(np.full(MONTHS, np.nan), index=index, name="season")
    span = whole_until - first_whole
    by_month = np.bincount(month[kept] - first_whole, np.nan_to_num(rows.value)[kept], span)
    of_year = (first_whole + np.arange(span)) % MONTHS
    mean = np.bincount(of_year, by_month, MONTHS) / np.bincount(of_year, minlength=MONTHS)
    overall = mean.mean()
    return pd.Series(mean / overall if overall > 0 else mean * np.nan, index=index, name="season")


def _starts_its_month(day: Ints) -> bool:
    """Whether the first day with a purchase lies so early that its month counts as whole."""
    first = day.min().astype("datetime64[D]")
    return bool((first - first.astype("datetime64[M]").astype("datetime64[D]")).astype(int) < 3)


def category_gaps(lines: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """How long it takes until a category is bought again, by category, the largest first.

    `lines` are transactions with a category. customers and value of the category; again: the share
    of its customers who bought it on more than one day; median_gap_days between two such days of
    one customer (NaN without any); gaps: how many the median rests on. Categories of fewer than
    LEAST_CUSTOMERS come last. Raises BadTransactions.
    """
    require_column(lines, c.CATEGORY)
    rows = read(lines, as_of)
    code, names = pd.factorize(lines[c.CATEGORY].iloc[rows.places], sort=True)
    kept = (code >= 0) & rows.is_purchase
    frame = pd.DataFrame({"name": code[kept], "who": rows.who[kept], "day": rows.day[kept]})
    frame["value"] = np.nan_to_num(rows.value)[kept]
    days = frame.groupby(["name", "who", "day"], sort=True)["value"].sum().reset_index()
    table = _gaps(days)
    table.index = pd.Index(names[table.index], name=c.CATEGORY, dtype=object)
    few = table["customers"].to_numpy() < LEAST_CUSTOMERS
    return table.iloc[np.lexsort((-table["value"].to_numpy(), few))]


def _gaps(days: pd.DataFrame) -> pd.DataFrame:
    """From one row per category, customer and day, sorted."""
    same = (days["name"].diff() == 0) & (days["who"].diff() == 0)
    gap = days["day"].diff().where(same)
    by = gap.groupby(days["name"])
    customers = days.groupby("name")["who"].nunique()
    again = days[same].groupby("name")["who"].nunique().reindex(customers.index, fill_value=0)
    return pd.DataFrame(
        {
            "customers": customers,
            "value": days.groupby("name")["value"].sum().round(6),
            "again": again / customers,
            "median_gap_days": by.median(),
            "gaps": by.count(),
        }
    )


def _months(day: Ints) -> Ints:
    """Months since 1970-01."""
    months: Ints = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months


def _first_days(months: Ints) -> NDArray[np.datetime64]:
    return months.astype("datetime64[M]").astype("datetime64[ns]")


def _span(month: Ints) -> tuple[int, int]:
    """The first month, and how many there are to the last."""
    return (int(month.min()), int(np.ptp(month)) + 1) if len(month) else (0, 0)
