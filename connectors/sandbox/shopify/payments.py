"""The transactions of the sandbox's orders: what came in, and what went back.

A paid order has a `sale`, or an `authorization` and a `capture` of the same amount: adding up all
of them doubles it (https://shopify.dev/docs/api/admin-rest/latest/resources/transaction,
2026-11-21).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from connectors.sandbox.books import Row
from connectors.sandbox.shopify.money import Json, Pen, gid


def transactions(order: Row, refunds: Sequence[Row], pen: Pen) -> list[Json]:
    """All of an order's, for their own address."""
    back = [
        transaction for refund in refunds for transaction in transactions_back(order, refund, pen)
    ]
    return [_in_full(transaction) for transaction in [*_paid(order, pen), *back]]


def transactions_back(order: Row, refund: Row, pen: Pen) -> list[Json]:
    """A refund's. Some were tried in vain first, so that a failed one stands beside it."""
    tries = ("failure", "success") if refund["id"] % 7 == 0 else ("success",)
    paid = _paid(order, pen)
    at = pen.instant(refund["created_at"])
    about = {
        "created_at": at,
        "processed_at": at,
        "amount": refund["body"]["total"],
        "parent_id": paid[-1]["id"] if paid else None,
    }
    return [
        _transaction(order, refund["id"] * 10 + place, "refund", pen) | about | {"status": status}
        for place, status in enumerate(tries)
    ]


def _paid(order: Row, pen: Pen) -> list[Json]:
    """What came in; nothing for an unpaid order, and a cancelled one was let go."""
    first, state = order["id"] * 10 + 4, order["body"]["state"]
    if state == "open":
        return []
    if state == "cancelled":
        kinds: tuple[str, ...] = ("authorization", "void")
    else:
        kinds = ("sale",) if order["id"] % 3 else ("authorization", "capture")
    made = [_transaction(order, first + n, kind, pen) for n, kind in enumerate(kinds)]
    for before, after in pairwise(made):
        after["parent_id"] = before["id"]
    return made


def _transaction(order: Row, number: int, kind: str, pen: Pen) -> Json:
    body, at = order["body"], pen.instant(order["created_at"])
    return {
        **dict.fromkeys(("authorization", "device_id", "error_code", "location_id", "message")),
        "id": number,
        "admin_graphql_api_id": gid("OrderTransaction", number),
        "amount": body["total"],
        "created_at": at,
        "currency": pen.currency,
        "gateway": "bogus",
        "kind": kind,
        "order_id": order["id"],
        "parent_id": None,
        "payment_id": f"#{order['number']}.{number % 10}",
        "processed_at": at,
        "receipt": {},
        "source_name": body["channel"],
        "status": "success",
        "test": body["test"],
        "user_id": None,
    }


def _in_full(transaction: Json) -> Json:
    """With what stands at the transactions' own address only."""
    nothing = {"amount": "0.0", "currency": transaction["currency"]}
    return transaction | {
        "amount_rounding": None,
        "currency_exchange_adjustment": None,
        "manual_payment_gateway": False,
        "total_unsettled_set": {"presentment_money": nothing, "shop_money": nothing},
    }
