"""What hangs on an order in GraphQL: lines, shipping, refunds, transactions, and the sums.

Made of what REST tells of the same order. What differs there: shipping that went back has rows of
its own instead of an adjustment, without the minus and with its tax where prices include it; kinds
and states are in capitals; amounts lose their trailing zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from connectors.sandbox.books import Row
from connectors.sandbox.shopify.money import ZERO, Json, Pen, gid, plain, utc
from connectors.sandbox.shopify.pages import listed
from connectors.sandbox.shopify.payments import transactions
from connectors.sandbox.shopify.render import order_json

#: Sets of an order that are the same in REST and GraphQL, by GraphQL's names.
SETS = {
    "currentSubtotalPriceSet": "current_subtotal_price_set",
    "currentTotalAdditionalFeesSet": "current_total_additional_fees_set",
    "currentTotalDiscountsSet": "current_total_discounts_set",
    "currentTotalTaxSet": "current_total_tax_set",
    "originalTotalAdditionalFeesSet": "original_total_additional_fees_set",
    "originalTotalDutiesSet": "original_total_duties_set",
}


class Parts:
    """The fields of one order that are lists, or known from its REST form only."""

    def __init__(self, row: Row, refunds: Sequence[Row], pen: Pen) -> None:
        self._row = row
        self._refunds = refunds
        self._pen = pen

    @cached_property
    def _rest(self) -> Json:
        return order_json(self._row, self._refunds, None, self._pen)

    def fields(self) -> Json:
        """By the schema's names; what costs something only once it is asked for."""
        return {
            **{name: partial(self._set, key) for name, key in SETS.items()},
            "totalTipReceivedSet": lambda _: bag(self._buyer.both(ZERO)),
            "discountCodes": lambda _: [one["code"] for one in self._rest["discount_codes"]],
            "displayFulfillmentStatus": self._shipped,
            "dutiesIncluded": False,
            "edited": False,
            "tags": [],
            "lineItems": partial(self._listed, "line_items", _line),
            "shippingLines": partial(self._listed, "shipping_lines", _shipping),
            "refunds": self._refund_list,
            "transactions": self._transactions,
        }

    @property
    def _buyer(self) -> Pen:
        return self._pen.for_buyer(self._row["body"])

    def _set(self, key: str, _: Any) -> Json | None:
        return bag(self._rest[key])

    def _shipped(self, _: Any) -> str:
        return str(self._rest["fulfillment_status"] or "unfulfilled").upper()

    def _listed(self, key: str, make: Callable[[Json], Json], _: Any, **asked: Any) -> Json:
        return listed([make(one) for one in self._rest[key]], asked)

    def _refund_list(self, _: Any, first: int | None = None) -> list[Json]:
        return refund_nodes(self._row, self._refunds, self._pen)[:first]

    def _transactions(self, _: Any, first: int | None = None, **__: Any) -> list[Json]:
        every = transactions(self._row, self._refunds, self._buyer)
        return [_transaction(one) for one in every[:first]]


def refund_nodes(row: Row, refunds: Sequence[Row], pen: Pen) -> list[Json]:
    """The refunds of an order as objects of their own."""
    rest = order_json(row, refunds, None, pen)["refunds"]
    included = row["body"]["prices_include_tax"]
    buyer = pen.for_buyer(row["body"])
    return [
        _refund(told, refund, buyer, included) for told, refund in zip(rest, refunds, strict=True)
    ]


def bag(both: Json | None) -> Json | None:
    """A set of REST's as a MoneyBag."""
    if both is None:
        return None
    sides = {"shopMoney": both["shop_money"], "presentmentMoney": both["presentment_money"]}
    return {
        name: {
            "amount": plain(Decimal(side["amount"])),
            "currencyCode": side["currency_code"],
        }
        for name, side in sides.items()
    }


def _node(kind: str, row: Mapping[str, Any]) -> Json:
    return {"__typename": kind, "_id": row["id"], "id": gid(kind, row["id"])}


