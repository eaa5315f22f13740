"""The store's file: private, locked to one process, and clear about what is wrong with it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from made_rows import NOW, order, page

from connectors.errors import ConfigurationError, StoreError, StoreLocked
from connectors.store import Store
from connectors.store.migrations import STEPS


def modes(folder: Path) -> dict[str, int]:
    return {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()}


def test_files_are_the_owners_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(path, now=NOW) as store:
            store.commit("eu", "orders", page(order("1")), at=NOW)
            assert modes(path.parent) == {
                "store.duckdb": 0o600,
                "store.duckdb.wal": 0o600,
                "store.duckdb.lock": 0o600,
            }
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert os.umask(0) == 0
    finally:
        os.umask(before)


def test_a_store_that_others_could_read_is_closed_to_them(path: Path) -> None:
    with Store.open(path, now=NOW):
        pass
    path.chmod(0o644)
    with Store.open(path, now=NOW):
        assert modes(path.parent)["store.duckdb"] == 0o600


def test_what_was_kept_is_there_when_the_store_opens_again(path: Path) -> None:
    with Store.open(path, now=NOW) as store:
        store.commit("eu", "orders", page(order("1")), at=NOW)
        before = store.content_hash()
    with Store.open(path, now=NOW) as store:
        assert (store.content_hash(), store.counts("eu")["orders"]) == (before, 1)


def test_a_second_run_is_locked_out_and_told_by_whom(store: Store) -> None:
    sql = "select path from duckdb_databases() where database_name = current_database()"
    path = Path(store.connection.execute(sql).fetchall()[0][0])
    told = pytest.raises(StoreLocked, match=f"process {os.getpid()} since 2026-11-22")
    with told as caught, Store.open(path, now=NOW):
        pass
    assert caught.value.exit_code == 11
    store.commit("eu", "orders", page(order("1")), at=NOW)


def test_the_lock_is_free_when_the_store_is_closed(path: Path) -> None:
    for _ in range(2):
        with Store.open(path, now=NOW):
            pass


@pytest.mark.end_to_end
def test_a_program_that_only_knows_duckdb_locks_us_out_too(path: Path) -> None:
    with Store.open(path, now=NOW):
        pass
    script = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreLocked, match=f"PID {other.pid}"), Store.open(path, now=NOW):
            pass
        other.communicate(b"\n")


def test_a_file_that_is_no_store_is_left_untouched(path: Path) -> None:
    path.parent.mkdir()
    for content in (b"order_id,total\n" * 1000, b"", b"\0" * 300):
        path.write_bytes(content)
        with pytest.raises(StoreError, match="can't be used"), Store.open(path, now=NOW):
            pass
        assert path.read_bytes() == content


def test_a_truncated_store_is_told_and_left_untouched(path: Path) -> None:
    with Store.open(path, now=NOW) as store:
        store.commit("eu", "orders", page(*(order(str(n)) for n in range(500))), at=NOW)
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    with pytest.raises(StoreError, match="can't be used"), Store.open(path, now=NOW):
        pass
    assert path.read_bytes() == half


def test_somebody_elses_duckdb_file_is_no_store(path: Path) -> None:
    path.parent.mkdir()
    with duckdb.connect(str(path)) as other:
        other.execute("create table cats (name varchar)")
    with pytest.raises(StoreError, match="not an order store"), Store.open(path, now=NOW):
        pass


def test_a_store_of_a_newer_version_is_refused_with_both_versions(path: Path) -> None:
    with Store.open(path, now=NOW) as store:
        store.connection.execute("insert into schema_version values (99, now())")
    told = f"version 99, this program knows {len(STEPS)}.*Update clv-sync"
    with pytest.raises(StoreError, match=told), Store.open(path, now=NOW):
        pass


def test_an_older_store_takes_the_steps_it_lacks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(path, now=NOW) as store:
        store.commit("eu", "orders", page(order("1")), at=NOW)
        before = store.content_hash()
    widen = "alter table refunds add column loyalty varchar"
    monkeypatch.setattr("connectors.store.migrations.STEPS", (*STEPS, lambda c: c.execute(widen)))
    for _ in range(2):
        with Store.open(path, now=NOW) as store:
            assert store.content_hash() == before
            store.connection.execute("select loyalty from latest_refunds")


def test_a_step_that_fails_leaves_the_store_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(path, now=NOW):
        pass
    steps = (*STEPS, lambda c: c.execute("drop table runs"), lambda c: c.execute("nonsense"))
    with monkeypatch.context() as patch:
        patch.setattr("connectors.store.migrations.STEPS", steps)
        with pytest.raises(duckdb.ParserException), Store.open(path, now=NOW):
            pass
    with Store.open(path, now=NOW) as store:
        assert store.runs() == []


def test_nothing_outside_the_store_can_be_reached_from_it(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    for statement in (
        f"from read_csv('{tmp_path / 'x.csv'}')",
        f"copy orders to '{tmp_path / 'y.csv'}'",
        "install httpfs",
        "set enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            store.connection.execute(statement)


def test_work_larger_than_its_memory_goes_to_the_disk_beside_the_store(path: Path) -> None:
    with Store.open(path, now=NOW, memory_mb=64) as store:
        sql = (
            "select count(*) from (select md5(n::varchar) as m from range(2000000) r(n) order by m)"
        )
        assert store.connection.execute(sql).fetchall() == [(2_000_000,)]


def test_a_pinned_value_can_be_given_again_but_not_changed(path: Path) -> None:
    with Store.open(path, now=NOW) as store:
        store.pin("e-mail key", "abc")
    with Store.open(path, now=NOW) as store:
        store.pin("e-mail key", "abc")
        with pytest.raises(ConfigurationError, match="e-mail key is not the one"):
            store.pin("e-mail key", "xyz")
