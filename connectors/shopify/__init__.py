"""A Shopify shop: orders over REST, customers and the write-back over GraphQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Finding, Page, Placed, Window
from connectors.schema import FIELDS, TAG, Change, Outcome
from connectors.shopify.auth import open_http
from connectors.shopify.check import findings
from connectors.shopify.customers import pull_customers
from connectors.shopify.documents import CHANGES_A_PUSH
from connectors.shopify.graphql import throttled
from connectors.shopify.orders import OrderStream
from connectors.shopify.push import push


class ShopifyShop:
    """One shop; nothing is asked of it before a verb is called."""

    shows: Sequence[str] = (*FIELDS, TAG)
    batch_size = CHANGES_A_PUSH

    def __init__(
        self, settings: ShopSettings, hasher: EmailHasher, http: Http | None = None
    ) -> None:
        self.shop = settings.shop
        self._settings = settings
        self._hasher = hasher
        self._http = http or open_http(settings, throttled)

    def check(self, now: datetime) -> Iterator[Finding]:
        return findings(self._http, self._settings, now)

    def pull_orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None = None
    ) -> Iterator[Page]:
        return OrderStream(self._http, self._hasher).pull(cursor, now, since)

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        return OrderStream(self._http, self._hasher).placed(windows)

    def pull_placed(self, window: Window) -> Iterator[Page]:
        return OrderStream(self._http, self._hasher).pull_placed(window)

    def pull_customers(self, cursor: Cursor | None, now: datetime) -> Iterator[Page]:
        return pull_customers(self._http, self._hasher, self._settings.tags, cursor)

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        return push(self._http, self._settings.tags, changes)
