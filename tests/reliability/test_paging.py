"""Checks 4 to 9: whatever moves under the pages, wherever a pull is taken up again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import ConnectorError
from connectors.magento import ranges, search
from connectors.platform import Cursor, Page, Platform
from connectors.shopify import orders_graphql, orders_rest
from connectors.shopify.bulk import shards
from tests.magento.test_simulated_runs import lived
from tests.reliability.conftest import Told
from tests.reliability.worlds import START, Clock, Life, World, ids, shops

#: shop, and how its orders are read
WAYS = {
    "magento": ("eu", {}),
    "graphql": ("us", {"read": "graphql"}),
    "rest": ("us", {"read": "rest"}),
    "bulk": ("us", {"read": "bulk"}),
}
BY_PAGE = ("magento", "graphql", "rest")


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small shop is read in many steps."""
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    monkeypatch.setattr(shards, "SMALLEST", 9)
    pages_of(9, monkeypatch)


def pages_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE_SIZE", size)
    monkeypatch.setattr(orders_graphql, "ORDERS_A_PAGE", size)
    monkeypatch.setattr(orders_graphql, "LARGEST_PAGE", size)
    monkeypatch.setattr(orders_rest, "LARGEST_PAGE", size)


@pytest.fixture(scope="module")
def crowd() -> Iterator[World]:
    """A shop that nobody changes."""
    with shops(35) as world:
        yield world


def opened(world: World, way: str, **more: Any) -> Platform:
    shop, settings = WAYS[way]
    return world.platform(shop, **settings, **more)


class Known:
    """What our pulls brought, as the store would keep it: by id, the newest wins."""

    def __init__(self, pages: list[Page] | None = None) -> None:
        self.rows: dict[str, Any] = {}
        self.cursor: Cursor | None = None
        self.take(pages or [])

    def take(self, pages: Any) -> None:
        for page in pages:
            assert not page.rejects
            for order in page.orders:
                before = self.rows.get(order.order_id)
                if before is None or before.updated_at <= order.updated_at:
                    self.rows[order.order_id] = order
            self.rows |= {f"refund {one.refund_id}": one for one in page.refunds}
            self.cursor = json.loads(json.dumps(dict(page.cursor)))


@pytest.mark.parametrize("way", WAYS)
def test_check_04_from_every_cursor_on_comes_what_was_left(
    crowd: World, told: Told, way: str
) -> None:
    pages = list(opened(crowd, way).pull_orders(None, START))
    whole = Known(pages).rows
    assert set(map(str, (row["id"] for row in crowd.orders(WAYS[way][0])))) == ids(pages)
    step = 1 if told.full else max(len(pages) // 4, 1)
    tried = range(0, len(pages), step)
    missing = 0
    for n in tried:
        union = Known(pages[: n + 1])
        union.take(opened(crowd, way).pull_orders(union.cursor, START + timedelta(minutes=1)))
        missing += len(whole.keys() - union.rows.keys())
        missing += sum(union.rows[key] != row for key, row in whole.items() if key in union.rows)
    told(f"cursors of a pull that were taken up again ({way})", len(tried), missed=missing)


def test_check_05_what_comes_and_changes_while_magento_is_paged(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "LEAST_PAGES", 0)
    runs = told.often(25, 1_000)
    missed = 0
    for seed in range(5_000, 5_000 + runs):
        theirs, ours = lived(seed)
        expected = {str(row["entity_id"]): row.get("coupon_code") for row in theirs.orders}
        missed += sum(ours.orders.get(one) != coupon for one, coupon in expected.items())
        missed += len({str(row["entity_id"]) for row in theirs.memos} - ours.refunds)
    told("lives of a Magento that changes between any two requests", runs, missed=missed)


@pytest.mark.parametrize("way", ["graphql", "rest"])
def test_check_05_what_comes_and_changes_while_shopify_is_paged(told: Told, way: str) -> None:
    runs = told.often(3, 500)
    missed = 0
    with shops(8) as world:
        for seed in range(runs):
            life = Life(world.books, "us", random.Random(seed))  # noqa: S311
            http = Between(world.http("us"), life, world.clock)
            known = Known()
            for _ in range(3):
                platform = world.platform("us", http, **WAYS[way][1])
                known.take(platform.pull_orders(known.cursor, world.clock()))
                world.clock.on(minutes=life.rng.randint(0, 90))
            http.resting = True
            known.take(world.platform("us", http, **WAYS[way][1]).pull_orders(
                known.cursor, world.clock.on(minutes=20)))  # fmt: skip
            coupons = {str(row["id"]): row["body"]["coupon"] for row in world.orders("us")}
            seen = {one: getattr(row, "coupon", None) for one, row in known.rows.items()}
            missed += sum(seen.get(one, "missing") != coupon for one, coupon in coupons.items())
            shrink(world, "us", 40)
    told(f"lives of a Shopify that changes between any two requests ({way})", runs, missed=missed)


def shrink(world: World, shop: str, most: int) -> None:
    """The newest orders go, so that the next life isn't longer than this one."""
    for row in world.orders(shop)[most:]:
        for table, key in (("orders", "id"), ("refunds", "order_id")):
            sql = f"DELETE FROM {table} WHERE shop = ? AND {key} = ?"  # noqa: S608  our own names
            world.books.execute(sql, (shop, row["id"]))


class Between:
    """A door before which something happens in the shop, before each request."""

    def __init__(self, http: Any, life: Life, clock: Clock) -> None:
        self._http = http
        self._life = life
        self._clock = clock
        self.resting = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._http, name)
        return self._then(found) if name in ("get", "request", "follow") else found

    def _then(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any, **more: Any) -> Any:
            if not self.resting:
                self._clock.on(seconds=self._life.rng.randint(1, 40))
                for _ in range(self._life.rng.choice([0, 1, 2])):
                    self._life.rng.choice([self._life.place, self._life.edit, self._life.edit])()
            return ask(*given, **more)

        return asked


