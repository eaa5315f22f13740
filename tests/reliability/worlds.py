"""Practice shops on loopback whose clock and life are in a test's hands, and doors to them."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.magento import MagentoShop
from connectors.magento.auth import Bearer
from connectors.platform import Page, Platform
from connectors.sandbox import MAGENTO_TOKEN, SHOPIFY_TOKEN, refunding, shopify
from connectors.sandbox.books import Books, Row, instant_text
from connectors.sandbox.cdnow import Who
from connectors.sandbox.population import populate
from connectors.sandbox.server import Sandbox, serve
from connectors.sandbox.shopify.limits import Bucket
from connectors.sandbox.shopify.scenes import merge_customers
from connectors.shopify import ShopifyShop
from connectors.shopify.auth import HEADER
from connectors.shopify.graphql import pause, throttled

SAMPLE = 1_000  # customers that the small population has for each shop, and more
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
HASHER = EmailHasher(b"a key for these tests alone")
OURS = frozenset({"clv-high", "clv-medium", "clv-low", "clv-new"})
PLATFORMS = {"eu": "magento", "us": "shopify"}


@dataclass
class Clock:
    """The shops' own time: it stands still unless it is moved."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def on(self, **time: float) -> datetime:
        self.at += timedelta(**time)
        return self.at


@dataclass
class Waits:
    """Waits that take no time. The shops' limits count them all the same: whoever has waited as
    long as a shop asked is let in."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class World:
    """Two practice shops, `eu` (Magento) and `us` (Shopify)."""

    sandbox: Sandbox
    clock: Clock
    waits: Waits

    @property
    def books(self) -> Books:
        return self.sandbox.books

    def http(self, shop: str, sleep: Callable[[float], None] | None = None, **more: Any) -> Http:
        """A door that doesn't wait; `sleep` is told for how long it would have."""

        def slept(seconds: float) -> None:
            self.waits.sleep(seconds)
            if sleep:
                sleep(seconds)

        own: dict[str, Any] = (
            {"auth": Bearer(MAGENTO_TOKEN)}
            if shop == "eu"
            else {"headers": {HEADER: SHOPIFY_TOKEN}, "throttled": throttled, "pause": pause}
        )
        own |= {"sleep": slept, **more}
        return Http(f"{self.sandbox.url}/{shop}", shop=shop, **own)

    def platform(self, shop: str, http: Any = None, **settings: Any) -> Platform:
        """The shop as `settings` ask for it (`read`, `write`, `workers`, ...)."""
        url = f"{self.sandbox.url}/{shop}"
        asked = ShopSettings(
            shop, PLATFORMS[shop], url=url, token="t", **{"tags": OURS, **settings}
        )
        kind = MagentoShop if shop == "eu" else ShopifyShop
        return kind(asked, HASHER, http or self.http(shop))

    def orders(self, shop: str) -> list[Row]:
        return self.books.query("SELECT * FROM orders WHERE shop = ? ORDER BY id", (shop,))


@contextmanager
def shops(customers: int, waits: Waits | None = None) -> Iterator[World]:
    """Both shops with so many customers each; their last orders are of the day before START."""
    clock, limits = Clock(), waits or Waits()

    def bucket(_: object) -> Bucket:
        return Bucket(limits)

    books = Books(":memory:", clock=clock)
    who: Who = "full" if customers > SAMPLE else "sample"
    populate(books, customers=who, today=START.date(), limit=customers)
    with mock.patch.object(shopify, "Bucket", bucket), serve(books) as running:
        yield World(running, clock, limits)
    books.close()


def ids(pages: Sequence[Page]) -> set[str]:
    return {order.order_id for page in pages for order in page.orders}


