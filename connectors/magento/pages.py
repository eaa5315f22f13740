"""A batch of rows as a page of the schema. What can't be read or served is named, and stays out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from connectors.errors import PayloadError
from connectors.identity import EmailHasher
from connectors.magento.parse import (
    StoreView,
    parse_customer,
    parse_lines,
    parse_order,
    parse_refund,
)
from connectors.magento.ranges import Range
from connectors.magento.shown import PREFIX, parse_shown
from connectors.magento.walk import Batch
from connectors.platform import Cursor, Page, Reject
from connectors.rates import Rates
from connectors.schema import Customer, Order, OrderLine, Refund, Shown

Row = TypeVar("Row")
Views = Mapping[str, StoreView]

NO_CURSOR: Cursor = {}  # whoever asked for the rows knows where they stand


class StoreViews:
    """The shop's store views: asked for once they are needed, and again for one that is new."""

    def __init__(self, ask: Callable[[], Views]) -> None:
        self._ask = ask
        self._known: Views = {}
        self._missing: set[str] = set()
        self._lock = Lock()

    def of(self, orders: Iterable[Any]) -> Views:
        """The views, those of these orders among them if the shop has them."""
        ids = {
            str(row["store_id"]) for row in orders if isinstance(row, dict) and "store_id" in row
        }
        with self._lock:
            if not ids <= self._known.keys() | self._missing:
                self._known = self._ask()
                self._missing |= ids - self._known.keys()
            return self._known


@dataclass(frozen=True, slots=True)
class Pages:
    """Reads batches for one shop, in any thread; the pages' cursors are up to the caller.

    prefix, group  see `shown.parse_shown`
    rates          where amounts are converted, at the rate of the order's day
    ordered_on     the days of orders by their ids, for the refunds that are converted
    """

    shop: str
    hasher: EmailHasher
    views: StoreViews
    ordered_on: Callable[[Iterable[str]], Mapping[str, date]]
    rates: Rates | None = None
    prefix: str = PREFIX
    group: bool = False

    def orders(self, batch: Batch) -> Page:
        parse = partial(self._order, self.views.of(batch.rows))
        found, rejects = self._parsed("orders", batch, parse)
        lines, unread = self._lines(found)
        orders = [order for order, _ in found]
        return Page(
            NO_CURSOR,
            orders=[self.rates.order(one) for one in orders] if self.rates else orders,
            lines=lines,
            rejects=[*rejects, *unread],
        )

    def refunds(self, batch: Batch) -> Page:
        refunds, rejects = self._parsed("refunds", batch, partial(parse_refund, shop=self.shop))
        return Page(NO_CURSOR, refunds=self._converted(refunds), rejects=rejects)

    def customers(self, batch: Batch) -> Page:
        found, rejects = self._parsed("customers", batch, self._customer)
        return Page(
            NO_CURSOR,
            customers=[customer for customer, _ in found],
            rejects=rejects,
            shown={customer.customer_id: shown for customer, shown in found},
        )

    def differing(self, stream: str, at: Range, counted: int) -> Page:
        """A range of which the shop counts another number of rows than it gave."""
        told = (
            f"the shop counts {counted:,} rows in these ids and gave {at.rows:,}, twice: "
            "`reconcile` finds what is missing"
        )
        ids = f"{at.begin + 1}..{at.to}"
        return Page(NO_CURSOR, rejects=[Reject(self.shop, stream, ids, "total_count", told)])

    def _order(self, views: Views, raw: Any) -> tuple[Order, Any]:
        return parse_order(raw, self.shop, views, self.hasher), raw

    def _customer(self, raw: Any) -> tuple[Customer, Shown]:
        shown = parse_shown(raw, self.prefix, group=self.group)
        return parse_customer(raw, self.shop, self.hasher), shown

    def _lines(self, found: Sequence[tuple[Order, Any]]) -> tuple[list[OrderLine], list[Reject]]:
        """The lines of orders that could be read; an order stands even where its lines don't."""
        lines: list[OrderLine] = []
        rejects: list[Reject] = []
        for order, raw in found:
            try:
                own = parse_lines(raw, self.shop)
            except PayloadError as error:
                rejects.append(self._reject("order_lines", raw, error))
            else:
                lines += self.rates.lines(order, own) if self.rates else own
        return lines, rejects

    def _converted(self, refunds: list[Refund]) -> list[Refund]:
        """At the rate of their orders' day; of an order that is gone the refund's own day."""
        if self.rates is None:
            return refunds
        foreign = {one.order_id for one in refunds if one.currency != self.rates.currency}
        days = self.ordered_on(foreign) if foreign else {}
        return [
            self.rates.refund(one, days.get(one.order_id, one.refunded_at.date()))
            for one in refunds
        ]

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
