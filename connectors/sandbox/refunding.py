"""Money going back: refunds of every sort for an order, each part to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from connectors.sandbox.basket import NOTHING, cents
from connectors.sandbox.bodies import Line, OrderBody, RefundBody, RefundedLine

Sort = Literal["line", "full", "shipping", "fee", "goodwill", "twice"]

#: The sorts in the order a shop meets them: one line back, all of it, the shipping only, a line
#: with a fee kept, money on top without goods, and a line now and all the rest later.
SORTS: tuple[Sort, ...] = ("line", "full", "shipping", "fee", "goodwill", "twice")

#: Shopify knows no fee that is kept from a refund.
SORTS_OF: Mapping[str, tuple[Sort, ...]] = {
    "magento": SORTS,
    "shopify": tuple(sort for sort in SORTS if sort != "fee"),
}

_PARTS = ("net", "discount", "discount_tax", "tax")


def refunds(body: OrderBody, sort: Sort) -> list[RefundBody]:
    """The refunds of one sort; `settle` then writes what they add up to into the order.

    None where nothing was paid for what would go back.
    """
    return [memo for memo in _memos(body, sort) if Decimal(memo["total"])]


def _memos(body: OrderBody, sort: Sort) -> list[RefundBody]:
    lines = body["lines"]
    whole = [_part(line, line["quantity"]) for line in lines]
    if sort == "full":
        return [_memo(whole, body)]
    if sort == "twice" and len(lines) > 1:
        return [_memo(whole[:1]), _memo(whole[1:], body)]
    if sort == "shipping" and Decimal(body["shipping"]["net"]):
        return [_memo([], body)]
    if sort == "goodwill":
        return [_memo([], positive=min(Decimal("2.00"), Decimal(body["total"])))]
    one = _part(lines[0], (lines[0]["quantity"] + 1) // 2)
    return [_memo([one], negative=_fee(one) if sort == "fee" else NOTHING)]


def _part(line: Line, quantity: int) -> RefundedLine:
    """`quantity` units of a line; every part in proportion, all of it when all goes back."""
    net, discount, inside, tax = (
        str(cents(Decimal(line[part]) * quantity / line["quantity"]))  # type: ignore[literal-required]
        for part in _PARTS
    )
    return {
        "line_id": line["id"], "quantity": quantity, "net": net, "discount": discount,
        "discount_tax": inside, "tax": tax,
    }  # fmt: skip


def _fee(part: RefundedLine) -> Decimal:
    return Decimal("1.00") if Decimal(part["net"]) > 2 else NOTHING


def _memo(
    parts: Sequence[RefundedLine],
    shipped: OrderBody | None = None,
    *,
    positive: Decimal = NOTHING,
    negative: Decimal = NOTHING,
) -> RefundBody:
    """One refund; with the shipping of `shipped` where it goes back as well."""
    shipping = Decimal(shipped["shipping"]["net"]) if shipped else NOTHING
    shipping_tax = Decimal(shipped["shipping"]["tax"]) if shipped else NOTHING
    goods = sum((_paid_back(part) for part in parts), NOTHING)
    return {
        "lines": list(parts), "shipping": str(shipping), "shipping_tax": str(shipping_tax),
        "adjustment_positive": str(positive), "adjustment_negative": str(negative),
        "total": str(goods + shipping + shipping_tax + positive - negative), "note": "",
    }  # fmt: skip


def _paid_back(part: RefundedLine) -> Decimal:
    return Decimal(part["net"]) - Decimal(part["discount"]) + Decimal(part["tax"])


def settle(body: OrderBody, given: Sequence[RefundBody]) -> None:
    """Write what went back so far into the order; all of it back makes it `refunded`."""
    parts = [part for refund in given for part in refund["lines"]]
    shipping = sum((Decimal(refund["shipping"]) for refund in given), NOTHING)
    shipping_tax = sum((Decimal(refund["shipping_tax"]) for refund in given), NOTHING)
    positive = sum((Decimal(refund["adjustment_positive"]) for refund in given), NOTHING)
    negative = sum((Decimal(refund["adjustment_negative"]) for refund in given), NOTHING)
    body["refunded"] = {
        "goods": str(sum((Decimal(part["net"]) for part in parts), NOTHING)),
        "discount": str(sum((Decimal(part["discount"]) for part in parts), NOTHING)),
        "tax": str(sum((Decimal(part["tax"]) for part in parts), shipping_tax)),
        "shipping": str(shipping),
        "adjustment": str(positive - negative),
        "total": str(sum((Decimal(refund["total"]) for refund in given), NOTHING)),
    }
    if body["refunded"]["total"] == body["total"]:
        body["state"] = "refunded"
