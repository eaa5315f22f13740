"""Orders and refunds in no platform's words: what the books keep and both dialects render.

For every order, to the cent:

    total = sum(line.net - line.discount + line.tax)              over the top-level lines
            + shipping.net - shipping.discount + shipping.tax

where line.tax and shipping.tax are what is left of the tax after discounts. The same holds for
the parts of a refund: goods - discount + tax + shipping + adjustment = total. Amounts are decimal
strings in the shop's own currency.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

State = Literal["open", "paid", "complete", "cancelled", "refunded"]
Kind = Literal["simple", "configurable", "bundle", "virtual"]


class Line(TypedDict):
    """One line. Children (a configurable's chosen variant, a bundle's parts) repeat, never add.

    A configurable has one child, the chosen variant, with the same sku and quantity and no amounts.
    A bundle's children carry the amounts too: they sum up to their parent.
    """

    id: int
    kind: Kind
    sku: str
    product_id: int
    variant_id: int
    name: str
    category: str
    vendor: str
    quantity: int
    unit_price: str
    """As the shop shows it: with tax where `prices_include_tax`, before discounts."""
    net: str
    """The whole row before discounts, without tax."""
    discount: str
    """The whole row's discount, positive, without tax."""
    discount_tax: str
    """The tax inside the discount (Magento's tax compensation); "0.00" where prices exclude tax."""
    tax: str
    """The whole row's tax after discounts."""
    tax_percent: str
    cost: str
    """What one unit cost the shop."""
    children: list[Line]


class Shipping(TypedDict):
    """`net` before discounts, `discount` and `discount_tax` positive, `tax` after discounts."""

    title: str
    net: str
    tax: str
    discount: str
    discount_tax: str


class Refunded(TypedDict):
    """What went back so far over all refunds. `goods` and `shipping` are without tax.

    `adjustment` is positive for money given on top, negative for a fee kept.
    """

    goods: str
    discount: str
    tax: str
    shipping: str
    adjustment: str
    total: str


class OrderBody(TypedDict):
    """One order in no platform's words."""

    email: str
    first_name: str
    last_name: str
    guest: bool
    test: bool
    state: State
    store_id: int
    channel: str
    coupon: str | None
    display_currency: str
    """What the buyer saw; the books keep the shop's own currency."""
    rate: str
    """One unit of the shop's currency in `display_currency`."""
    prices_include_tax: bool
    shipping: Shipping
    lines: list[Line]
    refunded: Refunded
    total: str
    cancelled_at: NotRequired[str]
    country: NotRequired[str]
    """Where it goes; without, where the shop sells."""


class RefundedLine(TypedDict):
    """What went back of one top-level line; `quantity` may be 0 for money without goods."""

    line_id: int
    quantity: int
    net: str
    discount: str
    discount_tax: str
    tax: str


class RefundBody(TypedDict):
    """One refund (a credit memo): lines, shipping without tax and its tax, adjustments, total."""

    lines: list[RefundedLine]
    shipping: str
    shipping_tax: str
    adjustment_positive: str
    adjustment_negative: str
    total: str
    note: str
