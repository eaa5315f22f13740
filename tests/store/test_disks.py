"""A disk that is full, and one that can't be written: one clear error, and the store stays whole.

The disks are small ones in memory; where none can be mounted, the tests skip.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from committing import pages
from made_rows import NOW

from connectors import privacy
from connectors.errors import StoreError
from connectors.identity import EmailHasher
from connectors.session import load_hasher
from connectors.store import Store

HASHER = EmailHasher(b"a key of sixteen bytes or more")


def mount(*arguments: str) -> bool:
    program = shutil.which("mount")
    return (
        bool(program)
        and not subprocess.run([program, *arguments], capture_output=True, check=False).returncode
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=8m,mode=0700", "clv-test", str(folder)):
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S607


def filled(path: Path, rest: int) -> None:
    """Leaves so many bytes free on the disk of `path`."""
    free = shutil.disk_usage(path.parent).free
    with path.with_name("ballast").open("wb") as file:
        file.write(bytes(max(0, free - rest)))


def test_a_full_disk_is_one_clear_error_and_what_was_committed_stays(disk: Path) -> None:
    path = disk / "store.duckdb"
    with Store.open(path, now=NOW) as store:
        store.commit("eu", "orders", next(pages(0)), at=NOW)
        standing = store.content_hash()
    filled(path, 40_000)
    committed = 0
    with (  # noqa: PT012  # whichever commit is the one that no longer fits
        pytest.raises(StoreError, match="free space"),
        Store.open(path, now=NOW) as store,
    ):
        for number, sent in enumerate(pages(1), start=2):
            store.commit("eu", "orders", sent, at=NOW)
            standing, committed = store.content_hash(), number
    path.with_name("ballast").unlink()
    with Store.open(path, now=NOW) as store:
        assert store.content_hash() == standing
        cursor = store.cursor("eu", "orders")
        assert cursor
        assert cursor["after"] == max(committed, 1)


def test_an_erasure_without_room_for_a_new_file_is_kept_and_made_up_for(disk: Path) -> None:
    path = disk / "store.duckdb"
    with Store.open(path, now=NOW, hasher=HASHER) as store:
        for _, sent in zip(range(20), pages(0), strict=False):
            store.commit("eu", "orders", sent, at=NOW)
    filled(path, 900_000)
    with (
        pytest.raises(StoreError, match=r"no room .*Free \d+ MB"),
        Store.open(path, now=NOW, hasher=HASHER) as store,
    ):
        privacy.erase_customer(store, HASHER, "eu", "7", at=NOW)
    path.with_name("ballast").unlink()
    with Store.open(path, now=NOW, hasher=HASHER) as store:
        found = store.connection.execute("select rewritten_at from erasures").fetchall()
        assert found[0][0] is not None
        assert store.orders_of("eu", "7").empty


def test_a_disk_that_cannot_be_written_is_one_clear_error(disk: Path) -> None:
    path = disk / "store.duckdb"
    with Store.open(path, now=NOW) as store:
        store.commit("eu", "orders", next(pages(0)), at=NOW)
        standing = store.content_hash()
    before = path.read_bytes()
    assert mount("-o", "remount,ro", str(disk))
    with pytest.raises(StoreError, match="Read-only"), Store.open(path, now=NOW):
        pass
    assert path.read_bytes() == before
    assert mount("-o", "remount,rw", str(disk))
    with Store.open(path, now=NOW) as store:
        assert store.content_hash() == standing


def test_a_key_that_cannot_be_made_is_one_clear_error(disk: Path) -> None:
    from connectors.errors import ConfigurationError

    assert mount("-o", "remount,ro", str(disk))
    with pytest.raises(ConfigurationError, match="Read-only"):
        load_hasher("", disk / "new")
