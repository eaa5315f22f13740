"""Checks 8 and 10 to 14: shops that slow down, fail, lie about the time, or hide orders."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConnectorError, ShopUnavailable
from connectors.http import Answer, Http, Retry, wire
from connectors.magento import ranges, search
from connectors.magento.workers import nap
from connectors.platform import Page
from connectors.pull import Watch, pull_customers, pull_orders
from connectors.sandbox.faults import Fault
from connectors.sandbox.shopify.scenes import age_orders
from connectors.sandbox.shopify.setup import configure
from connectors.shopify import orders_graphql, orders_rest
from connectors.shopify.bulk import shards
from connectors.shopify.graphql import throttled
from connectors.store import Store
from tests.reliability.conftest import Told
from tests.reliability.forked import Commands
from tests.reliability.test_paging import WAYS, Known, opened
from tests.reliability.worlds import START, Waits, World, ids, shops


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE_SIZE", 5)
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    monkeypatch.setattr(orders_graphql, "ORDERS_A_PAGE", 5)
    monkeypatch.setattr(orders_graphql, "LARGEST_PAGE", 5)
    monkeypatch.setattr(orders_rest, "LARGEST_PAGE", 5)
    monkeypatch.setattr(orders_rest, "SMALLEST_PAGE", 2)
    monkeypatch.setattr(shards, "SMALLEST", 9)


# ------------------------------------------------------------------------------- 8: a wrong clock


@pytest.mark.parametrize("shop", ["eu", "us"])
def test_check_08_a_cursor_in_the_future_is_told_and_brings_nothing(
    told: Told, commands: Commands, tmp_path: Path, shop: str
) -> None:
    futures = [timedelta(hours=1), timedelta(days=400)] * told.often(1, 10)
    brought = silent = 0
    with shops(6) as world:
        (tmp_path / ".clv").mkdir(exist_ok=True)
        for number, ahead in enumerate(futures):
            settings = {**world.sandbox.environment, "CLV_STORE": f".clv/{number}.duckdb"}
            assert commands.run(tmp_path, settings, "pull", "--shop", shop).code == 0
            with Store.open(tmp_path / f".clv/{number}.duckdb", now=START) as store:
                moved = in_future(dict(store.cursor(shop, "orders") or {}), ahead)
                store.commit(shop, "orders", Page(moved), at=START)
            world.books.execute("UPDATE orders SET updated_at = ?", ["2026-01-01 00:00:00"])
            ended = commands.run(tmp_path, settings, "pull", "--shop", shop, "--json")
            brought += sum(one["orders"] for one in ended.events("pulled"))
            silent += "future" not in ended.out + ended.err
    told(f"cursors in the future ({shop})", len(futures), brought=brought, silent=silent)


def in_future(cursor: dict[str, Any], ahead: timedelta) -> dict[str, Any]:
    then = datetime.now(UTC) + ahead
    if "until" in cursor:
        return {**cursor, "until": then.strftime("%Y-%m-%d %H:%M:%S")}
    return {**cursor, "changed_since": then.isoformat()}


# -------------------------------------------------------------------------- 10, 11: slow and broken


class Watched:
    """When each request came and how it was answered, and how long anybody slept: in one order."""

    def __init__(self, world: World) -> None:
        self._lock = threading.Lock()
        self._plan = world.sandbox.faults
        self._draw = self._plan.draw
        self.now = 0.0
        self.met = 0
        self.too_early = 0
        self.free_at = 0.0
        self.until = threading.local()
        self._plan.draw = self.draw  # type: ignore[method-assign]

    def draw(self, method: str, path: str) -> Fault | None:
        fault = self._draw(method, path)
        with self._lock:
            self.too_early += self.now < self.free_at
            if fault and fault.retry_after:
                self.met += 1
                self.free_at = max(self.free_at, self.now + float(fault.retry_after))
        return fault

    def sleep(self, seconds: float) -> None:
        """Time goes on for everybody."""
        with self._lock:
            self.now += seconds
        time.sleep(0.001)


@pytest.mark.parametrize("way", ["graphql", "rest"])
def test_check_10_a_shop_that_asks_to_slow_down_is_left_alone_as_long_as_it_asks(
    told: Told, way: str
) -> None:
    shop, settings = WAYS[way]
    times = told.often(1, 10)
    lost = met = early = 0
    with shops(10) as world:
        whole = Known(list(opened(world, way).pull_orders(None, START))).rows
        for seed in range(times):
            seen = Watched(world)
            slow = Fault("status", status=429, retry_after="7", probability=0.3, times=0)
            world.sandbox.faults.set([slow], seed)
            http = world.http(shop, seen.sleep)
            pages = world.platform(shop, http, workers=1, **settings).pull_orders(None, START)
            lost += len(whole.keys() - Known(list(pages)).rows.keys())
            met, early = met + seen.met, early + seen.too_early
            world.sandbox.faults.set([])
            world.sandbox.faults.draw = seen._draw  # type: ignore[method-assign]
    told(f"answers 429 with Retry-After: 7, on 30% of calls ({way})", met, lost=lost,
         asked_too_early=early)  # fmt: skip


@pytest.mark.parametrize("way", ["magento", "bulk"])
def test_check_10_a_wait_that_one_worker_was_told_holds_for_all(told: Told, way: str) -> None:
    """In real time: what is begun a moment after the answer was heard comes too early."""
    shop, settings = WAYS[way]
    met = early = lost = 0
    with shops(60) as world:
        whole = Known(list(opened(world, way).pull_orders(None, START))).rows
        for seed in range(2, 2 + told.often(2, 16)):  # in the first a worker gives a request up
            often = (0.1, 0.3)[seed % 2]  # the more refusals, the fewer ask side by side
            gate = Gate(world.http(shop, sleep=nap, retry=Retry(first_wait=0.05)))
            slow = Fault("status", status=429, retry_after="0.15", probability=often, times=0)
            world.sandbox.faults.set([slow], seed)
            platform = world.platform(shop, gate, **{"workers": 4, **settings})
            lost += len(whole.keys() - Known(list(platform.pull_orders(None, START))).rows.keys())
            met += world.sandbox.faults.report()[0]["met"]
            early += gate.early
    told(
        f"429 on 10% and 30% of calls of several threads: nobody asks too early ({way})",
        met,
        lost=lost,
        early=early,
    )


class Gate:
    """A door that knows when the shop was to be left alone."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._judged = http._judge
        http._judge = self._judge  # type: ignore[assignment]
        self._sent = http._wire.sent
        http._wire.sent = self._send  # type: ignore[method-assign]
        self._closed: list[tuple[float, float]] = []
        self.early = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)

    def _send(self, request: Any) -> Any:
        now = time.monotonic()
        self.early += any(begin + 0.05 < now < end for begin, end in self._closed)
        return self._sent(request)

    def _judge(self, status: int, headers: Any, raw: bytes) -> Any:
        if status == 429:
            now = time.monotonic()
            self._closed.append((now, now + float(headers["retry-after"])))
        return self._judged(status, headers, raw)


