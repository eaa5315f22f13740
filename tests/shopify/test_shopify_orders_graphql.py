"""Orders over GraphQL: searches, pages by cost, everything that belongs to an order, pacing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import responses

from connectors.errors import ShopUnavailable
from connectors.http import Answer
from connectors.platform import Window
from connectors.shopify import ShopifyShop, orders_graphql
from connectors.shopify.graphql import CALL_LIMIT, pause
from tests.shopify.test_shopify_ledger import LEDGER
from tests.shopify.two_doors import API, NOW, Shop, ids, instant


@pytest.fixture
def way() -> str:
    return "graphql"


def searches(orders: Shop) -> list[str]:
    return [asked["search"] for asked in orders.asked if "search" in asked]


def test_a_backfill_searches_behind_the_last_id(shop: ShopifyShop, orders: Shop) -> None:
    list(shop.pull_orders(None, NOW, NOW - timedelta(days=9000)))
    placed = "processed_at:>='2002-04-02T12:00:00Z'"
    assert searches(orders) == [placed] + [f"id:>={n} {placed}" for n in (1, 4, 7, 10)]


def test_a_shop_may_change_its_way_in_the_middle(shop: ShopifyShop, orders: Shop) -> None:
    first = next(shop.pull_orders(None, NOW))
    shop._settings = replace(shop._settings, read="rest")
    second = next(shop.pull_orders(first.cursor, NOW))
    shop._settings = replace(shop._settings, read="graphql")
    rest = list(shop.pull_orders(second.cursor, NOW))
    assert ids([first, second, *rest]) == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("size", [1, 2])
def test_long_orders_and_refunds_are_read_to_their_ends(
    shop: ShopifyShop, orders: Shop, make: Any, size: int
) -> None:
    orders.orders = [scenario(make) | {"id": n} for n, scenario in enumerate(LEDGER, start=1)]
    for number, order in enumerate(orders.orders, start=1):
        order["refunds"] = [
            refund | {"id": 100 * number + refund["id"]} for refund in order["refunds"]
        ]
    orders.largest = 250
    (whole,) = shop.pull_orders(None, NOW)
    orders.inner = size
    (paged,) = shop.pull_orders(None, NOW)
    assert not whole.rejects
    assert (paged.orders, paged.lines, paged.refunds) == (whole.orders, whole.lines, whole.refunds)


def test_a_refund_that_is_gone_meanwhile_puts_its_order_aside_and_no_other(
    shop: ShopifyShop, orders: Shop, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.orders[0]["refunds"] = [make.refund(7)]
    known = orders._named
    gone = lambda ids: [None if "Refund" in one else known([one])[0] for one in ids]  # noqa: E731
    monkeypatch.setattr(orders, "_named", gone)
    page = next(shop.pull_orders(None, NOW))
    assert ids([page]) == ["2", "3"]
    assert [(reject.row_id, reject.field) for reject in page.rejects] == [("1", "refunds[0]")]


def test_pages_grow_to_what_the_shop_counts_them_as(shop: ShopifyShop, orders: Shop) -> None:
    orders.cost = {"requestedQueryCost": 500}
    list(shop.pull_orders(None, NOW))
    assert [asked["first"] for asked in orders.asked if "first" in asked] == [22, 44, 88, 100]


def test_pages_shrink_where_they_would_cost_too_much(shop: ShopifyShop, orders: Shop) -> None:
    orders.cost = {"requestedQueryCost": 995}
    list(shop.pull_orders(None, NOW))
    assert {asked["first"] for asked in orders.asked if "first" in asked} == {22}


def test_pages_over_which_the_shop_fails_are_halved_for_good(
    shop: ShopifyShop, orders: Shop
) -> None:
    orders.fat, orders.largest = True, 10
    orders.cost = {"requestedQueryCost": 100}
    assert len(ids(list(shop.pull_orders(None, NOW)))) == 10
    sizes = [asked["first"] for asked in orders.asked if "first" in asked]
    assert sizes == [22] * 3 + [11] * 3 + [5, 5]  # each is asked again before it is halved


def test_a_shop_that_fails_over_small_pages_too_is_unavailable(
    shop: ShopifyShop, orders: Shop
) -> None:
    orders.fat, orders.largest = True, 1
    with pytest.raises(ShopUnavailable):
        list(shop.pull_orders(None, NOW))


def test_a_long_list_of_changes_begins_anew_before_it_gets_too_deep(
    shop: ShopifyShop, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_graphql, "DEEPEST", 5)
    pages = list(shop.pull_orders({"changed_since": instant(6000), "since": ""}, NOW))
    assert set(ids(pages)) == {str(n) for n in range(1, 11)}
    assert len(set(searches(orders))) > 1


def test_changes_are_searched_from_a_quarter_of_an_hour_before_the_cursor(
    shop: ShopifyShop, orders: Shop
) -> None:
    orders.orders[3] |= {"updated_at": instant(14)}
    orders.orders[4] |= {"updated_at": instant(16)}
    cursor = {"changed_since": instant(0), "since": ""}
    assert ids(shop.pull_orders(cursor, NOW)) == ["4"]
    assert searches(orders) == ["updated_at:>='2026-11-22T11:45:00Z'"]


def test_an_imported_order_counts_where_it_was_placed_not_where_it_was_created(
    shop: ShopifyShop, orders: Shop, make: Any
) -> None:
    imported = make.order(id=1, created_at=instant(5), processed_at=instant(60 * 24 * 90))
    orders.orders = [imported, make.order(id=2, created_at=instant(5), processed_at=None)]
    recent = Window(NOW - timedelta(days=1), NOW)
    old = Window(NOW - timedelta(days=100), NOW - timedelta(days=1))
    assert [placed.orders for placed in shop.placed([old, recent])] == [1, 1]
    assert ids(shop.pull_placed(old)) == ["1"]
    assert ids(shop.pull_placed(recent)) == ["2"]


def test_a_window_that_ends_within_a_second_takes_in_what_lies_on_it(
    shop: ShopifyShop, orders: Shop
) -> None:
    odd = NOW + timedelta(microseconds=1)
    list(shop.placed([Window(NOW, odd)]))
    until = "processed_at:>='2026-11-22T12:00:00Z' processed_at:<'2026-11-22T12:00:01Z'"
    assert searches(orders) == [until]


def test_a_count_that_is_not_exact_is_refused(
    shop: ShopifyShop, web: responses.RequestsMock
) -> None:
    rough = {"data": {"ordersCount": {"count": 10000, "precision": "AT_LEAST"}}}
    web.add(responses.POST, f"{API}/graphql.json", json=rough)
    with pytest.raises(ShopUnavailable, match="count"):
        list(shop.placed([Window(NOW - timedelta(days=1), NOW)]))


def test_orders_asked_for_by_id_come_but_for_those_that_are_gone(
    shop: ShopifyShop, orders: Shop
) -> None:
    named = [str(n) for n in range(5, 60)]
    assert ids(shop.pull_named(named)) == ["5", "6", "7", "8", "9", "10"]
    assert [len(asked["ids"]) for asked in orders.asked] == [22, 22, 11]


def test_an_order_that_moved_to_another_customer_is_seen_when_it_is_asked_for(
    shop: ShopifyShop, orders: Shop
) -> None:
    orders.orders[0] |= {"customer": {"id": 99}}  # merged; `updated_at` stays
    (page,) = shop.pull_named(["1"])
    assert page.orders[0].customer_id == "99"


# ------------------------------------------------------------------------------------- pacing


def bucket(asked: float, left: float, rate: float) -> dict[str, Any]:
    status = {"maximumAvailable": 2000, "currentlyAvailable": left, "restoreRate": rate}
    return {"requestedQueryCost": asked, "throttleStatus": status}


def test_what_is_missing_in_the_bucket_is_waited_for_before_the_next_page(
    shop: ShopifyShop, orders: Shop, waits: list[float]
) -> None:
    orders.cost = bucket(991, 491, 100)
    list(shop.pull_orders(None, NOW))
    requests = len(orders.asked)
    assert len(waits) == requests - 1  # nothing is waited for behind the last
    assert all(4 < wait <= 5 for wait in waits)  # 5 seconds, less what was done meanwhile


def test_nothing_is_waited_for_while_the_bucket_holds_enough(
    shop: ShopifyShop, orders: Shop, waits: list[float]
) -> None:
    orders.cost = bucket(991, 991, 100)
    list(shop.pull_orders(None, NOW))
    assert waits == []


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("39/40", 0), ("40/40", 0.5), ("41/40", 1), ("400/400", 0.05), ("", 0), ("x/0", 0)],
)
def test_rest_waits_until_its_bucket_has_room_for_one_more(told: str, seconds: float) -> None:
    assert pause(Answer(200, {CALL_LIMIT: told}, {"orders": []})) == pytest.approx(seconds)
