"""What went back of the sandbox's orders, in Shopify's words.

An adjustment is what was *not* given back, so shipping that went back stands there with a minus;
what was paid is lines and their tax less the adjustments (seen in recorded 2026-07 answers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from connectors.sandbox.bodies import RefundBody, RefundedLine
from connectors.sandbox.books import Row
from connectors.sandbox.shopify.money import ZERO, Json, Pen, gid, total_of
from connectors.sandbox.shopify.payments import transactions_back


def returned(refunds: Iterable[Row]) -> list[RefundedLine]:
    """Goods that came back; money without goods is an adjustment, not a line."""
    return [line for refund in refunds for line in refund["body"]["lines"] if line["quantity"]]


def subtotal_of(part: RefundedLine, included: bool) -> Decimal:
    """After discounts; with tax where the shop's prices include it."""
    net = Decimal(part["net"]) - Decimal(part["discount"])
    return net + Decimal(part["tax"]) if included else net


def paid_back(parts: Iterable[RefundedLine]) -> Decimal:
    """What these lines come to with tax."""
    return total_of(subtotal_of(part, included=True) for part in parts)


def refund_json(order: Row, refund: Row, lines: Mapping[int, Json], pen: Pen) -> Json:
    """A refund: lines, adjustments, and the transactions that moved the money."""
    body: RefundBody = refund["body"]
    at = pen.instant(refund["created_at"])
    included = order["body"]["prices_include_tax"]
    parts = returned([refund])
    return {
        "id": refund["id"],
        "admin_graphql_api_id": gid("Refund", refund["id"]),
        "created_at": at,
        "note": body["note"],
        "order_id": order["id"],
        "processed_at": at,
        "restock": bool(parts),
        "total_additional_fees_set": pen.both(ZERO),
        "total_duties_set": pen.both(ZERO),
        "user_id": None,
        "order_adjustments": _adjustments(refund, parts, pen),
        "transactions": transactions_back(order, refund, pen),
        "refund_line_items": [
            _refund_line(refund, n, line, lines[line["line_id"]], pen, included)
            for n, line in enumerate(parts)
        ],
        "duties": [],
        "additional_fees": [],
    }


def _refund_line(
    refund: Row, place: int, part: RefundedLine, line: Json, pen: Pen, included: bool
) -> Json:
    subtotal, tax = subtotal_of(part, included), Decimal(part["tax"])
    return {
        "id": refund["id"] * 100 + place,
        "line_item_id": part["line_id"],
        "location_id": None,
        "quantity": part["quantity"],
        "restock_type": "return",
        "subtotal": float(subtotal),
        "subtotal_set": pen.both(subtotal),
        "total_tax": float(tax),
        "total_tax_set": pen.both(tax),
        "line_item": line,
    }


def _adjustments(refund: Row, parts: Sequence[RefundedLine], pen: Pen) -> list[Json]:
    """Shipping given back, and the gap between what the lines come to and what was paid."""
    body: RefundBody = refund["body"]
    shipping, shipping_tax = Decimal(body["shipping"]), Decimal(body["shipping_tax"])
    gap = paid_back(parts) + shipping + shipping_tax - Decimal(body["total"])
    found = (
        ("shipping_refund", "Shipping refund", -shipping, -shipping_tax),
        ("refund_discrepancy", "Refund discrepancy", gap, ZERO),
    )
    return [
        {
            "id": refund["id"] * 10 + place,
            **pen.named("amount", amount),
            "kind": kind,
            "order_id": refund["order_id"],
            "reason": reason,
            "refund_id": refund["id"],
            **pen.named("tax_amount", tax),
        }
        for place, (kind, reason, amount, tax) in enumerate(found)
        if amount or tax
    ]
