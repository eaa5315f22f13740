"""Who comes back: the ladder from the first order to the next, and how long it takes.

The share that has returned within d days is Kaplan and Meier's: whoever bought lately has had less
time, and counts only for the days that were seen (Kaplan, E. L. & Meier, P. (1958), Nonparametric
Estimation from Incomplete Observations, JASA 53, 457-481).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.customers.first_purchase import wilson
from clv.errors import BadSettings
from clv.transaction_rows import whole_day
from clv.transactions import AsOf

Floats = NDArray[np.float64]


def repeat_ladder(
    summary: pd.DataFrame, up_to: int = 5, *, least_age_days: int = 0
) -> pd.DataFrame:
    """How many customers reached their 1st, 2nd, ... purchase day, by its number.

    customers; share of all; went_on: share of those who reached the one before, with a 95%
    interval (Wilson). The share at 2 is the repeat rate. `least_age_days` leaves out those who had
    less time. `summary` has frequency and T. Raises BadSettings.
    """
    if up_to < 1:
        raise BadSettings("the ladder has at least one step", up_to=up_to)
    x = summary[c.FREQUENCY].to_numpy()[summary[c.T].to_numpy() >= least_age_days]
    steps = np.arange(1, up_to + 1)
    reached = np.array([(x + 1 >= step).sum() for step in steps], dtype=np.float64)
    before = np.append(len(x), reached[:-1])
    went_on = _share(reached, before)
    low, high = wilson(went_on, np.where(before > 0, before, np.nan))
    return pd.DataFrame(
        {
            "customers": reached.astype(np.int64),
            "share": _share(reached, np.full(up_to, float(len(x)))),
            "went_on": went_on,
            "went_on_low": low,
            "went_on_high": high,
        },
        index=pd.Index(steps, name="purchase"),
    )


def return_curve(days: pd.DataFrame, as_of: AsOf, *, after: int | None = None) -> pd.DataFrame:
    """How soon customers purchase again, by days since a purchase.

    returned: the share that has come back by then; waiting: the purchases seen that long without a
    next one. `after=1` looks at the time from the first purchase to the second alone, and so on;
    None at all of them. `days` as `purchase_days` gives them.
    """
    wait, came = _waits(days, as_of)
    if after is not None:
        number = days.groupby(c.CUSTOMER_ID, sort=False).cumcount().to_numpy() + 1
        wait, came = wait[number == after], came[number == after]
    longest = int(wait.max()) if len(wait) else 0
    back = np.bincount(wait[came], minlength=longest + 1).astype(np.float64)
    ended = np.bincount(wait, minlength=longest + 1)
    waiting = (len(wait) - np.append(0, ended.cumsum()[:-1])).astype(np.float64)
    returned = 1 - np.cumprod(1 - _share(back, np.maximum(waiting, 1)))
    return pd.DataFrame(
        {"returned": returned, "waiting": waiting.astype(np.int64)},
        index=pd.RangeIndex(longest + 1, name="days"),
    )


def p_return(days_since_last_order: pd.Series, curve: pd.DataFrame) -> pd.Series:
    """The chance to come back within the time that `curve` shows, after this long a silence.

    With R(d) the share returned by day d and D the curve's last day, (R(D) - R(s)) / (1 - R(s)):
    a customer's retention without a model. 0 for a silence longer than the curve.
    """
    returned = curve["returned"].to_numpy()
    since = days_since_last_order.to_numpy().clip(0, len(returned) - 1).astype(np.intp)
    left = 1 - returned[since]
    chance = _share(returned[-1] - returned[since], np.where(left > 0, left, 1.0))
    return pd.Series(chance.clip(0, 1), index=days_since_last_order.index, name="p_return")


def _waits(days: pd.DataFrame, as_of: AsOf) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days from each purchase to the customer's next, or to `as_of`; and which of the two."""
    day = days[c.DAY].to_numpy().astype("datetime64[D]").astype(np.int64)
    came = days[c.CUSTOMER_ID].duplicated(keep="last").to_numpy()
    following = np.append(day[1:], 0)
    if len(day) and day.max() > whole_day(as_of):
        raise BadSettings("there are purchases after as_of", as_of=str(as_of))
    return np.where(came, following, whole_day(as_of)) - day, came


def _share(part: Floats, whole: Floats) -> Floats:
    """`part` of `whole`; NaN where there is no whole."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
