"""A Shopify shop: everything over GraphQL; the orders over REST where the owner says so.

A history is read by bulk operations, unless it is so short that its pages come sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Finding, Page, Placed, Window
from connectors.schema import FIELDS, TAG, Change, Outcome
from connectors.shopify.auth import open_http
from connectors.shopify.bulk import Backfill, is_bulk, without_bulk
from connectors.shopify.check import findings, hidden
from connectors.shopify.customers import pull_customers
from connectors.shopify.graphql import pause, throttled
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

    def hidden(self) -> str:
        """What of the shop's past is kept from us, without an error."""
        return hidden(self._http)

    def pull_orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None = None
    ) -> Iterator[Page]:
        if self._in_bulk(cursor, since):
            return Backfill(self._http, self._hasher, self._orders).pull(cursor, now, since)
        rest = self._settings.read == "rest"
        return self._stream(RestOrders(self._http) if rest else self._orders).pull(
            without_bulk(cursor), now, since
        )

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
        return self._orders.placed(windows)

    def pull_placed(self, window: Window) -> Iterator[Page]:
        return self._stream(self._orders).pages(self._orders.placed_in(window))

    @property
    def _orders(self) -> GraphQLOrders:
        return GraphQLOrders(self._http)

    def _stream(self, way: Way) -> OrderStream:
        return OrderStream(self.shop, way, self._hasher)

    def pull_customers(self, cursor: Cursor | None, now: datetime) -> Iterator[Page]:
        return pull_customers(self._http, self._hasher, self._settings.tags, cursor)

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        return self._writer.push(changes)
