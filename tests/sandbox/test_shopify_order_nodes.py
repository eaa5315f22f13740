"""Orders over the sandbox's GraphQL: the same sums and parts that its REST tells."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.books import Books
from tests.sandbox.shopify_door import Door

MONEY = "{ shopMoney { amount } }"
ORDERS = f"""{{ orders(first: 250) {{ nodes {{
  legacyResourceId totalTaxSet {MONEY} totalPriceSet {MONEY} totalTipReceivedSet {MONEY}
  currentTotalTaxSet {MONEY} discountCodes displayFulfillmentStatus
  transactions {{ kind status amountSet {MONEY} }}
  lineItems(first: 50) {{ nodes {{ id sku quantity currentQuantity originalUnitPriceSet {MONEY}
    discountAllocations {{ allocatedAmountSet {MONEY} }} taxLines {{ priceSet {MONEY} }} }} }}
  shippingLines(first: 5) {{ nodes {{ originalPriceSet {MONEY} discountedPriceSet {MONEY} }} }}
  refunds {{ id totalRefundedSet {MONEY}
    refundLineItems(first: 50) {{ nodes {{ subtotalSet {MONEY} totalTaxSet {MONEY} }} }}
    refundShippingLines(first: 5) {{ nodes {{ subtotalAmountSet {MONEY} taxAmountSet {MONEY} }} }}
    orderAdjustments(first: 5) {{ nodes {{ amountSet {MONEY} taxAmountSet {MONEY} }} }}
    transactions(first: 5) {{ nodes {{ kind status amountSet {MONEY} }} }}
  }} }} }} }}"""


@pytest.fixture
def door(books: Books) -> Door:
    return Door(books)


def amount(bag: dict[str, Any]) -> Decimal:
    return Decimal(bag["shopMoney"]["amount"])


def told(both: dict[str, Any]) -> Decimal:
    return Decimal(both["shop_money"]["amount"])


def test_orders_are_the_same_over_rest(door: Door) -> None:
    rest = {order["id"]: order for order in door.orders(status="any", limit=250)}
    nodes = door.gql(ORDERS)["data"]["orders"]["nodes"]
    assert len(nodes) == len(rest) > 100
    for node in nodes:
        order = rest[int(node["legacyResourceId"])]
        assert amount(node["totalTaxSet"]) == told(order["total_tax_set"])
        assert amount(node["currentTotalTaxSet"]) == told(order["current_total_tax_set"])
        assert node["discountCodes"] == [code["code"] for code in order["discount_codes"]]
        assert [
            (line["sku"], line["quantity"], line["currentQuantity"],
             amount(line["originalUnitPriceSet"]),
             [amount(one["allocatedAmountSet"]) for one in line["discountAllocations"]],
             [amount(one["priceSet"]) for one in line["taxLines"]])
            for line in node["lineItems"]["nodes"]
        ] == [
            (line["sku"], line["quantity"], line["current_quantity"], told(line["price_set"]),
             [told(one["amount_set"]) for one in line["discount_allocations"]],
             [told(one["price_set"]) for one in line["tax_lines"]])
            for line in order["line_items"]
        ]  # fmt: skip
        (shipping,) = node["shippingLines"]["nodes"]
        assert amount(shipping["originalPriceSet"]) == told(order["shipping_lines"][0]["price_set"])


def test_refunds_come_to_what_was_paid_back(door: Door) -> None:
    """Lines, shipping and what else was given or kept, with tax: the sum of the transactions."""
    included = door.books.shop("us")["prices_include_tax"]
    assert not included
    seen = shipped = adjusted = 0
    for node in door.gql(ORDERS)["data"]["orders"]["nodes"]:
        for refund in node["refunds"]:
            lines = refund["refundLineItems"]["nodes"]
            shipping = refund["refundShippingLines"]["nodes"]
            others = refund["orderAdjustments"]["nodes"]
            back = sum(amount(one["subtotalSet"]) + amount(one["totalTaxSet"]) for one in lines)
            back += sum(
                amount(one["subtotalAmountSet"]) + amount(one["taxAmountSet"]) for one in shipping
            )
            back -= sum(amount(one["amountSet"]) + amount(one["taxAmountSet"]) for one in others)
            paid = [
                amount(one["amountSet"])
                for one in refund["transactions"]["nodes"]
                if (one["kind"], one["status"]) == ("REFUND", "SUCCESS")
            ]
            assert back == sum(paid) == amount(refund["totalRefundedSet"])
            seen, shipped = seen + 1, shipped + bool(shipping)
            adjusted += bool(others)
    assert min(seen, shipped, adjusted) > 0


@pytest.mark.parametrize(("included", "subtotal"), [(False, "5.0"), (True, "5.5")])
def test_shipping_that_went_back_has_its_tax_in_it_where_prices_do(
    tiny: Books, included: bool, subtotal: str
) -> None:
    parts = ("$.shipping", "5.00", "$.shipping_tax", "0.50")
    tiny.execute("UPDATE refunds SET body = json_set(body, ?, ?, ?, ?)", parts)
    sql = "UPDATE orders SET body = json_set(body, '$.prices_include_tax', json(?))"
    tiny.execute(sql, [str(included).lower()])
    query = f"""{{ node(id: "gid://shopify/Refund/201") {{ ... on Refund {{
      refundShippingLines(first: 5) {{ nodes {{
        subtotalAmountSet {MONEY} taxAmountSet {MONEY} }} }} }} }} }}"""
    refund = Door(tiny).gql(query)["data"]["node"]
    assert refund["refundShippingLines"]["nodes"] == [
        {"subtotalAmountSet": {"shopMoney": {"amount": subtotal}},
         "taxAmountSet": {"shopMoney": {"amount": "0.5"}}}
    ]  # fmt: skip


def test_orders_and_refunds_are_found_by_their_ids(tiny: Books) -> None:
    ids = [f"gid://shopify/{one}" for one in ("Order/101", "Refund/201", "Refund/9", "Customer/12")]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    assert Door(tiny).gql(query, ids=ids)["data"]["nodes"] == [
        {"__typename": "Order", "id": ids[0]}, {"__typename": "Refund", "id": ids[1]}, None,
        {"__typename": "Customer", "id": ids[3]},
    ]  # fmt: skip


def test_lists_of_an_order_go_page_by_page(tiny: Books) -> None:
    query = """query($after: String) { order(id: "gid://shopify/Order/101") {
      lineItems(first: 1, after: $after) { nodes { sku } pageInfo { hasNextPage endCursor } } } }"""
    door = Door(tiny)
    first = door.gql(query)["data"]["order"]["lineItems"]
    assert ([line["sku"] for line in first["nodes"]], first["pageInfo"]["hasNextPage"]) == (
        ["CD-1"], True
    )  # fmt: skip
    second = door.gql(query, after=first["pageInfo"]["endCursor"])["data"]["order"]["lineItems"]
    assert ([line["sku"] for line in second["nodes"]], second["pageInfo"]["hasNextPage"]) == (
        ["CD-2"], False
    )  # fmt: skip
