"""The summary as it comes from the order store, looked at before anything is built on it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSummary
from clv.money import floats

Bools = NDArray[np.bool_]

#: What a score is made of; a summary may tell more.
NEEDED = (
    *(c.SHOP, c.PERSON_KEY, c.CUSTOMER_ID, c.CURRENCY, c.FREQUENCY, c.RECENCY, c.T),
    *(c.DAYS_SINCE_LAST_ORDER, c.ORDERS, c.NET, c.MARGIN),
)
#: Counts and durations; money is looked at apart, since it may be Decimal.
NUMBERS = (c.FREQUENCY, c.RECENCY, c.T, c.DAYS_SINCE_LAST_ORDER, c.ORDERS)

#: No customer of any shop brought this much, in whatever currency: such a value is an accident.
ABSURD = 1e12


def checked(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary in order of `person_key`, with counts and durations as floats.

    The order makes every sum over customers, and with it every score, independent of the order in
    which the rows came. Raises BadSummary with the first column that can't be right.
    """
    _require_columns(summary)
    frame = summary.sort_values(c.PERSON_KEY, ignore_index=True)
    for name in NUMBERS:
        frame[name] = _numbers(frame[name])
    _require_one_of(frame, c.SHOP)
    _require_one_of(frame, c.CURRENCY)
    for column, bad, message in _doubts(frame):
        if bad.any():
            raise BadSummary(message, column=column, rows=int(bad.sum()))
    return frame


def money(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """A money column as floats; missing values as NaN."""
    return floats(frame[column])


def _require_columns(summary: pd.DataFrame) -> None:
    missing = [name for name in NEEDED if name not in summary.columns]
    if missing:
        raise BadSummary("the summary lacks columns", column=",".join(missing), rows=len(summary))


def _require_one_of(frame: pd.DataFrame, column: str) -> None:
    if frame[column].nunique(dropna=False) > 1:
        raise BadSummary("one call scores one shop in one currency", column=column, rows=len(frame))


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise BadSummary(
            "these are not numbers", column=str(column.name), rows=len(column)
        ) from error


def _doubts(frame: pd.DataFrame) -> list[tuple[str, Bools, str]]:
    """Column, the rows where it can't be right, and why."""
    x, t_x, age, orders = (
        frame[name].to_numpy() for name in (c.FREQUENCY, c.RECENCY, c.T, c.ORDERS)
    )
    key = frame[c.PERSON_KEY]
    return [
        (c.PERSON_KEY, key.isna().to_numpy(), "customers without a key"),
        (c.PERSON_KEY, key.duplicated().to_numpy(), "customers that come twice"),
        *((name, ~np.isfinite(frame[name].to_numpy()), "missing or infinite") for name in NUMBERS),
        *((name, frame[name].to_numpy() < 0, "negative") for name in NUMBERS),
        (c.FREQUENCY, x != np.floor(x), "a count that is not whole"),
        (c.ORDERS, orders != np.floor(orders), "a count that is not whole"),
        (c.RECENCY, t_x > age, "the last purchase is after the scoring day"),
        (c.RECENCY, (x == 0) & (t_x > 0), "a last purchase apart from the first, but no repeat"),
        (c.RECENCY, (x > 0) & (t_x == 0), "repeat purchases, but all on the first day"),
        (c.NET, ~(np.abs(money(frame, c.NET)) < ABSURD), "missing or beyond a trillion"),
    ]


def every(people: pd.DataFrame, many: int) -> pd.DataFrame:
    """At most so many customers, evenly spread."""
    return people.iloc[:: -(-len(people) // many) or 1]
