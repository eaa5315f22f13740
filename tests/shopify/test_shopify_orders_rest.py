"""Orders over REST: the Link header, its page sizes and its filters."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from connectors.errors import RequestRefused, ShopUnavailable
from connectors.shopify import ShopifyShop
from tests.shopify.two_doors import API, NOW, Shop, ids, instant


@pytest.fixture
def way() -> str:
    return "rest"


def test_orders_of_any_status_are_asked_for(shop: ShopifyShop, orders: Shop) -> None:
    list(shop.pull_orders(None, NOW))
    assert (orders.asked[0]["status"], orders.asked[0]["limit"]) == ("any", "250")


def test_since_asks_for_what_was_created_from_then_on(shop: ShopifyShop, orders: Shop) -> None:
    list(shop.pull_orders(None, NOW, NOW))
    assert orders.asked[0]["created_at_min"] == NOW.isoformat()


def test_no_telephone_note_or_ip_address_is_asked_for(shop: ShopifyShop, orders: Shop) -> None:
    list(shop.pull_orders(None, NOW))
    fields = orders.asked[0]["fields"].split(",")
    assert not {"phone", "note", "note_attributes", "client_details", "browser_ip"} & set(fields)


def test_with_a_page_link_nothing_but_the_limit_is_sent(shop: ShopifyShop, orders: Shop) -> None:
    list(shop.pull_orders(None, NOW))
    assert all(set(asked) == {"page_info", "limit"} for asked in orders.asked[1:])


def test_changes_are_read_again_for_a_quarter_of_an_hour_before_the_cursor(
    shop: ShopifyShop, orders: Shop
) -> None:
    cursor = {"changed_since": instant(0), "since": ""}
    orders.orders[3] = orders.orders[3] | {"updated_at": instant(14)}
    orders.orders[4] = orders.orders[4] | {"updated_at": instant(16)}
    assert ids(list(shop.pull_orders(cursor, NOW))) == ["4"]
    assert orders.asked[0]["updated_at_min"] == instant(15)


def test_the_cursor_waits_where_the_shop_does_not_sort_by_change(
    shop: ShopifyShop, orders: Shop, web: responses.RequestsMock, make: Any
) -> None:
    link = {"Link": f'<{API}/orders.json?limit=250&page_info=t>; rel="next"'}
    unsorted = [make.order(id=1, updated_at=instant(1)), make.order(id=2, updated_at=instant(9))]
    web.replace(responses.GET, f"{API}/orders.json", json={"orders": unsorted}, headers=link)
    cursor = {"changed_since": instant(10), "since": ""}
    assert next(shop.pull_orders(cursor, NOW)).cursor == cursor


def test_fat_pages_are_asked_for_in_halves(
    shop: ShopifyShop, orders: Shop, waits: list[float], make: Any
) -> None:
    orders.fat, orders.largest = True, 70
    orders.orders[:] = [make.order(id=n) for n in range(1, 101)]
    assert len(ids(list(shop.pull_orders(None, NOW)))) == 100
    worked = [asked["limit"] for asked in orders.asked if int(asked["limit"]) <= 70]
    assert worked == ["62", "62"]


def repeated(web: responses.RequestsMock, rows: Any) -> None:
    """A shop that answers everything with the same page and another link."""
    tokens = iter(f"t{n}" for n in range(1000))

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        link = f'<{API}/orders.json?limit=250&page_info={next(tokens)}>; rel="next"'
        return 200, {"Link": link}, json.dumps({"orders": rows})

    web.remove(responses.GET, f"{API}/orders.json")
    web.add_callback(responses.GET, f"{API}/orders.json", callback=answer)


@pytest.mark.parametrize("cursor", [None, {"changed_since": instant(10), "since": ""}])
@pytest.mark.parametrize("rows", [0, 1])
def test_pages_that_go_round_are_noticed_within_two(
    shop: ShopifyShop, orders: Shop, web: Any, make: Any, cursor: Any, rows: int
) -> None:
    repeated(web, [make.order(id=n + 1, updated_at=instant(5)) for n in range(rows)])
    read = []
    with pytest.raises(ShopUnavailable):
        read.extend(shop.pull_orders(cursor, NOW))
    assert len(read) <= 2


def test_a_backfill_whose_ids_fall_is_refused(
    shop: ShopifyShop, orders: Shop, web: responses.RequestsMock, make: Any
) -> None:
    falling = {"orders": [make.order(id=2), make.order(id=1)]}
    web.replace(responses.GET, f"{API}/orders.json", json=falling)
    with pytest.raises(ShopUnavailable, match="rise"):
        list(shop.pull_orders(None, NOW))


def test_a_link_to_another_host_is_not_followed(
    shop: ShopifyShop, orders: Shop, web: responses.RequestsMock, make: Any
) -> None:
    link = {"Link": '<https://evil.example/orders.json?page_info=t>; rel="next"'}
    web.replace(responses.GET, f"{API}/orders.json", json={"orders": []}, headers=link)
    with pytest.raises(RequestRefused, match="away"):
        list(shop.pull_orders(None, NOW))
