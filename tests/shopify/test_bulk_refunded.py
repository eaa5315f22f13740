"""Whence the refunds of a bulk result come: REST where it may be used, GraphQL for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from connectors.http import Http
from connectors.shopify.bulk.refunded import Refunded, Wanted

URL = "https://toys.myshopify.com"
API = f"{URL}/admin/api/2026-10"
EMPTY = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
LISTS = ("refund_line_items", "refund_shipping_lines", "order_adjustments", "transactions")


def gid(number: int) -> str:
    return f"gid://shopify/Refund/{number}"


def wanted(order: int, *refunds: int, here: bool = True) -> Wanted:
    return Wanted(str(order), [gid(number) for number in refunds], here)


@pytest.fixture
def shop() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def refunded() -> Refunded:
    return Refunded(Http(URL, shop="us", sleep=lambda seconds: None))


def rest(shop: responses.RequestsMock, orders: dict[int, list[int]]) -> list[str]:
    """REST answers with these orders' refunds; which ids it was asked for."""
    asked: list[str] = []

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        query = request.params  # type: ignore[attr-defined]  # responses adds it
        asked.append(query["ids"])
        assert query["status"] == "any"
        ids = [int(one) for one in query["ids"].split(",")]
        told = [{"id": n, "refunds": [{"id": r} for r in orders[n]]} for n in ids if n in orders]
        return 200, {}, json.dumps({"orders": told})

    shop.add_callback("GET", f"{API}/orders.json", answer)
    return asked


def graphql(shop: responses.RequestsMock, cost: int = 26) -> list[list[str]]:
    asked: list[list[str]] = []

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        ids = json.loads(request.body or b"")["variables"]["ids"]
        asked.append(ids)
        nodes: list[dict[str, Any]] = [{"id": one, **dict.fromkeys(LISTS, EMPTY)} for one in ids]
        told = {"requestedQueryCost": cost * len(ids)}
        return 200, {}, json.dumps({"data": {"nodes": nodes}, "extensions": {"cost": told}})

    shop.add_callback("POST", f"{API}/graphql.json", answer)
    return asked


def test_rest_is_asked_once_for_all_orders_that_have_refunds(
    shop: responses.RequestsMock, refunded: Refunded
) -> None:
    asked = rest(shop, {1: [11, 12], 3: [31]})
    found = refunded.of([wanted(1, 11, 12), wanted(2), wanted(3, 31)])
    assert found == {gid(n): {"id": n} for n in (11, 12, 31)}
    assert asked == ["1,3"]


def test_what_rest_does_not_tell_is_asked_of_graphql(
    shop: responses.RequestsMock, refunded: Refunded
) -> None:
    rest(shop, {1: [11]})
    asked = graphql(shop)
    found = refunded.of([wanted(1, 11, 12), wanted(2, 21), wanted(3, 31, here=False)])
    assert asked == [[gid(12), gid(21), gid(31)]]
    assert found.keys() == {gid(11), gid(12), gid(21), gid(31)}


@pytest.mark.parametrize("status", [403, 404, 500])
def test_where_rest_refuses_it_is_not_asked_again(
    status: int, shop: responses.RequestsMock, refunded: Refunded
) -> None:
    refusal = shop.get(f"{API}/orders.json", status=status, json={"errors": "No."})
    asked = graphql(shop)
    for order in (1, 2):
        assert refunded.of([wanted(order, order)]).keys() == {gid(order)}
    assert asked == [[gid(1)], [gid(2)]]
    assert refusal.call_count == (2 if status == 500 else 1)


@pytest.mark.parametrize(("cost", "sizes"), [(46, [20, 21, 21, 21, 17]), (2, [20, 80])])
def test_as_many_are_asked_for_at_once_as_the_shop_counts_them_for(
    cost: int, sizes: list[int], shop: responses.RequestsMock, refunded: Refunded
) -> None:
    asked = graphql(shop, cost)
    refunded.of([wanted(1, *range(1, 101), here=False)])
    assert [len(ids) for ids in asked] == sizes


@pytest.mark.parametrize("data", [[], {"orders": [7, {"refunds": 7}, {"refunds": [{"id": "x"}]}]}])
def test_an_answer_that_can_not_be_read_is_left_to_graphql(
    data: object, shop: responses.RequestsMock, refunded: Refunded
) -> None:
    shop.get(f"{API}/orders.json", json=data)
    graphql(shop)
    assert refunded.of([wanted(1, 11)]).keys() == {gid(11)}
