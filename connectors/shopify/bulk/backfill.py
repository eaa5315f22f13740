"""A whole history by bulk operations: begun side by side, read one after the other.

The cursor moves behind a shard once its result is whole: as many orders and rows as the operation
counted, each row with its order. Where that isn't so, or an operation ends in any other way, the
same is asked for once more, then in halves, at last page by page: nothing is skipped. A cursor
holds the ids of the operations that go on, so whoever was stopped finds them again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from connectors.errors import RequestRefused
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Page, Window
from connectors.shopify.bulk.jsonl import Result, Unsound
from connectors.shopify.bulk.operation import (
    AT_ONCE,
    BulkRefused,
    Operation,
    asked_about,
    begin,
    give_up,
)
from connectors.shopify.bulk.refunded import Refunded
from connectors.shopify.bulk.shards import Shard, Standing, beginning, cut, size_of, standing
from connectors.shopify.bulk.shares import read_share
from connectors.shopify.bulk.waiting import Waiting
from connectors.shopify.nodes import Node
from connectors.shopify.parse import Parsed, parse_orders

log = logging.getLogger(__name__)

#: Orders that are read page by page before the cursor moves.
PIECE = 500
#: Failures, one after the other: in bulk this shop won't come to an end.
MOST_FAILURES = 8


class Listing(Protocol):
    """How orders are counted and listed page by page."""

    def counted(self, search: str) -> int:
        """How many orders a search finds."""

    def counted_each(self, searches: Sequence[str]) -> Sequence[int]:
        """The same for some searches at once."""

    def matching(self, search: str) -> Iterator[tuple[list[Any], bool]]:
        """All of them as REST has them; whether more follow."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """The orders of one shop, from the first one on."""

    http: Http
    hasher: EmailHasher
    listing: Listing

    def pull(self, cursor: Cursor | None, now: datetime, since: datetime | None) -> Iterator[Page]:
        """Pages behind `cursor`; the last page's reads what has changed since the start."""
        at = standing(cursor) if cursor else beginning(now, since, self.listing.counted)
        return _Run(self, at).pages()


