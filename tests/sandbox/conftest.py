"""Small books for the sandbox's own tests, asked in process or over loopback."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.app import create_app
from connectors.sandbox.bodies import Line, OrderBody
from connectors.sandbox.books import Books
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.server import Sandbox, open_books, serve

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SMALL = 60
HOST = "127.0.0.1:8123"


@pytest.fixture(scope="session")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of books with the first 60 customers of each shop; copy before writing."""
    path = tmp_path_factory.mktemp("sandbox") / "books.sqlite"
    open_books(path, today=TODAY, limit=SMALL).close()
    return path


@pytest.fixture
def books(populated: Path, tmp_path: Path) -> Iterator[Books]:
    """Both shops with 60 customers each, to be changed at will; the clock stands at NOW."""
    copy = tmp_path / "sandbox.sqlite"
    shutil.copy(populated, copy)
    opened = Books(copy, clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def sandbox(books: Books) -> Iterator[Sandbox]:
    """The same, served on loopback (needs the marker end_to_end)."""
    with serve(books) as running:
        yield running


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answer]


@pytest.fixture
def ask(books: Books) -> Ask:
    """Ask the app in process: `ask("/eu/rest/...", "PUT", headers=..., body=...)`."""
    return asking(books)


@pytest.fixture(scope="session")
def told(populated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """What the Magento of these books says to a GET, as JSON; to be looked at, not changed.

    Nobody changes anything in these books, so they say the same every time and are asked once.
    """
    copy = shutil.copy(populated, tmp_path_factory.mktemp("told") / "sandbox.sqlite")
    books = Books(copy, clock=lambda: NOW)
    ask, headers = asking(books), {"authorization": f"Bearer {MAGENTO_TOKEN}"}
    yield cache(lambda target: ask(target, headers=headers).json())
    books.close()


def asking(books: Books) -> Ask:
    app = create_app(books, FaultPlan())

    def asked(
        target: str, method: str = "GET", headers: dict[str, str] | None = None, body: Any = None
    ) -> Answer:
        parts = urlsplit(target)
        sent = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        scope = {
            "type": "http", "method": method, "path": parts.path, "root_path": "",
            "raw_path": quote(parts.path).encode(), "query_string": parts.query.encode(),
            "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 8123),
            "client": ("127.0.0.1", 1), "headers": [
                (key.lower().encode(), value.encode())
                for key, value in {"host": HOST, **(headers or {})}.items()
            ],
        }  # fmt: skip
        return asyncio.run(_asked(app, scope, sent))

    return asked


async def _asked(app: Any, scope: dict[str, Any], body: bytes) -> Answer:
    status, headers, chunks = 0, {}, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {key.decode().lower(): value.decode() for key, value in message["headers"]}
        else:
            chunks.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(status, headers, b"".join(chunks))


def line(id_: int, net: str, tax: str, *, unit_price: str, discount: str = "0.00") -> Line:
    return {
        "id": id_, "kind": "simple", "sku": f"CD-{id_}", "product_id": 40 + id_,
        "variant_id": 140 + id_, "name": f"Record {id_}", "category": "Jazz", "vendor": "Blue",
        "quantity": 1, "unit_price": unit_price, "net": net, "discount": discount,
        "discount_tax": "0.00", "tax": tax, "tax_percent": "10", "cost": "4.00", "children": [],
    }  # fmt: skip


def body(email: str, lines: list[Line], total: str, **changed: Any) -> OrderBody:
    plain: OrderBody = {
        "email": email, "first_name": "Ada", "last_name": "Møller", "guest": False, "test": False,
        "state": "complete", "store_id": 1, "channel": "web", "coupon": None,
        "display_currency": "USD", "rate": "1", "prices_include_tax": False,
        "shipping": {
            "title": "Post", "net": "5.00", "tax": "0.50", "discount": "0.00",
            "discount_tax": "0.00",
        },
        "lines": lines,
        "refunded": dict.fromkeys(
            ("goods", "discount", "tax", "shipping", "adjustment", "total"), "0.00"
        ),
        "total": total,
    }  # type: ignore[typeddict-item]  # fmt: skip
    return {**plain, **changed}  # type: ignore[typeddict-item]


@pytest.fixture
def tiny() -> Iterator[Books]:
    """A Shopify shop `us`: two customers, three orders (one a guest's), one partial refund."""
    books = Books(":memory:", clock=lambda: NOW)
    books.insert("shops", [{"shop": "us", "platform": "shopify", "currency": "USD",
                            "prices_include_tax": 0, "settings": {"timezone": "UTC"}}])  # fmt: skip
    stamps = {"created_at": "2026-01-01 10:00:00", "updated_at": "2026-01-02 10:00:00"}
    person = {"shop": "us", "last_name": "Møller", "website_id": 1, "store_id": 1, "group_id": 1}
    books.insert("customers", [
        {**person, **stamps, "id": 11, "email": "ada@example.com", "first_name": "Ada",
         "extra": {"newsletter": True, "addresses": []}},
        {**person, **stamps, "id": 12, "email": "bo@example.com", "first_name": "Bo", "extra": {}},
    ])  # fmt: skip
    one = body("ada@example.com", [line(1, "20.00", "2.00", unit_price="20.00"),
                                   line(2, "10.00", "0.90", unit_price="10.00", discount="1.00")],
               "37.40", coupon="TEN")  # fmt: skip
    one["refunded"] = {"goods": "10.00", "discount": "1.00", "tax": "0.90", "shipping": "0.00",
                       "adjustment": "0.00", "total": "9.90"}  # fmt: skip
    two = body("bo@example.com", [line(3, "20.00", "2.00", unit_price="20.00")], "27.50")
    three = body("eve@example.com", [line(4, "20.00", "2.00", unit_price="20.00")], "27.50",
                 guest=True, state="paid")  # fmt: skip
    books.insert("orders", [
        {"shop": "us", "id": 101, "number": "1001", "customer_id": 11, **stamps, "body": one},
        {"shop": "us", "id": 102, "number": "1002", "customer_id": 12, **stamps, "body": two},
        {"shop": "us", "id": 103, "number": "1003", "customer_id": None, **stamps, "body": three},
    ])  # fmt: skip
    books.insert("refunds", [{"shop": "us", "id": 201, "order_id": 101, **stamps, "body": {
        "lines": [{"line_id": 2, "quantity": 1, "net": "10.00", "discount": "1.00",
                   "discount_tax": "0.00", "tax": "0.90"}],
        "shipping": "0.00", "shipping_tax": "0.00", "adjustment_positive": "0.00",
        "adjustment_negative": "0.00", "total": "9.90", "note": "",
    }}])  # fmt: skip
    books.add_tag("us", 11, "VIP")
    books.set_value("us", 11, "custom.erp_number", "single_line_text_field", "E-11")
    yield books
    books.close()
