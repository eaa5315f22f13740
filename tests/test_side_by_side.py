"""`run --jobs N`: several shops at a time, as their servers and the store see it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from started import ROOT, Run, bare, called_in

from connectors.config import ShopSettings
from connectors.sandbox import app
from connectors.sandbox.app import Street
from connectors.sandbox.books import Books
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox, serve
from connectors.session import Session
from connectors.store import Store
from jobs import planning
from tests.test_sync import what_admins_see

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 40  # of each shop
SHOPS = ("eu", "us", "north")
MEETS_WITHIN_SECONDS = 30
FilledBooks = Callable[[Path, int, date], Books]
Known = tuple[str, Mapping[str, pd.DataFrame]]


@dataclass(frozen=True, slots=True)
class World:
    """Three shops, of two sandboxes: north is the other one's Magento."""

    here: Sandbox
    there: Sandbox
    folder: Path

    def settings(self, store: str, **more: str) -> dict[str, str]:
        own = {
            "CLV_SHOPS": ",".join(SHOPS),
            "CLV_STORE": store,
            "CLV_EMAIL_KEY": "a key for these tests alone",
            "CLV_MODEL": "mbg",
        }
        names = ("PLATFORM", "URL", "TOKEN")
        north = {f"CLV_NORTH_{name}": self.there.environment[f"CLV_EU_{name}"] for name in names}
        return {**self.here.environment, **north, **own, **more}

    def slow(self, seconds: float) -> None:
        for one in (self.here, self.there):
            one.faults.set([Fault("slow", seconds=seconds, times=0)])

    def shops(self) -> Mapping[str, str]:
        """The addresses' beginnings, by shop."""
        both = {"eu": (self.here, "eu"), "us": (self.here, "us"), "north": (self.there, "eu")}
        return {name: f"{one.url}/{path}" for name, (one, path) in both.items()}

    def requests(self) -> int:
        sql = "SELECT count(*) FROM request_journal"
        return sum(int(one.books.scalar(sql)) for one in (self.here, self.there))

    def known(self, store: str) -> Known:
        """What a store knows, and its scores but for which run gave them and what was before."""
        with Store.open(self.folder / store, now=datetime.now(UTC)) as opened:
            scores = {
                shop: opened.latest_scores(shop).drop(columns=["run_id", "previous_tier"])
                for shop in SHOPS
            }
            return opened.content_hash(), scores

    def mutations(self) -> list[int]:
        """Requests for a change, in the order of `SHOPS`."""
        here, there = self.here.mutations(), self.there.mutations()
        return [here["eu"], here["us"], there["eu"]]

    def seen(self) -> list[Any]:
        return [what_admins_see(one.books) for one in (self.here, self.there)]


class Whole(NamedTuple):
    """What one shop after another brings."""

    known: Known
    mutations: Sequence[int]
    seen: Sequence[Any]


@contextmanager
def opened(folder: Path, filled_books: FilledBooks) -> Iterator[World]:
    """Three shops as they are before anybody came."""
    with ExitStack() as stack:
        both = []
        for name in ("here", "there"):
            path = folder / f"{name}.sqlite"
            books = stack.enter_context(
                closing(filled_books(path, CUSTOMERS, datetime.now(UTC).date()))
            )
            both.append(stack.enter_context(serve(books)))
        yield World(*both, folder)


@pytest.fixture
def world(tmp_path: Path, filled_books: FilledBooks) -> Iterator[World]:
    with opened(tmp_path, filled_books) as three:
        yield three


@pytest.fixture(scope="session")
def wholes(
    tmp_path_factory: pytest.TempPathFactory, filled_books: FilledBooks
) -> Callable[[date], Whole]:
    @cache
    def of_day(_: date) -> Whole:
        folder = tmp_path_factory.mktemp("whole")
        with opened(folder, filled_books) as three:
            assert called_in(folder)(three.settings("s.duckdb"), "run").code == 0
            return Whole(three.known("s.duckdb"), three.mutations(), three.seen())

    return of_day


@pytest.fixture
def whole(wholes: Callable[[date], Whole]) -> Whole:
    """What is scored today; a day that ends while the tests run has another one behind it."""
    return wholes(datetime.now(UTC).date())


