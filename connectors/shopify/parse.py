"""A Shopify order becomes an order, its lines and its refunds: pure, without HTTP.

In the form that REST has (https://shopify.dev/docs/api/admin-rest/latest/resources/order,
2026-11-21), which `nodes.py` gives to GraphQL's orders, too. Line items carry no product type, so
lines have no category (a vendor is none), and no cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from connectors.errors import PayloadError
from connectors.identity import EmailHasher
from connectors.platform import Reject
from connectors.schema import Order, OrderLine, Refund, State, country_of
from connectors.shopify.documents import ADDRESS
from connectors.shopify.money import LineSum, OrderSum, order_sum, total_of
from connectors.shopify.reading import Part
from connectors.shopify.refunds import parse_refunds

#: What is asked for over REST. Notes stay in the shop; `customer` and addresses can't be had in
#: part, so all but an id and a country are dropped on reading; `email` is hashed at once where
#: there is no customer.
ORDER_FIELDS = (
    "id,name,created_at,processed_at,updated_at,cancelled_at,test,source_name,currency,"
    "presentment_currency,taxes_included,duties_included,financial_status,fulfillment_status,"
    "total_price,total_price_set,total_tax,total_tax_set,total_discounts,total_discounts_set,"
    "total_tip_received,original_total_duties_set,original_total_additional_fees_set,"
    "discount_codes,line_items,shipping_lines,refunds,customer,email,"
    "shipping_address,billing_address"
)

#: What the financial status says of an order that wasn't cancelled. Part of a payment is no
#: payment yet. A null was seen on orders without any transaction: nothing has been paid.
STATES: dict[str | None, State] = {
    "paid": "paid",
    "partially_refunded": "paid",
    "refunded": "refunded",
    "voided": "cancelled",
    "pending": "open",
    "authorized": "open",
    "partially_paid": "open",
    "expired": "open",
    None: "open",
}


@dataclass(slots=True)
class Parsed:
    """What a page of payloads brought."""

    orders: list[Order] = field(default_factory=list)
    lines: list[OrderLine] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def add(self, order: Order, lines: list[OrderLine], refunds: list[Refund]) -> None:
        self.orders.append(order)
        self.lines.extend(lines)
        self.refunds.extend(refunds)

    def extend(self, other: Parsed) -> None:
        self.orders.extend(other.orders)
        self.lines.extend(other.lines)
        self.refunds.extend(other.refunds)
        self.rejects.extend(other.rejects)


def parse_orders(
    shop: str, payloads: Iterable[object], hasher: EmailHasher, since: datetime | None = None
) -> Parsed:
    """Every order that can be read, placed at or after `since`; the others as rejects."""
    parsed = Parsed()
    for place, payload in enumerate(payloads):
        try:
            order, lines, refunds = parse_order(shop, payload, hasher)
        except PayloadError as error:
            row_id = _row_id(payload) or f"row {place}"
            parsed.rejects.append(Reject(shop, "orders", row_id, error.field, error.message))
            continue
        if since is None or order.ordered_at >= since:
            parsed.add(order, lines, refunds)
    return parsed


def _row_id(payload: object) -> str | None:
    try:
        return Part(payload).id("id") if isinstance(payload, dict) else None
    except PayloadError:
        return None


def parse_order(
    shop: str, payload: Any, hasher: EmailHasher
) -> tuple[Order, list[OrderLine], list[Refund]]:
    """One order. PayloadError names the field that is missing, wrong, or doesn't add up."""
    if not isinstance(payload, dict):
        raise PayloadError("the order is no object", field="order")
    try:
        return _parsed(shop, Part(payload, _currency(Part(payload))), hasher)
    except (ArithmeticError, ValueError):  # amounts beyond all measure
        raise PayloadError("the amounts can't be added up", field="total_price") from None


def _parsed(
    shop: str, part: Part, hasher: EmailHasher
) -> tuple[Order, list[OrderLine], list[Refund]]:
    sums = order_sum(part)
    refunds = parse_refunds(shop, part)
    order = _order(shop, part, sums, refunds, hasher)
    return order, [_line(shop, order.order_id, line) for line in sums.lines], refunds


def _currency(part: Part) -> str:
    code = part.needed("currency")
    if not is_currency(code):
        raise part.wrong("currency", "is no currency code")
    return code


@lru_cache(maxsize=2**8)
def is_currency(code: str) -> bool:
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()


def _order(
    shop: str, part: Part, sums: OrderSum, refunds: Sequence[Refund], hasher: EmailHasher
) -> Order:
    customer_id = _customer_id(part)
    return Order(
        shop=shop,
        order_id=part.needed_id("id"),
        order_number=part.needed("name"),
        customer_id=customer_id,
        person_key=customer_id or hasher.person_key(part.text("email")),
        ordered_at=part.instant(_placed(part)),
        updated_at=part.instant("updated_at"),
        state=state_of(part),
        is_guest=customer_id is None,
        is_test=part.flag("test"),
        currency=part.needed("currency"),
        goods_value=sums.goods,
        discount_value=sums.discount,
        tax_value=sums.tax,
        shipping_value=sums.shipping,
        total_value=sums.total,
        refunded_value=total_of(refund.refunded_value for refund in refunds),
        refunded_shipping=total_of(refund.refunded_shipping for refund in refunds),
        refunded_total=total_of(refund.refunded_total for refund in refunds),
        channel=part.text("source_name"),
        coupon=_coupon(part),
        country=_country(part),
    )


def _placed(part: Part) -> str:
    """An order imported from elsewhere was placed when `processed_at` says, not when created."""
    return "processed_at" if part.text("processed_at") else "created_at"


def _customer_id(part: Part) -> str | None:
    customer = part.part("customer")
    return customer.needed_id("id") if customer else None


def _country(part: Part) -> str | None:
    """Where it was sent, else billed to. GraphQL gives the one of the two that there is."""
    for name in (ADDRESS, "billing_address"):
        address = part.part(name)
        if country := country_of(address.text("country_code") if address else None):
            return country
    return None


def _coupon(part: Part) -> str | None:
    """The first code. GraphQL lists the bare codes."""
    codes = part.data.get("discount_codes")
    if isinstance(codes, list) and codes and isinstance(codes[0], str):
        return codes[0].strip() or None
    listed = part.parts("discount_codes")
    return listed[0].text("code") if listed else None


def state_of(part: Part) -> State:
    """Cancelled, whatever was paid, else by payment; `complete` is paid and shipped."""
    if part.text("cancelled_at"):
        return "cancelled"
    if "financial_status" not in part.data:
        raise part.wrong("financial_status", "is missing")
    status = part.word("financial_status")
    if status not in STATES:
        raise part.wrong("financial_status", "is of an unknown kind")
    state = STATES[status]
    shipped = part.word("fulfillment_status") == "fulfilled"
    return "complete" if state == "paid" and shipped else state


def _line(shop: str, order_id: str, worth: LineSum) -> OrderLine:
    line = worth.line
    return OrderLine(
        shop=shop,
        order_id=order_id,
        line_id=line.needed_id("id"),
        sku=line.text("sku"),
        product_id=line.id("product_id"),
        category=None,
        quantity=line.number("quantity"),
        net_value=worth.goods - worth.discount,
        unit_cost=None,
    )
