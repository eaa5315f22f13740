"""The connector at the sandbox's door: it reads what the books say, and what it writes stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from connectors.config import ShopSettings
from connectors.identity import EmailHasher
from connectors.sandbox import SHOPIFY_CLIENT_ID, SHOPIFY_CLIENT_SECRET, SHOPIFY_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.ledger import ledger
from connectors.sandbox.population import populate
from connectors.sandbox.server import Sandbox, serve
from connectors.schema import COUNTED_STATES, TAG, Change, Order
from connectors.shopify import ShopifyShop

pytestmark = pytest.mark.end_to_end

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
AFTER = {"tier": "high", "predicted_12m": "120.50", "scored_at": "2026-11-22", TAG: "clv-high"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    books = Books(":memory:", clock=lambda: NOW)
    populate(books, today=date(2026, 11, 22), limit=100)
    with serve(books) as running:
        yield running
    books.close()


def shop_at(sandbox: Sandbox, **credentials: str) -> ShopifyShop:
    given = credentials or {"token": SHOPIFY_TOKEN}
    tags = frozenset({"clv-high", "clv-low", "clv-new", "clv-medium"})
    settings = ShopSettings("us", "shopify", url=f"{sandbox.url}/us", tags=tags, **given)
    return ShopifyShop(settings, EmailHasher(b"x" * 32))


@pytest.fixture
def shop(sandbox: Sandbox) -> ShopifyShop:
    return shop_at(sandbox)


def test_doctor_finds_nothing_wrong(shop: ShopifyShop) -> None:
    findings = [f for f in shop.check(NOW) if f.name != "clock"]
    assert findings
    assert {finding.status for finding in findings} == {"ok"}


def test_the_client_credentials_open_the_shop(sandbox: Sandbox) -> None:
    shop = shop_at(sandbox, client_id=SHOPIFY_CLIENT_ID, client_secret=SHOPIFY_CLIENT_SECRET)
    assert next(shop.pull_customers(None, NOW)).customers


def test_the_orders_read_are_those_of_the_books_to_the_cent(
    sandbox: Sandbox, shop: ShopifyShop
) -> None:
    pages = list(shop.pull_orders(None, NOW))
    orders: list[Order] = [order for page in pages for order in page.orders]
    truth = ledger(sandbox.books, "us")
    assert not [reject for page in pages for reject in page.rejects]
    assert len(orders) == truth.every.orders == pages[0].expected
    assert sum(len(page.refunds) for page in pages) == truth.refunds
    assert sum(order.is_guest for order in orders) == truth.guests
    counted = [o for o in orders if o.state in COUNTED_STATES and not o.is_test]
    for ours, theirs in (
        (sum(o.goods_value for o in counted), truth.counted.goods),
        (sum(o.discount_value for o in counted), truth.counted.discount),
        (sum(o.tax_value for o in counted), truth.counted.tax),
        (sum(o.shipping_value for o in counted), truth.counted.shipping),
        (sum(o.total_value for o in counted), truth.counted.total),
        (sum(o.refunded_total for o in counted), truth.counted.refunded_total),
    ):
        assert ours == theirs


def test_what_is_written_stands_and_is_taken_back_without_a_trace(
    sandbox: Sandbox, shop: ShopifyShop
) -> None:
    customers = [
        row["id"] for row in sandbox.books.query("SELECT id FROM customers WHERE shop='us'")
    ]
    before = _marks(sandbox.books, customers)
    changes = [Change("us", str(n), before={}, after=AFTER) for n in customers[:30]]
    assert {outcome.status for outcome in shop.push(changes)} == {"applied"}
    shown = {k: v for page in shop.pull_customers(None, NOW) for k, v in page.shown.items()}
    assert [shown[change.customer_id] for change in changes] == [AFTER] * 30
    undone = list(shop.push([change.reversed() for change in changes]))
    assert {outcome.status for outcome in undone} == {"applied"}
    assert _marks(sandbox.books, customers) == before


def _marks(books: Books, customers: list[int]) -> object:
    values = books.values_of("us", customers)
    named = {n: [(r["name"], r["type"], r["value"]) for r in rows] for n, rows in values.items()}
    return named, books.tags_of("us", customers)


def test_lost_tags_are_found_by_reading_back(sandbox: Sandbox, shop: ShopifyShop) -> None:
    books = sandbox.books
    lost = "UPDATE shops SET settings = json_set(settings, '$.drop_tags', ?) WHERE shop = 'us'"
    ids = [
        row["id"]
        for row in books.query("SELECT id FROM customers WHERE shop='us' ORDER BY id DESC LIMIT 20")
    ]
    changes = [Change("us", str(n), before={}, after=AFTER) for n in ids]
    books.execute(lost, [0.5])
    try:
        outcomes = list(shop.push(changes))
    finally:
        books.execute(lost, [0])
    tags = books.tags_of("us", ids)
    untagged = [str(n) for n in ids if "clv-high" not in tags[n]]
    assert 0 < len(untagged) < 20
    assert [o.customer_id for o in outcomes if o.status == "rejected"] == untagged