def test_check_10_throttled_points_never_run_out(told: Told) -> None:
    """A standard plan's: who has too few points for a dearer document learns it by asking, and
    the wait told then suffices."""
    moment = Moment()
    lost = again = 0
    with shops(30, moment) as world:
        whole = ids(list(opened(world, "graphql").pull_orders(None, START)))
        asked = len(world.books.journal())
        for share in (0.0, 0.3):
            configure(world.books, "us", limits="standard", throttled=share)
            refused: list[bool] = []
            http = moment.door(world, refused)
            pages = world.platform("us", http, read="graphql").pull_orders(None, START)
            lost += len(whole - ids(list(pages)))
            again += sum(map(all, itertools.pairwise(refused))) if share == 0 else 0
        calls = len(world.books.journal()) - asked
    tried = "GraphQL calls of a standard plan, then with 30% of them THROTTLED"
    told(tried, calls, lost=lost, asked_too_early=again)


class Moment(Waits):
    """Shop and client on one clock, which goes on by what is slept and by nothing else."""

    def __call__(self) -> float:
        return self.seconds

    def door(self, world: World, refused: list[bool]) -> Http:
        """Its waits cost no time; `refused` tells of each answer whether it was THROTTLED."""

        def heard(answer: Answer) -> float | None:
            after = throttled(answer)
            refused.append(after is not None)
            return after

        http = world.http("us", throttled=heard)
        http._pace._clock = self
        return http


BROKEN = (
    Fault("status", status=503, probability=0.1, times=0),
    Fault("status", status=502, html=True, probability=0.1, times=0),
    Fault("reset", probability=0.1, times=0),
    Fault("truncated", probability=0.1, times=0),
    Fault("cut", probability=0.1, times=0),
    Fault("drip", probability=0.1, seconds=0.1, times=0),
    Fault("slow", probability=0.02, seconds=1.0, times=0),
)


