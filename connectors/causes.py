"""Why the shop's own figures and our net value differ: each cause with its orders and its money.

The shop's reports count every order that was placed in a month of its own time zone, tax and
shipping included. From there, to the cent, month by month:

    shown in the shop + time zone + put aside + cancelled + pending + test + of nobody + refunded
    + tax + shipping + unexplained = net value

where what is taken off is negative. `unexplained` is worked out, not assumed: it ought to be zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.platform import Placed
from connectors.store.mending import Edge, MonthTotals

SHOWN, NET, GUESTS, UNEXPLAINED = (
    "shown in the shop",
    "net value",
    "of these guests'",
    "unexplained",
)

ZERO = Decimal(0)
NOTHING = Placed(0, ZERO)

Key = tuple[date, str]


class Cause(NamedTuple):
    """One row of a month's way; `orders` are those that it is about."""

    month: date
    currency: str
    cause: str
    orders: int
    money: Decimal


class Theirs(NamedTuple):
    """What the shop said of a month (UTC), and how many of its orders can't be read."""

    placed: Placed
    put_aside: int


#: What is taken off: the cause, and a month's columns for its orders and its money.
TAKEN_OFF = (
    ("cancelled", "cancelled_orders", "cancelled"),
    ("pending", "open_orders", "open"),
    ("test", "test_orders", "test"),
    ("of nobody", "nobodys_orders", "nobodys"),
    ("refunded", "refunded_orders", "refunded"),
    ("tax", "counting_orders", "tax"),
    ("shipping", "counting_orders", "shipping"),
)


def known_zone(name: str | None) -> str | None:
    """The time zone's name, where it is one that this machine knows."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def edges(begin: datetime, end: datetime, zone: str | None) -> list[Edge]:
    """The hours at the ends of months that belong to another month by the shop's clock."""
    if zone is None:
        return []
    found = []
    for month in _months(begin, end):
        utc = datetime(month.year, month.month, 1, tzinfo=UTC)
        local = utc.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        before = (month - timedelta(days=1)).replace(day=1)
        if local < utc:  # east: it is the new month there already
            found.append(Edge(local, utc, gains=month, loses=before))
        elif local > utc:
            found.append(Edge(utc, local, gains=before, loses=month))
    return found


def _months(begin: datetime, end: datetime) -> Iterator[date]:
    """The first days of all months from that of `begin` until the one behind `end`."""
    month = begin.date().replace(day=1)
    while month <= end.date() + timedelta(days=31):
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def causes(
    months: Sequence[MonthTotals], moved: Mapping[Key, Placed], theirs: Mapping[date, Theirs]
) -> list[Cause]:
    """The ways of all months, the oldest first. `moved`: what the shop counts in them besides.

    A month where the shop's word differs from ours has it in the rows of its first currency.
    """
    found: list[Cause] = []
    told: set[date] = set()
    for key in sorted({(one.month, one.currency) for one in months} | moved.keys()):
        month, currency = key
        ours = next((one for one in months if (one.month, one.currency) == key), None)
        theirs_here = theirs.get(month) if month not in told else None
        told.add(month)
        rows = _way(ours, moved.get(key, NOTHING), _more(months, month, theirs_here))
        found += [Cause(month, currency, *row) for row in rows]
    return found


class _More(NamedTuple):
    """What the shop has beyond ours, and what of it is in orders that can't be read."""

    orders: int = 0
    money: Decimal = ZERO
    unread_orders: int = 0
    unread: Decimal = ZERO


def _more(months: Iterable[MonthTotals], month: date, theirs: Theirs | None) -> _More:
    if theirs is None:
        return _More()
    ours = [one for one in months if one.month == month]
    known = sum((one.total for one in ours), ZERO)
    total = known if theirs.placed.total is None else theirs.placed.total
    orders = theirs.placed.orders - sum(one.orders for one in ours)
    unread = total - known if theirs.put_aside else ZERO
    return _More(orders, total - known, min(theirs.put_aside, max(orders, 0)), unread)


def _way(
    ours: MonthTotals | None, moved: Placed, more: _More
) -> Iterator[tuple[str, int, Decimal]]:
    """The rows of one month in one currency that say anything, the ends always."""
    orders, total, net = (ours.orders, ours.total, ours.net) if ours else (0, ZERO, ZERO)
    zone = moved.total or ZERO
    shown = total + more.money + zone
    rows = [("time zone", -moved.orders, -zone), ("put aside", more.unread_orders, -more.unread)]
    if ours:
        rows += [(name, getattr(ours, n), -getattr(ours, money)) for name, n, money in TAKEN_OFF]
    left = net - shown - sum((money for _, _, money in rows), ZERO)
    yield SHOWN, orders + more.orders + moved.orders, shown
    yield from (row for row in rows if row[2] or (row[1] and row[0] not in ("tax", "shipping")))
    if left or more.orders != more.unread_orders:
        yield UNEXPLAINED, more.orders - more.unread_orders, left
    yield NET, ours.counting_orders if ours else 0, net
    if ours and ours.guests_counting:
        yield GUESTS, ours.guests_counting, ours.guests_net


def summed(rows: Iterable[Cause]) -> list[Cause]:
    """The same over all months, by currency, in the order of the way."""
    order: dict[tuple[str, str], Cause] = {}
    for row in rows:
        known = order.get((row.currency, row.cause))
        orders, money = (known.orders, known.money) if known else (0, ZERO)
        whole = row._replace(orders=orders + row.orders, money=money + row.money)
        order[row.currency, row.cause] = whole
    places = [SHOWN, "time zone", "put aside", *(name for name, *_ in TAKEN_OFF), UNEXPLAINED]
    places += [NET, GUESTS]
    return sorted(order.values(), key=lambda one: (one.currency, places.index(one.cause)))