@pytest.mark.parametrize("way", BY_PAGE)
def test_check_06_five_hundred_orders_of_one_instant(
    told: Told, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages_of(70, monkeypatch)
    shop = WAYS[way][0]
    times = told.often(1, 10)
    missed = 0
    with shops(1) as world:
        life = Life(world.books, shop, random.Random(6))  # noqa: S311
        known = Known(list(opened(world, way).pull_orders(None, world.clock())))
        for _ in range(times):
            world.clock.on(hours=1)
            for _ in range(500):
                life.place()
            known.take(opened(world, way).pull_orders(known.cursor, world.clock.on(minutes=10)))
            there = {str(row["id"]) for row in world.orders(shop)}
            missed += len(there - known.rows.keys())
            shrink(world, shop, 20)
    told(
        f"orders of one `updated_at`, 500 at a time, 70 a page ({way})", 500 * times, missed=missed
    )


@pytest.mark.parametrize("way", BY_PAGE)
def test_check_07_late_commits_and_clocks_that_are_off(told: Told, way: str) -> None:
    """Minutes that our clock is ahead of the shop's, and that a commit comes late."""
    shop = WAYS[way][0]
    cases = [(off, late) for off in (-10, -5, 5, 10) for late in (1, 5)] + [(0, 12)]
    cases = cases * told.often(1, 20)
    missed = 0
    with shops(2) as world:
        life = Life(world.books, shop, random.Random(7))  # noqa: S311
        for off, late in cases:
            ours = timedelta(minutes=off)
            known = Known(list(opened(world, way).pull_orders(None, world.clock() + ours)))
            world.clock.on(hours=1)
            life.edit()
            known.take(opened(world, way).pull_orders(known.cursor, world.clock() + ours))
            own = life.late(minutes=late)
            world.clock.on(hours=1)
            known.take(opened(world, way).pull_orders(known.cursor, world.clock() + ours))
            missed += str(own) not in known.rows
            shrink(world, shop, 10)
    told(f"commits 1 to 12 min late, clocks up to 10 min off ({way})", len(cases), missed=missed)


# ------------------------------------------------------------------------------------ going round


class Repeating:
    """A door behind which a stream always answers as it did the first time."""

    def __init__(self, http: Any, stream: str) -> None:
        self._http = http
        self._stream = stream
        self._first: Any = None
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)

    def _same(self, is_page: bool, ask: Callable[[], Any]) -> Any:
        if not is_page:
            return ask()
        self.asked += 1
        assert self.asked < 10, "asked for ever"
        self._first = self._first or ask()
        return self._first

    def get(self, path: str, **more: Any) -> Any:
        sizes = [value for key, value in more.get("params", ()) if key.endswith("[pageSize]")]
        is_page = path.endswith(self._stream) and sizes != ["1"]
        return self._same(is_page, lambda: self._http.get(path, **more))

    def follow(self, url: str) -> Any:
        return self._same(self._stream in url, lambda: self._http.follow(url))

    def request(self, method: str, path: str, **more: Any) -> Any:
        query = (more.get("json") or {}).get("query", "")
        is_page = f"{self._stream}(" in query
        return self._same(is_page, lambda: self._http.request(method, path, **more))


ROUND = {
    "magento orders": ("magento", "/orders", "orders"),
    "magento credit memos": ("magento", "/creditmemos", "orders"),
    "magento customers": ("magento", "/customers/search", "customers"),
    "shopify orders by GraphQL": ("graphql", "orders", "orders"),
    "shopify orders by REST": ("rest", "orders.json", "orders"),
    "shopify customers": ("graphql", "customers", "customers"),
}


@pytest.mark.parametrize("case", ROUND)
def test_check_09_pages_that_go_round_are_found_within_two(
    told: Told, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    way, stream, verb = ROUND[case]
    monkeypatch.setattr("connectors.shopify.customers.CUSTOMERS_A_PAGE", 9)
    with shops(60) as world:
        shop, settings = WAYS[way]
        http = Repeating(world.http(shop), stream)
        platform = world.platform(shop, http, workers=1, **settings)
        pull = platform.pull_orders if verb == "orders" else platform.pull_customers
        with pytest.raises(ConnectorError) as found:
            list(pull(None, world.clock()))
        assert found.value.exit_code in (1, 13)
    told(f"a page that comes again and again ({case})", 1, pages_too_many=max(http.asked - 2, 0))
