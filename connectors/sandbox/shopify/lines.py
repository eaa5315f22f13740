"""The sandbox's order lines, shipping, taxes and fulfilments in Shopify's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from connectors.sandbox.bodies import Line, OrderBody
from connectors.sandbox.books import Row
from connectors.sandbox.shopify.money import (
    ZERO,
    Json,
    Pen,
    discount_of,
    gid,
    price_of,
)

#: What is the same in every line.
ALWAYS: Json = {
    "attributed_staffs": [],
    "duties": [],
    "fulfillment_service": "manual",
    "gift_card": False,
    "grams": 0,
    "product_exists": True,
    "properties": [],
    "taxable": True,
    "variant_inventory_management": "shopify",
    "variant_title": None,
}


def line_items(order: Row, refunds: Sequence[Row], pen: Pen) -> dict[int, Json]:
    """Line items by their id. A bundle is one line, a configurable is its variant."""
    body: OrderBody = order["body"]
    gone: dict[int, int] = {}
    for refund in refunds:
        for part in refund["body"]["lines"]:
            gone[part["line_id"]] = gone.get(part["line_id"], 0) + part["quantity"]
    return {line["id"]: _line(line, body, gone.get(line["id"], 0), pen) for line in body["lines"]}


def _line(line: Line, body: OrderBody, gone: int, pen: Pen) -> Json:
    discount = discount_of(line, body["prices_include_tax"])
    left = line["quantity"] - gone
    shipped = body["state"] in ("complete", "refunded")
    return {
        **ALWAYS,
        "id": line["id"],
        "admin_graphql_api_id": gid("LineItem", line["id"]),
        "current_quantity": left,
        "discount_allocations": _allocations(discount, 0, pen),
        "fulfillable_quantity": 0 if shipped else left,
        "fulfillment_status": "fulfilled" if shipped else None,
        "name": line["name"],
        **pen.named("price", Decimal(line["unit_price"])),
        "product_id": line["product_id"],
        "quantity": line["quantity"],
        "requires_shipping": line["kind"] != "virtual",
        "sku": line["sku"],
        "tax_lines": tax_lines(Decimal(line["tax"]), Decimal(line["tax_percent"]), pen),
        "title": line["name"],
        **pen.named("total_discount", ZERO),
        "variant_id": line["variant_id"],
        "vendor": line["vendor"],
    }


def _allocations(amount: Decimal, application: int, pen: Pen) -> list[Json]:
    if not amount:
        return []
    return [{**pen.named("amount", amount), "discount_application_index": application}]


def shipping_line(order: Row, body: OrderBody, pen: Pen) -> Json:
    shipping, included = body["shipping"], body["prices_include_tax"]
    price, discount = price_of(shipping, included), discount_of(shipping, included)
    applied_behind = int(any(discount_of(line, included) for line in body["lines"]))
    rate = max((Decimal(line["tax_percent"]) for line in body["lines"]), default=ZERO)
    return {
        "id": order["id"] * 10 + 1,
        "carrier_identifier": None,
        "code": shipping["title"],
        **pen.named("discounted_price", price - discount),
        "is_removed": False,
        "phone": None,
        **pen.named("price", price),
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": shipping["title"],
        "tax_lines": tax_lines(Decimal(shipping["tax"]), rate, pen),
        "discount_allocations": _allocations(discount, applied_behind, pen),
    }


def fulfillments(order: Row, lines: Mapping[int, Json], pen: Pen) -> list[Json]:
    if order["body"]["state"] not in ("complete", "refunded"):
        return []
    number = order["id"] * 10 + 2
    parcel = f"SP{number}"
    sent = pen.instant(order["created_at"])
    return [
        {
            "id": number,
            "admin_graphql_api_id": gid("Fulfillment", number),
            "created_at": sent,
            "location_id": 1,
            "name": f"#{order['number']}.1",
            "order_id": order["id"],
            "origin_address": {},
            "receipt": {},
            "service": "manual",
            "shipment_status": None,
            "status": "success",
            "tracking_company": "Sandbox Post",
            "tracking_number": parcel,
            "tracking_numbers": [parcel],
            "tracking_url": f"https://post.example.com/{parcel}",
            "tracking_urls": [f"https://post.example.com/{parcel}"],
            "updated_at": sent,
            "line_items": list(lines.values()),
        }
    ]


def tax_lines(amount: Decimal, percent: Decimal, pen: Pen) -> list[Json]:
    if not amount:
        return []
    line = {"channel_liable": None, **pen.named("price", amount)}
    return [line | {"rate": float(percent / 100), "title": "State Tax"}]
