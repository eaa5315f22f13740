from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import ConfigurationError
from connectors.magento import MagentoShop
from connectors.platform import Cursor, Page, Placed, Window
from connectors.schema import Order, Refund

from .conftest import LONG_AGO, NOW, FakeMagento, Reply, numbered, ok, recorded, refused
from .pulling import failing_on, orders_of, refunds_of, stamp


def test_the_first_pull_brings_all_orders_then_all_refunds_then_the_watermark(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    pages = list(shop.pull_orders(None, NOW))
    assert orders_of(pages) == [str(one) for one in range(1, 251)]
    assert refunds_of(pages) == [str(one) for one in range(1, 121)]
    assert [len(page.orders) for page in pages] == [100, 100, 50, 0, 0, 0]
    assert pages[0].expected == 250
    assert [page.expected for page in pages[1:]] == [None] * 5
    assert pages[-1] == Page(pages[-1].cursor)
    assert pages[-1].cursor["phase"] == "done"


def test_a_page_holds_the_lines_of_its_orders(stocked: FakeMagento, shop: MagentoShop) -> None:
    page = next(shop.pull_orders(None, NOW))
    assert len(page.lines) == 2 * len(page.orders) == 200


def test_cursors_are_flat_and_survive_json(stocked: FakeMagento, shop: MagentoShop) -> None:
    for page in shop.pull_orders(None, NOW, since=datetime(2026, 1, 1, tzinfo=UTC)):
        assert all(type(value) in (str, int) for value in page.cursor.values())


def test_resumed_from_any_page_the_union_is_the_whole(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    whole = list(shop.pull_orders(None, NOW))
    for cut in range(1, len(whole)):
        later = NOW + timedelta(hours=3)
        rest = list(shop.pull_orders(whole[cut - 1].cursor, later))
        assert orders_of([*whole[:cut], *rest]) == orders_of(whole)
        assert refunds_of([*whole[:cut], *rest]) == refunds_of(whole)
        assert rest[-1].cursor == whole[-1].cursor


def test_the_next_pull_asks_only_for_what_changed_with_an_overlap(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    done = list(shop.pull_orders(None, NOW))[-1].cursor
    stocked.asked.clear()
    assert list(shop.pull_orders(done, NOW + timedelta(hours=1)))[:-1] == []
    assert stocked.paths() == ["orders", "creditmemos"]
    window = [value for key, value in stocked.asked[0][2].items() if key.endswith("[value]")]
    assert window == [
        stamp(NOW - timedelta(minutes=2 + 15)),
        stamp(NOW + timedelta(minutes=60 - 2)),
        "0",
    ]


def test_since_leaves_older_orders_out_now_and_later(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    for row in stocked.orders[:100]:
        row["created_at"] = "2024-01-01 00:00:00"
    pages = list(shop.pull_orders(None, NOW, since=datetime(2026, 1, 1, tzinfo=UTC)))
    assert orders_of(pages) == [str(one) for one in range(101, 251)]
    stocked.orders[0]["updated_at"] = stocked.orders[150]["updated_at"] = stamp(NOW)
    later = list(shop.pull_orders(pages[-1].cursor, NOW + timedelta(hours=1)))
    assert orders_of(later) == ["151"]


def test_many_orders_of_one_second_are_not_lost_between_pages(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    done = list(shop.pull_orders(None, NOW))[-1].cursor
    for row in stocked.orders:
        row["updated_at"] = stamp(NOW)
    pages = list(shop.pull_orders(done, NOW + timedelta(hours=1)))
    assert orders_of(pages) == [str(one) for one in range(1, 251)]


def test_an_order_that_is_committed_late_with_an_older_time_is_not_missed(
    stocked: FakeMagento, shop: MagentoShop, order: dict[str, Any]
) -> None:
    done = list(shop.pull_orders(None, NOW))[-1].cursor
    late = stamp(NOW - timedelta(minutes=10))
    stocked.orders += numbered(order, [900], updated_at=late, created_at=late)
    assert orders_of(list(shop.pull_orders(done, NOW + timedelta(hours=1)))) == ["900"]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_changes_while_pages_are_read_is_there_after_the_next_pull(
    seed: int, magento: FakeMagento, shop: MagentoShop, order: dict[str, Any]
) -> None:
    """Orders are placed and changed between any two pages; clocks differ by up to ten minutes."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    clock = [NOW - timedelta(days=1)]
    skew = timedelta(minutes=chance.randint(-10, 10))
    magento.orders = numbered(order, range(1, 300), updated_at=LONG_AGO, version=0)

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        clock[0] += timedelta(seconds=chance.randint(1, 90))
        now = stamp(clock[0] + skew)
        highest = magento.orders[-1]["entity_id"]
        magento.orders += numbered(order, [highest + 1], updated_at=now, created_at=now)
        for row in chance.sample(magento.orders, 3):
            row["updated_at"], row["customer_note"] = now, str(chance.random())
            row["coupon_code"] = f"V{chance.randint(1, 10**9)}"
        return None

    magento.rules.append(rule)
    store: dict[str, Order] = {}
    cursor: Cursor | None = None
    for pull in range(4):
        if pull == 3:
            magento.rules.clear()  # the shop rests, so that both can be compared
            clock[0] += timedelta(minutes=30)
        for page in shop.pull_orders(cursor, clock[0]):
            store |= {one.order_id: one for one in page.orders}
            cursor = page.cursor
        clock[0] += timedelta(minutes=5)
    expected = {str(row["entity_id"]): row["coupon_code"] for row in magento.orders}
    assert {key: one.coupon for key, one in store.items()} == expected


def test_a_cursor_from_the_future_is_told_and_names_the_clock(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    done = list(shop.pull_orders(None, NOW + timedelta(days=1)))[-1].cursor
    with pytest.raises(ConfigurationError, match="clock"):
        list(shop.pull_orders(done, NOW))


@pytest.mark.parametrize("cursor", [{"page": 3}, {"phase": "done", "after": 1}])
def test_a_cursor_of_another_kind_is_told(cursor: Cursor, shop: MagentoShop) -> None:
    with pytest.raises(ConfigurationError, match="full-refresh"):
        list(shop.pull_orders(cursor, NOW))


def test_a_bad_order_is_put_aside_and_named_and_the_others_go_on(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    stocked.orders[1] = {**stocked.orders[1], "base_subtotal": None}
    stocked.orders[2] = {**stocked.orders[2], "items": []}
    page = next(shop.pull_orders(None, NOW))
    assert len(page.orders) == 99
    assert [(one.stream, one.row_id, one.field) for one in page.rejects] == [
        ("orders", "2", "base_subtotal"),
        ("order_lines", "3", "items"),
    ]
    assert page.rejects[0].shop == "eu"


def test_a_bad_refund_is_put_aside_and_named(stocked: FakeMagento, shop: MagentoShop) -> None:
    stocked.creditmemos[0] = {**stocked.creditmemos[0], "order_id": "x"}
    rejects = [one for page in shop.pull_orders(None, NOW) for one in page.rejects]
    assert [(one.stream, one.row_id, one.field) for one in rejects] == [
        ("refunds", "1", "order_id")
    ]


def test_an_order_that_the_shop_can_not_serve_is_put_aside_by_its_id(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        if path != "orders":
            return None
        ids = [row["entity_id"] for row in stocked.answer(path, query)["items"]]
        return refused(500, "Internal Error.") if 77 in ids else None

    stocked.rules.append(rule)
    pages = list(shop.pull_orders(None, NOW))
    assert len(orders_of(pages)) == 249
    rejects = [one for page in pages for one in page.rejects]
    assert [(one.stream, one.row_id) for one in rejects] == [("orders", "77")]


def test_a_row_that_could_not_be_served_is_asked_for_at_every_run_until_it_comes(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    failing_on(stocked, "orders", 77, 250)
    failing_on(stocked, "creditmemos", 5)
    cursor = list(shop.pull_orders(None, NOW))[-1].cursor
    assert cursor["broken"] == "orders:77 orders:250 refunds:5"

    second = list(shop.pull_orders(cursor, NOW + timedelta(hours=1)))
    named = [(one.stream, one.row_id) for page in second for one in page.rejects]
    assert named == [("orders", "77"), ("orders", "250"), ("refunds", "5")]

    stocked.rules.clear()
    failing_on(stocked, "orders", 250)
    third = list(shop.pull_orders(second[-1].cursor, NOW + timedelta(hours=2)))
    assert (orders_of(third), refunds_of(third)) == (["77"], ["5"])
    assert third[-1].cursor["broken"] == "orders:250"

    stocked.rules.clear()
    stocked.orders.pop()  # it was deleted
    fourth = list(shop.pull_orders(third[-1].cursor, NOW + timedelta(hours=3)))
    assert fourth[-1].cursor["broken"] == ""
    assert orders_of(fourth) == []


def test_a_highest_order_that_can_not_be_served_hides_no_other(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    failing_on(stocked, "orders", 250)
    pages = list(shop.pull_orders(None, NOW))
    assert orders_of(pages) == [str(one) for one in range(1, 250)]
    assert [one.row_id for page in pages for one in page.rejects] == ["250"]


def test_an_order_of_a_store_view_that_is_new_is_read(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    """It was made after we asked for the store views."""
    views = recorded("store_views.json")
    known = [views[:-1]]

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        return ok(known.pop() if known else views) if path == "store/storeViews" else None

    stocked.rules.append(rule)
    for row in stocked.orders:
        row["store_id"] = views[0]["id"]
    stocked.orders[240]["store_id"] = views[-1]["id"]
    pages = list(shop.pull_orders(None, NOW))
    assert len(orders_of(pages)) == 250
    assert stocked.paths().count("store/storeViews") == 2


def test_refunds_are_rows_of_their_own(magento: FakeMagento, shop: MagentoShop) -> None:
    magento.creditmemos = recorded("creditmemos.json")["items"]
    refunds = [one for page in shop.pull_orders(None, NOW) for one in page.refunds]
    assert refunds
    assert all(isinstance(one, Refund) for one in refunds)


def test_the_recorded_orders_come_with_website_and_store_view(
    magento: FakeMagento, shop: MagentoShop
) -> None:
    magento.orders = recorded("orders.json")["items"]
    orders = [one for page in shop.pull_orders(None, NOW) for one in page.orders]
    assert len(orders) == 7
    assert {one.store_view for one in orders} <= {"default", "de", "us", "ws"}
    assert magento.paths().count("store/storeViews") == 1


# ------------------------------------------------------------------------------------ reconciling


def test_the_shop_counts_the_orders_of_each_window(stocked: FakeMagento, shop: MagentoShop) -> None:
    for number, row in enumerate(stocked.orders):
        row["created_at"] = "2026-09-30 23:59:59" if number < 40 else "2026-10-01 00:00:00"
    september = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
    october = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert list(shop.placed([september, october])) == [Placed(40), Placed(210)]
    pages = list(shop.pull_placed(october))
    assert orders_of(pages) == [str(one) for one in range(41, 251)]
    assert refunds_of(pages) == [str(one) for one in range(41, 121)]