def same(one: Known, other: Known) -> None:
    assert one[0] == other[0]
    same_scores(one, other, SHOPS)


def same_scores(one: Known, other: Known, shops: Sequence[str]) -> None:
    for shop in shops:
        assert len(one[1][shop]) > 10
        pd.testing.assert_frame_equal(one[1][shop], other[1][shop])


# ----------------------------------------------------------------------------- at the shops' doors


@dataclass
class Doors:
    """When each shop was being asked, and by how many shops each phase was begun together."""

    wait: bool = False
    asked: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    arrived: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    alone: list[tuple[str, str]] = field(default_factory=list)

    async def meet(self, shop: str, phase: str) -> None:
        """The first request of a phase waits until those of all shops are here."""
        if not self.wait or shop in self.arrived[phase]:
            return
        self.arrived[phase].add(shop)
        ends_at = time.monotonic() + MEETS_WITHIN_SECONDS
        while len(self.arrived[phase]) < len(SHOPS):
            if time.monotonic() > ends_at:
                self.alone.append((shop, phase))
                return
            await asyncio.sleep(0.01)

    def together(self, shop: str) -> float:
        """The part of the time of a shop's requests in which others were asked, too."""
        others = [span for name in SHOPS if name != shop for span in self.asked[name]]
        own = self.asked[shop]
        both = sum(common(one, other) for one in own for other in merged(others))
        return both / sum(end - begin for begin, end in own)


def common(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch, world: World) -> Doors:
    seen, answer = Doors(), Street.__call__
    names = {url.removeprefix("http://"): shop for shop, url in world.shops().items()}

    async def watched(self: Street, scope: Any, receive: Any, send: Any) -> None:
        host = dict(scope.get("headers", ())).get(b"host", b"").decode()
        shop = names[f"{host}/{scope['path'].split('/')[1]}"]
        begun, body = time.monotonic(), await app._read(receive)
        asked = {"method": scope["method"], "path": scope["path"], "sent": body.decode()}
        await seen.meet(shop, "write" if app._mutates(asked) else "read")
        await answer(self, scope, app._replay(body), send)
        seen.asked[shop].append((begun, time.monotonic()))

    monkeypatch.setattr(Street, "__call__", watched)
    return seen


# --------------------------------------------------------------------------------------- the tests


