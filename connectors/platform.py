"""A platform is four verbs (check, pull_orders, pull_customers, push) and two to compare by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from connectors.schema import Change, Customer, Order, OrderLine, Outcome, Refund, Shown

#: Where a stream stands: opaque to everyone but its platform, kept as JSON by the store.
Cursor = Mapping[str, str | int]

#: The id of a reject that stands for no row: a part of the history that the shop keeps from us.
HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: put aside, counted and named; the others go on."""

    shop: str
    stream: str
    row_id: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rows that belong together and the cursor behind them: committed as one, or not at all.

    `expected` is how many rows the whole stream will bring, where the shop says so (for progress).
    `shown` tells what the page's customers show today (`pull_customers` only).
    `begins` marks the first page of a reading from the start: what an earlier reading of the stream
    put aside is settled by this one. `all_orders`, on a last page, are the ids of all orders that
    the shop has, where a platform can tell: the store forgets any other. `settled` are rows (stream
    and id) that were put aside and are gone from the shop.
    """

    cursor: Cursor
    orders: Sequence[Order] = ()
    lines: Sequence[OrderLine] = ()
    refunds: Sequence[Refund] = ()
    customers: Sequence[Customer] = ()
    rejects: Sequence[Reject] = ()
    shown: Mapping[str, Shown] = field(default_factory=dict)
    expected: int | None = None
    begins: bool = False
    all_orders: Collection[str] | None = None
    settled: Collection[tuple[str, str]] = ()


class Window(NamedTuple):
    """Instants from `begin` until before `end`."""

    begin: datetime
    end: datetime


class Placed(NamedTuple):
    """How many orders were placed in a window, and the sum of their totals if it can be told.

    The sum is a checksum: totals as the schema has them, whatever their currencies.
    """

    orders: int
    total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `doctor`: what was looked at, how it stands, and the mend."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    mend: str = ""


class Platform(Protocol):
    """One shop on one platform. The clock comes in from outside; nothing here reads it."""

    @property
    def shop(self) -> str: ...

    @property
    def shows(self) -> Sequence[str]:
        """The fields (`schema.FIELDS`, `schema.TAG`) that a customer of this shop can show."""

    @property
    def batch_size(self) -> int:
        """How many changes one `push` takes best."""

    def check(self, now: datetime) -> Iterator[Finding]:
        """Look at credentials, rights, attributes and clock. Raises nothing that a mend fits."""

    def pull_orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None = None
    ) -> Iterator[Page]:
        """Orders, their lines and refunds, from where `cursor` stands.

        No cursor: everything (placed at or after `since`). Any page's cursor goes on behind that
        page; the last page's cursor, given at the next run, brings what changed since then, with
        an overlap: the store drops what it has already.
        """

    def pull_customers(self, cursor: Cursor | None, now: datetime) -> Iterator[Page]:
        """Registered customers and what they show today. A finished scan's cursor starts anew."""

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        """What the shop itself counts in each window of `ordered_at`, in their order."""

    def pull_placed(self, window: Window) -> Iterator[Page]:
        """All orders placed in the window, with their lines and refunds. Cursors are of no use."""

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Write the changes, read them back: one outcome for each, in their order.

        A customer whom somebody else wrote to since (`Change.edited`) is left alone: conflict. One
        who shows `after` already is applied. Touches nothing but our own fields and tags.
        """


@runtime_checkable
class ByName(Protocol):
    """A platform where single orders can be asked for, because what happens to them can go unseen.

    There an order moves to another customer without being changed, where two are merged.
    """

    def pull_named(self, order_ids: Sequence[str], cursor: Cursor | None = None) -> Iterator[Page]:
        """The orders of these ids as they stand now; one that the shop has no more is missing.

        So is one that the reading of `cursor` leaves out (`since`).
        """


@runtime_checkable
class Zoned(Protocol):
    """A platform whose own reports go by a time zone that it tells."""

    def time_zone(self) -> str | None:
        """Its name, such as Europe/Berlin; None where it tells none, or several."""
