"""The store written anew into another file, so that nothing is left of what was erased.

What DuckDB deletes stays in the file's free blocks until they are used again, a checkpoint doesn't
clear them. An erasure that still waits for this is told by `erasures.rewritten_at`; it is made up
for when the store closes, or where that was cut off when it opens next.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from datetime import datetime
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from connectors.errors import StoreError
from connectors.files import on_the_disk


def is_due(connection: DuckDBPyConnection) -> bool:
    """Whether something was erased since the file was written anew."""
    try:
        found = connection.execute("select 1 from erasures where rewritten_at is null limit 1")
    except duckdb.CatalogException:  # a new store, or one of an earlier version
        return False
    return bool(found.fetchall())


def rewrite(path: Path, at: datetime, memory_mb: int) -> None:
    """The closed store's content in a new file that takes the place of the old, or nothing.

    `at` is as the store keeps instants. The caller holds the lock. Raises
    StoreError where there is no room for both files.
    """
    fresh = path.with_name(path.name + ".fresh")
    _clear(path, fresh)
    needed, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    if needed > free:
        raise StoreError(
            "there is no room to write the order store anew, so traces of who was erased remain",
            mend=f"Free {(needed - free) // 2**20 + 1} MB; the next run makes up for it.",
            path=path,
        )
    try:
        _copy(path, fresh, at, memory_mb)
        if path.with_name(path.name + ".wal").exists():  # it would be read into the new file
            raise StoreError("the order store's log could not be taken in", path=path)
        on_the_disk(fresh)
        fresh.replace(path)
        on_the_disk(path.parent)
    finally:
        _clear(path, fresh)


def _copy(path: Path, fresh: Path, at: datetime, memory_mb: int) -> None:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb * 8 // 9}MiB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": f"{fresh}.tmp",
    }
    with closing(duckdb.connect(":memory:", config=settings)) as connection:
        connection.execute(f"attach {_quoted(path)} as old")
        connection.execute(f"attach {_quoted(fresh)} as fresh")
        connection.execute("copy from database old to fresh")
        connection.execute(
            "update fresh.erasures set rewritten_at = ? where rewritten_at is null", [at]
        )
        connection.execute("checkpoint fresh")
        connection.execute("detach fresh")
        connection.execute("checkpoint old")
        connection.execute("detach old")
    fresh.chmod(0o600)


def _clear(path: Path, fresh: Path) -> None:
    """What an interrupted rewriting, or a run that died, has left beside the store."""
    for leftover in (fresh, fresh.with_name(fresh.name + ".wal")):
        leftover.unlink(missing_ok=True)
    for folder in (path.with_name(path.name + ".tmp"), fresh.with_name(fresh.name + ".tmp")):
        shutil.rmtree(folder, ignore_errors=True)


def _quoted(path: Path) -> str:
    return "'" + os.fspath(path).replace("'", "''") + "'"
