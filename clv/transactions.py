"""Transactions, one row per order or order line, summarised for the models.

A transactions frame has `customer_id`, `ordered_at` and `net_value`. A row worth 0 or more is a
purchase: a free order shows an active customer, and the published CDNOW figures count its 80.
A negative row is a refund: it lowers `net` and is no purchase; nor is a row without value.
Purchases of one UTC day count once.

    frequency       x, purchase days after the first       T    first purchase day to as_of
    recency         t_x, first to last purchase day        monetary_value   m_x, the mean value
                                                           of the repeat purchase days
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.transaction_rows import Rows, alike, epoch_days, read, whole_day

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AsOf = date | str | pd.Timestamp

#: Money is rounded here, so that sums don't depend on the order of their rows.
DECIMALS = 6


@dataclass(frozen=True)
class PurchaseDays:
    """One entry per customer and purchase day, sorted by both. `who` is a place in `customers`."""

    customers: pd.Index
    who: Ints
    day: Ints
    value: Floats

    @property
    def starts(self) -> NDArray[np.intp]:
        """Where each customer's first day is."""
        return _starts(self.who)

    @property
    def ends(self) -> NDArray[np.intp]:
        """Where the next customer's first day is."""
        return np.append(self.starts, len(self.who))[1:]


def summarise(transactions: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """What each customer did up to the end of the UTC day `as_of`, in order of `customer_id`.

    Index customer_id; frequency, recency, T (days), monetary_value (NaN where frequency is 0), net
    (all rows, refunds too), orders (distinct `order_id`s of purchase rows; without that column,
    purchase rows), first_order_on, last_order_on. Customers without a purchase are left out.
    `ordered_at` may be dates, instants of any zone (naive ones are UTC) or ISO 8601 text.

    Raises BadTransactions, BadSettings.
    """
    rows = read(transactions, as_of)
    days = grouped_by_day(rows)
    starts, ends = days.starts, days.ends
    buyers, first, last = days.who[starts], days.day[starts], days.day[ends - 1]
    frequency = (ends - starts - 1).astype(np.int64)
    summary = pd.DataFrame(
        {
            c.FREQUENCY: frequency,
            c.RECENCY: last - first,
            c.T: whole_day(as_of) - first,
            c.MONETARY_VALUE: _mean_of_repeats(days.value, starts, frequency),
            c.NET: _per_customer(rows)[buyers],
            c.ORDERS: _orders(transactions, rows)[buyers],
            c.FIRST_ORDER_ON: epoch_days(first),
            c.LAST_ORDER_ON: epoch_days(last),
        }
    )
    return summary.set_index(days.customers[buyers].rename(c.CUSTOMER_ID))


def purchase_days(transactions: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """One row per customer and purchase day up to `as_of`: customer_id, day, value, sorted.

    `value` adds up the day's purchases; refunds are not in it. Raises as `summarise` does.
    """
    days = grouped_by_day(read(transactions, as_of))
    return pd.DataFrame(
        {
            c.CUSTOMER_ID: days.customers.take(days.who),
            c.DAY: epoch_days(days.day),
            c.VALUE: days.value,
        }
    )


def transactions_of(days: pd.DataFrame) -> pd.DataFrame:
    """Purchase days as transactions again: one purchase a day."""
    return days.rename(columns={c.DAY: c.ORDERED_AT, c.VALUE: c.NET_VALUE})


def activity(days: pd.DataFrame) -> pd.DataFrame:
    """First and repeat purchases of each calendar day, from the first to the last with any.

    `days` as `purchase_days` gives them. Index day; first_purchases, repeat_purchases as floats.
    """
    names = [c.FIRST_PURCHASES, c.REPEAT_PURCHASES]
    day = days[c.DAY].to_numpy().astype("datetime64[D]").astype(np.int64)
    start, length = (int(day.min()), int(np.ptp(day)) + 1) if len(day) else (0, 0)
    index = pd.DatetimeIndex(epoch_days(start + np.arange(length)), name=c.DAY)
    first = ~days[c.CUSTOMER_ID].duplicated().to_numpy()
    counts = [np.bincount(day[which] - start, minlength=length) for which in (first, ~first)]
    columns = dict(zip(names, (count.astype(np.float64) for count in counts), strict=True))
    return pd.DataFrame(columns, index=index)


def left_out(transactions: pd.DataFrame, as_of: AsOf) -> dict[str, int]:
    """How many rows are no purchases, by the first reason that fits, and who has no other.

    `after_as_of`, `without_customer`, `without_value`, `refunds` count rows;
    `customers_without_purchase` counts those who have rows up to `as_of`, but none that is one.
    """
    rows = read(transactions, as_of)
    purchase = rows.is_purchase
    return {
        "after_as_of": rows.later,
        "without_customer": rows.nameless,
        "without_value": int(np.isnan(rows.value).sum()),
        "refunds": int((rows.value < 0).sum()),
        "customers_without_purchase": len(pd.unique(rows.who)) - len(pd.unique(rows.who[purchase])),
    }


def grouped_by_day(rows: Rows) -> PurchaseDays:
    """The purchases among some rows, added up by customer and day."""
    purchase = rows.is_purchase
    who, day, value = rows.who, rows.day, rows.value
    if not purchase.all():
        who, day, value = who[purchase], day[purchase], value[purchase]
    if not len(day):
        return PurchaseDays(rows.customers, who, day, value)
    start, span = int(day.min()), int(np.ptp(day)) + 1
    key = who * span + (day - start)
    order = np.argsort(key)
    key = key[order]
    places = _starts(key)
    key = key[places]
    who = key // span
    total: Floats = np.add.reduceat(value[order], places)
    return PurchaseDays(rows.customers, who, start + key - who * span, total.round(DECIMALS))


def _starts(sorted_keys: Ints) -> NDArray[np.intp]:
    """Where a new key begins."""
    new = np.ones(len(sorted_keys), dtype=bool)
    np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=new[1:])
    return np.flatnonzero(new)


def _mean_of_repeats(value: Floats, starts: NDArray[np.intp], frequency: Ints) -> Floats:
    """The mean value of a customer's days after the first; NaN where there are none."""
    if not len(value):
        return value
    repeats = value.copy()
    repeats[starts] = 0
    total = np.round(np.add.reduceat(repeats, starts), DECIMALS)
    return np.where(frequency > 0, total / np.maximum(frequency, 1), np.nan)


def _per_customer(rows: Rows) -> Floats:
    """What each customer brought, refunds taken off."""
    value = np.nan_to_num(rows.value, nan=0.0)
    total = np.bincount(rows.who, weights=value, minlength=len(rows.customers)).astype(np.float64)
    return total.round(DECIMALS) + 0.0  # minus zero is zero


def _orders(transactions: pd.DataFrame, rows: Rows) -> Ints:
    """How many orders of each customer have a purchase row."""
    purchase = rows.is_purchase
    who = rows.who[purchase]
    if c.ORDER_ID in transactions.columns:
        ids = transactions[c.ORDER_ID].iloc[rows.places[purchase]]
        order, uniques = alike(ids)
        named = order >= 0  # each row without an id is an order of its own
        if len(uniques) < named.sum():
            pairs = pd.unique(who[named] * len(uniques) + order[named])
            who = np.append(pairs // len(uniques), who[~named])
    return np.bincount(who, minlength=len(rows.customers)).astype(np.int64)
