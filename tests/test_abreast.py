"""Shops side by side, without shops: what becomes of codes, counts, defects, and of the store."""

from __future__ import annotations

import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from duckdb import ConnectionException, DuckDBPyConnection, InterruptException
from made_rows import NOW, order
from stray import stray_signal

from connectors import hinted
from connectors import session as sessions
from connectors.config import ShopSettings, read_settings
from connectors.errors import (
    AuthenticationError,
    Interrupted,
    PayloadError,
    ShopUnavailable,
    worst,
)
from connectors.hints import Hint, Hints, beside
from connectors.identity import load_hasher
from connectors.once import once
from connectors.platform import Page
from connectors.session import Session
from connectors.store import Store
from connectors.store.connection import transaction
from connectors.terminal import Terminal
from connectors.turns import Turns
from jobs.abreast import abreast, left_behind

NAMES = ("a", "b", "c")
SECONDS = 10


@contextmanager
def three_shops(tmp_path: Path) -> Iterator[Session]:
    environment = {"CLV_SHOPS": ",".join(NAMES), "CLV_STORE": str(tmp_path / "s.duckdb")}
    for name in NAMES:
        environment |= {f"CLV_{name.upper()}_PLATFORM": "file", f"CLV_{name.upper()}_PATH": "x"}
    settings = read_settings(environment)
    with sessions.opened(
        settings, [], "run", Terminal(json=True), lambda: NOW, lambda: False
    ) as opened:
        yield opened


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Session]:
    with three_shops(tmp_path) as opened:
        yield opened


