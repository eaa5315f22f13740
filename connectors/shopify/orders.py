"""Orders: a backfill by rising id, then whatever changed; over GraphQL or over REST.

A cursor is the same for both ways, so that a shop can change between them at any time: it holds the
last id of a backfill, or the instant up to which changes were read, and never a link or a cursor
of the shop's own, because those expire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.errors import ConfigurationError, PayloadError, ShopUnavailable
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Page
from connectors.shopify.parse import parse_orders
from connectors.shopify.reading import Part

#: Read again behind the cursor: late commits and clocks that differ.
OVERLAP = timedelta(minutes=15)

#: Orders in REST's form, and whether more follow.
Listed = tuple[list[Any], bool]


class Way(Protocol):
    """How orders are listed."""

    def count(self, since: datetime | None) -> int | None:
        """How many were placed at or after `since`, where the shop says so."""

    def behind(self, last_id: int, since: datetime | None) -> Iterator[Listed]:
        """All of a higher id that may have been placed at or after `since`, by rising id."""

    def changed(self, start: datetime) -> Iterator[Listed]:
        """All that changed at or after `start`, by rising `updated_at`."""


@dataclass(frozen=True, slots=True)
class OrderStream:
    """The orders of one shop."""

    shop: str
    way: Way
    hasher: EmailHasher

    def pull(self, cursor: Cursor | None, now: datetime, since: datetime | None) -> Iterator[Page]:
        """Pages behind `cursor`; without one a backfill of what was placed at or after `since`."""
        if not cursor:
            cursor = {"last_id": 0, "started": now.isoformat(), "since": _iso(since)}
        return self._backfill(cursor) if "last_id" in cursor else self._changes(cursor, now)

    def pages(self, listed: Iterable[Listed], since: str = "") -> Iterator[Page]:
        """Orders that were asked for one by one or by a window. The cursors are of no use."""
        for rows, _ in listed:
            yield self._page(rows, {"since": since})

    def _backfill(self, cursor: Cursor) -> Iterator[Page]:
        """By rising id: what comes in meanwhile is at the end, what changes is read afterwards."""
        last_id, since = int(cursor["last_id"]), _instant(cursor["since"])
        expected = self.way.count(since)
        for rows, more in self._moving(self.way.behind(last_id, since)):
            last_id = risen(self.shop, rows, last_id)
            ahead = {**cursor, "last_id": last_id}
            behind = {"changed_since": cursor["started"], "since": cursor["since"]}
            yield self._page(rows, ahead if more else behind, expected)

    def _changes(self, cursor: Cursor, now: datetime) -> Iterator[Page]:
        """By rising `updated_at`. The cursor moves with the pages as long as they really rise."""
        reached = datetime.fromisoformat(str(cursor["changed_since"]))
        if reached > now + OVERLAP:
            raise ConfigurationError(
                "the orders were read up to an instant that lies in the future",
                mend="Check this machine's clock, then run `backfill --full-refresh`.",
                shop=self.shop,
                reached=reached.isoformat(),
            )
        newest, rising = reached - OVERLAP, True
        for rows, more in self._moving(self.way.changed(newest)):
            instants = changed_at(rows)
            rising = rising and [newest, *instants] == sorted([newest, *instants])
            newest = max([newest, *instants])
            if rising or not more:
                reached = max(reached, min(newest, now))
            yield self._page(rows, {**cursor, "changed_since": _iso(reached)})

    def _moving(self, listed: Iterable[Listed]) -> Iterator[Listed]:
        """The same, as long as each page is another one. ShopUnavailable where they go round."""
        before: list[Any] | None = None
        for rows, more in listed:
            ids = [row.get("id") if isinstance(row, dict) else None for row in rows]
            if ids == before:
                raise ShopUnavailable("the pages of orders go round", shop=self.shop)
            before = ids
            yield rows, more

    def _page(self, rows: Sequence[Any], cursor: Cursor, expected: int | None = None) -> Page:
        parsed = parse_orders(self.shop, rows, self.hasher, _instant(cursor["since"]))
        return Page(
            cursor=cursor,
            orders=parsed.orders,
            lines=parsed.lines,
            refunds=parsed.refunds,
            rejects=parsed.rejects,
            expected=expected,
        )


def risen(shop: str, rows: Sequence[Any], last_id: int) -> int:
    """The last id, if all rose: else the cursor would skip orders."""
    for row in rows:
        row_id = _number(row)
        if row_id is None or row_id <= last_id:
            raise ShopUnavailable("the pages of orders don't rise by id", shop=shop)
        last_id = row_id
    return last_id


def changed_at(rows: Sequence[Any]) -> list[datetime]:
    """When the rows changed, as far as that can be read."""
    return [instant for row in rows if (instant := _updated_at(row))]


def _number(row: object) -> int | None:
    try:
        return int(Part(row).needed_id("id")) if isinstance(row, dict) else None
    except PayloadError:
        return None


def _updated_at(row: object) -> datetime | None:
    try:
        return Part(row).instant("updated_at") if isinstance(row, dict) else None
    except PayloadError:
        return None


def _iso(instant: datetime | None) -> str:
    return instant.isoformat() if instant else ""


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None
