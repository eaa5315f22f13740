"""GraphQL's answers in REST's form: what is known to be whole is joined, nothing is guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.identity import EmailHasher
from connectors.shopify.nodes import (
    Children,
    following,
    listed,
    order_payload,
    refund_ids,
    refund_payload,
    refunds_of,
)
from connectors.shopify.parse import Parsed, parse_orders
from connectors.shopify.reading import Part
from tests.shopify.test_shopify_mutations import graphql_answer, read_graphql

HASHER = EmailHasher(b"a key of sixteen bytes or more")
WHOLE = {"hasNextPage": False, "endCursor": None}


def test_a_whole_connection_is_the_list_of_its_nodes() -> None:
    assert listed({"nodes": [{"id": 1}], "pageInfo": WHOLE}) == [{"id": 1}]


@pytest.mark.parametrize(
    "connection",
    [
        {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}},
        {"nodes": [], "pageInfo": {"hasNextPage": None}},
        {"nodes": []},
        {"nodes": [], "pageInfo": None},
        None,
        "x",
    ],
)
def test_a_connection_that_may_hold_more_is_no_list(connection: Any) -> None:
    assert not isinstance(listed(connection), list)


def test_the_cursor_behind_a_connection_is_empty_at_its_end_and_none_where_it_is_unknown() -> None:
    assert following({"pageInfo": WHOLE}) == ""
    assert following({"pageInfo": {"hasNextPage": True, "endCursor": "x"}}) == "x"
    assert following({"pageInfo": {"hasNextPage": True, "endCursor": None}}) is None
    assert following({}) is None


def test_a_refund_that_was_not_found_leaves_a_hole_not_a_shorter_list() -> None:
    node = {"refunds": [{"id": "a"}, {"id": "b"}]}
    assert refund_ids(node) == ["a", "b"]
    assert refunds_of(node, {"a": {"id": "a"}}) == [{"id": "a"}, None]
    assert refunds_of({"refunds": [{"id": "a"}, {}]}, {}) == [{"id": "a"}, {}]


def parsed(make: Any, **changed: Any) -> Parsed:
    answer = graphql_answer(make.order())
    answer["order"] |= changed
    return read_graphql(answer)


def test_lines_joined_in_any_order_come_to_the_same_order(make: Any) -> None:
    answer = graphql_answer(make.order())
    node = answer["order"]
    lines, shippings = listed(node["line_items"]), listed(node["shipping_lines"])
    backwards = order_payload(node, Children(lines[::-1], shippings, []))
    forwards = order_payload(node, Children(lines, shippings, []))
    assert (
        parse_orders("toys", [backwards], HASHER).orders
        == parse_orders("toys", [forwards], HASHER).orders
    )


def test_a_missing_line_is_no_smaller_order(make: Any) -> None:
    answer = graphql_answer(make.order())
    answer["order"]["line_items"]["nodes"].pop()
    (reject,) = read_graphql(answer).rejects
    assert reject.field == "total_price"


def test_an_order_with_lines_left_to_read_is_put_aside_by_name(make: Any) -> None:
    answer = graphql_answer(make.order())
    answer["order"]["line_items"]["pageInfo"] = {"hasNextPage": True, "endCursor": "x"}
    (reject,) = read_graphql(answer).rejects
    assert (reject.row_id, reject.field) == ("1001", "line_items")


def test_ids_lose_their_prefix_and_words_their_capitals(make: Any) -> None:
    (order,) = parsed(make, fulfillment_status="FULFILLED").orders
    assert (order.order_id, order.customer_id, order.state) == ("1001", "77", "complete")
    assert Part({"id": "gid://shopify/LineItem/12"}).id("id") == "12"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("FULFILLMENT_NOT_REQUIRED", "paid"),
        ("PARTIALLY_FULFILLED", "paid"),
        ("UNFULFILLED", "paid"),
        ("RESTOCKED", "paid"),
    ],
)
def test_only_what_was_shipped_is_complete(make: Any, status: str, state: str) -> None:
    assert parsed(make, fulfillment_status=status).orders[0].state == state


def test_no_tax_and_no_discount_may_be_null_where_the_sums_say_so(make: Any) -> None:
    answer = graphql_answer(
        make.order(
            **make.money("total_price", "50.00"),
            **make.money("total_tax", "0.00"),
            **make.money("total_discounts", "0.00"),
            line_items=[make.line(1, "50.00")],
            shipping_lines=[],
        )
    )
    answer["order"] |= {"total_tax_set": None, "total_discounts_set": None}
    (order,) = read_graphql(answer).orders
    assert (order.tax_value, order.discount_value, order.total_value) == (0, 0, 50)
    (reject,) = parsed(make, total_tax_set=None).rejects
    assert reject.field == "total_price"


@pytest.mark.parametrize(
    ("currency", "total", "fits"),
    [
        ("EUR", "135.68", True),  # a cent for each of eight amounts
        ("EUR", "135.7", False),  # the digits of an amount don't tell the unit
        ("JPY", "143.6", True),
        ("JPY", "144.6", False),
    ],
)
def test_what_conversion_may_leave_over_is_measured_in_the_currencys_unit(
    make: Any, currency: str, total: str, fits: bool
) -> None:
    payload = make.order(presentment_currency="USD", **make.money("total_price", total))
    answer = json.loads(json.dumps(graphql_answer(payload)).replace("EUR", currency))
    assert bool(read_graphql(answer).orders) == fits


def test_a_tip_is_told_by_what_it_comes_to(make: Any) -> None:
    """GraphQL doesn't mark it: neither a card of that price nor a shipped thing is taken for it."""
    lines = [
        make.line(1, "4.00") | {"requires_shipping": False, "sku": "E-BOOK"},
        make.line(2, "4.00"),
        make.line(3, "7.00") | {"requires_shipping": False, "sku": None},
        make.line(4, "4.00") | {"requires_shipping": False, "sku": None},
    ]
    payload = make.order(
        **make.money("total_price", "19.00"),
        **make.money("total_tax", "0.00"),
        **make.money("total_discounts", "0.00"),
        total_tip_received="4.00",
        line_items=lines,
        shipping_lines=[],
    )
    found = read_graphql(graphql_answer(payload))
    assert [line.line_id for line in found.lines] == ["1", "2", "3"]
    assert (found.orders[0].goods_value, found.orders[0].shipping_value) == (15, 4)


def test_a_refunds_lists_are_joined_and_its_other_fields_kept() -> None:
    empty = {"nodes": [], "pageInfo": WHOLE}
    node = {"id": "r", "transactions": empty, "order_adjustments": empty}
    payload = refund_payload(node)
    assert payload["id"] == "r"
    assert (payload["transactions"], payload["refund_shipping_lines"]) == ([], None)
