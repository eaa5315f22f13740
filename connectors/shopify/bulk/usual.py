"""An order as it mostly is, out of a share's lines: the quick way, to the same rows.

The shapes below say what a line of the result mostly looks like. msgspec reads lines into them, or
refuses; and what can't be told at a glance (a tip, a discount that no line names, amounts that
don't add up to the last digit) is `Unusual`. All that is read with care then (`families.py`,
`parse.py`), and only there anything is complained of. So nothing here may give another row than
the careful way does: it may only decline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from connectors.identity import EmailHasher
from connectors.schema import Order, OrderLine, Refund, State
from connectors.shopify.bulk.refunded import Wanted
from connectors.shopify.money import total_of, without_tax
from connectors.shopify.parse import STATES, is_currency
from connectors.shopify.reading import ZERO, Part, sensible
from connectors.shopify.refunds import parse_refunds

ORDER, LINE, SHIPPING, CUSTOMER = (
    f"gid://shopify/{kind}/" for kind in ("Order", "LineItem", "ShippingLine", "Customer")
)


class Unusual(Exception):
    """This has to be read with care."""


# ------------------------------------------------------------------------------------------ shapes


class Shape(msgspec.Struct, gc=False):
    """Fields that aren't named are none of our business."""


class Amount(Shape):
    amount: str
    currency_code: str


class Money(Shape):
    shop_money: Amount


class Taken(Shape):
    amount_set: Money


class Tax(Shape):
    price_set: Money


class Named(Shape):
    id: str


class LineNode(Shape, tag_field="__typename", tag="LineItem"):
    id: str
    parent: str = msgspec.field(name="__parentId")
    sku: str | None
    quantity: int
    price_set: Money
    total_discount_set: Money | None
    discount_allocations: tuple[Taken, ...]
    tax_lines: tuple[Tax, ...]


class ShippingNode(Shape, tag_field="__typename", tag="ShippingLine"):
    id: str
    parent: str = msgspec.field(name="__parentId")
    is_removed: bool
    price_set: Money
    discounted_price_set: Money | None
    discount_allocations: tuple[Taken, ...]
    tax_lines: tuple[Tax, ...]


class OrderNode(Shape, tag_field="__typename", tag="Order"):
    id: str
    name: str
    test: bool
    email: str | None
    customer: Named | None
    created_at: datetime
    processed_at: datetime | None
    updated_at: datetime
    cancelled_at: str | None
    source_name: str | None
    discount_codes: tuple[str, ...]
    currency: str
    presentment_currency: str | None
    taxes_included: bool
    financial_status: str | None
    fulfillment_status: str | None
    total_price_set: Money
    total_tax_set: Money | None
    total_discounts_set: Money | None
    total_tip_received_set: Money | None
    original_total_duties_set: Money | None
    original_total_additional_fees_set: Money | None
    current_total_additional_fees_set: Money | None
    refunds: tuple[Named, ...]


_rows = msgspec.json.Decoder(OrderNode | LineNode | ShippingNode).decode_lines


class Usual(NamedTuple):
    """An order of a share with what belongs to it."""

    number: str
    order: OrderNode
    lines: Sequence[LineNode]
    shippings: Sequence[ShippingNode]

    @property
    def wanted(self) -> Wanted:
        """What has to be asked for besides."""
        node = self.order
        here = node.presentment_currency == node.currency
        return Wanted(self.number, [refund.id for refund in node.refunds], here)


def joined(share: bytes) -> list[Usual]:
    """The orders of a share, put together. Raises Unusual for the whole of it."""
    try:
        rows = _rows(share)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unusual from None
    orders: dict[str, OrderNode] = {}
    lines: defaultdict[str, list[LineNode]] = defaultdict(list)
    shippings: defaultdict[str, list[ShippingNode]] = defaultdict(list)
    for row in rows:
        if isinstance(row, LineNode):
            lines[row.parent].append(row)
        elif isinstance(row, OrderNode):
            if row.id in orders:
                raise Unusual  # it is there twice
            orders[row.id] = row
        else:
            shippings[row.parent].append(row)
    if not (lines.keys() <= orders.keys() and shippings.keys() <= orders.keys()):
        raise Unusual  # an order is missing
    return [
        Usual(_number(key, ORDER), order, lines.get(key, ()), shippings.get(key, ()))
        for key, order in orders.items()
    ]


# ------------------------------------------------------------------------------------------ values


class _Exact(dict[str | int, Decimal]):
    """Amounts and quantities that are none below zero, each looked at once: most come again."""

    def __missing__(self, told: str | int) -> Decimal:
        number = sensible(told)
        if number is None or number < 0:
            raise Unusual
        if len(self) > 2**14:
            self.clear()
        self[told] = number
        return number


_exact = _Exact()


def _money(money: Money, currency: str) -> Decimal:
    amount = money.shop_money
    if amount.currency_code != currency:
        raise Unusual
    return _exact[amount.amount]


def _optional(money: Money | None, currency: str) -> Decimal:
    return _money(money, currency) if money else ZERO


def _number(gid: str, prefix: str) -> str:
    number = gid.removeprefix(prefix)
    if not (number.isascii() and number.isdigit()):
        raise Unusual
    return number


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is UTC and not instant.microsecond:
        return instant
    if instant.tzinfo is None or instant.microsecond:
        raise Unusual
    return instant.astimezone(UTC)


