"""What went back to the customer, in shop money.

A refund says twice what it is: in rows (lines, shipping, adjustments) and in money (transactions).
Rows tell goods from shipping and tax, money tells what was really paid out:

- `refunded_total` is the sum of its successful transactions of kind `refund`. `sale`, `capture` and
  `void` say what came in or was let go: they are no refund. A refund without any transaction (a
  line taken off an order that wasn't paid yet) withdraws a charge: its rows are its total.
- `refunded_value` is the rows' goods without tax. Money beyond the rows (a goodwill payment, which
  Shopify lists with no row or with a `refund_discrepancy`) counts as goods. Where less money than
  the rows say went back, the goods came back all the same.
- Subtotals hold their tax where `taxes_included`; adjustments name theirs apart and are negative
  (https://shopify.dev/docs/api/admin-rest/latest/resources/refund, 2026-11-21). Returned duties
  and fees stand with the shipping, as they did in the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.schema import Refund
from connectors.shopify.money import FINEST, ZERO
from connectors.shopify.reading import Part, Side

ADJUSTMENTS = ("shipping_refund", "refund_discrepancy")
KINDS = ("authorization", "capture", "change", "emv_authorization", "refund", "sale", "void")
STATUSES = ("success", "pending", "failure", "error", "awaiting_response", "unknown")


@dataclass(frozen=True, slots=True)
class Rows:
    """What a refund's rows say, in the shop's or in the customer's money."""

    goods: Decimal
    shipping: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.goods + self.shipping + self.tax


def parse_refund(shop: str, order: Part, refund: Part) -> Refund:
    """One refund of an order. PayloadError where a field is missing or not what it should be."""
    rows = _rows(order, refund, "shop_money")
    paid_out = _paid_out(order, refund, rows)
    excess = max(paid_out - rows.total, ZERO)
    when = "processed_at" if refund.text("processed_at") else "created_at"
    return Refund(
        shop=shop,
        refund_id=refund.needed_id("id"),
        order_id=order.needed_id("id"),
        refunded_at=refund.instant(when),
        currency=order.needed("currency"),
        refunded_value=rows.goods + excess,
        refunded_shipping=rows.shipping,
        refunded_tax=rows.tax,
        refunded_total=paid_out,
    )


def _rows(order: Part, refund: Part, side: Side) -> Rows:
    """Goods, shipping and tax of the rows. Shipping is an adjustment or has lines of its own."""
    included = order.flag("taxes_included")
    parts = [
        _goods(line, included, side) for line in refund.parts("refund_line_items", needed=True)
    ]
    adjustments = refund.parts("order_adjustments", needed=True)
    parts += [_adjusted(adjustment, side) for adjustment in adjustments]
    if not any(_is_shipping(adjustment) for adjustment in adjustments):
        parts += [_shipped(line, included, side) for line in refund.parts("refund_shipping_lines")]
    charges = (
        refund.optional_money(f"total_{kind}", side) for kind in ("duties", "additional_fees")
    )
    parts += [Rows(ZERO, charge, ZERO) for charge in charges if charge]
    return Rows(
        sum((part.goods for part in parts), ZERO),
        sum((part.shipping for part in parts), ZERO),
        sum((part.tax for part in parts), ZERO),
    )


def _goods(line: Part, included: bool, side: Side) -> Rows:
    subtotal, tax = line.set_money("subtotal", side), line.set_money("total_tax", side)
    return Rows(subtotal - tax if included else subtotal, ZERO, tax)


def _shipped(line: Part, included: bool, side: Side) -> Rows:
    subtotal = line.set_money("subtotal_amount", side)
    tax = line.optional_money("tax_amount", side) or ZERO
    return Rows(ZERO, subtotal - tax if included else subtotal, tax)


def _is_shipping(adjustment: Part) -> bool:
    return adjustment.one_of("kind", ADJUSTMENTS) == "shipping_refund"


def _adjusted(adjustment: Part, side: Side) -> Rows:
    amount = adjustment.set_money("amount", side, signed=True)
    tax = adjustment.set_money("tax_amount", side, signed=True)
    shipping = _is_shipping(adjustment)
    return Rows(ZERO if shipping else -amount, -amount if shipping else ZERO, -tax)


def _paid_out(order: Part, refund: Part, rows: Rows) -> Decimal:
    transactions = refund.parts("transactions", needed=True)
    if not transactions:
        return rows.total
    paid = [transaction for transaction in transactions if _is_paid_out(transaction)]
    if all(transaction.needed("currency") == order.currency for transaction in paid):
        return sum((transaction.number("amount") for transaction in paid), ZERO)
    return _converted(order, refund, sum((part.number("amount") for part in paid), ZERO), rows)


def _is_paid_out(transaction: Part) -> bool:
    kind, status = transaction.one_of("kind", KINDS), transaction.one_of("status", STATUSES)
    return (kind, status) == ("refund", "success")


def _converted(order: Part, refund: Part, paid: Decimal, rows: Rows) -> Decimal:
    """Money in the customer's currency: the rows name both currencies, else the order does."""
    if paid == _rows(order, refund, "presentment_money").total:
        return rows.total
    there = order.money("total_price", "presentment_money")
    if there <= 0:
        raise order.wrong("total_price_set", "gives no rate for a refund in another currency")
    rate = order.money("total_price") / there
    return (paid * rate).quantize(FINEST)
