"""Rows of the schema for tests: plausible by themselves, every field open to change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.platform import Page
from connectors.schema import Customer, Order, OrderLine, Refund

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
PARTS = ("goods_value", "discount_value", "tax_value", "shipping_value")


def order(order_id: str, **changed: Any) -> Order:
    """100 of goods for 90, and 5 of shipping. The total follows from the parts."""
    row: dict[str, Any] = {
        "shop": "eu",
        "order_id": order_id,
        "order_number": f"#{order_id}",
        "customer_id": "7",
        "person_key": "7",
        "ordered_at": NOW - timedelta(days=30),
        "updated_at": NOW - timedelta(days=30),
        "state": "complete",
        "is_guest": False,
        "is_test": False,
        "currency": "EUR",
        "goods_value": Decimal(100),
        "discount_value": Decimal(10),
        "tax_value": Decimal(18),
        "shipping_value": Decimal(5),
        "refunded_value": Decimal(0),
        "refunded_shipping": Decimal(0),
        "refunded_total": Decimal(0),
    } | changed
    goods, discount, tax, shipping = (row[part] for part in PARTS)
    return Order(**{"total_value": goods - discount + tax + shipping} | row)


def guest(order_id: str, person_key: str | None, **changed: Any) -> Order:
    return order(order_id, customer_id=None, person_key=person_key, is_guest=True, **changed)


def line(order_id: str, number: int = 1, **changed: Any) -> OrderLine:
    row: dict[str, Any] = {
        "shop": "eu",
        "order_id": order_id,
        "line_id": f"{order_id}-{number}",
        "sku": "MUG",
        "product_id": "11",
        "category": "Kitchen",
        "quantity": Decimal(2),
        "net_value": Decimal(90),
        "unit_cost": Decimal("20.50"),
    }
    return OrderLine(**row | changed)


def refund(refund_id: str, **changed: Any) -> Refund:
    row: dict[str, Any] = {
        "shop": "eu",
        "refund_id": refund_id,
        "order_id": "1",
        "refunded_at": NOW,
        "currency": "EUR",
        "refunded_value": Decimal(30),
        "refunded_shipping": Decimal(0),
        "refunded_tax": Decimal(6),
        "refunded_total": Decimal(36),
    }
    return Refund(**row | changed)


def customer(customer_id: str, **changed: Any) -> Customer:
    row: dict[str, Any] = {
        "shop": "eu",
        "customer_id": customer_id,
        "email_key": f"guest-{customer_id}",
        "website": "1",
        "group": "2",
        "created_at": NOW - timedelta(days=90),
        "updated_at": NOW - timedelta(days=90),
    }
    return Customer(**row | changed)


def page(*rows: Order | OrderLine | Refund | Customer, **more: Any) -> Page:
    """The rows sorted into a page; the cursor is of no account unless given."""
    kinds = {"orders": Order, "lines": OrderLine, "refunds": Refund, "customers": Customer}
    sorted_rows = {
        name: [row for row in rows if isinstance(row, kind)] for name, kind in kinds.items()
    }
    return Page(**{"cursor": {"after": len(rows)}} | sorted_rows | more)
