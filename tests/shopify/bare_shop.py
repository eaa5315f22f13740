"""A sandbox's Shopify with customers and their tags, and nothing else; and the door to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.sandbox import SHOPIFY_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.server import Sandbox, serve
from connectors.sandbox.shopify.setup import Setup, configure
from connectors.shopify import ShopifyShop
from connectors.shopify.auth import HEADER
from connectors.shopify.graphql import pause, throttled

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
OURS = frozenset({"clv-high", "clv-medium", "clv-low", "clv-new"})
USUAL = {name: getattr(Setup(), name) for name in Setup.__dataclass_fields__}
WHO = {"website_id": 1, "store_id": 1, "group_id": 1, "first_name": "A", "last_name": "B"}
TIMES = {"created_at": "2026-01-01 00:00:00", "updated_at": "2026-01-01 00:00:00"}


@contextmanager
def bare_sandbox() -> Iterator[Sandbox]:
    books = Books(":memory:", clock=lambda: NOW)
    shop = {"platform": "shopify", "currency": "USD", "prices_include_tax": 0}
    books.insert("shops", [{"shop": "us", **shop, "settings": {}}])
    with serve(books) as running:
        yield running
    books.close()


def refilled(sandbox: Sandbox, tags: Mapping[int, Sequence[str]]) -> Books:
    """The shop as on its first day, with these customers and their tags."""
    books = sandbox.books
    for table in ("customers", "customer_tags", "customer_values", "definitions", "segments"):
        books.execute(f"DELETE FROM {table}")  # noqa: S608  our own words
    books.execute("DELETE FROM request_journal")
    sandbox.faults.set([])
    configure(books, "us", **USUAL)
    people = [{"shop": "us", "id": n, "email": f"{n}@example.org", "extra": {}} for n in tags]
    with books.transaction():
        books.insert("customers", [{**one, **WHO, **TIMES} for one in people])
        worn = [(number, tag) for number, theirs in tags.items() for tag in theirs]
        rows = [{"shop": "us", "customer_id": number, "tag": tag} for number, tag in worn]
        books.insert("customer_tags", rows)
    return books


def door(sandbox: Sandbox, sleep: Callable[[float], None]) -> Http:
    return Http(
        f"{sandbox.url}/us",
        shop="us",
        headers={HEADER: SHOPIFY_TOKEN},
        sleep=sleep,
        throttled=throttled,
        pause=pause,
    )


def shop_behind(http: Http, *, segments: bool = True) -> ShopifyShop:
    url = "https://us.myshopify.com"
    settings = ShopSettings(
        "us", "shopify", url=url, token=SHOPIFY_TOKEN, tags=OURS, tiers=OURS, segments=segments
    )
    return ShopifyShop(settings, EmailHasher(b"x" * 32), http)


def asked(books: Books, word: str) -> int:
    """How many requests so far hold this word."""
    return sum(word in row["sent"] for row in books.journal())
