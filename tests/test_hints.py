"""The queue of hints: durable, private, forgetful of persons, open to two processes at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import StoreError
from connectors.hints import REMEMBERED, Hint, Hints, beside

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ONE = Hint("us", "e1", "orders/create", "order", orders=("101",), triggered_at=NOW)
TWO = Hint("us", "e2", "customers/redact", "erase customer", ("101",), ("11",), "guest-ada")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return beside(tmp_path / "state" / "store.duckdb")


@pytest.fixture
def hints(path: Path) -> Iterator[Hints]:
    with Hints.open(path) as opened:
        yield opened


def test_hints_come_back_as_they_were_in_their_order(hints: Hints) -> None:
    assert hints.add([ONE, TWO], NOW) == 2
    assert hints.pending("us") == [ONE, TWO]
    assert (hints.pending("eu"), hints.waiting()) == ([], 2)


def test_an_event_that_comes_again_is_no_news_even_after_it_was_settled(hints: Hints) -> None:
    hints.add([ONE], NOW)
    assert hints.add([ONE, ONE], NOW) == 0
    hints.settle(hints.pending("us"), NOW)
    assert hints.add([ONE], NOW + REMEMBERED - timedelta(seconds=1)) == 0
    assert hints.pending("us") == []


def test_topics_of_one_event_are_told_apart(hints: Hints) -> None:
    refund = Hint("us", "e1", "refunds/create", "order", orders=("101",))
    assert hints.add([ONE, refund], NOW) == 2


def test_what_comes_in_while_a_run_drains_stays_for_the_next(hints: Hints, path: Path) -> None:
    hints.add([ONE], NOW)
    with Hints.open(path) as run:
        told = run.pending("us")
        hints.add([TWO], NOW)
        run.settle(told, NOW)
        assert run.pending("us") == hints.pending("us") == [TWO]


def test_nothing_is_settled_that_a_killed_run_had_only_read(path: Path) -> None:
    with Hints.open(path) as serve:
        serve.add([ONE], NOW)
    with Hints.open(path) as killed:
        killed.pending("us")
    with Hints.open(path) as run:
        assert run.pending("us") == [ONE]


def test_a_settled_hint_leaves_no_byte_of_whom_it_was_about(hints: Hints, path: Path) -> None:
    hints.add([TWO], NOW)
    hints.settle(hints.pending("us"), NOW)
    files = sorted(path.parent.glob(path.name + "*"))
    held = b"".join(file.read_bytes() for file in files)
    assert b"e2" in held
    assert b"guest-ada" not in held


def test_settled_events_are_forgotten_once_they_can_come_no_more(hints: Hints) -> None:
    hints.add([ONE], NOW)
    hints.settle(hints.pending("us"), NOW)
    hints.settle([], NOW + REMEMBERED + timedelta(seconds=1))
    assert hints.add([ONE], NOW) == 1


def test_the_queue_is_private_whatever_the_umask(path: Path) -> None:
    import os

    before = os.umask(0)
    try:
        with Hints.open(path) as hints:
            hints.add([ONE], NOW)
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert len(modes) == 3  # the file, its log, its index
    assert set(modes.values()) == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_no_queue_is_told_with_its_mend(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, by any means " * 40)
    with pytest.raises(StoreError, match="reconcile"), Hints.open(path):
        pass


def test_a_commit_is_synced_before_it_returns(path: Path) -> None:
    """What SQLite promises of `synchronous = full` (2) in WAL mode."""
    with Hints.open(path) as hints:
        connection: sqlite3.Connection = hints._connection
        assert connection.execute("pragma synchronous").fetchone() == (2,)
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
