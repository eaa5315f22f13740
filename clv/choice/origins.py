"""A shop's history cut at an origin: what was known then, and what came after.

The history is a frame of purchase days (customer_id, day, value) or of transactions (customer_id,
ordered_at, net_value). What was known is summarised from the rows up to the origin alone, so no
later row, not even a later refund of an earlier order, can reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from clv import columns as c
from clv.choice.metrics import Actual
from clv.customers.first_purchase import first_of
from clv.errors import BadSettings
from clv.past import Past
from clv.transaction_rows import epoch_days, read, whole_day
from clv.transactions import activity, purchase_days, summarise

#: A larger shop is backtested on about this many customers, picked by the hash of their ids.
MOST_CUSTOMERS = 100_000
#: A history that is shorter says nothing about customers.
LEAST_DAYS = 21
#: What must be known before the origin a year back.
LEAST_KNOWN_DAYS = 90
DAYS_A_YEAR = 365
#: An origin as near to a year back sees the same season.
SAME_SEASON_DAYS = 30
#: What customers keep from their first purchase on.
TRAITS = (c.CHANNEL, c.CATEGORY, c.COUPON, c.COUNTRY)


@dataclass(frozen=True, eq=False)
class History:
    """A shop's rows up to `as_of`: customer_id, ordered_at (UTC days), net_value.

    `traits` are what is known of customers from their first purchase on, indexed by customer_id:
    channel, category, coupon, country. `all_customers` counts those before any sampling.
    """

    rows: pd.DataFrame
    as_of: date
    customers: int
    all_customers: int
    traits: pd.DataFrame | None = None

    @property
    def first_on(self) -> date | None:
        return None if self.rows.empty else self.rows[c.ORDERED_AT].min().date()

    @property
    def days(self) -> int:
        """How long the shop has been seen: from the first row's day to `as_of`."""
        return 0 if self.first_on is None else (self.as_of - self.first_on).days


def read_history(
    frame: pd.DataFrame,
    as_of: date | str | pd.Timestamp,
    *,
    most_customers: int = MOST_CUSTOMERS,
    traits: pd.DataFrame | None = None,
) -> History:
    """Purchase days or transactions up to `as_of`, of at most about `most_customers` customers.

    Traits that the transactions tell (channel and so on, of the first purchase) go before `traits`.
    Raises BadTransactions, BadSettings.
    """
    if c.DAY in frame.columns:
        frame = frame.rename(columns={c.DAY: c.ORDERED_AT, c.VALUE: c.NET_VALUE})
    said = {name: first_of(frame, name, as_of) for name in TRAITS if name in frame.columns}
    if said:
        traits = pd.DataFrame(said)
    found = read(frame, as_of)
    kept = _sampled(found.customers, most_customers)[found.who] & ~np.isnan(found.value)
    who, day, value = found.who[kept], found.day[kept], found.value[kept]
    order = np.lexsort((value, day, who))  # sums of floats depend on it, and must not on the rows
    rows = pd.DataFrame(
        {
            c.CUSTOMER_ID: found.customers.take(who[order]),
            c.ORDERED_AT: epoch_days(day[order]),
            c.NET_VALUE: value[order],
        }
    )
    last = date(1970, 1, 1) + timedelta(days=whole_day(as_of))
    return History(rows, last, len(np.unique(who)), len(np.unique(found.who)), traits)


def _sampled(customers: pd.Index, most: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Who is in the sample: by the hash of the id's text, so the same ones on every day."""
    if len(customers) <= most:
        return np.ones(len(customers), dtype=np.bool_)
    hashes = pd.util.hash_array(customers.astype(str).to_numpy(dtype=object))
    return np.asarray(hashes < np.uint64(most / len(customers) * 2**64))


def known_at(history: History, origin: date) -> Past:
    """What was known at the end of the day `origin`."""
    rows = history.rows
    until = rows[rows[c.ORDERED_AT] <= pd.Timestamp(origin)]
    days = purchase_days(until, origin)
    summary = summarise(until, origin)
    if history.traits is not None:
        summary = summary.join(history.traits)
    return Past(summary, origin, days, activity(days))


def came_after(history: History, past: Past, horizon_days: int) -> Actual:
    """Purchase days and net spend of the known customers within the horizon after the origin."""
    rows, start = history.rows, pd.Timestamp(past.as_of)
    day = rows[c.ORDERED_AT]
    after = rows[(day > start) & (day <= start + pd.Timedelta(days=horizon_days))]
    who = past.summary.index.get_indexer(pd.Index(after[c.CUSTOMER_ID]))
    known, many = who >= 0, len(past.summary)
    spend = np.bincount(who[known], after[c.NET_VALUE].to_numpy()[known], minlength=many)
    bought = purchase_days(after, past.as_of + timedelta(days=horizon_days))
    who = past.summary.index.get_indexer(pd.Index(bought[c.CUSTOMER_ID]))
    purchases = np.bincount(who[who >= 0], minlength=many).astype(np.float64)
    return Actual(purchases, spend.astype(np.float64))


@dataclass(frozen=True)
class Plan:
    """Which origins, latest first, how far ahead from each, and what had to be given up."""

    origins: tuple[tuple[date, int], ...]
    notes: tuple[str, ...] = ()


def plan(history: History, horizon_days: int) -> Plan:
    """At least two origins, and one a year back: its holdout is the season that is to come.

    With three horizons of history, one and two horizons back. With less, the longest horizon that
    leaves as much history before it, and two thirds of it: a long horizon is nearest to what is
    asked for, a long history to what is known today. Every holdout ends by `as_of`.
    """
    back, notes = _steps_back(history.days, horizon_days)
    if not back:
        return Plan((), (f"no backtest: {history.days} days of history are too few",))
    if history.days < DAYS_A_YEAR + LEAST_KNOWN_DAYS:
        notes.append("no origin a year back, whose season is the one to come: too short a history")
    else:
        back = [days for days in back if abs(days - DAYS_A_YEAR) > SAME_SEASON_DAYS]
        back.append(DAYS_A_YEAR)
    return Plan(
        tuple(
            (history.as_of - timedelta(days=days), min(horizon_days, days)) for days in sorted(back)
        ),
        tuple(notes),
    )


def _steps_back(known_days: int, horizon_days: int) -> tuple[list[int], list[str]]:
    """How many days back the rolling origins lie, and a note where a horizon is cut."""
    if known_days < LEAST_DAYS:
        return [], []
    if known_days >= 3 * horizon_days:
        return [horizon_days, 2 * horizon_days], []
    longest = min(horizon_days, known_days // 2)
    back = [longest * 2 // 3, longest]
    asked = f"looks {back[0]} and {back[1]} days back, not {horizon_days} and {2 * horizon_days}"
    return back, [f"the backtest {asked}: there are only {known_days} days of history"]


def given(history: History, horizon_days: int, origins: Sequence[date]) -> Plan:
    """The caller's own origins, each horizon cut at `as_of`. Raises BadSettings if none is left."""
    latest_first = sorted(set(origins), reverse=True)
    left = [(history.as_of - day).days for day in latest_first]
    if not left or left[0] < 1:
        raise BadSettings("origins must lie before as_of", as_of=history.as_of, origins=len(left))
    horizons = [min(days, horizon_days) for days in left]
    cut = [f"a horizon of {days} instead of {horizon_days} days" for days in horizons]
    notes = (note for note, days in zip(cut, horizons, strict=True) if days < horizon_days)
    return Plan(tuple(zip(latest_first, horizons, strict=True)), tuple(notes))
