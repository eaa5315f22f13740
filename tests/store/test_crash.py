"""Killed anywhere, a pull goes on where it stood: nothing lost, nothing twice, nothing torn."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import warehouses
from committing import PAGES, pages
from made_rows import NOW
from started import ROOT, bare

from connectors.errors import StoreError
from connectors.store import Store

pytestmark = pytest.mark.end_to_end

KILLS = 3


@contextmanager
def pulling(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, ROOT / "tests/committing.py", path],
        env={**bare(), "PYTHONPATH": str(ROOT)},  # this checkout, whatever is installed
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as pull:
        yield pull


def killed(path: Path, rng: random.Random) -> int:
    """Lets a pull commit a few pages and kills it at some moment behind the last; pages seen."""
    with pulling(path) as pull:
        assert pull.stdout
        seen = [pull.stdout.readline() for _ in range(rng.randrange(1, 7))]
        with suppress(subprocess.TimeoutExpired):
            pull.wait(rng.uniform(0, 0.04))
        pull.kill()
    return int(seen[-1] or PAGES)


@pytest.mark.parametrize("name", warehouses.FILES)
def test_a_pull_killed_again_and_again_ends_as_one_that_was_not(tmp_path: Path, name: str) -> None:
    rng = random.Random(20261122)  # noqa: S311
    with Store.open(tmp_path / "whole.duckdb", now=NOW) as store:
        for sent in pages(0):
            store.commit("eu", "orders", sent, at=NOW)
        whole = store.content_hash(), store.counts("eu")
        rows = store.connection.execute("select count(*) from orders").fetchall()
    path = tmp_path / "killed" / name
    for _ in range(KILLS):
        seen = killed(path, rng)
        with warehouses.opened(path) as store:
            stands = store.cursor("eu", "orders")
            assert stands
            assert int(stands["after"]) >= seen
    with pulling(path) as pull:
        _, said = pull.communicate()
        assert pull.returncode == 0, said.decode()
    with warehouses.opened(path) as store:
        assert (store.content_hash(), store.counts("eu")) == whole
        assert store.connection.execute("select count(*) from orders").fetchall() == rows


def fill_a_small_disk(path: Path, hashes: list[str]) -> None:
    """Pulls while no file may grow beyond a few pages."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Store.open(path, now=NOW) as store:
        standing = store.content_hash()
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
            for sent in pages(0):
                hashes.append(standing)
                store.commit("eu", "orders", sent, at=NOW)
                standing = store.content_hash()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_clear_error_and_the_store_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    hashes: list[str] = []
    with pytest.raises(StoreError, match="free space"):
        fill_a_small_disk(path, hashes)
    assert 1 < len(hashes) < PAGES
    with Store.open(path, now=NOW) as store:
        assert store.content_hash() == hashes[-1]
        assert store.cursor("eu", "orders") == {"after": len(hashes) - 1}
        assert store.commit("eu", "orders", next(pages(len(hashes) - 1)), at=NOW) > 0
