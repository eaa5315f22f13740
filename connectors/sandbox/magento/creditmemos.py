"""Credit memos as Magento 2.4.7-p3 renders them: row totals before discounts, no parent totals."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from connectors.sandbox.basket import NOTHING, cents
from connectors.sandbox.bodies import Line, OrderBody, RefundBody
from connectors.sandbox.books import Row
from connectors.sandbox.magento.items import Back, given_back
from connectors.sandbox.magento.money import Pairs, number
from connectors.sandbox.magento.shop import base_currency


def creditmemo(refund: Row, order: Row, shop: Row) -> dict[str, Any]:
    """One credit memo; `order` is the order it belongs to."""
    body: OrderBody = order["body"]
    rendered = list(_items(refund, body))
    code, rate = base_currency(shop, body["store_id"])
    plain = {
        "base_currency_code": code, "global_currency_code": shop["currency"],
        "store_currency_code": code, "order_currency_code": body["display_currency"],
        "base_to_global_rate": number(rate), "base_to_order_rate": number(Decimal(body["rate"])),
        "store_to_base_rate": 0, "store_to_order_rate": 0, "billing_address_id": 2 * order["id"],
        "shipping_address_id": 2 * order["id"] - 1, "created_at": refund["created_at"],
        "updated_at": refund["updated_at"], "entity_id": refund["id"],
        "increment_id": f"{refund['id']:09d}", "order_id": order["id"], "state": 2,
        "store_id": body["store_id"], "items": rendered, "comments": [],
    }  # fmt: skip
    if body["coupon"]:
        plain["discount_description"] = body["coupon"]
    return {**_amounts(refund["body"], body["rate"]), **plain}


def _amounts(memo: RefundBody, rate: str) -> dict[str, Any]:
    pairs = Pairs(rate)
    net, discount, inside, tax = (
        sum((Decimal(part[name]) for part in memo["lines"]), NOTHING)
        for name in ("net", "discount", "discount_tax", "tax")
    )
    shipping, shipping_tax = Decimal(memo["shipping"]), Decimal(memo["shipping_tax"])
    positive = Decimal(memo["adjustment_positive"])
    negative = Decimal(memo["adjustment_negative"])
    off = -(discount + inside)
    pairs.put(
        adjustment=positive - negative, discount_amount=off, subtotal=net,
        discount_tax_compensation_amount=inside, shipping_amount=shipping,
        shipping_incl_tax=shipping + shipping_tax, shipping_tax_amount=shipping_tax,
        subtotal_incl_tax=net + tax + inside, tax_amount=tax + shipping_tax,
    )  # fmt: skip
    if positive or negative:
        pairs.put(adjustment_positive=positive, adjustment_negative=negative)
    pairs.put_sum(
        "grand_total",
        (net, off, inside, tax + shipping_tax, shipping, positive, -negative),
    )
    return pairs.fields


def _items(refund: Row, body: OrderBody) -> Iterator[dict[str, Any]]:
    """What went back, line by line; a configurable's child and a bundle's parent show no totals."""
    back = given_back(body, [refund])
    for line in body["lines"]:
        if line["id"] not in back:
            continue
        amounts = {} if line["kind"] == "bundle" else _totals(line, back, body["rate"])
        yield _item(refund, line, back, body["rate"]) | amounts
        for child in line["children"]:
            amounts = _totals(child, back, body["rate"]) if line["kind"] == "bundle" else {}
            yield _item(refund, child, back, body["rate"]) | amounts


def _item(refund: Row, line: Line, back: Back, rate: str) -> dict[str, Any]:
    pairs = Pairs(rate)
    unit = cents(Decimal(line["net"]) / line["quantity"])
    pairs.put(price=unit)
    if Decimal(line["unit_price"]):
        pairs.put(price_incl_tax=Decimal(line["unit_price"]))
    return pairs.fields | {
        "base_cost": None, "entity_id": refund["id"] * 1000 + line["id"] % 1000,
        "name": line["name"], "order_item_id": line["id"], "parent_id": refund["id"],
        "product_id": line["product_id"], "qty": int(back[line["id"]]["quantity"]),
        "sku": line["sku"],
    }  # fmt: skip


def _totals(line: Line, back: Back, rate: str) -> dict[str, Any]:
    part, pairs = back[line["id"]], Pairs(rate)
    off = part["discount"] + part["discount_tax"]
    pairs.put(
        row_total=part["net"], tax_amount=part["tax"],
        row_total_incl_tax=part["net"] + part["tax"] + part["discount_tax"],
        discount_tax_compensation_amount=part["discount_tax"],
    )  # fmt: skip
    if off:
        pairs.put(discount_amount=off)
    weee = {"base_weee_tax_row_disposition": 0, "weee_tax_applied": "[]",
            "weee_tax_applied_row_amount": 0, "weee_tax_row_disposition": 0}  # fmt: skip
    return pairs.fields | weee
