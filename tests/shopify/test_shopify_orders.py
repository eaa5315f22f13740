from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from requests import PreparedRequest

from connectors.errors import ConfigurationError, RequestRefused, ShopUnavailable
from connectors.platform import Page
from connectors.shopify import ShopifyShop

API = "https://toys.myshopify.com/admin/api/2026-10"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def instant(minutes: float) -> str:
    """That many minutes before NOW, as the shop writes it."""
    return (NOW - timedelta(minutes=minutes)).isoformat()


class Orders:
    """Orders behind REST with keyset pages, as Shopify has them.

    `page` is the largest page that works: a larger one fails with a 500, if `fat`.
    """

    def __init__(self, web: responses.RequestsMock, orders: list[dict[str, Any]]) -> None:
        self.orders = orders
        self.asked: list[dict[str, str]] = []
        self.largest = 250
        self.fat = False
        self.links: dict[str, dict[str, Any]] = {}
        self.between: Any = None
        web.add_callback(responses.GET, f"{API}/orders.json", callback=self.listed)
        web.add_callback(responses.GET, f"{API}/orders/count.json", callback=self.counted)

    def counted(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"count": len(self.orders)})

    def listed(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked = dict(parse_qsl(urlsplit(request.url or "").query))
        self.asked.append(asked)
        limit = int(asked["limit"])
        if self.fat and limit > self.largest:
            return 500, {}, "<html>Internal Server Error</html>"
        if self.between:
            self.between()
        if "page_info" in asked:
            if set(asked) - {"page_info", "limit", "fields"}:
                return 400, {}, json.dumps({"errors": {"status": "cannot be passed"}})
            state = self.links[asked["page_info"]]
        else:
            state = {"filters": asked, "behind": None}
        return self.page(state, min(limit, self.largest), asked)

    def page(self, state: Any, limit: int, asked: Any) -> tuple[int, dict[str, str], str]:
        filters, behind = state["filters"], state["behind"]
        by_update = filters.get("order") == "updated_at asc"
        key = (lambda row: (row["updated_at"], row["id"])) if by_update else (lambda row: row["id"])
        rows = sorted(self.orders, key=key)
        rows = [row for row in rows if row["id"] > int(filters.get("since_id", 0))]
        rows = [row for row in rows if row["updated_at"] >= filters.get("updated_at_min", "")]
        rows = [row for row in rows if row["created_at"] >= filters.get("created_at_min", "")]
        rows = [row for row in rows if behind is None or key(row) > behind]
        headers = {}
        if rows[limit:]:
            token = f"t{len(self.links)}"
            self.links[token] = {"filters": filters, "behind": key(rows[limit - 1])}
            link = f"{API}/orders.json?limit={limit}&page_info={token}"
            headers["Link"] = f'<{API}/orders.json?limit=1&page_info=x>; rel="previous", '
            headers["Link"] += f'<{link}>; rel="next"'
        return 200, headers, json.dumps({"orders": rows[:limit]})


@pytest.fixture
def orders(web: responses.RequestsMock, make: Any) -> Orders:
    made = [
        make.order(
            id=n, created_at=instant(9000 - n), updated_at=instant(5000 - n), processed_at=None
        )
        for n in range(1, 11)
    ]
    kept = Orders(web, made)
    kept.largest = 3
    return kept


def ids(pages: list[Page]) -> list[str]:
    return [order.order_id for page in pages for order in page.orders]


def test_a_backfill_brings_every_order_of_any_status_and_says_how_many(
    shop: ShopifyShop, orders: Orders
) -> None:
    pages = list(shop.pull_orders(None, NOW))
    assert ids(pages) == [str(n) for n in range(1, 11)]
    assert orders.asked[0]["status"] == "any"
    assert orders.asked[0]["limit"] == "250"
    assert {page.expected for page in pages} == {10}


def test_the_fields_asked_for_hold_no_address(shop: ShopifyShop, orders: Orders) -> None:
    list(shop.pull_orders(None, NOW))
    fields = orders.asked[0]["fields"].split(",")
    assert not {"billing_address", "shipping_address", "phone", "note"} & set(fields)


def test_with_a_page_link_nothing_but_the_limit_is_sent(shop: ShopifyShop, orders: Orders) -> None:
    list(shop.pull_orders(None, NOW))
    assert all(set(asked) == {"page_info", "limit"} for asked in orders.asked[1:])


def test_every_cursor_of_a_backfill_goes_on_where_its_page_ended(
    shop: ShopifyShop, orders: Orders
) -> None:
    whole = list(shop.pull_orders(None, NOW))
    for place, page in enumerate(whole[:-1]):
        orders.links.clear()  # by now every link has expired
        rest = list(shop.pull_orders(page.cursor, NOW))
        assert ids(whole[: place + 1]) + ids(rest) == [str(n) for n in range(1, 11)]
        assert rest[-1].cursor == whole[-1].cursor


def test_an_order_changed_behind_the_backfill_comes_with_the_next_pull(
    shop: ShopifyShop, orders: Orders, make: Any
) -> None:
    pages = shop.pull_orders(None, NOW)
    first = next(pages)
    orders.orders[0] = make.order(id=1, updated_at=instant(-1), source_name="changed")
    last = [first, *pages][-1]
    again = list(shop.pull_orders(last.cursor, NOW + timedelta(hours=1)))
    assert [(o.order_id, o.channel) for page in again for o in page.orders] == [("1", "changed")]


def test_an_empty_shop_is_read_to_its_end(shop: ShopifyShop, orders: Orders) -> None:
    orders.orders.clear()
    (page,) = shop.pull_orders(None, NOW)
    assert "changed_since" in page.cursor


def test_since_leaves_out_what_was_placed_before(shop: ShopifyShop, orders: Orders) -> None:
    since = NOW - timedelta(minutes=9000 - 6)
    pages = list(shop.pull_orders(None, NOW, since))
    assert ids(pages) == ["6", "7", "8", "9", "10"]
    assert orders.asked[0]["created_at_min"] == since.isoformat()
    orders.orders[0] = orders.orders[0] | {"updated_at": instant(0)}
    later = shop.pull_orders(pages[-1].cursor, NOW + timedelta(hours=1))
    assert ids(list(later)) == []  # a change doesn't bring in what a full read leaves out


def test_changes_are_read_again_for_a_quarter_of_an_hour_before_the_cursor(
    shop: ShopifyShop, orders: Orders
) -> None:
    cursor = {"changed_since": instant(0), "since": ""}
    orders.orders[3] = orders.orders[3] | {"updated_at": instant(14)}
    orders.orders[4] = orders.orders[4] | {"updated_at": instant(16)}
    assert ids(list(shop.pull_orders(cursor, NOW))) == ["4"]
    assert orders.asked[0]["updated_at_min"] == instant(15)


def test_a_shop_where_nothing_happens_costs_one_request(shop: ShopifyShop, orders: Orders) -> None:
    cursor = {"changed_since": instant(0), "since": ""}
    first = list(shop.pull_orders(cursor, NOW))
    second = list(shop.pull_orders(first[-1].cursor, NOW))
    assert (ids(first), ids(second)) == ([], [])
    assert first[-1].cursor == second[-1].cursor == cursor
    assert len(orders.asked) == 2


def test_five_hundred_orders_changed_in_the_same_second_all_come(
    shop: ShopifyShop, orders: Orders, make: Any
) -> None:
    orders.orders[:] = [make.order(id=n, updated_at=instant(5)) for n in range(1, 501)]
    orders.largest = 250
    cursor = {"changed_since": instant(10), "since": ""}
    pages = list(shop.pull_orders(cursor, NOW))
    assert len(ids(pages)) == 500
    resumed = list(shop.pull_orders(pages[0].cursor, NOW))
    assert set(ids(resumed)) == set(ids(pages))


def test_every_cursor_of_changes_goes_on_without_a_gap(shop: ShopifyShop, orders: Orders) -> None:
    cursor = {"changed_since": instant(6000), "since": ""}
    whole = list(shop.pull_orders(cursor, NOW))
    for place, page in enumerate(whole):
        rest = list(shop.pull_orders(page.cursor, NOW))
        assert set(ids(whole[: place + 1])) | set(ids(rest)) == {str(n) for n in range(1, 11)}
    assert whole[-1].cursor["changed_since"] == instant(4990)


def test_orders_changed_under_the_pages_are_not_missed(
    shop: ShopifyShop, orders: Orders, make: Any
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


def test_the_cursor_waits_where_the_shop_does_not_sort_by_change(
    shop: ShopifyShop, orders: Orders, web: responses.RequestsMock, make: Any
) -> None:
    link = {"Link": f'<{API}/orders.json?limit=250&page_info=t>; rel="next"'}
    unsorted = [make.order(id=1, updated_at=instant(1)), make.order(id=2, updated_at=instant(9))]
    web.replace(responses.GET, f"{API}/orders.json", json={"orders": unsorted}, headers=link)
    cursor = {"changed_since": instant(10), "since": ""}
    assert next(shop.pull_orders(cursor, NOW)).cursor == cursor


def test_the_cursor_never_runs_ahead_of_the_clock(shop: ShopifyShop, orders: Orders) -> None:
    orders.orders[0] = orders.orders[0] | {"updated_at": instant(-60)}
    cursor = {"changed_since": instant(10), "since": ""}
    pages = list(shop.pull_orders(cursor, NOW))
    assert pages[-1].cursor["changed_since"] == instant(0)


def test_a_cursor_in_the_future_is_an_error_not_an_empty_success(
    shop: ShopifyShop, orders: Orders
) -> None:
    cursor = {"changed_since": instant(-60), "since": ""}
    with pytest.raises(ConfigurationError, match="future"):
        list(shop.pull_orders(cursor, NOW))
    assert not orders.asked


def test_fat_pages_are_asked_for_in_halves(
    shop: ShopifyShop, orders: Orders, waits: list[float], make: Any
) -> None:
    orders.fat, orders.largest = True, 70
    orders.orders[:] = [make.order(id=n) for n in range(1, 101)]
    assert len(ids(list(shop.pull_orders(None, NOW)))) == 100
    worked = [asked["limit"] for asked in orders.asked if int(asked["limit"]) <= 70]
    assert worked == ["62", "62"]


def test_a_shop_that_fails_over_small_pages_too_is_unavailable(
    shop: ShopifyShop, orders: Orders
) -> None:
    orders.fat, orders.largest = True, 1
    with pytest.raises(ShopUnavailable):
        list(shop.pull_orders(None, NOW))


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
    shop: ShopifyShop, orders: Orders, web: Any, make: Any, cursor: Any, rows: int
) -> None:
    repeated(web, [make.order(id=n + 1, updated_at=instant(5)) for n in range(rows)])
    read = []
    with pytest.raises(ShopUnavailable):
        read.extend(shop.pull_orders(cursor, NOW))
    assert len(read) <= 2


def test_a_backfill_whose_ids_fall_is_refused(
    shop: ShopifyShop, orders: Orders, web: responses.RequestsMock, make: Any
) -> None:
    falling = {"orders": [make.order(id=2), make.order(id=1)]}
    web.replace(responses.GET, f"{API}/orders.json", json=falling)
    with pytest.raises(ShopUnavailable, match="rise"):
        list(shop.pull_orders(None, NOW))


def test_a_link_to_another_host_is_not_followed(
    shop: ShopifyShop, orders: Orders, web: responses.RequestsMock, make: Any
) -> None:
    link = {"Link": '<https://evil.example/orders.json?page_info=t>; rel="next"'}
    web.replace(responses.GET, f"{API}/orders.json", json={"orders": []}, headers=link)
    with pytest.raises(RequestRefused, match="away"):
        list(shop.pull_orders(None, NOW))
