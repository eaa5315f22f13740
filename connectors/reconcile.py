"""Our orders against the shop's own, month by month: every difference named, and mended.

The shop is asked how many orders were placed in each month, and what they come to where it can
tell. A month that doesn't agree is read again, order by order: what was missing comes in, what
changed is brought up to date, what the shop no longer has leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Literal, NamedTuple

from connectors.causes import Theirs
from connectors.errors import ConfigurationError, GuardStopped, ShopUnavailable
from connectors.platform import Placed, Platform, Window
from connectors.pull import Watch
from connectors.schema import Order, Rule
from connectors.store import Store
from connectors.store.mending import Known, MonthTotals

#: missing: the shop has it, we had not; gone: the other way round; put aside: it can't be read.
Kind = Literal["missing", "changed", "gone", "put aside"]


#: So many deleted orders a month pass without a word from the owner, or this share of the month.
FEW = 10
SHARE = 0.05

NONE = Placed(0, Decimal(0))


class Terms(NamedTuple):
    """How to compare.

    every_order  months are read again even where they agree
    forget       however many orders are gone, they leave
    """

    now: datetime
    rule: Rule
    every_order: bool = False
    forget: bool = False


class Counts(NamedTuple):
    """A month's orders: known before, seen in the reading, and known but not seen."""

    before: int
    seen: int
    gone: int


class Difference(NamedTuple):
    """One order that differed, and how. All but those put aside are mended."""

    kind: Kind
    order: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """A month as it stood before anything was mended, and what was found in it.

    `read` tells whether its orders were looked at one by one.
    """

    begins: date
    ours: Placed
    theirs: Placed
    read: bool
    differences: Sequence[Difference]

    @property
    def agrees(self) -> bool:
        """Where the shop tells no sum, its count stands for it."""
        return _agree(self.ours, self.theirs) and not self.differences


def windows(begin: datetime, end: datetime) -> list[Window]:
    """The calendar months (UTC) from `begin` until `end`, the first and the last cut to fit."""
    cuts = [begin]
    while (following := _next_month(cuts[-1])) < end:
        cuts.append(following)
    return [Window(*pair) for pair in pairwise([*cuts, end])]


def _next_month(moment: datetime) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def begins(store: Store, shop: str, since: datetime | None) -> datetime:
    """Where to begin: at the first order that the store knows, unless the owner says otherwise.

    What lies before it may be left out on purpose (`backfill --since`).
    """
    first = since or store.first_order_at(shop)
    if first is None:
        raise ConfigurationError(f"the store holds no order of {shop}", mend="`backfill` first.")
    return first


def reconcile(
    platform: Platform, store: Store, asked: Window, terms: Terms, watch: Watch
) -> Iterator[Month]:
    """Each month of the window, the oldest first."""
    ours = _by_month(store.months(platform.shop, asked.begin, asked.end, terms.rule))
    months = windows(*asked)
    for window, theirs in zip(months, platform.placed(months), strict=True):
        watch.checked()
        begins = window.begin.date().replace(day=1)
        known = ours.get(begins, NONE)
        read = terms.every_order or not _agree(known, theirs)
        found = _mended(platform, store, window, theirs, terms) if read else []
        yield Month(begins, known, theirs, read, found)
        watch.advance(1, len(months))


def theirs(months: Iterable[Month]) -> dict[date, Theirs]:
    """What the shop said of each month, and how many of its orders were put aside."""
    aside = {one.begins: [d for d in one.differences if d.kind == "put aside"] for one in months}
    return {one.begins: Theirs(one.theirs, len(aside[one.begins])) for one in months}


def _by_month(rows: Iterable[MonthTotals]) -> dict[date, Placed]:
    """Our orders of each month and their sum, whatever their currencies: it is a checksum."""
    found: dict[date, Placed] = {}
    for row in rows:
        known = found.get(row.month, NONE)
        found[row.month] = Placed(known.orders + row.orders, (known.total or 0) + row.total)
    return found


def _agree(ours: Placed, theirs: Placed) -> bool:
    return ours.orders == theirs.orders and theirs.total in (None, ours.total)


def _mended(
    platform: Platform, store: Store, window: Window, theirs: Placed, terms: Terms
) -> list[Difference]:
    """Reads a month's orders again; what differed, in the order of the reading."""
    before = store.placed(platform.shop, *window)
    found: list[Difference] = []
    seen: set[str] = set()
    for page in platform.pull_placed(window):
        page = store.without_erased(platform.shop, page)
        store.mend(platform.shop, page, at=terms.now)
        found += [told for order in page.orders if (told := _differs(before, order))]
        found += [Difference("put aside", one.row_id, one.reason) for one in page.rejects]
        seen |= {order.order_id for order in page.orders}
        seen |= {reject.row_id for reject in page.rejects}
    gone = sorted(before.keys() - seen)
    _guard(platform.shop, window, theirs, Counts(len(before), len(seen), len(gone)), terms)
    store.forget_orders(platform.shop, gone)
    return [*found, *(Difference("gone", before[one].number) for one in gone)]


def _differs(before: Mapping[str, Known], order: Order) -> Difference | None:
    known = before.get(order.order_id)
    if known is None:
        return Difference("missing", order.order_number)
    now = Known(order.order_number, order.state, order.total_value, order.refunded_total)
    told = [
        f"{name} {was} > {is_now}"
        for name, was, is_now in zip(Known._fields, _shown(known), _shown(now), strict=True)
        if was != is_now
    ]
    return Difference("changed", order.order_number, ", ".join(told)) if told else None


def _shown(known: Known) -> tuple[str, str, str, str]:
    return known.number, known.state, f"{known.total:,.2f}", f"{known.refunded:,.2f}"


def _guard(shop: str, window: Window, theirs: Placed, counts: Counts, terms: Terms) -> None:
    """Nothing is taken away on the word of a reading that is cut short, or that lacks too much."""
    month = f"{window.begin:%Y-%m}"
    if counts.gone and counts.seen < theirs.orders:
        raise ShopUnavailable(
            f"the shop counts {theirs.orders:,} orders in {month} and served {counts.seen:,};"
            " none was taken away",
            mend="Try again later.",
            shop=shop,
        )
    if counts.gone > max(FEW, SHARE * counts.before) and not terms.forget:
        raise GuardStopped(
            f"{counts.gone:,} of {counts.before:,} orders of {month} are no longer in the shop;"
            " none was taken away",
            mend="If they were deleted on purpose: `reconcile --forget`.",
            shop=shop,
        )
