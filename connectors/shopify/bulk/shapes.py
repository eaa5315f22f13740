"""What the lines of a result mostly look like, and the orders of a share put together of them.

msgspec reads lines into these shapes or refuses; `usual.py` makes rows of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from connectors.shopify.bulk.refunded import Wanted

ORDER, LINE, SHIPPING, CUSTOMER = (
    f"gid://shopify/{kind}/" for kind in ("Order", "LineItem", "ShippingLine", "Customer")
)


class Unusual(Exception):
    """This has to be read with care."""


class Shape(msgspec.Struct, gc=False):
    """Fields that aren't named are none of our business. Shapes hold no cycles."""


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


class Address(Shape):
    country_code: str | None


class Child(Shape):
    """What belongs to an order, and costs something."""

    id: str
    parent: str = msgspec.field(name="__parentId")
    price_set: Money
    discount_allocations: tuple[Taken, ...]
    tax_lines: tuple[Tax, ...]


class LineNode(Child, tag_field="__typename", tag="LineItem"):
    sku: str | None
    quantity: int
    total_discount_set: Money | None


class ShippingNode(Child, tag_field="__typename", tag="ShippingLine"):
    is_removed: bool
    discounted_price_set: Money | None


class OrderNode(Shape, tag_field="__typename", tag="Order"):
    id: str
    name: str
    test: bool
    email: str | None
    customer: Named | None
    shipping_address: Address | None
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


def number_of(gid: str, prefix: str) -> str:
    number = gid.removeprefix(prefix)
    if not (number.isascii() and number.isdigit()):
        raise Unusual
    return number


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
        Usual(number_of(key, ORDER), order, lines.get(key, ()), shippings.get(key, ()))
        for key, order in orders.items()
    ]
