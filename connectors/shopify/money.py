"""What an order's parts are worth: goods, discount, tax, shipping, in shop money.

Where `taxes_included` is false, prices are net and the tax comes on top. Where it is true, every
price holds its tax (https://shopify.dev/docs/api/admin-rest/latest/resources/order, 2026-11-21):
a line of price p * quantity, discount d and tax t is worth p - d - t after discounts. Its price
before discounts is taken net at the same ratio, goods = p * (p - d - t) / (p - d), and
the discount without tax is goods - (p - d - t), so that the two always add up. A line that was
discounted to nothing carries no tax: its price and discount stand as given.

A discount on shipping lowers the shipping, not the goods. Tips, duties and fees are "every other
charge": they stand with the shipping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from connectors.shopify.reading import ZERO, Part

FINEST = Decimal("0.0001")

#: Currencies whose smallest unit is not a hundredth (ISO 4217). The amounts don't tell: GraphQL
#: writes 15.0 where REST writes 15.00.
WHOLE = frozenset({
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


class LineSum(NamedTuple):
    """A line of goods before discounts and what was taken off, both without tax."""

    line: Part
    goods: Decimal
    discount: Decimal


class OrderSum(NamedTuple):
    """The parts of an order."""

    lines: Sequence[LineSum]
    tax: Decimal
    shipping: Decimal
    total: Decimal

    @property
    def goods(self) -> Decimal:
        return total_of(line.goods for line in self.lines)

    @property
    def discount(self) -> Decimal:
        return total_of(line.discount for line in self.lines)


class Basket(NamedTuple):
    """An order's lines by what they are. A shipping that was taken off again is none."""

    goods: Sequence[Part]
    tips: Sequence[Part]
    shipping: Sequence[Part]


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def order_sum(order: Part) -> OrderSum:
    """The parts, checked against the total. PayloadError where they don't add up.

    A few smallest units may be left over by rounding: where the customer paid in another currency
    (each amount is converted on its own) or the tax is taken out of prices (each tax is rounded on
    its own), at most one for each amount. They go to the other charges. Else nothing may be left.
    """
    included = order.flag("taxes_included")
    tax, total = order.nullable_money("total_tax"), order.money("total_price")
    basket = _basket(order)
    lines = _line_sums(order, basket, included)
    shipping = _shipping(basket, included) + _other_charges(order, basket.tips)
    parts = total_of(line.goods - line.discount for line in lines) + tax + shipping
    rest = total - parts
    if rest and abs(rest) > _rounding(order, included):
        raise order.wrong("total_price", f"says {total}, the parts add up to {parts}")
    return OrderSum(lines, tax, shipping + rest, total)


def _basket(order: Part) -> Basket:
    lines = order.parts("line_items", needed=True)
    shipping = [s for s in order.parts("shipping_lines", needed=True) if not _is_removed(s)]
    tips = _tips(order, lines)
    return Basket([line for line in lines if line not in tips], tips, shipping)


def _is_removed(line: Part) -> bool:
    return bool(line.data.get("is_removed"))


def _tips(order: Part, lines: Sequence[Part]) -> Sequence[Part]:
    """A tip is a line of its own. REST marks it by how it was paid; GraphQL marks nothing.

    There the last line that can be a tip and comes to just what the order names as its tips is it,
    or else all such lines together.
    """
    told = order.optional_money("total_tip_received") or ZERO
    marked = [line for line in lines if _is_marked(line)]
    if marked or not told:
        return marked
    like = [line for line in lines if _is_like_a_tip(line)]
    alone = [line for line in like if _price(line) == told][-1:]
    return alone or (like if total_of(map(_price, like)) == told else [])


def _is_marked(line: Part) -> bool:
    return bool(line.data.get("tip_payment_gateway") or line.data.get("tip_payment_method"))


def _is_like_a_tip(line: Part) -> bool:
    return line.data.get("requires_shipping") is False and not line.text("sku")


def _price(line: Part) -> Decimal:
    return line.money("price") * line.number("quantity")


def _line_sums(order: Part, basket: Basket, included: bool) -> list[LineSum]:
    prices = [_price(line) for line in basket.goods]
    discounts = _discounts(order, basket, prices)
    return [
        _line_sum(line, price, discount, included)
        for line, price, discount in zip(basket.goods, prices, discounts, strict=True)
    ]


def _line_sum(line: Part, price: Decimal, discount: Decimal, included: bool) -> LineSum:
    if not included:
        return LineSum(line, price, discount)
    return LineSum(line, *without_tax(price, discount, tax_of(line)))


def without_tax(price: Decimal, discount: Decimal, tax: Decimal) -> tuple[Decimal, Decimal]:
    """Goods and discount of a line whose price and discount hold the tax."""
    paid = price - discount
    if paid <= 0 or discount == 0:
        return price - tax, discount
    goods = (price * (paid - tax) / paid).quantize(FINEST)
    return goods, goods - (paid - tax)


def _discounts(order: Part, basket: Basket, prices: Sequence[Decimal]) -> Sequence[Decimal]:
    """What was taken off each line. Older answers name it for the whole order only."""
    told = [_taken_off(line) for line in basket.goods]
    whole = order.nullable_money("total_discounts")
    if any(told) or not whole:
        return told
    left = whole - total_of(map(_off_shipping, basket.shipping))
    return list(_spread(left, prices)) if left > 0 else told


def _taken_off(line: Part) -> Decimal:
    return _allocated(line) or line.optional_money("total_discount") or ZERO


def _spread(amount: Decimal, weights: Sequence[Decimal]) -> Iterator[Decimal]:
    """`amount` in proportion to the weights, to the last digit; the last one takes the rest."""
    whole, given = total_of(weights), ZERO
    for weight in weights[:-1]:
        share = (amount * weight / whole).quantize(FINEST) if whole else ZERO
        given += share
        yield share
    if weights:
        yield amount - given


def _allocated(line: Part) -> Decimal:
    return line.sum_of("discount_allocations", "amount")


def tax_of(line: Part) -> Decimal:
    return line.sum_of("tax_lines", "price")


def _off_shipping(line: Part) -> Decimal:
    if allocated := _allocated(line):
        return allocated
    discounted = line.optional_money("discounted_price")
    return ZERO if discounted is None else line.money("price") - discounted


def _shipping(basket: Basket, included: bool) -> Decimal:
    paid = total_of(line.money("price") - _off_shipping(line) for line in basket.shipping)
    return paid - total_of(map(tax_of, basket.shipping)) if included else paid


def _other_charges(order: Part, tips: Sequence[Part]) -> Decimal:
    """Tips, duties and fees as they were before returns."""
    duties = order.optional_money("original_total_duties") or ZERO
    fees = order.optional_money("original_total_additional_fees") or ZERO
    in_prices = order.data.get("duties_included") is True
    told = order.optional_money("total_tip_received") or total_of(map(_price, tips))
    return told + fees + (ZERO if in_prices else duties)


def _rounding(order: Part, included: bool) -> Decimal:
    paid_in = order.text("presentment_currency")
    if not included and paid_in in (None, order.currency):
        return ZERO
    parts = (*order.parts("line_items"), *order.parts("shipping_lines"))
    amounts = sum(
        1 + len(p.parts("tax_lines")) + len(p.parts("discount_allocations")) for p in parts
    )
    return _smallest_unit(order.currency) * amounts


def _smallest_unit(currency: str | None) -> Decimal:
    if currency in WHOLE:
        return Decimal(1)
    return Decimal("0.001" if currency in THOUSANDTHS else "0.01")
