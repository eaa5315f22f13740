"""A whole shop read over GraphQL and over REST: the very same rows, whichever way it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.config import ShopSettings
from connectors.identity import EmailHasher
from connectors.platform import Page
from connectors.sandbox import SHOPIFY_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.population import populate
from connectors.sandbox.server import Sandbox, serve
from connectors.sandbox.shopify.setup import configure
from connectors.schema import Order
from connectors.shopify import ShopifyShop
from connectors.shopify.graphql import _tell_hidden

pytestmark = pytest.mark.end_to_end

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    books = Books(":memory:", clock=lambda: NOW)
    populate(books, today=date(2026, 11, 22), limit=60)
    with serve(books) as running:
        yield running
    books.close()


def pulled(sandbox: Sandbox, way: str) -> list[Page]:
    settings = ShopSettings("us", "shopify", f"{sandbox.url}/us", token=SHOPIFY_TOKEN, read=way)
    shop = ShopifyShop(settings, EmailHasher(b"x" * 32))
    history = list(shop.pull_orders(None, NOW - timedelta(days=30)))
    return [*history, *shop.pull_orders(history[-1].cursor, NOW)]


def rows(pages: list[Page]) -> dict[str, object]:
    """By kind and id. Products apart: GraphQL's would need a scope that we don't ask for."""
    found: dict[str, object] = {}
    for page in pages:
        found |= {f"order {order.order_id}": order for order in page.orders}
        found |= {f"refund {refund.refund_id}": refund for refund in page.refunds}
        found |= {f"line {line.line_id}": replace(line, product_id=None) for line in page.lines}
    return found


def test_both_ways_bring_the_same_orders_lines_and_refunds(sandbox: Sandbox) -> None:
    graphql, rest = pulled(sandbox, "graphql"), pulled(sandbox, "rest")
    assert not [reject for page in (*graphql, *rest) for reject in page.rejects]
    assert rows(graphql) == rows(rest)
    assert {"order", "refund", "line"} == {name.partition(" ")[0] for name in rows(graphql)}
    assert graphql[-1].cursor == rest[-1].cursor


def test_both_ways_tell_the_countries_of_the_books(sandbox: Sandbox) -> None:
    sql = "SELECT id, json_extract(body, '$.country') AS country FROM orders WHERE shop = 'us'"
    books = {str(row["id"]): row["country"] for row in sandbox.books.query(sql)}
    assert len(set(books.values())) > 2
    for way in ("graphql", "rest"):
        told = {one.order_id: one.country for page in pulled(sandbox, way) for one in page.orders}
        assert told == {one: books[one] for one in told}


def test_an_app_that_may_not_see_addresses_reads_all_else(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """GraphQL denies each of them; REST leaves the country (a report of 2024-11)."""
    before = [rows(pulled(sandbox, way)) for way in ("graphql", "rest")]
    _tell_hidden.cache_clear()
    configure(sandbox.books, "us", hide_addresses=True)
    try:
        hidden, rest = [rows(pulled(sandbox, way)) for way in ("graphql", "rest")]
    finally:
        configure(sandbox.books, "us", hide_addresses=False)
    assert rest == before[1]
    assert {getattr(row, "country", None) for row in hidden.values()} == {None}
    assert hidden == {
        name: replace(row, country=None) if isinstance(row, Order) else row
        for name, row in before[0].items()
    }
    told = [one.getMessage() for one in caplog.records if "countries_hidden" in one.getMessage()]
    assert told == ["countries_hidden shop=us: the app may not read addresses"]
