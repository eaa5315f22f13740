"""The log as sealed files: few of them, each counting once the books say so."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pyarrow.parquet as pq
import pytest
from committing import PAGES, pages
from made_rows import NOW, order, page
from warehouses import opened

from connectors.config.target import BOOKS
from connectors.store import Store, sealed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "warehouse" / BOOKS


def fill(store: Store) -> None:
    for sent in pages(0):
        store.commit("eu", "orders", sent, at=NOW)


def parts(path: Path, log: str = "orders") -> list[Path]:
    return sorted((path.parent / "log" / log).glob("*"))


def rows(path: Path, log: str = "orders") -> int:
    return sum(int(pq.read_metadata(part).num_rows) for part in parts(path, log))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    with opened(tmp_path_factory.mktemp("plain") / "store.duckdb") as store:
        fill(store)
        return store.content_hash()


def test_small_pages_make_few_files_and_nothing_else_than_one_store_knows(
    path: Path, whole: str
) -> None:
    with opened(path, gathered=1) as store:
        fill(store)
        assert store.content_hash() == whole
        assert rows(path) == 50 * PAGES - 10  # ten of each page but the first come again
    assert len(parts(path)) < 8
    with opened(path) as store:
        assert store.content_hash() == whole


def test_a_file_that_the_books_do_not_name_counts_for_nothing_and_goes(
    path: Path, whole: str
) -> None:
    with opened(path) as store:
        fill(store)
    stray = parts(path)[0].with_name("000000000001-000000000002-99.parquet")
    stray.write_bytes(parts(path)[0].read_bytes())
    with opened(path) as store:
        assert store.content_hash() == whole
        assert not stray.exists()


def test_a_run_that_dies_between_file_and_books_loses_and_doubles_nothing(
    path: Path, whole: str
) -> None:
    def died(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), opened(path, gathered=10**9) as store:  # noqa: PT012
        fill(store)
        with mock.patch.object(sealed, "replace", died):
            sealed.seal(store.connection)
    assert len(parts(path)) == 1
    with opened(path) as store:
        assert parts(path) == []
        assert store.content_hash() == whole
        sealed.seal(store.connection)
        assert store.content_hash() == whole
    assert rows(path) == 50 * PAGES - 10


def test_a_repeat_adds_nothing_to_files_either(path: Path) -> None:
    with opened(path) as store:
        fill(store)
        logged = rows(path)
        fill(store)
        assert rows(path) == logged


def test_orders_that_are_gone_leave_their_file_and_no_other(path: Path) -> None:
    with opened(path) as store:
        store.commit("eu", "orders", page(*(order(str(n)) for n in range(40))), at=NOW)
        store.commit("eu", "orders", page(order("x")), at=NOW)
        before = set(parts(path))
        store.forget_orders("eu", ["7", "8"])
        assert store.counts("eu")["orders"] == 39
        assert len(set(parts(path)) & before) == 2  # swept out when the store closes
    assert len(set(parts(path)) & before) == 1
    assert rows(path) == 39


def test_all_of_a_file_can_leave(path: Path) -> None:
    with opened(path) as store:
        store.commit("eu", "orders", page(order("1")), at=NOW)
        store.forget_orders("eu", ["1"])
        assert store.counts("eu")["orders"] == 0
    assert parts(path) == []


def test_the_newest_small_files_are_written_together() -> None:
    files = [sealed.File(str(n), n, n, rows) for n, rows in enumerate((10**7, 1000, 300, 100))]
    assert [file.rows for file in sealed._along(files, 50)] == [100, 300, 1000]
    assert [file.rows for file in sealed._along(files, 20)] == []
