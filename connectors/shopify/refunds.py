"""What went back to the customer, in shop money.

A refund says twice what it is: in rows (lines, shipping, adjustments) and in money (transactions).
Rows tell goods from shipping and tax, money tells what was really paid out:

- `refunded_total` is the sum of its successful transactions of kind `refund`. `sale`, `capture` and
  `void` say what came in or was let go: they are no refund. A refund without any transaction (a
  line taken off an order that wasn't paid yet) withdraws a charge: its rows are its total.
- `refunded_value` is the rows' goods without tax. Money beyond the rows (a goodwill payment, which
  Shopify lists with no row or with a discrepancy) counts as goods. Where less money than the rows
  say went back, the goods came back all the same.
- Subtotals hold their tax where `taxes_included`; adjustments name theirs apart and are negative
  (https://shopify.dev/docs/api/admin-rest/latest/resources/refund, 2026-11-21). Returned duties
  and fees stand with the shipping, as they did in the order.
- Shipping that went back has lines of its own since 2024-10, older answers name it as an adjustment
  of the kind `shipping_refund`; any other adjustment is a discrepancy
  (https://shopify.dev/changelog/exposing-the-order-adjustments-connection-on-a-refund, 2026-11-23).
- GraphQL's refunds don't name fees. What the order lost of them went back with the refunds whose
  money goes beyond their rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from connectors.schema import Refund
from connectors.shopify.money import FINEST, total_of
from connectors.shopify.reading import ZERO, Part, Side

ADJUSTMENTS = ("shipping_refund", "refund_discrepancy")
KINDS = (
    "authorization",
    "capture",
    "change",
    "emv_authorization",
    "refund",
    "sale",
    "suggested_refund",
    "void",
)
STATUSES = ("success", "pending", "failure", "error", "awaiting_response", "unknown")


class Rows(NamedTuple):
    """What a refund's rows say, in the shop's or in the customer's money."""

    goods: Decimal
    shipping: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.goods + self.shipping + self.tax


NOTHING = Rows(ZERO, ZERO, ZERO)


def parse_refunds(shop: str, order: Part) -> list[Refund]:
    """An order's refunds. PayloadError where a field is missing or not what it should be."""
    found = []
    refunds = order.parts("refunds", needed=True)
    fees = _fees_lost(order, refunds)
    for refund in refunds:
        rows = _rows(order, refund, "shop_money")
        paid_out = _paid_out(order, refund, rows)
        excess = max(paid_out - rows.total, ZERO)
        fee = min(fees, excess)
        fees -= fee
        rows = Rows(rows.goods + excess - fee, rows.shipping + fee, rows.tax)
        found.append(_refund(shop, order, refund, rows, paid_out))
    return found


def _refund(shop: str, order: Part, refund: Part, rows: Rows, paid_out: Decimal) -> Refund:
    when = "processed_at" if refund.text("processed_at") else "created_at"
    return Refund(
        shop=shop,
        refund_id=refund.needed_id("id"),
        order_id=order.needed_id("id"),
        refunded_at=refund.instant(when),
        currency=order.needed("currency"),
        refunded_value=rows.goods,
        refunded_shipping=rows.shipping,
        refunded_tax=rows.tax,
        refunded_total=paid_out,
    )


def _fees_lost(order: Part, refunds: Sequence[Part]) -> Decimal:
    """What the order lost of its fees, where its refunds don't name them."""
    now = order.optional_money("current_total_additional_fees")
    if now is None or any("total_additional_fees_set" in refund.data for refund in refunds):
        return ZERO
    return max((order.optional_money("original_total_additional_fees") or ZERO) - now, ZERO)


def _rows(order: Part, refund: Part, side: Side) -> Rows:
    """Goods, shipping and tax of the rows. Shipping is an adjustment or has lines of its own."""
    included = order.flag("taxes_included")
    parts = [
        _goods(line, included, side) for line in refund.parts("refund_line_items", needed=True)
    ]
    adjustments = refund.parts("order_adjustments", needed=True)
    parts += [_adjusted(adjustment, side) for adjustment in adjustments]
    if not any(_is_shipping(adjustment) for adjustment in adjustments):
        shipped = refund.parts(
            "refund_shipping_lines", needed="refund_shipping_lines" in refund.data
        )
        parts += [_shipped(line, included, side) for line in shipped]
    return _added([*parts, Rows(ZERO, _duties_and_fees(refund, side), ZERO)])


def _added(parts: Sequence[Rows]) -> Rows:
    return Rows(*map(total_of, zip(*parts, strict=True)))


def _goods(line: Part, included: bool, side: Side) -> Rows:
    subtotal, tax = line.set_money("subtotal", side), line.set_money("total_tax", side)
    return Rows(subtotal - tax if included else subtotal, ZERO, tax)


def _shipped(line: Part, included: bool, side: Side) -> Rows:
    subtotal = line.set_money("subtotal_amount", side)
    tax = line.set_money("tax_amount", side)
    return Rows(ZERO, subtotal - tax if included else subtotal, tax)


def _is_shipping(adjustment: Part) -> bool:
    if "kind" in adjustment.data:
        return adjustment.one_of("kind", ADJUSTMENTS) == "shipping_refund"
    return adjustment.word("reason") == "shipping refund"


def _adjusted(adjustment: Part, side: Side) -> Rows:
    amount = adjustment.set_money("amount", side, signed=True)
    tax = adjustment.set_money("tax_amount", side, signed=True)
    shipping = _is_shipping(adjustment)
    return Rows(ZERO if shipping else -amount, -amount if shipping else ZERO, -tax)


def _duties_and_fees(refund: Part, side: Side) -> Decimal:
    """REST sums the duties up, GraphQL lists them."""
    duties = refund.optional_money("total_duties", side)
    if duties is None:
        listed = refund.parts("returned_duties")
        duties = total_of(duty.set_money("amount", side) for duty in listed)
    return duties + (refund.optional_money("total_additional_fees", side) or ZERO)


def _paid_out(order: Part, refund: Part, rows: Rows) -> Decimal:
    transactions = refund.parts("transactions", needed=True)
    if not transactions:
        return rows.total
    paid = [transaction for transaction in transactions if _is_paid_out(transaction)]
    if all("amount_set" in transaction.data for transaction in paid):
        return total_of(transaction.set_money("amount") for transaction in paid)
    if all(transaction.needed("currency") == order.currency for transaction in paid):
        return _amounts(paid)
    return _converted(order, refund, _amounts(paid), rows)


def _amounts(transactions: Iterable[Part]) -> Decimal:
    return total_of(transaction.number("amount") for transaction in transactions)


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
