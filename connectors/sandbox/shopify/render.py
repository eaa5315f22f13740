"""The sandbox's orders in the words of Shopify's REST API, version 2026-07 and later.

https://shopify.dev/docs/api/admin-rest/latest/resources/order (2026-11-21). What bites there is
kept: money is text, but a refund line's `subtotal` and `total_tax` are floats; where prices
include tax, prices, discounts and subtotals include it too; the nested customer has no totals;
line items have no product type; a guest's customer is null; an adjustment is what was *not* given
back, so shipping that went back stands there with a minus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.sandbox.bodies import OrderBody
from connectors.sandbox.books import Row
from connectors.sandbox.shopify.lines import fulfillments, line_items, shipping_line, tax_lines
from connectors.sandbox.shopify.money import (
    ZERO,
    Json,
    Pen,
    discount_of,
    gid,
    plain,
    price_of,
    total_of,
)
from connectors.sandbox.shopify.refunds import paid_back, refund_json, returned, subtotal_of


@dataclass(frozen=True, slots=True)
class Sums:
    """What an order comes to in Shopify's sense, as it was placed.

    `goods` and `shipping` are before discounts; they and the discounts include tax where the
    shop's prices do.
    """

    goods: Decimal
    goods_discount: Decimal
    shipping: Decimal
    shipping_discount: Decimal
    tax: Decimal
    total: Decimal

    @property
    def discount(self) -> Decimal:
        return self.goods_discount + self.shipping_discount

    @property
    def subtotal(self) -> Decimal:
        return self.goods - self.goods_discount


def sums_of(body: OrderBody) -> Sums:
    """The order as it was placed, before returns."""
    included = body["prices_include_tax"]
    lines, shipping = body["lines"], body["shipping"]
    return Sums(
        goods=total_of(price_of(line, included) for line in lines),
        goods_discount=total_of(discount_of(line, included) for line in lines),
        shipping=price_of(shipping, included),
        shipping_discount=discount_of(shipping, included),
        tax=total_of(Decimal(part["tax"]) for part in (*lines, shipping)),
        total=Decimal(body["total"]),
    )


def financial_status(body: OrderBody) -> str:
    """https://shopify.dev/docs/api/admin-rest/latest/resources/order#resource-object"""
    went_back = Decimal(body["refunded"]["total"])
    if body["state"] == "open":
        return "pending"
    if body["state"] == "cancelled":
        return "refunded" if went_back else "voided"
    if body["state"] == "refunded":
        return "refunded"
    return "partially_refunded" if went_back else "paid"


def order_json(order: Row, refunds: Sequence[Row], customer: Json | None, shop_pen: Pen) -> Json:
    """One order with its lines and refunds, all keys that a real 2026-07 answer has."""
    body: OrderBody = order["body"]
    pen = shop_pen.for_buyer(body)
    lines = line_items(order, refunds, pen)
    return {
        **_about(order, body, pen),
        **_placed(body, sums_of(body), pen),
        **_left(body, refunds, pen),
        "customer": customer,
        "billing_address": _order_address(body),
        "shipping_address": _order_address(body),
        "line_items": list(lines.values()),
        "shipping_lines": [shipping_line(order, body, pen)],
        "fulfillments": fulfillments(order, lines, pen),
        "refunds": [refund_json(order, refund, lines, pen) for refund in refunds],
    }


def refunds_json(order: Row, refunds: Sequence[Row], shop_pen: Pen) -> list[Json]:
    """The refunds of one order, for their own address."""
    return list(order_json(order, refunds, None, shop_pen)["refunds"])


