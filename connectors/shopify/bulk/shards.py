"""Which windows of time are still to be read, and how many orders lie in each.

A history is cut by `created_at`, which never changes, into shards that follow each other without a
gap. They are cut off one by one, so a cursor holds those that were begun and where the rest begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from connectors.platform import Cursor, Window
from connectors.shopify.documents import COUNTS_AT_ONCE

#: Before Shopify, before the web: no order was created earlier.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
#: Beyond now, for a shop whose clock is ahead of ours.
AHEAD = timedelta(days=1)

#: Orders a shard. Few enough that one which fails costs little and that its result is joined in
#: memory, enough to be worth an operation.
LARGEST = 5_000
SMALLEST = 1_000

#: Shards for each operation that may go on at once: while one is read, the others are worked out.
ROUNDS = 3

_REST = "bulk_rest"
_SHARD = "bulk_shard"


class Shard(NamedTuple):
    """A window, how many orders lie in it, and the id of the operation that reads it, or none."""

    window: Window
    orders: int
    operation: str = ""
    failures: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether there is no sense in asking for anything smaller."""
        return bool(self.failures) and (self.orders <= SMALLEST or len(_halves(self.window)) < 2)

    def again(self) -> Sequence[Shard]:
        """What to ask for where this has failed: once for the same, then for the halves."""
        parts = _halves(self.window) if self.failures else (self.window,)
        orders = -(-self.orders // len(parts))
        return [Shard(part, orders, failures=self.failures + 1) for part in parts]

    def without(self, piece: Shard) -> Sequence[Shard]:
        """What is left behind a piece of it that was read."""
        rest = Window(piece.window.end, self.window.end)
        left = Shard(rest, max(self.orders - piece.orders, 0), failures=self.failures)
        return [left] if rest.begin < rest.end else []


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a backfill stands: shards that aren't done, and from where on none was cut off yet."""

    started: datetime
    since: datetime | None
    orders: int
    rest: datetime
    shards: tuple[Shard, ...] = ()

    @property
    def until(self) -> datetime:
        return self.started.replace(microsecond=0) + AHEAD

    @property
    def ahead(self) -> Window:
        """What no shard was cut from yet."""
        return Window(self.rest, self.until)

    @property
    def running(self) -> Sequence[Shard]:
        """The shards that an operation reads."""
        return [shard for shard in self.shards if shard.operation]

    def with_shard(self, shard: Shard) -> Standing:
        """One more, cut off the rest."""
        if shard.window.begin == shard.window.end:
            return self
        return replace(self, shards=(*self.shards, shard), rest=shard.window.end)

    def instead(self, shard: Shard, *others: Shard) -> Standing:
        """Others, or none, in the place of a shard."""
        place = self.shards.index(shard)
        return replace(self, shards=self.shards[:place] + others + self.shards[place + 1 :])

    def search(self, window: Window) -> str:
        """The search for the orders of a window."""
        placed = f" processed_at:>='{stamp(self.since)}'" if self.since else ""
        begin, end = map(stamp, window)
        return f"created_at:>='{begin}' created_at:<'{end}'{placed}"

    def cursor(self) -> Cursor:
        """Flat, for the store. Without anything left to read, the one that reads what changed."""
        since = self.since.isoformat() if self.since else ""
        if not self.shards and self.rest >= self.until:
            return {"changed_since": self.started.isoformat(), "since": since}
        texts = {f"{_SHARD}_{n:03}": _text(shard) for n, shard in enumerate(self.shards)}
        return {
            "started": self.started.isoformat(),
            "since": since,
            "orders": self.orders,
            _REST: self.rest.isoformat(),
            **texts,
        }


def is_bulk(cursor: Cursor) -> bool:
    """Whether a cursor stands inside a backfill by bulk operations."""
    return _REST in cursor


def without_bulk(cursor: Cursor | None) -> Cursor | None:
    """The same for who reads by page: a backfill by bulk operations begins anew for them."""
    if not cursor or not is_bulk(cursor):
        return cursor
    return {"last_id": 0, "started": cursor["started"], "since": cursor["since"]}


def standing(cursor: Cursor) -> Standing:
    """Where a cursor stands."""
    since = str(cursor["since"])
    shards = [_shard(str(cursor[key])) for key in sorted(cursor) if key.startswith(_SHARD)]
    return Standing(
        started=datetime.fromisoformat(str(cursor["started"])),
        since=datetime.fromisoformat(since) if since else None,
        orders=int(cursor["orders"]),
        rest=datetime.fromisoformat(str(cursor[_REST])),
        shards=tuple(shards),
    )


def beginning(now: datetime, since: datetime | None, count: Callable[[str], int]) -> Standing:
    """Nothing read yet. `count` tells how many orders a search finds."""
    at = Standing(now, since, 0, BEGINNING)
    return replace(at, orders=count(at.search(at.ahead)))


def cut(
    window: Window, size: int, count: Callable[[Sequence[Window]], Sequence[int]]
) -> Iterator[Shard]:
    """Shards of up to `size` orders, by time. A window with more is parted; small ones are joined.

    What is counted as empty belongs to a shard all the same: a count may lag behind.
    """
    if window.begin == window.end:
        return
    begin, held = window.begin, 0
    waiting = list(zip([window], count([window]), strict=True))
    while waiting:
        part, orders = waiting.pop()
        parts = _parted(part, COUNTS_AT_ONCE) if orders > size else ()
        if len(parts) > 1:
            waiting += reversed(list(zip(parts, count(parts), strict=True)))
        elif held and held + orders > size:
            yield Shard(Window(begin, part.begin), held)
            begin, held = part.begin, orders
        else:
            held += orders
    yield Shard(Window(begin, window.end), held)


def size_of(orders: int, at_once: int) -> int:
    """How many orders a shard should have, so that all who may work have something to do."""
    return min(max(-(-orders // (at_once * ROUNDS)), SMALLEST), LARGEST)


def stamp(instant: datetime) -> str:
    """As a search has it; shops keep whole seconds, and all windows lie on them."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _halves(window: Window) -> Sequence[Window]:
    """The window in two, on a whole second; in one where it has no more than that."""
    return _parted(window, 2)


def _parted(window: Window, parts: int) -> Sequence[Window]:
    """The window in so many, or in as many as it has seconds."""
    seconds = int((window.end - window.begin).total_seconds())
    parts = max(min(parts, seconds), 1)
    cuts = [window.begin + timedelta(seconds=seconds * n // parts) for n in range(1, parts)]
    return [Window(*one) for one in pairwise([window.begin, *cuts, window.end])]


def _text(shard: Shard) -> str:
    begin, end = shard.window
    told = (stamp(begin), stamp(end), shard.orders, shard.failures, shard.operation)
    return " ".join(map(str, told)).strip()


def _shard(text: str) -> Shard:
    begin, end, orders, failures, *operation = text.split(" ")
    window = Window(datetime.fromisoformat(begin), datetime.fromisoformat(end))
    return Shard(window, int(orders), "".join(operation), int(failures))
