"""Orders over REST: a backfill by rising id, then whatever changed, both along the Link header.

Inside a run the shop's own next-page links lead on. A cursor never holds such a link, because it
expires: it holds the last id of a backfill, or the instant up to which changes were read. With a
link only `limit` may be changed (https://shopify.dev/docs/api/admin-rest/usage/pagination,
2026-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import ConfigurationError, PayloadError, ShopUnavailable
from connectors.http import Answer, Http
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Page, Placed, Window
from connectors.shopify.documents import API_VERSION
from connectors.shopify.parse import ORDER_FIELDS, parse_orders
from connectors.shopify.reading import Part

PATH = f"/admin/api/{API_VERSION}/orders.json"
COUNT_PATH = f"/admin/api/{API_VERSION}/orders/count.json"
LARGEST_PAGE = 250
SMALLEST_PAGE = 15

#: Read again behind the cursor: late commits and clocks that differ.
OVERLAP = timedelta(minutes=15)

Params = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OrderStream:
    """The orders of one shop."""

    http: Http
    hasher: EmailHasher

    def pull(self, cursor: Cursor | None, now: datetime, since: datetime | None) -> Iterator[Page]:
        """Pages behind `cursor`; without one a backfill of what was placed at or after `since`."""
        if not cursor:
            cursor = {"last_id": 0, "started": now.isoformat(), "since": _iso(since)}
        return self._backfill(cursor) if "last_id" in cursor else self._changes(cursor, now)

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        """How many orders the shop counts in each window; it adds up no sums."""
        for window in windows:
            count = self._count(_within(window))
            if count is None:
                raise ShopUnavailable("the shop doesn't count its orders", shop=self.http.shop)
            yield Placed(count)

    def pull_placed(self, window: Window) -> Iterator[Page]:
        last_id = 0
        for rows, _ in self._listed([*_within(window), ("since_id", "0")]):
            last_id = self._risen(rows, last_id)
            yield self._page(rows, {"since": ""})

    def _backfill(self, cursor: Cursor) -> Iterator[Page]:
        """By rising id: what comes in meanwhile is at the end, what changes is read afterwards."""
        last_id = int(cursor["last_id"])
        window: Params = _window("created_at_min", str(cursor["since"]))
        expected = self._count(window)
        for rows, more in self._listed([*window, ("since_id", str(last_id))]):
            last_id = self._risen(rows, last_id)
            ahead = {**cursor, "last_id": last_id}
            behind = {"changed_since": cursor["started"], "since": cursor["since"]}
            yield self._page(rows, ahead if more else behind, expected)

    def _risen(self, rows: Sequence[Any], last_id: int) -> int:
        """The last id, if all rose: else the cursor would skip orders."""
        for row in rows:
            row_id = row.get("id") if isinstance(row, dict) else None
            if not isinstance(row_id, int) or row_id <= last_id:
                raise ShopUnavailable("the pages of orders don't rise by id", shop=self.http.shop)
            last_id = row_id
        return last_id

    def _changes(self, cursor: Cursor, now: datetime) -> Iterator[Page]:
        """By rising `updated_at`. The cursor moves with the pages as long as they really rise."""
        reached = datetime.fromisoformat(str(cursor["changed_since"]))
        if reached > now + OVERLAP:
            raise ConfigurationError(
                "the orders were read up to an instant that lies in the future",
                mend="Check this machine's clock, then run `backfill --full-refresh`.",
                shop=self.http.shop,
                reached=reached.isoformat(),
            )
        start = _iso(reached - OVERLAP)
        newest, rising = reached - OVERLAP, True
        for rows, more in self._listed([("updated_at_min", start), ("order", "updated_at asc")]):
            instants = [instant for row in rows if (instant := _updated_at(row))]
            rising = rising and [newest, *instants] == sorted([newest, *instants])
            newest = max([newest, *instants])
            if rising or not more:
                reached = max(reached, min(newest, now))
            yield self._page(rows, {**cursor, "changed_since": _iso(reached)})

    def _page(self, rows: Sequence[Any], cursor: Cursor, expected: int | None = None) -> Page:
        since = str(cursor["since"])
        start = datetime.fromisoformat(since) if since else None
        parsed = parse_orders(self.http.shop, rows, self.hasher, start)
        return Page(
            cursor=cursor,
            orders=parsed.orders,
            lines=parsed.lines,
            refunds=parsed.refunds,
            rejects=parsed.rejects,
            expected=expected,
        )

    def _count(self, window: Params) -> int | None:
        data = self.http.get(COUNT_PATH, params=[("status", "any"), *window]).data
        count = data.get("count") if isinstance(data, dict) else None
        return count if isinstance(count, int) else None

    def _listed(self, filters: Params) -> Iterator[tuple[list[Any], bool]]:
        """Each page's rows, and whether another follows. ShopUnavailable where they go round."""
        params = [("status", "any"), *filters, ("fields", ORDER_FIELDS)]
        limit, link, seen = LARGEST_PAGE, "", set[str]()
        before: list[Any] | None = None
        while True:
            answer, limit = self._fetched(params, link, limit)
            rows = self._rows(answer)
            link = _next_link(answer)
            ids = [row.get("id") if isinstance(row, dict) else None for row in rows]
            if link in seen or ids == before:
                raise ShopUnavailable("the pages of orders go round", shop=self.http.shop)
            seen.add(link)
            before = ids
            yield rows, bool(link)
            if not link:
                return

    def _fetched(self, params: Params, link: str, limit: int) -> tuple[Answer, int]:
        """A page, and the size that worked: the shop is known to fail over pages of fat orders."""
        while True:
            try:
                if link:
                    return self.http.follow(_with_limit(link, limit)), limit
                return self.http.get(PATH, params=[*params, ("limit", str(limit))]), limit
            except ShopUnavailable as error:
                if error.evidence.get("status") != 500 or limit // 2 < SMALLEST_PAGE:
                    raise
                limit //= 2

    def _rows(self, answer: Answer) -> list[Any]:
        rows = answer.data.get("orders") if isinstance(answer.data, dict) else None
        if not isinstance(rows, list):
            raise ShopUnavailable("the answer holds no list of orders", shop=self.http.shop)
        return rows


def _iso(instant: datetime | None) -> str:
    return instant.isoformat() if instant else ""


def _window(name: str, start: str) -> Params:
    return [(name, start)] if start else []


def _within(window: Window) -> Params:
    """`created_at_max` counts the instant itself in, so it is the microsecond before the end."""
    last = window.end - timedelta(microseconds=1)
    return [("created_at_min", _iso(window.begin)), ("created_at_max", _iso(last))]


def _updated_at(row: object) -> datetime | None:
    try:
        return Part(row).instant("updated_at") if isinstance(row, dict) else None
    except PayloadError:
        return None


def _next_link(answer: Answer) -> str:
    """The address of the next page, empty on the last."""
    found = re.search(r'<([^<>]+)>\s*;\s*rel="?next"?', answer.headers.get("link", ""))
    return found[1] if found else ""


def _with_limit(link: str, limit: int) -> str:
    """The link with our own page size: the one thing that may be changed in it."""
    return re.sub(r"([?&]limit=)\d+", rf"\g<1>{limit}", link)
