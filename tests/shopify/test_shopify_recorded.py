"""Everything that was ever recorded of a shop: it reads, or is refused with the field's name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.errors import PayloadError
from connectors.identity import EmailHasher
from connectors.shopify.customers import parse_customer
from connectors.shopify.parse import parse_orders

HASHER = EmailHasher(b"a key of sixteen bytes or more")


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from objects(child)


def kind(found: dict[str, Any]) -> str | None:
    """What an object is, in REST's form or in GraphQL's; an input or a mere id is nothing."""
    told = str(found.get("id", found.get("admin_graphql_api_id", "")))
    named = told.removeprefix("gid://shopify/").partition("/")[0] if len(found) > 1 else ""
    if "line_items" in found or named == "Order":
        return "order"
    return "customer" if named == "Customer" or "orders_count" in found else None


def test_every_recorded_order_and_customer_reads_or_is_refused_by_field(shared: Path) -> None:
    seen = Counter[str]()
    for path in sorted((shared / "payloads" / "shopify").rglob("*.json")):
        recorded = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        for found in objects(recorded):
            what = kind(found)
            if what == "order":
                seen[_order(found)] += 1
            elif what == "customer":
                seen[_customer(found)] += 1
    assert not seen["without a field"]
    assert seen["order read"] >= 29
    assert seen["order refused"] > 50
    assert seen["customer read"] + seen["customer refused"] > 100


def _order(found: dict[str, Any]) -> str:
    parsed = parse_orders("toys", [found], HASHER)
    assert len(parsed.orders) + len(parsed.rejects) == 1
    assert all(reject.field and reject.reason for reject in parsed.rejects)
    return "order read" if parsed.orders else "order refused"


def _customer(found: dict[str, Any]) -> str:
    try:
        parse_customer("toys", found, HASHER)
    except PayloadError as error:
        return "customer refused" if error.field else "without a field"
    return "customer read"
