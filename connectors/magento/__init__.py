"""Magento Open Source and Adobe Commerce over REST (2.4).

Reads are searches by keyset under `/rest/all/V1`: a store's scope would filter nothing anyway.
 https://developer.adobe.com/commerce/webapi/rest/ (read 2026-11-21)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from connectors.config import ShopSettings
from connectors.errors import PayloadError
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.magento.auth import way_in
from connectors.magento.check import DENIED, check
from connectors.magento.parse import (
    StoreView,
    parse_customer,
    parse_lines,
    parse_order,
    parse_refund,
    parse_store_views,
)
from connectors.magento.pull import Stand, stand
from connectors.magento.push import CUSTOMERS, push
from connectors.magento.search import Batch, Keyset
from connectors.magento.shown import parse_shown
from connectors.platform import Cursor, Finding, Page, Reject
from connectors.schema import (
    FIELDS,
    Change,
    Customer,
    Order,
    OrderLine,
    Outcome,
    Refund,
    Shown,
)

ORDERS = "/rest/all/V1/orders"
CREDIT_MEMOS = "/rest/all/V1/creditmemos"
STORE_VIEWS = "/rest/all/V1/store/storeViews"

Row = TypeVar("Row")


class MagentoShop:
    """One Magento as a `connectors.platform.Platform`. Nothing is asked of it before a verb is."""

    shows: Sequence[str] = tuple(FIELDS)
    batch_size = 50

    def __init__(
        self, settings: ShopSettings, hasher: EmailHasher, http: Http | None = None
    ) -> None:
        self.shop = settings.shop
        auth = way_in(settings)
        self._way = auth.way
        self._hasher = hasher
        self._http = http or Http(settings.url, shop=self.shop, auth=auth, denied_mend=DENIED)

    def check(self, now: datetime) -> Iterator[Finding]:
        return check(self._http, self._way, now)

    def pull_orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None = None
    ) -> Iterator[Page]:
        """Orders by id, then credit memos by id; the last page is empty and carries the watermark.

        `since` counts where there is no cursor, and stays with the cursors from then on.
        """
        place = stand(cursor, now, since)
        if place.phase == "orders":
            yield from self._order_pages(place)
            place = place.then("refunds")
        yield from self._refund_pages(place)
        yield Page(place.then("done").cursor())

    def pull_customers(self, cursor: Cursor | None, now: datetime) -> Iterator[Page]:
        """Customers by id and what they show; the last page is empty, its cursor starts anew."""
        scan = Keyset(self._http, f"{CUSTOMERS}/search", id_field="id")
        expected = _Once()
        for batch in scan.batches(int((cursor or {}).get("after", 0))):
            found, rejects = self._parsed("customers", batch, self._customer)
            yield Page(
                {"after": batch.last},
                customers=[customer for customer, _ in found],
                rejects=rejects,
                shown={customer.customer_id: shown for customer, shown in found},
                expected=expected(batch.total),
            )
        yield Page({})

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        return push(self._http, changes)

    def _order_pages(self, place: Stand) -> Iterator[Page]:
        views: Mapping[str, StoreView] = {}
        expected = _Once()
        for batch in Keyset(self._http, ORDERS, filters=place.filters()).batches(place.after):
            views = views or parse_store_views(self._http.get(STORE_VIEWS).data)
            orders, rejects = self._parsed("orders", batch, partial(self._order, views))
            lines, unread = self._lines(raw for _, raw in orders)
            yield Page(
                place.at(batch.last).cursor(),
                orders=[order for order, _ in orders],
                lines=lines,
                rejects=[*rejects, *unread],
                expected=expected(batch.total),
            )

    def _refund_pages(self, place: Stand) -> Iterator[Page]:
        for batch in Keyset(self._http, CREDIT_MEMOS, filters=place.filters()).batches(place.after):
            refunds, rejects = self._parsed("refunds", batch, self._refund)
            yield Page(place.at(batch.last).cursor(), refunds=refunds, rejects=rejects)

    def _order(self, views: Mapping[str, StoreView], raw: Any) -> tuple[Order, Any]:
        return parse_order(raw, self.shop, views, self._hasher), raw

    def _refund(self, raw: Any) -> Refund:
        return parse_refund(raw, self.shop)

    def _customer(self, raw: Any) -> tuple[Customer, Shown]:
        return parse_customer(raw, self.shop, self._hasher), parse_shown(raw)

    def _lines(self, raws: Iterable[Any]) -> tuple[list[OrderLine], list[Reject]]:
        """The lines of orders that could be read; an order stands even where its lines don't."""
        lines: list[OrderLine] = []
        rejects: list[Reject] = []
        for raw in raws:
            try:
                lines += parse_lines(raw, self.shop)
            except PayloadError as error:
                rejects.append(self._reject("order_lines", raw, error))
        return lines, rejects

    def _parsed(
        self, stream: str, batch: Batch, parse: Callable[[Any], Row]
    ) -> tuple[list[Row], list[Reject]]:
        """A batch's rows, and what could not be read or not even be served of it."""
        rows: list[Row] = []
        rejects: list[Reject] = []
        for raw in batch.rows:
            try:
                rows.append(parse(raw))
            except PayloadError as error:
                rejects.append(self._reject(stream, raw, error))
        if batch.broken:
            told = "the shop fails whenever it is asked for this row (a deleted product?)"
            rejects.append(Reject(self.shop, stream, batch.broken, "", told))
        return rows, rejects

    def _reject(self, stream: str, raw: Any, error: PayloadError) -> Reject:
        row = raw if isinstance(raw, Mapping) else {}
        row_id = row.get("id" if stream == "customers" else "entity_id")
        told = str(row_id) if type(row_id) is int else "?"
        return Reject(self.shop, stream, told, error.field, error.message)


class _Once:
    """The first number it is given, and None ever after."""

    def __init__(self) -> None:
        self._given = False

    def __call__(self, number: int | None) -> int | None:
        given, self._given = self._given, True
        return None if given else number
