from __future__ import annotations

import json
import random
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from connectors.errors import ShopUnavailable
from connectors.magento import MagentoShop
from connectors.platform import Cursor, Page

from .conftest import LONG_AGO, NOW, FakeMagento, Reply, numbered, ok, refused
from .pulling import orders_of, our_threads, refunds_of, stamp


@pytest.mark.usefixtures("in_small_ranges")
def test_a_first_pull_in_ranges_brings_everything_once(
    stocked: FakeMagento, shop: MagentoShop, order: dict[str, Any]
) -> None:
    stocked.orders = numbered(order, range(1, 250_000, 977), updated_at=LONG_AGO)
    pages = list(shop.pull_orders(None, NOW))
    assert sorted(map(int, orders_of(pages))) == list(range(1, 250_000, 977))
    assert sorted(map(int, refunds_of(pages))) == list(range(1, 121))
    assert not [reject for page in pages for reject in page.rejects]
    assert our_threads() == 0
    reading = [query for _, path, query in stocked.asked if path == "orders"]
    assert len(reading) > 2 * 20
    paged = [query for query in reading if "searchCriteria[currentPage]" in query]
    assert {query["searchCriteria[pageSize]"] for query in paged} == {"1"}


@pytest.mark.usefixtures("in_small_ranges")
def test_a_pull_in_ranges_that_is_killed_anywhere_goes_on_where_it_was(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    """Time and again, with whatever the workers had read and not given dropped."""
    chance, cursor, store, runs = random.Random(1), None, [], 0  # noqa: S311  # no secret
    while cursor is None or cursor["phase"] != "done":
        pages = shop.pull_orders(cursor, NOW)
        for page in islice(pages, chance.randint(1, 9)):
            store.append(page)
            cursor = json.loads(json.dumps(page.cursor))
        pages.close()  # type: ignore[attr-defined]  # a generator
        assert our_threads() == 0
        runs += 1
    assert runs > 8
    assert sorted(map(int, orders_of(store))) == list(range(1, 251))
    assert sorted(map(int, refunds_of(store))) == list(range(1, 121))


@pytest.mark.usefixtures("in_small_ranges")
def test_a_failure_in_the_middle_ends_the_pull_and_the_next_one_goes_on(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    failing = [False] * 25 + [True] * 1000

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        return refused(503, "maintenance") if path == "orders" and failing.pop(0) else None

    stocked.rules.append(rule)
    store: list[Page] = []
    with pytest.raises(ShopUnavailable):
        store.extend(shop.pull_orders(None, NOW))
    assert our_threads() == 0
    stocked.rules.clear()
    assert 0 < len(orders_of(store)) < 250
    store += shop.pull_orders(store[-1].cursor, NOW + timedelta(hours=1))
    assert set(map(int, orders_of(store))) == set(range(1, 251))


def test_what_is_placed_while_the_first_pull_runs_falls_to_the_next(
    stocked: FakeMagento, shop: MagentoShop, order: dict[str, Any]
) -> None:
    pages = shop.pull_orders(None, NOW)
    first = [next(pages)]
    stocked.orders += numbered(order, [900], updated_at=stamp(NOW), created_at=stamp(NOW))
    first += pages
    assert "900" not in orders_of(first)
    assert orders_of(list(shop.pull_orders(first[-1].cursor, NOW + timedelta(hours=1)))) == ["900"]


def test_a_range_that_gave_fewer_rows_than_the_shop_counts_is_read_again(
    stocked: FakeMagento, shop: MagentoShop, order: dict[str, Any]
) -> None:
    """An order that was committed late, below where we were."""
    late = numbered(order, [120], updated_at=LONG_AGO)
    stocked.orders = [row for row in stocked.orders if row["entity_id"] != 120]

    def rule(method: str, path: str, query: dict[str, str]) -> None:
        if late and "201" in query.values():
            stocked.orders.append(late.pop())

    stocked.rules.append(rule)
    pages = list(shop.pull_orders(None, NOW))
    assert set(map(int, orders_of(pages))) == set(range(1, 251))
    assert not [reject for page in pages for reject in page.rejects]


def test_a_range_that_never_gives_what_the_shop_counts_is_told(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        if path != "orders":
            return None
        page = stocked.answer(path, query)
        kept = [row for row in page["items"] if row["entity_id"] not in (17, 203)]
        return ok({**page, "items": kept})

    stocked.rules.append(rule)
    pages = list(shop.pull_orders(None, NOW))
    assert len(set(orders_of(pages))) == 248
    (reject,) = [one for page in pages for one in page.rejects]
    assert (reject.stream, reject.row_id, reject.field) == ("orders", "1..250", "total_count")
    assert "counts 250 rows" in reject.reason
    assert "gave 248" in reject.reason
    (told,) = [page for page in pages if page.rejects]
    assert orders_of(list(shop.pull_orders(told.cursor, NOW))) == []


def test_a_shop_that_does_not_count_is_read_all_the_same(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        page = stocked.answer(path, query)
        return ok({"items": page["items"]}) if path in ("orders", "creditmemos") else None

    stocked.rules.append(rule)
    pages = list(shop.pull_orders(None, NOW))
    assert orders_of(pages) == [str(one) for one in range(1, 251)]
    assert pages[0].expected is None


def test_a_resumed_pull_expects_what_is_left(stocked: FakeMagento, shop: MagentoShop) -> None:
    first = next(shop.pull_orders(None, NOW))
    assert first.expected == 250
    assert next(shop.pull_orders(first.cursor, NOW)).expected == 150


def test_a_cursor_of_before_there_were_ranges_goes_on_too(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    until = stamp(NOW - timedelta(minutes=2))
    old: Cursor = {"phase": "orders", "after": 200, "begin": "", "until": until, "since": ""}
    assert orders_of(list(shop.pull_orders(old, NOW))) == [str(one) for one in range(201, 251)]
    done: Cursor = {**old, "phase": "done", "after": 0}
    assert orders_of(list(shop.pull_orders(done, NOW + timedelta(hours=1)))) == []