@dataclass
class Life:
    """What happens in one shop, by dice: orders, edits, refunds, cancellations, merges."""

    books: Books
    shop: str
    rng: random.Random

    def happens(self) -> None:
        edits = [self.place, self.place, self.edit, self.refund, self.refund, self.cancel]
        edits += [self.merge] if self.shop == "us" else []
        self.rng.choice(edits)()

    def _any_order(self) -> Row:
        sql = "SELECT id FROM orders WHERE shop = ? ORDER BY id"
        known = [row["id"] for row in self.books.query(sql, (self.shop,))]
        order = self.books.order(self.shop, self.rng.choice(known))
        assert order
        return order

    def place(self) -> None:
        """A customer buys again what somebody once bought."""
        order = self._any_order()
        latest = self.books.scalar("SELECT max(id) FROM orders WHERE shop = ?", (self.shop,))
        now = self.books.now()
        body = {**order["body"], "state": "paid", "refunded": NOTHING_BACK}
        fresh = {"id": latest + 7, "number": f"{order['number']}-{latest}", "body": body}
        self.books.insert("orders", [{**order, **fresh, "created_at": now, "updated_at": now}])

    def _save(self, order: Row, body: Any) -> None:
        self.books.execute(
            "UPDATE orders SET body = ?, updated_at = ? WHERE shop = ? AND id = ?",
            (json.dumps(body, ensure_ascii=False), self.books.now(), self.shop, order["id"]),
        )

    def edit(self) -> None:
        order = self._any_order()
        self._save(order, {**order["body"], "coupon": f"EDIT-{self.rng.randrange(10**6)}"})

    def cancel(self) -> None:
        """An order that nothing was refunded of is taken back before it was paid."""
        order = self._any_order()
        if order["body"]["refunded"]["total"] == "0.00":
            body = {**order["body"], "state": "cancelled", "cancelled_at": self.books.now()}
            self._save(order, body)

    def refund(self) -> None:
        order = self._any_order()
        body = order["body"]
        if body["state"] not in ("paid", "complete") or body["refunded"]["total"] != "0.00":
            return
        sort = self.rng.choice(refunding.SORTS_OF[PLATFORMS[self.shop]])
        given = refunding.refunds(body, sort)
        refunding.settle(body, given)
        now = self.books.now()
        sql = "SELECT coalesce(max(id), 0) FROM refunds WHERE shop = ?"
        latest = self.books.scalar(sql, (self.shop,))
        rows = [
            {"shop": self.shop, "id": latest + n, "order_id": order["id"], "body": one}
            for n, one in enumerate(given, start=1)
        ]
        self.books.insert(
            "refunds", [{**row, "created_at": now, "updated_at": now} for row in rows]
        )
        self._save(order, body)

    def merge(self) -> None:
        rows = self.books.query("SELECT id FROM customers WHERE shop = ?", (self.shop,))
        if len(rows) > 3:
            kept, gone = self.rng.sample([row["id"] for row in rows], 2)
            # their orders move without a word: no `updated_at` tells of it
            sql = "UPDATE orders SET customer_id = ? WHERE shop = ? AND customer_id = ?"
            self.books.execute(sql, (kept, self.shop, gone))
            merge_customers(self.books, self.shop, kept, gone)

    def late(self, minutes: float) -> int:
        """An order commits now whose transaction began a while ago."""
        order = self._any_order()
        taken = {row["id"] for row in self.books.query("SELECT id FROM orders WHERE shop = ?",
                                                       (self.shop,))}  # fmt: skip
        own = next(n for n in range(max(taken), 0, -1) if n not in taken)
        began = instant_text(self.books.clock() - timedelta(minutes=minutes))
        body = {**order["body"], "state": "paid", "refunded": NOTHING_BACK}
        fresh = {"id": own, "number": f"{order['number']}-{own}", "body": body}
        self.books.insert("orders", [{**order, **fresh, "created_at": began, "updated_at": began}])
        return own


NOTHING_BACK = dict.fromkeys(
    ("goods", "discount", "tax", "shipping", "adjustment", "total"), "0.00"
)