# ------------------------------------------------------------------------------------------- orders


def read(
    shop: str, usual: Usual, refunds: Sequence[Any], hasher: EmailHasher
) -> tuple[Order, list[OrderLine], list[Refund]]:
    """An order's rows, its refunds as REST has them. Raises Unusual, PayloadError, ValueError."""
    node, currency = usual.order, usual.order.currency
    if not is_currency(currency):
        raise Unusual
    for rows in (usual.lines, usual.shippings):
        if len(rows) > 1 and len({row.id for row in rows}) < len(rows):
            raise Unusual  # a row is there twice
    worth = [_worth(line, currency, node.taxes_included) for line in usual.lines]
    goods = discount = ZERO
    for price, off in worth:
        goods += price
        discount += off
    if (_optional(node.total_discounts_set, currency) and not discount) or _other_charges(
        node, currency
    ):
        raise Unusual  # which line it was taken off isn't told; or what was paid besides
    back = parse_refunds(shop, _refund_part(node, refunds)) if refunds else []
    customer_id = _customer_id(node)
    order = Order(
        shop=shop,
        order_id=usual.number,
        order_number=_needed(node.name),
        customer_id=customer_id,
        person_key=customer_id or hasher.person_key(node.email),
        ordered_at=_utc(node.processed_at or node.created_at),
        updated_at=_utc(node.updated_at),
        state=_state(node),
        is_guest=customer_id is None,
        is_test=node.test,
        currency=currency,
        goods_value=goods,
        discount_value=discount,
        tax_value=_optional(node.total_tax_set, currency),
        shipping_value=_shipping(usual, currency),
        total_value=_money(node.total_price_set, currency),
        refunded_value=total_of(refund.refunded_value for refund in back) if back else ZERO,
        refunded_shipping=total_of(refund.refunded_shipping for refund in back) if back else ZERO,
        refunded_total=total_of(refund.refunded_total for refund in back) if back else ZERO,
        channel=_text(node.source_name),
        coupon=_text(node.discount_codes[0]) if node.discount_codes else None,
    )
    return order, _lines(shop, usual.number, usual.lines, worth), back


def _worth(line: LineNode, currency: str, included: bool) -> tuple[Decimal, Decimal]:
    """Goods and discount, both without tax."""
    price = _money(line.price_set, currency) * _exact[line.quantity]
    discount = _taken_off(line, currency) or _optional(line.total_discount_set, currency)
    return without_tax(price, discount, _tax(line, currency)) if included else (price, discount)


def _taken_off(row: LineNode | ShippingNode, currency: str) -> Decimal:
    taken = row.discount_allocations
    return total_of(_money(one.amount_set, currency) for one in taken) if taken else ZERO


def _tax(row: LineNode | ShippingNode, currency: str) -> Decimal:
    return total_of(_money(one.price_set, currency) for one in row.tax_lines)


def _lines(
    shop: str, order_id: str, nodes: Sequence[LineNode], worth: Sequence[tuple[Decimal, Decimal]]
) -> list[OrderLine]:
    return [
        OrderLine(
            shop=shop,
            order_id=order_id,
            line_id=_number(node.id, LINE),
            sku=_text(node.sku),
            product_id=None,
            category=None,
            quantity=_exact[node.quantity],
            net_value=goods - discount,
            unit_cost=None,
        )
        for node, (goods, discount) in zip(nodes, worth, strict=True)
    ]


def _shipping(usual: Usual, currency: str) -> Decimal:
    """What was paid for shipping, without tax."""
    paid = ZERO
    for row in usual.shippings:
        _number(row.id, SHIPPING)
        if row.is_removed:
            continue
        price = _money(row.price_set, currency)
        if taken := _taken_off(row, currency):
            price -= taken
        elif row.discounted_price_set:
            price = _money(row.discounted_price_set, currency)
        paid += price - _tax(row, currency) if usual.order.taxes_included else price
    return paid


def _other_charges(node: OrderNode, currency: str) -> Decimal:
    """Tips, duties and fees."""
    tips = _optional(node.total_tip_received_set, currency)
    duties = _optional(node.original_total_duties_set, currency)
    return tips + duties + _optional(node.original_total_additional_fees_set, currency)


def _state(node: OrderNode) -> State:
    if _text(node.cancelled_at):
        return "cancelled"
    status = node.financial_status
    state = STATES.get(status.lower() if status else status)
    if state is None:
        raise Unusual
    return "complete" if state == "paid" and node.fulfillment_status == "FULFILLED" else state


def _needed(text: str) -> str:
    text = text.strip()
    if not text:
        raise Unusual
    return text


def _customer_id(node: OrderNode) -> str | None:
    return _number(node.customer.id, CUSTOMER) if node.customer else None


def _refund_part(node: OrderNode, refunds: Sequence[Any]) -> Part:
    """As much of an order as its refunds have to do with."""
    fees = ("original_total_additional_fees_set", "current_total_additional_fees_set")
    told = {name: msgspec.to_builtins(getattr(node, name)) for name in fees}
    own = {"id": node.id, "currency": node.currency, "taxes_included": node.taxes_included}
    return Part({**own, **told, "refunds": refunds}, node.currency)
