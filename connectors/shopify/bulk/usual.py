"""An order as it mostly is, out of a share's lines: the quick way, to the same rows.

What can't be told at a glance (a tip, a discount that no line names, amounts that don't add up to
the last digit) is `Unusual`. All that is read with care then (`families.py`, `parse.py`), and only
there anything is complained of. So nothing here may give another row than the careful way does: it
may only decline.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from connectors.identity import EmailHasher
from connectors.schema import Order, OrderLine, Refund, State, country_of
from connectors.shopify.bulk.shapes import (
    CUSTOMER,
    LINE,
    SHIPPING,
    LineNode,
    Money,
    OrderNode,
    ShippingNode,
    Unusual,
    Usual,
    number_of,
)
from connectors.shopify.money import total_of, without_tax
from connectors.shopify.parse import STATES, is_currency
from connectors.shopify.reading import ZERO, Part, sensible
from connectors.shopify.refunds import parse_refunds

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
    order = _order(shop, usual, hasher, (goods, discount), back)
    return order, _lines(shop, usual.number, usual.lines, worth), back


def _order(
    shop: str,
    usual: Usual,
    hasher: EmailHasher,
    worth: tuple[Decimal, Decimal],
    back: Sequence[Refund],
) -> Order:
    node, currency = usual.order, usual.order.currency
    customer_id = _customer_id(node)
    return Order(
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
        goods_value=worth[0],
        discount_value=worth[1],
        tax_value=_optional(node.total_tax_set, currency),
        shipping_value=_shipping(usual, currency),
        total_value=_money(node.total_price_set, currency),
        refunded_value=total_of(refund.refunded_value for refund in back) if back else ZERO,
        refunded_shipping=total_of(refund.refunded_shipping for refund in back) if back else ZERO,
        refunded_total=total_of(refund.refunded_total for refund in back) if back else ZERO,
        channel=_text(node.source_name),
        coupon=_text(node.discount_codes[0]) if node.discount_codes else None,
        country=country_of(node.shipping_address.country_code) if node.shipping_address else None,
    )


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
            line_id=number_of(node.id, LINE),
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
        number_of(row.id, SHIPPING)
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
    return number_of(node.customer.id, CUSTOMER) if node.customer else None


def _refund_part(node: OrderNode, refunds: Sequence[Any]) -> Part:
    """As much of an order as its refunds have to do with."""
    fees = ("original_total_additional_fees_set", "current_total_additional_fees_set")
    told = {name: msgspec.to_builtins(getattr(node, name)) for name in fees}
    own = {"id": node.id, "currency": node.currency, "taxes_included": node.taxes_included}
    return Part({**own, **told, "refunds": refunds}, node.currency)
