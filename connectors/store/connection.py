"""The one file the store lives in: private, locked to one writer, opened without outside access."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection
from filelock import FileLock, Timeout

from connectors.errors import Interrupted, StoreError, StoreLocked
from connectors.files import private_folder
from connectors.store import rewriting

#: What the outside can do to an open store (disk full, no memory, a damaged block); everything
#: else that DuckDB raises is a defect of ours and shows as it is.
UNUSABLE = (duckdb.OperationalError, duckdb.InternalError, duckdb.FatalException)

#: Where the log's tables are, if they are not in the store's own schema: for all cursors to see,
#: see `connectors.store.sealed`.
PLACE = "staged.place_of_log"

#: How long a query that is under way in another thread is waited for, after a stop.
PARTING_SECONDS = 2


@contextmanager
def opened(
    path: Path, now: datetime, memory_mb: int, threads: int, beside: Sequence[Path] = ()
) -> Iterator[DuckDBPyConnection]:
    """A connection for this process alone; of all other files it reaches those in `beside` alone.

    Raises StoreLocked where another process holds the store, StoreError where it can't be opened
    or fails while in use; the file is left as it was.
    """
    with _private_files(), ExitStack() as stack:
        with _told(path):
            private_folder(path.parent)
            stack.enter_context(_locked(path, now))
            connection = stack.enter_context(
                _closing(_whole(path, now, memory_mb, threads, beside))
            )
            path.chmod(0o600)
        with _said(path):
            yield connection
            erased = rewriting.is_due(connection)
        if erased:
            connection.close()
            _rewrite(path, now, memory_mb)


class Parting(Thread):
    """Closes a connection that may hang. As long as it does, a process must not end by itself."""


@contextmanager
def _closing(connection: DuckDBPyConnection) -> Iterator[DuckDBPyConnection]:
    """Closes it at the end; waits little for queries of threads that were told to stop.

    To close a connection is to wait for what its cursors are at. A stop doesn't: the process ends
    next, and what is committed is safe.
    """
    try:
        yield connection
    except Interrupted:
        parting = Parting(target=connection.close, daemon=True)
        parting.start()
        parting.join(PARTING_SECONDS)
        raise
    except BaseException:
        connection.close()
        raise
    connection.close()


def _whole(
    path: Path, now: datetime, memory_mb: int, threads: int, beside: Sequence[Path]
) -> DuckDBPyConnection:
    """The connection, behind the rewriting that an earlier run may have died before."""
    connection = _connect(path, memory_mb, threads, beside)
    if not rewriting.is_due(connection):
        return connection
    connection.close()
    _rewrite(path, now, memory_mb)
    return _connect(path, memory_mb, threads, beside)


def _rewrite(path: Path, now: datetime, memory_mb: int) -> None:
    with _told(path):
        rewriting.rewrite(path, in_utc(now), memory_mb)


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """All of it, or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextmanager
def registered(connection: DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """An Arrow table that statements can read under `name`."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


def next_seq(connection: DuckDBPyConnection) -> int:
    """The number of the next batch: greater than that of every batch before it."""
    return int(connection.execute("select nextval('batches')").fetchall()[0][0])


def in_utc(at: datetime) -> datetime:
    """An aware instant as the store keeps it: UTC without a zone, whatever the session's zone."""
    return at.astimezone(UTC).replace(tzinfo=None)


@contextmanager
def _private_files() -> Iterator[None]:
    """Whatever is created meanwhile is the owner's alone: DuckDB makes its log and temporary files
    whenever it needs them, and by the process's umask."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _locked(path: Path, now: datetime) -> Iterator[None]:
    """Holds the lock file beside the store; the system frees it when its holder dies."""
    file = path.with_name(path.name + ".lock")
    lock = FileLock(file, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise _locked_by(path, _first_line(file)) from None
    try:
        file.write_text(f"process {os.getpid()} since {now.isoformat(timespec='seconds')}\n")
        yield
    finally:
        lock.release()


def _first_line(file: Path) -> str:
    return (file.read_text(encoding="utf-8", errors="replace").splitlines() or ["unknown"])[0]


def _connect(
    path: Path, memory_mb: int, threads: int, beside: Sequence[Path]
) -> DuckDBPyConnection:
    """What doesn't fit in memory goes to `<path>.tmp`, DuckDB's own choice.

    DuckDB takes up to an eighth more than its limit.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb * 8 // 9}MiB",
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Of a warehouse's files it would keep what has been read, up to its limit.
        "enable_external_file_cache": False,
    }
    connection = duckdb.connect(str(path), config=settings)
    connection.execute("attach ':memory:' as staged")  # see `connectors.store.staging`
    connection.execute(f"create view {PLACE} as select null as place")
    folders = [f"{folder}/" for folder in beside]
    connection.execute("set allowed_directories = $folders", {"folders": folders})
    connection.execute("set enable_external_access = false; set lock_configuration = true")
    return connection


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns what the system or DuckDB says of the store's files into one line and its mend."""
    try:
        with _said(path):
            yield
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """The same for what DuckDB says alone."""
    try:
        yield
    except RuntimeError as error:  # so DuckDB passes on what a signal's handler has raised
        if isinstance(error.__cause__, Interrupted):
            raise error.__cause__ from None
        raise
    except UNUSABLE as error:
        said = str(error).splitlines()[0]
        if "Conflicting lock" in said:  # a program that doesn't know our lock file
            raise _locked_by(path, said) from error
        raise _unusable(path, said) from error


def _unusable(path: Path, said: str) -> StoreError:
    return StoreError(
        f"the order store can't be used: {said}",
        mend="Check the path, the rights and the free space; a damaged store can be moved away "
        "and pulled anew.",
        path=path,
    )


def _locked_by(path: Path, holder: str) -> StoreLocked:
    return StoreLocked(
        "another run holds the order store",
        mend="Wait until it has ended; the lock of a dead run is free by itself.",
        path=path,
        holder=holder,
    )