def _about(order: Row, body: OrderBody, pen: Pen) -> Json:
    number = int(order["number"].partition("-")[0])
    cancelled = body.get("cancelled_at") if body["state"] == "cancelled" else None
    closed = body["state"] in ("complete", "refunded")
    return {
        **ALWAYS,
        "id": order["id"],
        "admin_graphql_api_id": gid("Order", order["id"]),
        "cancel_reason": "customer" if cancelled else None,
        "cancelled_at": pen.instant(cancelled) if cancelled else None,
        "closed_at": pen.instant(order["updated_at"]) if closed else None,
        "contact_email": body["email"],
        "created_at": pen.instant(order["created_at"]),
        "email": body["email"],
        "financial_status": financial_status(body),
        "fulfillment_status": "fulfilled" if closed else None,
        "name": f"#{order['number']}",
        "number": number - 1000,
        "order_number": number,
        "order_status_url": f"https://shop.example.com/orders/{order['id']}/authenticate",
        "processed_at": pen.instant(order["created_at"]),
        "source_name": body["channel"],
        "taxes_included": body["prices_include_tax"],
        "test": body["test"],
        "token": f"{order['id']:032x}",
        "updated_at": pen.instant(order["updated_at"]),
    }


#: Keys that a real order has and that mean nothing here.
EMPTY = (
    "cart_token", "checkout_id", "checkout_token", "confirmation_number",
    "current_total_additional_fees_set", "current_total_duties_set", "customer_locale",
    "device_id", "landing_site", "landing_site_ref", "location_id", "merchant_of_record_app_id",
    "note", "original_total_additional_fees_set", "original_total_duties_set", "phone",
    "po_number", "reference", "referring_site", "source_identifier", "source_url", "user_id",
)  # fmt: skip
CLIENT_DETAILS = (
    "accept_language", "browser_height", "browser_ip", "browser_width", "session_hash",
    "user_agent",
)  # fmt: skip
#: What is the same in every order.
ALWAYS: Json = {
    **dict.fromkeys(EMPTY),
    "app_id": 580111,
    "browser_ip": "127.0.0.1",
    "buyer_accepts_marketing": False,
    "client_details": dict.fromkeys(CLIENT_DETAILS) | {"browser_ip": "127.0.0.1"},
    "confirmed": True,
    "duties_included": False,
    "estimated_taxes": False,
    "merchant_business_entity_id": "MTAwMDAwMDAwMQ",
    "note_attributes": [],
    "payment_gateway_names": ["bogus"],
    "payment_terms": None,
    "tags": "",
    "tax_exempt": False,
    "total_tip_received": "0.00",
    "total_weight": 0,
}


def _placed(body: OrderBody, sums: Sums, pen: Pen) -> Json:
    """Amounts before returns, discounts and taxes."""
    unpaid = body["state"] == "open"
    return {
        "currency": pen.currency,
        "presentment_currency": pen.presentment,
        **pen.named("subtotal_price", sums.subtotal),
        **pen.named("total_discounts", sums.discount),
        **pen.named("total_line_items_price", sums.goods),
        **pen.named("total_price", sums.total),
        **pen.named("total_tax", sums.tax),
        "total_shipping_price_set": pen.both(sums.shipping),
        "total_cash_rounding_payment_adjustment_set": pen.both(ZERO),
        "total_cash_rounding_refund_adjustment_set": pen.both(ZERO),
        "total_outstanding": f"{sums.total if unpaid else ZERO:.2f}",
        "discount_codes": _discount_codes(body, sums),
        "discount_applications": _discount_applications(body, sums),
        "tax_lines": _order_tax_lines(body, pen),
    }


def _left(body: OrderBody, refunds: Sequence[Row], pen: Pen) -> Json:
    named = (pen.named(name, amount) for name, amount in left_of(body, refunds).items())
    return {key: value for pair in named for key, value in pair.items()}


def left_of(body: OrderBody, refunds: Sequence[Row]) -> dict[str, Decimal]:
    """What is left after returns, by the names that REST gives it.

    Returned lines and shipping count, money that was given or kept beside them doesn't.
    """
    sums, parts = sums_of(body), returned(refunds)
    included = body["prices_include_tax"]
    freight = total_of(Decimal(refund["body"]["shipping"]) for refund in refunds)
    freight_tax = total_of(Decimal(refund["body"]["shipping_tax"]) for refund in refunds)
    taxes = total_of(Decimal(part["tax"]) for part in parts) + freight_tax
    return {
        "current_subtotal_price": sums.subtotal - total_of(subtotal_of(p, included) for p in parts),
        "current_total_discounts": sums.discount
        - total_of(discount_of(p, included) for p in parts),
        "current_total_price": sums.total - paid_back(parts) - freight - freight_tax,
        "current_total_tax": sums.tax - taxes,
    }