def test_side_by_side_brings_what_one_after_another_brings(
    run: Run, whole: Whole, world: World, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first requests of a phase wait at the doors until all three shops' are there."""
    doors.wait = True
    under_way, score = Counter[str](), planning.score_shop

    def scored(at: Session, shop: ShopSettings, day: date) -> None:
        under_way["now"] += 1
        under_way["most"] = max(under_way["most"], under_way["now"])
        score(at, shop, day)
        under_way["now"] -= 1

    monkeypatch.setattr(planning, "score_shop", scored)
    ended = run(world.settings("s.duckdb"), "run", "--all", "--jobs", "3", "--json")
    assert ended.code == 0
    assert doors.alone == []
    assert under_way["most"] == 1
    assert doors.arrived == {"read": set(SHOPS), "write": set(SHOPS)}
    same(whole.known, world.known("s.duckdb"))
    assert whole.mutations == world.mutations()
    told = {line["shop"]: line for line in ended.events("shop")}
    assert set(told) == set(SHOPS)
    assert all(line["exit_code"] == 0 and line["counts"]["applied"] > 10 for line in told.values())
    assert list(ended.lines[-1]["shops"]) == list(SHOPS)  # whoever was ready first
    assert all("shop" in line for line in ended.lines[:-1])


def test_a_shop_that_fails_leaves_the_others_whole(run: Run, whole: Whole, world: World) -> None:
    wrong = world.settings("s.duckdb", CLV_NORTH_TOKEN="mistyped")
    ended = run(wrong, "run", "--jobs", "2", "--json")
    assert ended.code == ended.lines[-1]["exit_code"] == 12
    codes = {line["shop"]: line["exit_code"] for line in ended.events("shop")}
    assert codes == {"eu": 0, "us": 0, "north": 12}
    same_scores(whole.known, world.known("s.duckdb"), ("eu", "us"))
    assert world.mutations()[:2] == whole.mutations[:2]
    mended = run(world.settings("s.duckdb"), "--quiet", "run", "--jobs", "3")
    assert mended.code == 0
    same_scores(whole.known, world.known("s.duckdb"), SHOPS)
    *lines, last = mended.out.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == sorted(SHOPS)
    assert last == "run done"


@pytest.mark.thorough
def test_most_of_the_waiting_is_done_side_by_side(run: Run, world: World, doors: Doors) -> None:
    world.slow(0.05)
    assert run(world.settings("s.duckdb"), "run", "--jobs", "3").code == 0
    assert min(doors.together(shop) for shop in SHOPS) > 0.5


@pytest.mark.thorough
def test_one_at_a_time_is_what_no_flag_means(run: Run, world: World, doors: Doors) -> None:
    assert run(world.settings("s.duckdb"), "run", "--json").code == 0
    assert [doors.together(shop) for shop in SHOPS] == [0, 0, 0]


def test_all_beside_a_named_shop_is_refused(run: Run, world: World) -> None:
    assert run(world.settings("s.duckdb"), "--shop", "eu", "run", "--all").code == 1
    assert run(world.settings("s.duckdb"), "run", "--jobs", "0").code == 2


# ------------------------------------------------------------------------------ killed and stopped


def started(world: World, store: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "sync.py"), *arguments],
        env=bare() | world.settings(store, **more),
        cwd=world.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended_by(number: int, after: int, world: World, *command: str, **more: str) -> tuple[int, str]:
    """Exit code and what it said; the signal comes after so many requests."""
    begun = world.requests()
    with started(world, *command, **more) as process:
        while process.poll() is None and world.requests() - begun < after:
            time.sleep(0.005)
        process.send_signal(number)
        said = process.communicate(timeout=60)[0]
    return process.returncode, said


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([9], id="once"),
        pytest.param([3, 6, 9, 12, 15, 18], id="again and again", marks=pytest.mark.thorough),
    ],
)
def test_killed_while_all_pull_nothing_is_lost(
    run: Run, whole: Whole, world: World, after: Sequence[int]
) -> None:
    for requests in after:
        code, said = ended_by(signal.SIGKILL, requests, world, "s.duckdb", "run", "--jobs", "3")
        assert code == -signal.SIGKILL, said
    assert run(world.settings("s.duckdb"), "run", "--jobs", "3").code == 0
    same(whole.known, world.known("s.duckdb"))


@pytest.mark.thorough
def test_killed_while_all_write_the_next_run_ends_what_was_begun(
    run: Run, whole: Whole, world: World
) -> None:
    for requests in (40, 50, 60):
        ended_by(signal.SIGKILL, requests, world, "s.duckdb", "run", "--jobs", "3")
    assert sum(world.mutations()) > 0
    assert run(world.settings("s.duckdb"), "run", "--jobs", "3").code == 0
    same_scores(whole.known, world.known("s.duckdb"), SHOPS)
    assert run(world.settings("s.duckdb"), "plan", "--detailed-exitcode").code == 0
    assert world.seen() == whole.seen


def test_asked_to_stop_all_shops_stop_softly(run: Run, world: World) -> None:
    world.slow(0.3)
    settings = world.settings("s.duckdb")
    code, said = ended_by(signal.SIGTERM, 8, world, "s.duckdb", "run", "--jobs", "3", "--json")
    assert code == 130, said
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    told = {line["shop"]: line["exit_code"] for line in lines if line["event"] == "shop"}
    assert told == dict.fromkeys(SHOPS, 130), said
    assert lines[-1]["exit_code"] == 130
    (history, *_) = run(settings, "state", "--json").events("history")
    assert history["status"] in ("exit 130", "Interrupted")


def test_a_shop_that_makes_wait_is_left_behind_when_all_are_to_stop(world: World) -> None:
    """It asks for a minute; who is to stop doesn't give it one."""
    world.there.faults.set([Fault("status", status=429, retry_after="60", times=0)])
    world.here.faults.set([Fault("slow", seconds=0.3, times=0)])
    begun = time.monotonic()
    code, said = ended_by(signal.SIGTERM, 6, world, "s.duckdb", "run", "--jobs", "3", "--json")
    assert code == 130, said
    assert "Traceback" not in said
    assert time.monotonic() - begun < 50
