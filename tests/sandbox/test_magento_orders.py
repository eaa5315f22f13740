"""The amounts in the Magento dialect: they add up as a real shop's do, and trap as they do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.books import Books
from connectors.sandbox.ledger import ledger


@pytest.fixture
def orders(told: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told("/eu/rest/all/V1/orders?searchCriteria[pageSize]=0")["items"]
    return found


@pytest.fixture
def memos(told: Any) -> list[dict[str, Any]]:
    all_of_them = "searchCriteria[pageSize]=0"
    found: list[dict[str, Any]] = told(f"/eu/rest/all/V1/creditmemos?{all_of_them}")["items"]
    return found


def exact(row: dict[str, Any], *names: str) -> Decimal:
    return sum((Decimal(str(row.get(name, 0))) for name in names), Decimal(0))


@pytest.mark.parametrize("prefix", ["base_", ""])
def test_the_parts_of_an_order_add_up_in_both_currencies(
    orders: list[dict[str, Any]], prefix: str
) -> None:
    names = ("subtotal", "discount_amount", "discount_tax_compensation_amount", "tax_amount",
             "shipping_amount")  # fmt: skip
    for order in orders:
        parts = exact(order, *(prefix + name for name in names))
        assert parts == exact(order, f"{prefix}grand_total")


def test_the_goods_of_the_top_level_items_are_the_subtotal(orders: list[dict[str, Any]]) -> None:
    for order in orders:
        top = [item for item in order["items"] if "parent_item_id" not in item]
        goods = sum(
            exact(item, "base_row_total_incl_tax", "base_discount_amount")
            - exact(item, "base_tax_amount", "base_discount_tax_compensation_amount")
            for item in top
        )
        assert goods == exact(order, "base_subtotal")


def test_row_totals_are_a_trap(orders: list[dict[str, Any]]) -> None:
    discounted = [
        item
        for order in orders
        for item in order["items"]
        if item["base_discount_amount"] and item["product_type"] == "simple"
    ]
    assert discounted
    for item in discounted:
        net = exact(item, "base_row_total", "base_discount_amount")
        assert abs(net - exact(item, "base_price") * item["qty_ordered"]) < Decimal("0.05")


def test_configurables_and_bundles_repeat_as_children(orders: list[dict[str, Any]]) -> None:
    items = {item["item_id"]: item for order in orders for item in order["items"]}
    children = [item for item in items.values() if "parent_item_id" in item]
    kinds = {items[child["parent_item_id"]]["product_type"] for child in children}
    assert kinds == {"configurable", "bundle"}
    for child in children:
        parent = items[child["parent_item_id"]]
        assert child["parent_item"]["item_id"] == parent["item_id"]
        if parent["product_type"] == "configurable":
            assert child["sku"] == parent["sku"]
            assert child["base_row_total"] == 0


def test_guests_have_no_customer_id_key(orders: list[dict[str, Any]]) -> None:
    guests = [order for order in orders if order["customer_is_guest"]]
    assert guests
    assert all("customer_id" not in order for order in guests)
    assert all(order["customer_id"] for order in orders if not order["customer_is_guest"])


def test_the_dollar_view_shows_dollars_and_counts_euros(orders: list[dict[str, Any]]) -> None:
    shown = [order for order in orders if order["store_id"] == 3]
    assert shown
    for order in shown:
        assert (order["order_currency_code"], order["base_currency_code"]) == ("USD", "EUR")
        if order["base_grand_total"]:
            rate = order["grand_total"] / order["base_grand_total"]
            assert rate == pytest.approx(1.0832, abs=0.01)


def test_totals_are_those_of_the_books(orders: list[dict[str, Any]], books: Books) -> None:
    every = ledger(books, "eu").every
    totals = {
        "base_subtotal": every.goods,
        "base_tax_amount": every.tax,
        "base_shipping_amount": every.shipping,
        "base_grand_total": every.total,
        "base_total_refunded": every.refunded_total,
    }
    for name, expected in totals.items():
        assert sum(exact(order, name) for order in orders) == expected


def test_credit_memos_add_up_to_what_their_orders_refunded(
    orders: list[dict[str, Any]], memos: list[dict[str, Any]]
) -> None:
    for order in orders:
        own = [memo for memo in memos if memo["order_id"] == order["entity_id"]]
        back = sum((exact(memo, "base_grand_total") for memo in own), Decimal(0))
        assert back == exact(order, "base_total_refunded")
        assert bool(own) == ("base_total_refunded" in order)


def test_the_parts_of_a_credit_memo_add_up(memos: list[dict[str, Any]]) -> None:
    names = ("base_subtotal", "base_discount_amount", "base_discount_tax_compensation_amount",
             "base_tax_amount", "base_shipping_amount", "base_adjustment")  # fmt: skip
    for memo in memos:
        assert exact(memo, *names) == exact(memo, "base_grand_total")


def test_a_credit_memo_can_be_younger_than_its_order(
    orders: list[dict[str, Any]], memos: list[dict[str, Any]]
) -> None:
    updated = {order["entity_id"]: order["updated_at"] for order in orders}
    assert any(memo["created_at"] > updated[memo["order_id"]] for memo in memos)


def test_many_orders_share_one_updated_at(orders: list[dict[str, Any]]) -> None:
    stamps = [order["updated_at"] for order in orders]
    assert max(stamps.count(stamp) for stamp in stamps) >= 3
