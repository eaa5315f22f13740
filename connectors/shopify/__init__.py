"""A Shopify shop: everything over GraphQL; the orders over REST where the owner says so.

A history is read by bulk operations, unless it is so short that its pages come sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Finding, Page, Placed, Window
from connectors.schema import FIELDS, TAG, Change, Outcome
from connectors.shopify.auth import open_http
from connectors.shopify.bulk import Backfill, is_bulk, without_bulk
from connectors.shopify.check import findings
from connectors.shopify.customers import pull_customers
from connectors.shopify.documents import SHOP
from connectors.shopify.graphql import ask, pause, throttled
from connectors.shopify.history import (
    VISIBLE,
    begins,
    labelled,
    refuse,
    sees_all,
    settled,
    whole_again,
)
from connectors.shopify.orders import OrderStream, Way
from connectors.shopify.orders_graphql import GraphQLOrders
from connectors.shopify.orders_rest import RestOrders
from connectors.shopify.push import Writer

#: Orders of a history that is worth bulk operations: these take some time to begin with.
MANY = 1_000


class ShopifyShop:
    """One shop; nothing is asked of it before a verb is called."""

    shows: Sequence[str] = (*FIELDS, TAG)
    batch_size = Writer.batch_size

    def __init__(
        self, settings: ShopSettings, hasher: EmailHasher, http: Http | None = None
    ) -> None:
        self.shop = settings.shop
        self._settings = settings
        self._hasher = hasher
        self._http = http or open_http(settings, throttled, pause)
        self._writer = Writer(self._http, settings)

    def check(self, now: datetime) -> Iterator[Finding]:
        return findings(self._http, self._settings, now)

    def pull_orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None = None
    ) -> Iterator[Page]:
        if cursor and not begins(cursor):
            return self._changes(cursor, now)
        if not self._sees_all():
            begun = str(cursor.get("since", "")) if cursor else ""
            refuse(self.shop, datetime.fromisoformat(begun) if begun else since, now)
        if self._in_bulk(cursor, since):
            return Backfill(self._http, self._hasher, self._orders).pull(cursor, now, since)
        way = RestOrders(self._http) if self._rest else self._orders
        return self._stream(way).pull(without_bulk(cursor), now, since)

    def _changes(self, cursor: Cursor, now: datetime) -> Iterator[Page]:
        """What changed; the pages themselves say whether we are shown all, but for REST's."""
        if "hidden_since" in cursor and self._sees_all():
            return settled(self._changes(whole_again(cursor), now))
        if self._rest:
            pages = self._stream(RestOrders(self._http)).pull(cursor, now, None)
            return labelled(pages, self.shop, cursor, cache(self._sees_all))
        orders = self._orders
        pages = self._stream(orders).pull(cursor, now, None)
        return labelled(pages, self.shop, cursor, orders.sees_all)

    @property
    def _rest(self) -> bool:
        return self._settings.read == "rest"

    def _sees_all(self) -> bool:
        return sees_all(self._http, rest=self._rest)

    def _in_bulk(self, cursor: Cursor | None, since: datetime | None) -> bool:
        """Whether to begin a history by bulk operations, or to go on with one."""
        if self._settings.read in ("graphql", "rest"):
            return False
        if cursor:
            return is_bulk(cursor)
        return self._settings.read == "bulk" or self._orders.count(since) >= MANY

    def pull_named(self, order_ids: Sequence[str], cursor: Cursor | None = None) -> Iterator[Page]:
        """The orders of these ids as they stand now; one that the shop has no more is missing."""
        since = str((cursor or {}).get("since", ""))
        return self._stream(self._orders).pages(self._orders.named(order_ids), since)

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        if windows and windows[0].begin < windows[-1].end - VISIBLE and not self._sees_all():
            refuse(self.shop, windows[0].begin, windows[-1].end)  # else all of it would seem gone
        return self._orders.placed(windows)

    def pull_placed(self, window: Window) -> Iterator[Page]:
        return self._stream(self._orders).pages(self._orders.placed_in(window))

    def time_zone(self) -> str | None:
        zone = (ask(self._http, SHOP, {}).get("shop") or {}).get("ianaTimezone")
        return zone if isinstance(zone, str) else None

    @property
    def _orders(self) -> GraphQLOrders:
        return GraphQLOrders(self._http)

    def _stream(self, way: Way) -> OrderStream:
        return OrderStream(self.shop, way, self._hasher)

    def pull_customers(self, cursor: Cursor | None, now: datetime) -> Iterator[Page]:
        return pull_customers(self._http, self._hasher, self._settings.tags, cursor)

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        return self._writer.push(changes)
