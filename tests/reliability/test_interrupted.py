"""Checks 1, 2 and 18: a pull that is killed, asked to stop, or begun twice."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.store import Store
from tests.reliability.conftest import Told
from tests.reliability.forked import Commands, Running
from tests.reliability.long_history import served

LONGEST = 1.2  # seconds until the signal: some come before the first page, most between two commits
WAYS = {"magento": "auto", "rest": "rest", "bulk": "bulk"}


TORN = "select count(*) from orders anti join order_lines using (shop, order_id)"


class Content(NamedTuple):
    """What a store knows, how many rows its log has, and the orders without any line."""

    hash: str
    rows: int
    orders: int
    torn: int


def content(path: Path) -> Content:
    with Store.open(path, now=datetime.now(UTC)) as store:

        def count(sql: str) -> int:
            return int(store.connection.execute(sql).fetchall()[0][0])

        return Content(
            store.content_hash(),
            count("select count(*) from orders"),
            count("select count(*) from latest_orders"),
            torn=count(TORN),
        )


def torn(path: Path) -> int:
    """Orders that are there without a line: a page that was written by half."""
    with Store.open(path, now=datetime.now(UTC)) as store:
        return int(store.connection.execute(TORN).fetchall()[0][0])


class Backfill:
    """Pulls of one shop with a long history, into as many stores as it takes."""

    def __init__(self, commands: Commands, folder: Path, environment: Mapping[str, str]) -> None:
        self._commands = commands
        self._folder = folder
        self._environment = environment
        self._rng = random.Random(6)  # noqa: S311  # no secret
        self.stores = 0

    @property
    def store(self) -> Path:
        return self._folder / f"{self.stores}.duckdb"

    def start(self) -> Running:
        own = {**self._environment, "CLV_STORE": str(self.store)}
        return self._commands.start(self._folder, own, "pull", "--json")

    def ended_by(self, number: int, longest: float = LONGEST) -> int:
        """The exit code of a pull that got a signal at some moment."""
        running = self.start()
        time.sleep(self._rng.uniform(0, longest))
        running.send(number)
        return running.wait().code

    def finished(self) -> Content:
        assert self.start().wait().code == 0
        return content(self.store)


def lost(whole: Content, ends: list[Content]) -> dict[str, int]:
    """What is wrong with stores that ended well, held against one that was never interrupted."""
    return {
        "lost": sum(max(whole.orders - one.orders, 0) for one in ends),
        "doubled": sum(max(one.rows - whole.rows, 0) for one in ends),
        "half-written": sum(one.torn for one in ends),
        "other hashes": sum(one.hash != whole.hash for one in ends),
    }


@pytest.mark.parametrize("way", WAYS)
def test_check_01_killed_anywhere_a_backfill_ends_as_if_nothing_had_been(
    commands: Commands, told: Told, tmp_path: Path, way: str
) -> None:
    orders = told.often(2_000, 50_000)
    wanted = told.often(6, 200) if way == "magento" else told.often(3, 100)
    platform = "magento" if way == "magento" else "shopify"
    with served(platform, orders) as environment:
        backfill = Backfill(commands, tmp_path, {**environment, "CLV_X_READ": WAYS[way]})
        begun = time.monotonic()
        whole = backfill.finished()
        longest = min(LONGEST, time.monotonic() - begun)
        assert whole.orders == orders
        kills, halves, ends = 0, 0, []
        while kills < wanted:
            backfill.stores += 1
            assert backfill.stores <= 2 * wanted, "it ends before it can be killed"
            while kills < wanted and backfill.ended_by(signal.SIGKILL, longest) == -signal.SIGKILL:
                kills += 1
                halves += torn(backfill.store)
            ends.append(backfill.finished())
    found = lost(whole, ends)
    found["half-written"] += halves
    told(f"kill -9 in a backfill of {orders:,} orders ({platform}, {way})", kills, **found)


def test_check_02_asked_to_stop_it_drains_and_the_next_run_goes_on(
    commands: Commands, told: Told, tmp_path: Path
) -> None:
    wanted = told.often(4, 50)
    with served("magento", told.often(2_000, 20_000), page_ms=20) as environment:
        backfill = Backfill(commands, tmp_path, environment)
        whole = backfill.finished()
        stops, late, codes, ends = 0, 0, set(), []
        while stops < wanted:
            backfill.stores += 1
            assert backfill.stores <= 2 * wanted, "it never stops where it is asked to"
            code = 130
            while stops < wanted and code:
                begun = time.monotonic()
                code = backfill.ended_by((signal.SIGTERM, signal.SIGINT)[stops % 2])
                late += time.monotonic() - begun > LONGEST + 5
                stops += bool(code)
                codes.add(code)
            ends.append(backfill.finished())
    assert codes <= {0, 130, -signal.SIGTERM, -signal.SIGINT}  # the last two: before it began
    assert 130 in codes
    told("SIGTERM or SIGINT in a backfill: out within 5 s", stops, late=late, **lost(whole, ends))


def test_check_02_a_second_signal_ends_it_at_once(
    commands: Commands, told: Told, tmp_path: Path
) -> None:
    with served("magento", 2_000, page_ms=3_000) as environment:
        backfill = Backfill(commands, tmp_path, environment)
        times = told.often(1, 5)
        late = 0
        for number in range(times):
            backfill.stores += 1
            running = backfill.start()
            while not lock_is_held(backfill.store):
                time.sleep(0.01)
            time.sleep(0.3)  # by now it waits for the shop
            running.send(signal.SIGTERM)
            time.sleep(0.1)
            begun = time.monotonic()
            running.send((signal.SIGTERM, signal.SIGINT)[number % 2])
            assert running.wait().code == 130
            late += time.monotonic() - begun > 1
    told("a second signal while the shop is slow: out within 1 s", times, late=late)


def test_check_18_two_runs_at_once_and_a_lock_left_by_the_dead(
    commands: Commands, told: Told, tmp_path: Path
) -> None:
    times = told.often(2, 20)
    let_in = locked_out = 0
    with served("magento", 200, page_ms=200) as environment:
        backfill = Backfill(commands, tmp_path, environment)
        for _ in range(times):
            first = backfill.start()
            while not lock_is_held(backfill.store):
                time.sleep(0.01)
            let_in += backfill.start().wait().code != 11
            assert first.killed()
            last = backfill.start().wait()
            locked_out += last.code != 0
            backfill.stores += 1
    told(
        "a second run, and one after a kill -9", times, let_in=let_in, locked_out_by_dead=locked_out
    )


def lock_is_held(store: Path) -> bool:
    lock = store.with_name(store.name + ".lock")
    return lock.exists() and bool(lock.read_text())
