"""Magento Open Source, Adobe Commerce and its cloud service over REST (2.4).

api, auth, ims   where the routes are, and the ways in
check, checks/   what `doctor` looks at
stand            where a pull stands, as a cursor
pull             orders, credit memos and customers as pages
sweep            a collection in ranges of ids (ranges), side by side (workers), held against counts
walk             one range page by page, round the rows that break a page
search, lean     the two routes that give rows: Magento's own search, our module's export
pages            rows as the schema has them: parse (by fields), shown; wanted: what is asked for
push/            what customers show, written and read back

https://developer.adobe.com/commerce/webapi/rest/ (read 2026-11-21)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.magento.api import api_of
from connectors.magento.auth import open_http
from connectors.magento.check import check
from connectors.magento.pages import Pages, StoreViews, Views
from connectors.magento.parse import parse_store_views, zone_of
from connectors.magento.pull import Pull, ordered_on
from connectors.magento.push import Writer
from connectors.magento.workers import nap
from connectors.once import once
from connectors.platform import Cursor, Finding, Page, Placed, Window
from connectors.rates import Rates, read_rates
from connectors.schema import GROUP, KINDS, Change, Outcome


class MagentoShop:
    """One Magento as a `connectors.platform.Platform`. Nothing is asked of it before a verb is."""

    def __init__(
        self, settings: ShopSettings, hasher: EmailHasher, http: Http | None = None
    ) -> None:
        self.shop = settings.shop
        self._settings = settings
        self._hasher = hasher
        self._api = api_of(settings)
        self._http = http or open_http(settings, sleep=nap)
        self._moves = bool(settings.groups)
        self._writer = Writer(self._http, self._api, settings)

    @property
    def shows(self) -> Sequence[str]:
        return (*KINDS, GROUP) if self._moves else tuple(KINDS)

    @property
    def batch_size(self) -> int:
        return self._writer.batch_size

    def check(self, now: datetime) -> Iterator[Finding]:
        return check(self._http, self._settings, self._hasher.fingerprint, now)

    def pull_orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None = None
    ) -> Iterator[Page]:
        """Orders, then credit memos; the last page is empty and carries the watermark.

        `since` counts where there is no cursor, and stays with the cursors from then on.
        """
        return self._pull.orders(cursor, now, since)

    def pull_customers(self, cursor: Cursor | None, now: datetime) -> Iterator[Page]:
        return self._pull.customers(cursor)

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        return self._pull.placed(windows)

    def pull_placed(self, window: Window) -> Iterator[Page]:
        return self._pull.pull_placed(window)

    def time_zone(self) -> str | None:
        return zone_of(self._http.get(self._api.path("store/storeConfigs")).data)

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        return self._writer.push(changes)

    @once
    def _pull(self) -> Pull:
        pages = Pages(
            self.shop,
            self._hasher,
            StoreViews(self._store_views),
            partial(ordered_on, self._http, self._api),
            rates=self._rates(),
            prefix=self._settings.attribute_prefix,
            group=self._moves,
        )
        return Pull(self._http, self._api, pages, self._settings.workers)

    def _store_views(self) -> Views:
        return parse_store_views(self._http.get(self._api.path("store/storeViews")).data)

    def _rates(self) -> Rates | None:
        settings = self._settings
        if not (settings.rates and settings.currency):
            return None
        setting = f"CLV_{self.shop.upper()}_RATES"
        return read_rates(Path(settings.rates), settings.currency, setting)
