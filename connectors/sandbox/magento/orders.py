"""Orders as Magento 2.4.7-p3 renders them: base and display amounts, absent keys where unset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.sandbox.basket import NOTHING
from connectors.sandbox.bodies import OrderBody
from connectors.sandbox.books import Row
from connectors.sandbox.magento.items import PAID, Setting, given_back, items
from connectors.sandbox.magento.money import LineSums, Pairs, number
from connectors.sandbox.magento.setup import setup_of
from connectors.sandbox.magento.shop import base_currency
from connectors.sandbox.people import PLACES

STATES = {
    "open": ("new", "pending"), "paid": ("processing", "processing"),
    "complete": ("complete", "complete"), "cancelled": ("canceled", "canceled"),
    "refunded": ("closed", "closed"),
}  # fmt: skip


def order(row: Row, refunds: list[Row], shop: Row, shown: str = "") -> dict[str, Any]:
    """One order. `refunds` are its refunds; `shop` the shop's row of the books.

    `shown`: whose row totals the items have (`Setting.shown`), by default the shop's version's.
    """
    body: OrderBody = row["body"]
    totals = shown or setup_of(shop).row_totals
    setting = Setting(row, body, given_back(body, refunds), totals)
    rendered = list(items(setting))
    pairs = _amounts(body)
    if body["state"] == "cancelled":
        _cancelled(pairs, body)
    if setting.refunded:
        _refunded(pairs, body, refunds)
    return {
        **pairs.fields, **_rates(body, shop), **_who(row, body), **_what(row, body, shop),
        "items": rendered, "billing_address": address(row, body, "billing"),
        "payment": _payment(row, body, pairs), "status_histories": [],
        "extension_attributes": _extension(row, body, pairs, rendered),
    }  # fmt: skip


def _amounts(body: OrderBody) -> Pairs:
    """What every order has, and what it gains once it is paid."""
    pairs, sums, shipping = Pairs(body["rate"]), LineSums(body["lines"]), body["shipping"]
    ship, ship_tax = Decimal(shipping["net"]), Decimal(shipping["tax"])
    ship_inside = Decimal(shipping["discount_tax"])
    ship_off = Decimal(shipping["discount"]) + ship_inside
    off, tax = sums.taken_off + ship_off, sums.tax + ship_tax
    paid = body["state"] in PAID
    pairs.put(
        subtotal=sums.net, subtotal_incl_tax=sums.with_tax, discount_amount=-off,
        discount_tax_compensation_amount=sums.inside, tax_amount=tax,
        shipping_amount=ship, shipping_tax_amount=ship_tax,
        shipping_incl_tax=ship + ship_tax + ship_inside, shipping_discount_amount=ship_off,
        shipping_discount_tax_compensation_amount=ship_inside,
    )  # fmt: skip
    parts = (sums.net, -off, sums.inside, ship_inside, tax, ship)
    pairs.put_sum("grand_total", parts)
    pairs.put_sum("total_due", [NOTHING] if paid else parts)
    if paid:
        pairs.put(
            subtotal_invoiced=sums.net, discount_invoiced=-off, tax_invoiced=tax,
            discount_tax_compensation_invoiced=sums.inside, shipping_invoiced=ship,
        )  # fmt: skip
        pairs.put_sum("total_invoiced", parts)
        pairs.put_sum("total_paid", parts)
        pairs.fields["base_total_invoiced_cost"] = 0
    return pairs


def _cancelled(pairs: Pairs, body: OrderBody) -> None:
    for name in ("discount", "shipping", "subtotal", "tax"):
        whole = name if name == "subtotal" else f"{name}_amount"
        for prefix in ("base_", ""):
            pairs.fields[f"{prefix}{name}_canceled"] = pairs.fields[f"{prefix}{whole}"]
    for prefix in ("base_", ""):
        pairs.fields[f"{prefix}total_canceled"] = pairs.fields[f"{prefix}grand_total"]


def _refunded(pairs: Pairs, body: OrderBody, refunds: list[Row]) -> None:
    back = body["refunded"]
    parts = [part for refund in refunds for part in refund["body"]["lines"]]
    inside = sum((Decimal(part["discount_tax"]) for part in parts), NOTHING)
    positive, negative = (
        sum((Decimal(refund["body"][f"adjustment_{side}"]) for refund in refunds), NOTHING)
        for side in ("positive", "negative")
    )
    ship_tax = sum((Decimal(refund["body"]["shipping_tax"]) for refund in refunds), NOTHING)
    off = -(Decimal(back["discount"]) + inside)
    goods, shipping, tax = (Decimal(back[name]) for name in ("goods", "shipping", "tax"))
    pairs.put(
        adjustment_positive=positive, adjustment_negative=negative, discount_refunded=off,
        discount_tax_compensation_refunded=inside, shipping_refunded=shipping,
        shipping_tax_refunded=ship_tax, subtotal_refunded=goods, tax_refunded=tax,
    )  # fmt: skip
    whole = (goods, off, inside, tax, shipping, positive, -negative)
    pairs.put_sum("total_refunded", whole)
    pairs.put_sum("total_offline_refunded", whole)


def _rates(body: OrderBody, shop: Row) -> dict[str, Any]:
    code, rate = base_currency(shop, body["store_id"])
    return {
        "base_currency_code": code, "global_currency_code": shop["currency"],
        "store_currency_code": code, "order_currency_code": body["display_currency"],
        "base_to_global_rate": number(rate), "base_to_order_rate": number(Decimal(body["rate"])),
        "store_to_base_rate": 0, "store_to_order_rate": 0,
    }  # fmt: skip


def _who(row: Row, body: OrderBody) -> dict[str, Any]:
    """A guest has no `customer_id` key at all."""
    who: dict[str, Any] = {
        "customer_email": body["email"], "customer_firstname": body["first_name"],
        "customer_lastname": body["last_name"], "customer_is_guest": int(body["guest"]),
        "customer_group_id": 0 if body["guest"] else 1, "customer_note_notify": 1,
        "remote_ip": "127.0.0.1",
    }  # fmt: skip
    if row["customer_id"] is not None:
        who["customer_id"] = row["customer_id"]
    return who


def _what(row: Row, body: OrderBody, shop: Row) -> dict[str, Any]:
    state, status = STATES[body["state"]]
    quantity = sum(line["quantity"] for line in body["lines"])
    virtual = _is_virtual(body)
    what = {
        "entity_id": row["id"], "increment_id": row["number"], "created_at": row["created_at"],
        "updated_at": row["updated_at"], "state": state, "status": status, "email_sent": 1,
        "store_id": body["store_id"], "store_name": _store_name(shop, body["store_id"]),
        "is_virtual": int(virtual), "total_item_count": len(body["lines"]),
        "total_qty_ordered": quantity, "weight": 0 if virtual else quantity,
        "quote_id": row["id"] + 9, "billing_address_id": 2 * row["id"],
        "protect_code": hashlib.md5(row["number"].encode(), usedforsecurity=False).hexdigest(),
    }  # fmt: skip
    if not virtual:
        what["shipping_description"] = f"{body['shipping']['title']} - Fixed"
    if body["coupon"]:
        what |= {"coupon_code": body["coupon"], "discount_description": body["coupon"],
                 "applied_rule_ids": "1"}  # fmt: skip
    return what


def _store_name(shop: Row, store_id: int) -> str:
    settings = shop["settings"]
    view = next(view for view in settings["store_views"] if view["id"] == store_id)
    website = next(site for site in settings["websites"] if site["id"] == view["website_id"])
    return f"{website['name']}\n{website['name']} Store\n{view['name']}"


def address(row: Row, body: OrderBody, sort: str) -> dict[str, Any]:
    """The billing or shipping address of an order: made up, there to be dropped on read."""
    country = body.get("country", "US" if body["store_id"] == 3 else "DE")
    street, postcode, city, telephone = PLACES.get(country, PLACES["US"])
    return {
        "address_type": sort, "city": city, "country_id": country,
        "email": body["email"], "entity_id": 2 * row["id"] - (sort == "shipping"),
        "firstname": body["first_name"], "lastname": body["last_name"], "parent_id": row["id"],
        "postcode": postcode, "street": [f"{street} 1"], "telephone": telephone,
    }  # fmt: skip


def _payment(row: Row, body: OrderBody, pairs: Pairs) -> dict[str, Any]:
    fields = pairs.fields
    payment = {
        "account_status": None, "additional_information": ["Check / Money order"],
        "amount_ordered": fields["grand_total"], "base_amount_ordered": fields["base_grand_total"],
        "base_shipping_amount": fields["base_shipping_amount"], "cc_last4": None,
        "entity_id": row["id"], "method": "checkmo", "parent_id": row["id"],
        "shipping_amount": fields["shipping_amount"],
    }  # fmt: skip
    if body["state"] in PAID:
        payment |= {
            "amount_paid": fields["total_paid"],
            "base_amount_paid": fields["base_total_paid"],
        }
    return payment


def _extension(
    row: Row, body: OrderBody, pairs: Pairs, rendered: list[dict[str, Any]]
) -> Mapping[str, Any]:
    totals = {name: value for name, value in pairs.fields.items() if "shipping_" in name}
    shipping: dict[str, Any] = {"total": totals}
    if not _is_virtual(body):
        shipping |= {"address": address(row, body, "shipping"), "method": "flatrate_flatrate"}
    return {
        "shipping_assignments": [{"shipping": shipping, "items": rendered}],
        "payment_additional_info": [{"key": "method_title", "value": "Check / Money order"}],
        "applied_taxes": [], "item_applied_taxes": [], "taxes": [],
        "additional_itemized_taxes": [], "converting_from_quote": False,
    }  # fmt: skip


def _is_virtual(body: OrderBody) -> bool:
    return all(line["kind"] == "virtual" for line in body["lines"])