def ended(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """The shops' own summary lines, in the order in which they came."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {line["shop"]: line["exit_code"] for line in lines if line["event"] == "shop"}


def test_all_shops_of_a_crew_are_at_work_at_once(at: Session) -> None:
    together = threading.Barrier(3)
    abreast(at, lambda at, shop: together.wait(SECONDS), 3)
    assert at.exit_code == 0


def test_no_more_than_asked_for_are_at_work(at: Session) -> None:
    under_way: list[str] = []
    most: list[int] = []

    def job(at: Session, shop: ShopSettings) -> None:
        under_way.append(shop.shop)
        time.sleep(0.05)
        most.append(len(under_way))
        under_way.remove(shop.shop)

    abreast(at, job, 2)
    assert max(most) == 2


def test_counts_stand_in_the_order_of_the_shops_whoever_was_first(at: Session) -> None:
    b_ended = threading.Event()

    def job(at: Session, shop: ShopSettings) -> None:
        if shop.shop == "a":
            assert b_ended.wait(SECONDS)
        at.count(shop.shop, orders=len(shop.shop))
        if shop.shop == "b":
            b_ended.set()

    abreast(at, job, 3)
    assert list(at.tally) == list(NAMES)
    assert at.tally["b"] == {"orders": 1, "exit_code": 0}


def test_the_exit_code_is_the_worst_and_each_shop_tells_its_own(
    at: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = {
        "a": ShopUnavailable("down"),
        "b": AuthenticationError("no"),
        "c": PayloadError("odd", field="x"),
    }

    def job(at: Session, shop: ShopSettings) -> None:
        raise failures[shop.shop]

    abreast(at, job, 2)
    assert at.exit_code == 12
    assert ended(capsys) == {"a": 13, "b": 12, "c": 3}


def test_a_defect_of_one_shop_is_raised_when_the_others_are_through(
    at: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = threading.Event()

    def job(at: Session, shop: ShopSettings) -> None:
        if shop.shop == "a":
            failed.set()
            raise KeyError("nobody foresaw this")
        assert failed.wait(SECONDS)
        time.sleep(0.05)
        at.count(shop.shop, orders=1)

    with pytest.raises(KeyError, match="nobody foresaw this"):
        abreast(at, job, 2)
    assert [at.tally[name].get("orders") for name in NAMES] == [None, 1, 1]
    assert ended(capsys) == {"a": 1, "b": 0, "c": 0}


def test_whoever_was_not_begun_when_all_were_to_stop_says_so(
    at: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping: list[bool] = []
    at.stopping = lambda: bool(stopping)
    abreast(at, lambda at, shop: stopping.append(True), 1)
    assert at.exit_code == 130
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {line["shop"]: line["seconds"] for line in lines if line["event"] == "shop"}
    assert len(lines) == 3
    assert (told["a"] is not None, told["b"], told["c"]) == (True, None, None)


def test_a_wish_to_stop_is_heard_while_all_shops_are_at_work(at: Session) -> None:
    heard = []
    with stray_signal() as strayed:
        abreast(at, lambda at, shop: heard.append(strayed(SECONDS)), 1)
    assert heard == [True] * len(NAMES)


@pytest.fixture
def alarm() -> Iterator[None]:
    """What ends a soft stop comes while the command waits for its shops."""

    def rings(*_: object) -> None:
        raise Interrupted("stopped where asked to")

    before = signal.signal(signal.SIGALRM, rings)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_what_hangs_is_left_behind_and_gets_into_the_store_no_more(
    at: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    go_on, others = threading.Event(), threading.Barrier(3)

    def job(at: Session, shop: ShopSettings) -> None:
        others.wait(SECONDS)
        if shop.shop == "b":
            signal.setitimer(signal.ITIMER_REAL, 0.5)  # when the others are through
            go_on.wait(SECONDS)
            at.store.forget_cursor("b", "orders")
            at.store.commit("b", "orders", Page({"after": 1}), at=NOW)
        at.count(shop.shop, orders=1)

    with pytest.raises(Interrupted):
        abreast(at, job, 3)
    assert left_behind()
    assert ended(capsys) == {"a": 0, "b": 130, "c": 0}
    assert at.exit_code == 130
    go_on.set()
    while left_behind():
        time.sleep(0.01)
    assert at.store.cursor("b", "orders") is None


@pytest.mark.usefixtures("alarm")
def test_a_query_that_takes_long_is_not_waited_for(tmp_path: Path) -> None:
    at_work: list[DuckDBPyConnection] = []

    def job(at: Session, shop: ShopSettings) -> None:
        if shop.shop == "b":
            at_work.append(at.store.connection)
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            with suppress(InterruptException), at.alone:
                at.store.connection.execute("select sum(hash(i)) from range(2000000000) as t(i)")

    with pytest.raises(Interrupted), three_shops(tmp_path) as at:
        abreast(at, job, 3)
    assert left_behind()
    while left_behind():
        with suppress(ConnectionException):  # closed at last
            at_work[0].interrupt()
        time.sleep(0.01)
    with three_shops(tmp_path) as at:
        assert [run.status for run in at.store.runs()] == ["Interrupted", None]


def test_what_the_law_asks_is_done_alone_in_the_store(
    at: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes several verbs that belong together."""
    kept_out: list[bool] = []
    others: list[threading.Thread] = []
    with Hints.open(beside(at.settings.store)) as hints:
        hints.add([Hint("a", "1", "customers/redact", "erase customer", customers=("7",))], NOW)

    def done(at: Session, *_: object) -> list[Hint]:
        thread = threading.Thread(target=lambda: at.store.counts("b"))
        thread.start()
        thread.join(0.2)
        others.append(thread)
        kept_out.append(thread.is_alive())
        return []

    monkeypatch.setattr(hinted, "_done", done)
    abreast(at, hinted.carry_out, 3)
    others[0].join()
    assert kept_out == [True]
    assert at.exit_code == 0


# ----------------------------------------------------------------------------- the store in turns


def at_once(many: int, work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@dataclass
class Counting:
    """A store that notices whom it meets."""

    within: int = 0
    most: int = 0

    def another(self) -> Counting:
        return self

    def verb(self) -> None:
        self.within += 1
        self.most = max(self.most, self.within)
        time.sleep(0.01)
        self.within -= 1


def test_one_thread_at_a_time_is_in_the_store() -> None:
    counting = Counting()
    at_once(4, cast(Any, Turns().of(cast(Store, counting))).verb)
    assert counting.most == 1


def test_who_is_alone_in_the_store_goes_in_and_out_and_keeps_the_others_waiting() -> None:
    counting, turns = Counting(), Turns()
    verb = cast(Any, turns.of(cast(Store, counting))).verb
    with turns:
        thread = threading.Thread(target=verb)
        thread.start()
        time.sleep(0.05)
        assert counting.most == 0
        verb()
    thread.join()
    assert counting.most == 1


def test_another_of_a_store_has_transactions_of_its_own(store: Store) -> None:
    other = store.another()
    with transaction(store.connection):
        store.connection.execute("insert into pins values ('a', 'b')")
        assert other.connection.execute("from pins").fetchall() == []
        with transaction(other.connection):
            other.connection.execute("insert into pins values ('c', 'd')")
    assert len(other.connection.execute("from pins").fetchall()) == 2


def test_pages_of_several_shops_are_committed_side_by_side(store: Store) -> None:
    turns = Turns()

    def pull(shop: str) -> None:
        own = turns.of(store)
        for number in range(15):
            page = Page({"after": number}, orders=[order(f"{number}", shop=shop)])
            own.commit(shop, "orders", page, at=NOW)

    threads = [threading.Thread(target=pull, args=(name,)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.counts(name)["orders"] for name in NAMES] == [15, 15, 15]
    assert [store.cursor(name, "orders") for name in NAMES] == [{"after": 14}] * 3


# ------------------------------------------------------------------------------------- the pieces


def test_what_one_shop_finds_out_once_keeps_no_other_shop_waiting() -> None:
    """`functools.cached_property` would, up to Python 3.11."""
    together = threading.Barrier(2)

    class Shop:
        @once
        def asked(self) -> int:
            return together.wait(SECONDS)

    shops = [Shop(), Shop()]
    threads = [threading.Thread(target=lambda shop=shop: shop.asked) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shop.asked for shop in shops) == [0, 1]
    assert not together.broken


def test_the_worst_of_codes_is_a_stop_then_what_works_nowhere_then_what_needs_somebody() -> None:
    assert worst([]) == 0
    assert worst([0, 3, 0]) == 3
    assert worst([13, 3, 1]) == 1
    assert worst([16, 12, 14, 130]) == 130


def test_jobs_that_begin_in_one_folder_at_the_same_time_have_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job for each shop, each with a store of its own: so they start on several machines."""
    made, keys, make = threading.Barrier(2), [], secrets.token_hex

    def slowly(size: int) -> str:
        with suppress(threading.BrokenBarrierError):
            made.wait(0.3)  # both, where nothing keeps them apart
        return make(size)

    monkeypatch.setattr(secrets, "token_hex", slowly)
    at_once(2, lambda: keys.append(load_hasher("", tmp_path / "new").fingerprint))
    assert len(keys) == 2
    assert len({*keys, load_hasher("", tmp_path / "new").fingerprint}) == 1
