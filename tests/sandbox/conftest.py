"""Small books for the sandbox's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.sandbox.bodies import Line, OrderBody
from connectors.sandbox.books import Books

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


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
