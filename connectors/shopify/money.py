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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connectors.shopify.reading import Part

ZERO = Decimal(0)
FINEST = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class LineSum:
    """A line before discounts and what was taken off, both without tax."""

    goods: Decimal
    discount: Decimal


@dataclass(frozen=True, slots=True)
class OrderSum:
    """The parts of an order; `lines` in the order of `goods_lines`."""

    lines: Sequence[LineSum]
    tax: Decimal
    shipping: Decimal
    total: Decimal

    @property
    def goods(self) -> Decimal:
        return sum((line.goods for line in self.lines), ZERO)

    @property
    def discount(self) -> Decimal:
        return sum((line.discount for line in self.lines), ZERO)


def order_sum(order: Part) -> OrderSum:
    """The parts, checked against the total. PayloadError where they don't add up.

    A few smallest units may be left over by rounding: where the customer paid in another currency
    (each amount is converted on its own) or the tax is taken out of prices (each tax is rounded on
    its own), at most one for each amount. They go to the other charges. Else nothing may be left.
    """
    included = order.flag("taxes_included")
    tax, total = order.money("total_tax"), order.money("total_price")
    lines = _line_sums(order, included)
    shipping = _shipping(order, included) + _other_charges(order)
    parts = sum((line.goods - line.discount for line in lines), ZERO) + tax + shipping
    rest = total - parts
    if abs(rest) > _rounding(order, included, total):
        raise order.wrong("total_price", f"says {total}, the parts add up to {parts}")
    return OrderSum(lines, tax, shipping + rest, total)


def goods_lines(order: Part) -> Sequence[Part]:
    """The lines that are goods. A tip is a line of its own, marked by how it was paid."""
    return [line for line in order.parts("line_items", needed=True) if not _is_tip(line)]


def _is_tip(line: Part) -> bool:
    return any(line.data.get(f"tip_payment_{key}") for key in ("gateway", "method"))


def _line_sums(order: Part, included: bool) -> list[LineSum]:
    lines = goods_lines(order)
    prices = [line.money("price") * line.number("quantity") for line in lines]
    discounts = _discounts(order, lines, prices)
    return [
        _line_sum(line, price, discount, included)
        for line, price, discount in zip(lines, prices, discounts, strict=True)
    ]


def _line_sum(line: Part, price: Decimal, discount: Decimal, included: bool) -> LineSum:
    if not included:
        return LineSum(price, discount)
    paid, tax = price - discount, tax_of(line)
    if paid <= 0 or discount == 0:
        return LineSum(price - tax, discount)
    goods = (price * (paid - tax) / paid).quantize(FINEST)
    return LineSum(goods, goods - (paid - tax))


def _discounts(order: Part, lines: Sequence[Part], prices: Sequence[Decimal]) -> list[Decimal]:
    """What was taken off each line. Older answers name it for the whole order only."""
    told = [_allocated(line) or line.optional_money("total_discount") or ZERO for line in lines]
    left = order.money("total_discounts") - sum(map(_off_shipping, _shipping_lines(order)), ZERO)
    if any(told) or left <= 0:
        return told
    return list(_spread(left, prices))


def _spread(amount: Decimal, weights: Sequence[Decimal]) -> Iterator[Decimal]:
    """`amount` in proportion to the weights, to the last digit; the last one takes the rest."""
    whole, given = sum(weights, ZERO), ZERO
    for weight in weights[:-1]:
        share = (amount * weight / whole).quantize(FINEST) if whole else ZERO
        given += share
        yield share
    if weights:
        yield amount - given


def _allocated(line: Part) -> Decimal:
    return sum((part.money("amount") for part in line.parts("discount_allocations")), ZERO)


def tax_of(line: Part) -> Decimal:
    return sum((part.money("price") for part in line.parts("tax_lines")), ZERO)


def _shipping_lines(order: Part) -> list[Part]:
    lines = order.parts("shipping_lines", needed=True)
    return [line for line in lines if not line.data.get("is_removed")]


def _off_shipping(line: Part) -> Decimal:
    discounted = line.optional_money("discounted_price")
    if allocated := _allocated(line):
        return allocated
    return ZERO if discounted is None else line.money("price") - discounted


def _shipping(order: Part, included: bool) -> Decimal:
    lines = _shipping_lines(order)
    taxes = (tax_of(line) for line in lines) if included else ()
    return sum((line.money("price") - _off_shipping(line) for line in lines), ZERO) - sum(
        taxes, ZERO
    )


def _other_charges(order: Part) -> Decimal:
    """Tips, duties and fees as they were before returns."""
    tip_lines = [line for line in order.parts("line_items", needed=True) if _is_tip(line)]
    tips = sum((line.money("price") * line.number("quantity") for line in tip_lines), ZERO)
    duties = order.optional_money("original_total_duties") or ZERO
    fees = order.optional_money("original_total_additional_fees") or ZERO
    in_prices = order.data.get("duties_included") is True
    told = order.optional_money("total_tip_received") or tips
    return told + fees + (ZERO if in_prices else duties)


def _rounding(order: Part, included: bool, total: Decimal) -> Decimal:
    paid_in = order.text("presentment_currency")
    if not included and paid_in in (None, order.currency):
        return ZERO
    parts = (*order.parts("line_items"), *order.parts("shipping_lines"))
    amounts = sum(
        1 + len(p.parts("tax_lines")) + len(p.parts("discount_allocations")) for p in parts
    )
    exponent = total.as_tuple().exponent
    return Decimal(1).scaleb(min(int(exponent), 0)) * amounts