@pytest.mark.parametrize("way", ["magento", "graphql", "rest", "bulk"])
def test_check_11_whatever_breaks_on_the_way_nothing_is_lost(
    told: Told, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TIMEOUTS", (2, 0.3))
    shop, settings = WAYS[way]
    lost = met = late = 0
    with shops(6) as world:
        whole = Known(list(opened(world, way).pull_orders(None, START))).rows
        for seed in range(told.often(4, 12)):
            world.sandbox.faults.set(BROKEN, seed)
            slept: list[float] = []
            known, begun = Known(), time.monotonic()
            for _ in range(40):  # a run that gives up is begun again, as cron does
                http = world.http(shop, slept.append)
                platform = world.platform(shop, http, workers=2, **settings)
                try:
                    known.take(platform.pull_orders(known.cursor, START))
                    break
                except ShopUnavailable:
                    continue
            lost += len(whole.keys() - known.rows.keys())
            late += time.monotonic() - begun > 60
            late += any(wait > 300 for wait in slept)
            met += sum(one["met"] for one in world.sandbox.faults.report())
    told(f"5xx, HTML, resets, cut and dripping answers, hangs ({way})", met, lost=lost, late=late)


# ---------------------------------------------------------------------------- 12, 13: GraphQL, bulk


class Failing:
    """A door where the n-th GraphQL answer carries an error, in a 200."""

    def __init__(self, http: Any, place: int, whole: bool) -> None:
        self._http = http
        self._places = itertools.count()
        self._place = place
        self._whole = whole
        self.met = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)

    def request(self, method: str, path: str, **more: Any) -> Answer:
        answer = self._http.request(method, path, **more)
        if next(self._places) < self._place:
            return answer
        self.met = True
        error = {"message": "no", "extensions": {"code": "SOME_ERROR"}}
        data = {"data": answer.data["data"]} if self._whole else {"data": None}
        return Answer(200, {}, {**data, "errors": [error]})


def test_check_12_a_200_with_errors_is_a_failure(told: Told, tmp_path: Path) -> None:
    step = 1 if told.full else 9
    met = taken = 0
    with shops(8) as world, Store.open(tmp_path / "s.duckdb", now=START) as store:
        jobs: tuple[Callable[[Any], Any], ...] = (
            lambda platform: pull_customers(platform, store, START, Watch()),
            lambda platform: pull_orders(platform, store, START, None, Watch()),
        )
        for read, job, whole in itertools.product(("graphql", "bulk"), jobs, (True, False)):
            for place in range(0, 40, step):
                store.forget_cursor("us", "orders")
                http = Failing(world.http("us"), place, whole)
                platform = world.platform("us", http, read=read)
                try:
                    job(platform)
                except ConnectorError:
                    met += 1
                    continue
                taken += http.met
                if not http.met:
                    break
    told("GraphQL answers with `errors` in a 200", met, taken_for_good=taken)


ENDS = ("FAILED", "TIMEOUT", "ACCESS_DENIED", "CANCELED", "EXPIRED", "CUT", "SHORT", "MISCOUNTED",
        "GONE")  # fmt: skip


def test_check_13_a_bulk_operation_that_fails_midway_is_never_skipped(told: Told) -> None:
    lost = met = 0
    endings = [(end,) for end in ENDS] + [(end,) * 4 for end in ENDS[: told.often(2, 9)]]
    endings += list(itertools.permutations(ENDS, 3))[: told.often(0, 60)]
    with shops(5) as world:
        whole = Known(list(opened(world, "graphql").pull_orders(None, START))).rows
        for ends in endings:
            configure(world.books, "us", bulk_ends=ends)
            known = Known(list(opened(world, "bulk").pull_orders(None, START)))
            lost += len(whole.keys() - known.rows.keys())
            lost += sum(known.rows[key] != row for key, row in whole.items() if key in known.rows)
            met += len(ends)
    told("bulk operations that fail midway", met, lost=lost)


# ------------------------------------------------------------------------------- 14: hidden orders


def test_check_14_without_the_right_to_all_orders_doctor_fails_and_nobody_is_scored(
    told: Told, commands: Commands, tmp_path: Path
) -> None:
    scopes = ["read_orders", "read_customers", "write_customers"]
    silent = 0
    with shops(20) as world:
        age_orders(world.books, "us", 0)
        configure(world.books, "us", scopes=scopes)
        settings = world.sandbox.environment
        doctor = commands.run(tmp_path, settings, "doctor", "--shop", "us", "--json")
        failed = {one["name"] for one in doctor.events("finding") if one["status"] == "fail"}
        assert doctor.code == 1
        assert failed == {"scope read_all_orders"}
        commands_tried = (["run"], ["backfill"])
        for command in commands_tried:
            ended = commands.run(tmp_path, settings, *command, "--shop", "us", "--json")
            silent += "read_all_orders" not in ended.out + ended.err
    told("runs that would score what Shopify shows of 60 days", len(commands_tried), silent=silent)