def _discount_codes(body: OrderBody, sums: Sums) -> list[Json]:
    if not body["coupon"]:
        return []
    return [{"code": body["coupon"], "amount": f"{sums.discount:.2f}", "type": "fixed_amount"}]


def _discount_applications(body: OrderBody, sums: Sums) -> list[Json]:
    """One for the goods, one for the shipping; allocations point at them by their place."""
    named = (
        {"type": "discount_code", "code": body["coupon"]}
        if body["coupon"]
        else {"type": "automatic", "title": "Promotion"}
    )
    targets = (("line_item", sums.goods_discount), ("shipping_line", sums.shipping_discount))
    return [
        {
            "target_type": target,
            **named,
            "value": plain(amount),
            "value_type": "fixed_amount",
            "allocation_method": "across",
            "target_selection": "all",
        }
        for target, amount in targets
        if amount
    ]


def _order_tax_lines(body: OrderBody, pen: Pen) -> list[Json]:
    rate = max((Decimal(line["tax_percent"]) for line in body["lines"]), default=ZERO)
    amount = total_of(Decimal(part["tax"]) for part in (*body["lines"], body["shipping"]))
    return tax_lines(amount, rate, pen)


# ------------------------------------------------------------------ people


def customer_json(customer: Row, tags: Sequence[str], pen: Pen) -> Json:
    """The customer inside an order: no totals, tags as one text."""
    asked = pen.instant(customer["created_at"])
    return {
        "id": customer["id"],
        "email": customer["email"],
        "created_at": asked,
        "updated_at": pen.instant(customer["updated_at"]),
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "phone": None,
        "email_marketing_consent": _consent(asked),
        "sms_marketing_consent": _consent(asked) | {"consent_collected_from": "OTHER"},
        "tags": ", ".join(tags),
        "currency": pen.currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", customer["id"]),
        "default_address": _customer_address(customer),
    }


def _consent(asked_at: str) -> Json:
    return {
        "state": "not_subscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": asked_at,
    }


#: What is left of an address for an app that may not see where somebody lives (a report of 2024-11,
#: https://github.com/nozzlegear/ShopifySharp/issues/1110).
UNPROTECTED = ("country", "country_code", "province", "province_code")


def unprotected(order: Json) -> Json:
    """The order as such an app gets it."""
    left = {
        name: {key: order[name][key] for key in UNPROTECTED}
        for name in ("billing_address", "shipping_address")
    }
    return {**order, **left}


COUNTRIES = {"US": "United States", "CA": "Canada", "GB": "United Kingdom", "MX": "Mexico"}


def _address(first_name: str, last_name: str) -> Json:
    return {
        "first_name": first_name,
        "last_name": last_name,
        "name": f"{first_name} {last_name}",
        "company": None,
        "address1": "1 Sandbox Street",
        "address2": "",
        "city": "Springfield",
        "zip": "00001",
        "province": "Kentucky",
        "province_code": "KY",
        "country": "United States",
        "country_code": "US",
        "phone": "+15550100",
    }


def country_of(body: OrderBody) -> str:
    return body.get("country", "US")


def _order_address(body: OrderBody) -> Json:
    code = country_of(body)
    return _address(body["first_name"], body["last_name"]) | {
        "country": COUNTRIES[code],
        "country_code": code,
        "latitude": None,
        "longitude": None,
    }


def _customer_address(customer: Row) -> Json:
    return _address(customer["first_name"], customer["last_name"]) | {
        "id": customer["id"],
        "customer_id": customer["id"],
        "country_name": "United States",
        "default": True,
    }
