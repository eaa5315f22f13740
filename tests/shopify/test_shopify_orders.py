"""What both ways of reading orders promise, held against either."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import ConfigurationError, ShopUnavailable
from connectors.shopify import ShopifyShop
from tests.shopify.two_doors import NOW, Shop, ids, instant


@pytest.fixture(params=["graphql", "rest"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_backfill_brings_every_order_of_any_status_and_says_how_many(
    shop: ShopifyShop, orders: Shop
) -> None:
    pages = list(shop.pull_orders(None, NOW))
    assert ids(pages) == [str(n) for n in range(1, 11)]
    assert {page.expected for page in pages} == {10}


def test_every_cursor_of_a_backfill_goes_on_where_its_page_ended(
    shop: ShopifyShop, orders: Shop
) -> None:
    whole = list(shop.pull_orders(None, NOW))
    for place, page in enumerate(whole[:-1]):
        orders.links.clear()  # by now every link has expired
        rest = list(shop.pull_orders(page.cursor, NOW))
        assert ids(whole[: place + 1]) + ids(rest) == [str(n) for n in range(1, 11)]
        assert rest[-1].cursor == whole[-1].cursor


def test_an_order_changed_behind_the_backfill_comes_with_the_next_pull(
    shop: ShopifyShop, orders: Shop, make: Any
) -> None:
    pages = shop.pull_orders(None, NOW)
    first = next(pages)
    orders.orders[0] = make.order(id=1, updated_at=instant(-1), source_name="changed")
    last = [first, *pages][-1]
    again = list(shop.pull_orders(last.cursor, NOW + timedelta(hours=1)))
    assert [(o.order_id, o.channel) for page in again for o in page.orders] == [("1", "changed")]


def test_an_empty_shop_is_read_to_its_end(shop: ShopifyShop, orders: Shop) -> None:
    orders.orders.clear()
    (page,) = shop.pull_orders(None, NOW)
    assert "changed_since" in page.cursor


def test_since_leaves_out_what_was_placed_before(shop: ShopifyShop, orders: Shop) -> None:
    since = NOW - timedelta(minutes=9000 - 6)
    pages = list(shop.pull_orders(None, NOW, since))
    assert ids(pages) == ["6", "7", "8", "9", "10"]
    orders.orders[0] = orders.orders[0] | {"updated_at": instant(0)}
    later = shop.pull_orders(pages[-1].cursor, NOW + timedelta(hours=1))
    assert ids(list(later)) == []  # a change doesn't bring in what a full read leaves out


def test_a_shop_where_nothing_happens_costs_one_request(shop: ShopifyShop, orders: Shop) -> None:
    cursor = {"changed_since": instant(0), "since": ""}
    first = list(shop.pull_orders(cursor, NOW))
    second = list(shop.pull_orders(first[-1].cursor, NOW))
    assert (ids(first), ids(second)) == ([], [])
    assert first[-1].cursor == second[-1].cursor == cursor
    assert len(orders.asked) == 2


def test_more_orders_than_a_page_holds_changed_in_the_same_second_all_come(
    shop: ShopifyShop, orders: Shop, make: Any, way: str
) -> None:
    many = {"rest": 500, "graphql": 50}[way]
    orders.orders[:] = [make.order(id=n, updated_at=instant(5)) for n in range(1, many + 1)]
    orders.largest = 250
    cursor = {"changed_since": instant(10), "since": ""}
    pages = list(shop.pull_orders(cursor, NOW))
    assert len(pages) > 1
    assert len(ids(pages)) == many
    resumed = list(shop.pull_orders(pages[0].cursor, NOW))
    assert set(ids(resumed)) == set(ids(pages))


def test_every_cursor_of_changes_goes_on_without_a_gap(shop: ShopifyShop, orders: Shop) -> None:
    cursor = {"changed_since": instant(6000), "since": ""}
    whole = list(shop.pull_orders(cursor, NOW))
    for place, page in enumerate(whole):
        rest = list(shop.pull_orders(page.cursor, NOW))
        assert set(ids(whole[: place + 1])) | set(ids(rest)) == {str(n) for n in range(1, 11)}
    assert whole[-1].cursor["changed_since"] == instant(4990)


def test_orders_changed_under_the_pages_are_not_missed(
    shop: ShopifyShop, orders: Shop, make: Any
) -> None:
    def change() -> None:
        n = len(orders.asked)
        orders.orders[n] = make.order(id=n + 1, updated_at=instant(100 - n), source_name="changed")

    orders.between = change
    cursor = {"changed_since": instant(6000), "since": ""}
    pages = list(shop.pull_orders(cursor, NOW))
    latest = {order.order_id: order.channel for page in pages for order in page.orders}
    assert set(latest) == {str(n) for n in range(1, 11)}
    changed = {order["id"] for order in orders.orders if order["source_name"] == "changed"}
    assert {n for n, channel in latest.items() if channel == "changed"} == {str(n) for n in changed}


def test_the_cursor_never_runs_ahead_of_the_clock(shop: ShopifyShop, orders: Shop) -> None:
    orders.orders[0] = orders.orders[0] | {"updated_at": instant(-60)}
    cursor = {"changed_since": instant(10), "since": ""}
    pages = list(shop.pull_orders(cursor, NOW))
    assert pages[-1].cursor["changed_since"] == instant(0)


def test_a_cursor_in_the_future_is_an_error_not_an_empty_success(
    shop: ShopifyShop, orders: Shop
) -> None:
    cursor = {"changed_since": instant(-60), "since": ""}
    with pytest.raises(ConfigurationError, match="future"):
        list(shop.pull_orders(cursor, NOW))
    assert not orders.asked


def test_a_shop_that_fails_over_small_pages_too_is_unavailable(
    shop: ShopifyShop, orders: Shop
) -> None:
    orders.fat, orders.largest = True, 1
    with pytest.raises(ShopUnavailable):
        list(shop.pull_orders(None, NOW))