class _Run:
    """A backfill under way, and where it stands."""

    def __init__(self, backfill: Backfill, at: Standing) -> None:
        self._http = backfill.http
        self._hasher = backfill.hasher
        self._listing = backfill.listing
        self._refunded = Refunded(backfill.http)
        self._at = at
        self._rest = self._cut(at.ahead, size_of(at.orders, AT_ONCE))
        self._waiting = Waiting(self._http.wait)
        self._failures = 0

    def pages(self) -> Iterator[Page]:
        try:
            yield from self._in_bulk()
        except BulkRefused as refused:
            log.warning("bulk_refused shop=%s code=%s way=pages", self._http.shop, refused.code)
            yield from self._in_pages()

    def _cut(self, window: Window, size: int) -> Iterator[Shard]:
        def counted(parts: Sequence[Window]) -> Sequence[int]:
            return self._listing.counted_each([self._at.search(part) for part in parts])

        return cut(window, size, counted)

    def _page(self, rows: Iterable[Node] = ()) -> Page:
        return self._with(parse_orders(self._http.shop, rows, self._hasher, self._at.since))

    def _with(self, parsed: Parsed) -> Page:
        return Page(
            cursor=self._at.cursor(),
            orders=parsed.orders,
            lines=parsed.lines,
            refunds=parsed.refunds,
            rejects=parsed.rejects,
            expected=self._at.orders,
        )

    # ------------------------------------------------------------------------------------- in bulk

    def _in_bulk(self) -> Iterator[Page]:
        yield from self._begin_more()
        while self._at.shards:
            ended = self._ended()
            if ended:
                self._waiting.over()
                yield from self._read(*ended)
            else:
                self._waiting.on()
            yield from self._begin_more()

    def _begin_more(self) -> Iterator[Page]:
        """As many operations as the shop bears; their ids are kept before anything is read."""
        before = self._at
        while len(self._at.running) < AT_ONCE and (shard := self._next()):
            operation = begin(self._http, self._at.search(shard.window))
            if not operation:
                self._waited_for_room()
                break
            self._at = self._at.instead(shard, shard._replace(operation=operation))
        if self._at != before:
            yield self._page()

    def _next(self) -> Shard | None:
        """The first shard that no operation reads; one is cut off the rest if need be."""
        for shard in self._at.shards:
            if not shard.operation:
                return shard
        for shard in self._rest:
            self._at = self._at.with_shard(shard)
            return shard
        return None

    def _waited_for_room(self) -> None:
        """Others may work in bulk, too. Raises BulkRefused where they never come to an end."""
        if not self._at.running and self._waiting.in_vain("room", None):
            raise BulkRefused("OPERATION_IN_PROGRESS")

    def _ended(self) -> tuple[Shard, Operation | None] | None:
        """A shard whose operation has come to an end; or hangs, and was given up."""
        for shard in self._at.running:
            operation = self._asked_about(shard)
            if operation is None or not operation.goes_on:
                return shard, operation
            if self._waiting.in_vain(shard.operation, operation):
                give_up(self._http, shard.operation)
                return shard, operation
        return None

    def _asked_about(self, shard: Shard) -> Operation | None:
        """None where there is no such operation: a cursor may be old, or of another shop."""
        operation = asked_about(self._http, shard.operation)
        search = self._at.search(shard.window)
        return operation if operation and operation.asks_for(search) else None

    def _read(self, shard: Shard, operation: Operation | None) -> Iterator[Page]:
        try:
            yield from self._result_pages(operation)
        except Unsound as unsound:
            yield from self._failed(shard, str(unsound))
        else:
            self._failures = 0
            self._at = self._at.instead(shard)
            yield self._page()

    def _result_pages(self, operation: Operation | None) -> Iterator[Page]:
        if operation is None or operation.status != "COMPLETED":
            raise Unsound(" ".join(operation[:2]).strip() if operation else "UNKNOWN")
        if operation.url:
            with self._result(operation) as result:
                for share in result.shares():
                    yield self._with(self._rows(share))
        elif operation.objects:
            raise Unsound("there is no result")

    def _rows(self, share: bytes) -> Parsed:
        return read_share(share, self._refunded, self._hasher, self._at.since)

    def _result(self, operation: Operation) -> Result:
        """All lines of a result, as many as the operation counted. Raises Unsound."""
        size = operation.largest
        try:
            result = self._http.download(
                operation.url, lambda pieces: Result.read(pieces, size), largest=size
            )
        except RequestRefused as refused:
            raise Unsound(refused.message) from None
        if (result.orders, result.objects) != (operation.orders, operation.objects):
            result.close()
            raise Unsound("the result has more or less than was counted")
        return result

    def _failed(self, shard: Shard, reason: str) -> Iterator[Page]:
        """Another try: the same again, its halves, or at last its pages."""
        told = "bulk_failed shop=%s operation=%s orders=%d reason=%r"
        log.warning(told, self._http.shop, shard.operation, shard.orders, reason)
        self._failures += 1
        if self._failures == MOST_FAILURES:
            raise BulkRefused(reason)
        if shard.is_spent:
            yield from self._listed(shard)
        else:
            self._at = self._at.instead(shard, *shard.again())
            yield self._page()

    # ----------------------------------------------------------------------------------- in pages

    def _in_pages(self) -> Iterator[Page]:
        """All that is left, without bulk operations."""
        self._at = self._at.with_shard(Shard(self._at.ahead, 0))
        while self._at.shards:
            yield from self._listed(self._at.shards[0])

    def _listed(self, shard: Shard) -> Iterator[Page]:
        """A shard by ordinary pages, in pieces, so that the cursor moves on."""
        for piece in self._cut(shard.window, PIECE):
            for rows, _ in self._listing.matching(self._at.search(piece.window)):
                yield self._page(rows)
            left = shard.without(piece)
            self._at = self._at.instead(shard, *left)
            shard = left[0] if left else shard
            yield self._page()
