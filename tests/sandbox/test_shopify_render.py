"""The order JSON: the keys and types of recorded answers, and sums that agree with the books."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from shopify_door import Door

from connectors.sandbox.books import Books
from connectors.sandbox.ledger import counts, sums
from connectors.sandbox.population import populate

Shape = dict[str, set[str]]
LINES = (".fulfillments[].line_items[]", ".refunds[].refund_line_items[].line_item")

#: Free forms: whatever the payment provider or the theme put there.
FREE = (".receipt", ".note_attributes", ".properties")
#: A shipping line's tax and discount were never recorded.
UNRECORDED = {".shipping_lines[].tax_lines[]", ".shipping_lines[].discount_allocations[]"}


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    opened = Books(":memory:")
    populate(opened, today=date(2026, 11, 22), limit=150)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def orders(books: Books) -> list[dict[str, Any]]:
    door = Door(books)
    reply = door.get("/orders.json", status="any", limit=250, since_id=0)
    found: list[dict[str, Any]] = reply.json["orders"]
    while link := reply.link("next"):
        reply = door.get(link)
        found += reply.json["orders"]
    return found


def shape(value: Any, path: str, seen: Shape) -> Shape:
    """Every path with the kinds of value that stand there; a line is one wherever it stands."""
    path = ".line_items[]" if path.endswith(LINES) else path
    if path.endswith(FREE):
        return seen
    if isinstance(value, dict):
        seen.setdefault(path, set()).add("object")
        for key, inner in value.items():
            shape(inner, f"{path}.{key}", seen)
    elif isinstance(value, list):
        seen.setdefault(path, set()).add("list")
        for inner in value:
            shape(inner, f"{path}[]", seen)
    else:
        seen.setdefault(path, set()).add(type(value).__name__)
    return seen


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Shape:
    path = shared / "payloads/shopify/shopify-api-ruby_rest_2026_07/order_samples.json"
    seen: Shape = {}
    for sample in json.loads(path.read_text(encoding="utf-8")):
        if "fields=" not in sample["url"]:
            response = sample["response"]
            one = [response["order"]] if "order" in response else []
            for order in [*response.get("orders", []), *one]:
                shape(order, "", seen)
    return seen


@pytest.fixture(scope="module")
def served(orders: list[dict[str, Any]]) -> Shape:
    seen: Shape = {}
    for order in orders:
        shape(order, "", seen)
    return seen


def test_an_order_has_all_keys_of_the_recorded_ones_and_no_others(
    recorded: Shape, served: Shape
) -> None:
    def known(path: str) -> bool:
        return not any(path.startswith(part) for part in UNRECORDED)

    automatic = {".discount_applications[].title", ".discount_applications[].description"}
    assert set(recorded) - set(served) - automatic == set()
    assert {path for path in served if known(path)} - set(recorded) == set()


def test_every_value_has_a_recorded_type(recorded: Shape, served: Shape) -> None:
    wrong = {
        path: (kinds, recorded[path])
        for path, kinds in served.items()
        if path in recorded and not kinds - {"NoneType"} <= recorded[path] - {"NoneType"}
        if recorded[path] != {"NoneType"}
    }
    assert wrong == {}


def test_nothing_is_null_that_never_was(recorded: Shape, served: Shape) -> None:
    nulls = {path for path, kinds in served.items() if "NoneType" in kinds and path in recorded}
    assert {path for path in nulls if "NoneType" not in recorded[path]} == set()


def test_amounts_are_text_but_a_refund_line_has_floats(orders: list[dict[str, Any]]) -> None:
    (line, *_) = [
        line for o in orders for refund in o["refunds"] for line in refund["refund_line_items"]
    ]
    assert isinstance(line["subtotal"], float)
    assert isinstance(line["total_tax"], float)
    assert f"{line['subtotal']:.2f}" == line["subtotal_set"]["shop_money"]["amount"]


def test_the_nested_customer_has_no_totals_and_a_line_no_product_type(
    orders: list[dict[str, Any]],
) -> None:
    customers = [order["customer"] for order in orders if order["customer"]]
    assert customers
    assert not {"total_spent", "orders_count"} & set(customers[0])
    assert "product_type" not in orders[0]["line_items"][0]


def test_a_guest_has_no_customer_but_an_email(orders: list[dict[str, Any]]) -> None:
    guests = [order for order in orders if order["customer"] is None]
    assert guests
    assert all(order["email"] for order in guests)


def test_every_sort_of_order_is_there(orders: list[dict[str, Any]]) -> None:
    assert {order["financial_status"] for order in orders} >= {
        "paid", "pending", "voided", "refunded", "partially_refunded",
    }  # fmt: skip
    assert any(order["test"] for order in orders)
    assert all(bool(o["cancelled_at"]) == (o["financial_status"] == "voided") for o in orders)
    assert len({order["source_name"] for order in orders}) > 1
    kinds = {t["status"] for o in orders for r in o["refunds"] for t in r["transactions"]}
    assert kinds == {"success", "failure"}


def test_transactions_have_the_recorded_keys_and_a_capture_repeats_its_authorization(
    tiny: Books, shared: Path
) -> None:
    path = shared / "payloads/shopify/shopify-api-ruby_rest_2026_07/transaction_samples.json"
    samples = json.loads(path.read_text(encoding="utf-8"))
    recorded = {k for t in samples[0]["response"]["transactions"] for k in t} - {"payment_details"}
    door, kinds = Door(tiny), {}
    for order in (101, 102, 103):
        found = door.get(f"/orders/{order}/transactions.json").json["transactions"]
        assert all(set(transaction) == recorded for transaction in found)
        kinds[order] = [(t["kind"], t["amount"]) for t in found]
    assert kinds == {
        101: [("sale", "37.40"), ("refund", "9.90")],
        102: [("authorization", "27.50"), ("capture", "27.50")],
        103: [("sale", "27.50")],
    }


# ------------------------------------------------------------------ sums


def money(value: str | float) -> Decimal:
    return Decimal(str(value))


def test_the_parts_of_every_order_add_up_to_its_total(orders: list[dict[str, Any]]) -> None:
    for order in orders:
        lines = sum(money(line["price"]) * line["quantity"] for line in order["line_items"])
        shipping = money(order["total_shipping_price_set"]["shop_money"]["amount"])
        assert money(order["total_line_items_price"]) == lines
        assert money(order["total_price"]) == (
            lines - money(order["total_discounts"]) + money(order["total_tax"]) + shipping
        )


def test_allocations_add_up_to_the_discount_of_the_order(orders: list[dict[str, Any]]) -> None:
    discounted = [order for order in orders if money(order["total_discounts"])]
    assert discounted
    for order in discounted:
        parts = [*order["line_items"], *order["shipping_lines"]]
        given = [money(a["amount"]) for part in parts for a in part["discount_allocations"]]
        assert sum(given) == money(order["total_discounts"])
        assert order["discount_codes"][0]["code"] == "WELCOME10"


def test_what_was_paid_back_is_lines_and_tax_less_the_adjustments(
    orders: list[dict[str, Any]],
) -> None:
    refunds = [refund for order in orders for refund in order["refunds"]]
    kinds = set()
    for refund in refunds:
        lines = sum(
            money(part["subtotal_set"]["shop_money"]["amount"]) + money(part["total_tax"])
            for part in refund["refund_line_items"]
        )
        gaps = sum(money(a["amount"]) + money(a["tax_amount"]) for a in refund["order_adjustments"])
        paid = [money(t["amount"]) for t in refund["transactions"] if t["status"] == "success"]
        assert lines - gaps == sum(paid)
        kinds |= {adjustment["kind"] for adjustment in refund["order_adjustments"]}
    assert kinds == {"shipping_refund", "refund_discrepancy"}


def test_what_is_left_is_the_total_less_what_came_back(tiny: Books) -> None:
    order = Door(tiny).get("/orders/101.json").json["order"]
    assert order["total_price"] == "37.40"
    assert order["current_total_price"] == "27.50"
    assert order["current_subtotal_price"] == "20.00"
    assert order["current_total_discounts"] == "0.00"
    assert order["current_total_tax"] == "2.50"
    assert [line["current_quantity"] for line in order["line_items"]] == [1, 0]


def test_the_sums_over_all_orders_are_those_of_the_books(
    books: Books, orders: list[dict[str, Any]]
) -> None:
    rows = books.query("SELECT * FROM orders WHERE shop = 'us'")
    expected = [sums(row["body"]) for row in rows]
    assert len(orders) == len(rows)
    assert sum(money(o["total_price"]) for o in orders) == sum(s.total for s in expected)
    assert sum(money(o["total_line_items_price"]) for o in orders) == sum(s.goods for s in expected)
    assert sum(money(o["total_tax"]) for o in orders) == sum(s.tax for s in expected)
    counted = [
        order for order, row in zip(_by_id(orders), rows, strict=True) if counts(row["body"])
    ]
    assert len(counted) < len(orders)
    assert all(not o["test"] and not o["cancelled_at"] for o in counted)


def _by_id(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(orders, key=lambda order: order["id"])


def test_where_prices_include_tax_amounts_include_it_too(tiny: Books) -> None:
    changed = {
        "prices_include_tax": True,
        "lines": [
            {**line, "unit_price": "11.00", "net": "10.00", "discount": "1.00",
             "discount_tax": "0.10", "tax": "0.90"}
            for line in _lines(tiny)
        ],
    }  # fmt: skip
    _change(tiny, changed)
    order = Door(tiny).get("/orders/103.json").json["order"]
    assert order["taxes_included"] is True
    assert order["total_line_items_price"] == "11.00"
    assert order["total_discounts"] == "1.10"
    assert order["subtotal_price"] == "9.90"
    assert order["total_shipping_price_set"]["shop_money"]["amount"] == "5.50"
    assert order["total_price"] == "15.40"


def test_the_buyer_sees_other_money_than_the_books(tiny: Books) -> None:
    _change(tiny, {"display_currency": "CAD", "rate": "1.4"})
    order = Door(tiny).get("/orders/103.json").json["order"]
    assert (order["currency"], order["presentment_currency"]) == ("USD", "CAD")
    assert order["total_price"] == "27.50"
    assert order["total_price_set"] == {
        "shop_money": {"amount": "27.50", "currency_code": "USD"},
        "presentment_money": {"amount": "38.50", "currency_code": "CAD"},
    }


def test_instants_are_in_the_shops_own_time(tiny: Books) -> None:
    door = Door(tiny)
    door.settings(timezone="America/New_York")
    assert door.get("/orders/101.json").json["order"]["created_at"] == "2026-01-01T05:00:00-05:00"


def _lines(books: Books) -> list[dict[str, Any]]:
    row = books.order("us", 103)
    assert row is not None
    lines: list[dict[str, Any]] = row["body"]["lines"]
    return lines


def _change(books: Books, changed: Mapping[str, Any]) -> None:
    """Change order 103; its total stays what its parts come to."""
    row = books.order("us", 103)
    assert row is not None
    body = {**row["body"], **changed}
    parts = [*body["lines"], body["shipping"]]
    total = sum(money(p["net"]) - money(p["discount"]) + money(p["tax"]) for p in parts)
    body["total"] = str(total)
    books.execute("UPDATE orders SET body = ? WHERE id = 103", [json.dumps(body)])