def _line(line: Json) -> Json:
    quantity, price = line["quantity"], line["price_set"]
    return {
        **_node("LineItem", line),
        **{key: line[key] for key in ("name", "title", "sku", "vendor", "quantity")},
        "currentQuantity": line["current_quantity"],
        "requiresShipping": line["requires_shipping"],
        "isGiftCard": line["gift_card"],
        "product": {"id": gid("Product", line["product_id"]), "productType": ""},
        "variant": {"id": gid("ProductVariant", line["variant_id"])},
        "originalUnitPriceSet": bag(price),
        "totalDiscountSet": bag(line["total_discount_set"]),
        "discountedTotalSet": lambda _, **__: bag(_times(price, quantity)),
        **_charges(line),
    }


def _times(both: Json, quantity: int) -> Json:
    return {
        side: {**one, "amount": str(Decimal(one["amount"]) * quantity)}
        for side, one in both.items()
    }


def _shipping(line: Json) -> Json:
    return {
        **_node("ShippingLine", line),
        "title": line["title"],
        "isRemoved": line["is_removed"],
        "originalPriceSet": bag(line["price_set"]),
        "discountedPriceSet": bag(line["discounted_price_set"]),
        **_charges(line),
    }


def _charges(line: Json) -> Json:
    taxes = [
        {"priceSet": bag(one["price_set"]), "rate": one["rate"], "title": one["title"]}
        for one in line["tax_lines"]
    ]
    return {
        "discountAllocations": [
            {"allocatedAmountSet": bag(one["amount_set"])} for one in line["discount_allocations"]
        ],
        "taxLines": lambda _, first=None: taxes[:first],
    }


def _transaction(told: Json) -> Json:
    both = {"amount": told["amount"], "currency_code": told["currency"]}
    return {
        **_node("OrderTransaction", told),
        "kind": told["kind"].upper(),
        "status": told["status"].upper(),
        "createdAt": told["created_at"],
        "processedAt": told["processed_at"],
        "test": told["test"],
        "gateway": told["gateway"],
        "amountSet": bag({"shop_money": both, "presentment_money": both}),
    }


def _refund(told: Json, row: Row, pen: Pen, included: bool) -> Json:
    lists = {
        "refundLineItems": [_refunded(one) for one in told["refund_line_items"]],
        "refundShippingLines": _shipping_back(row, pen, included),
        "orderAdjustments": [
            _adjustment(one)
            for one in told["order_adjustments"]
            if one["kind"] != "shipping_refund"
        ],
        "transactions": [_transaction(one) for one in told["transactions"]],
    }
    return {
        **_node("Refund", told),
        "legacyResourceId": str(told["id"]),
        "createdAt": utc(row["created_at"]),
        "processedAt": utc(row["created_at"]),
        "updatedAt": utc(row["updated_at"]),
        "note": told["note"],
        "order": {"id": gid("Order", row["order_id"])},
        "duties": [],
        "totalRefundedSet": bag(pen.both(Decimal(row["body"]["total"]))),
        **{name: partial(_listed, rows) for name, rows in lists.items()},
    }


def _listed(rows: Sequence[Json], _: Any, **asked: Any) -> Json:
    return listed(rows, asked)


def _refunded(one: Json) -> Json:
    return {
        **_node("RefundLineItem", one),
        "quantity": one["quantity"],
        "lineItem": _line(one["line_item"]),
        "priceSet": bag(one["line_item"]["price_set"]),
        "subtotalSet": bag(one["subtotal_set"]),
        "totalTaxSet": bag(one["total_tax_set"]),
    }


def _shipping_back(row: Row, pen: Pen, included: bool) -> list[Json]:
    shipping, tax = (Decimal(row["body"][key]) for key in ("shipping", "shipping_tax"))
    if not shipping and not tax:
        return []
    return [
        {
            **_node("RefundShippingLine", {"id": row["id"] * 10 + 2}),
            "subtotalAmountSet": bag(pen.both(shipping + tax if included else shipping)),
            "taxAmountSet": bag(pen.both(tax)),
            "shippingLine": {"id": gid("ShippingLine", row["order_id"] * 10 + 1)},
        }
    ]


def _adjustment(one: Json) -> Json:
    return {
        **_node("OrderAdjustment", one),
        "amountSet": bag(one["amount_set"]),
        "taxAmountSet": bag(one["tax_amount_set"]),
        "reason": "REFUND_DISCREPANCY",
    }
