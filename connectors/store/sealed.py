"""The log beyond one file: sealed Parquet files in a warehouse, and books that say which count.

A warehouse is a folder: `books.duckdb`, which is a store like any other but for its log and its
scores, and `log/`, with what has left the books. Pages still go into the books, each with its
cursor in one transaction; once enough has gathered there it is sealed: written to one Parquet file
under a temporary name, renamed, and only then named in the books, by the transaction that takes the
rows out of them. A file that the books don't name is of a run that died, and doesn't count. Files
never change; one whose rows leave is written anew under another name.

In the books `orders` is a view of both: the table `tail.orders` and the files. So whoever reads
does as ever; whoever writes to the log asks `table` for its name, and `delete` to have rows leave.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from connectors.errors import StoreError
from connectors.files import on_the_disk, written_whole
from connectors.store.connection import PLACE, next_seq, transaction
from connectors.store.rows import KEYS, TABLES

#: What is sealed, and what each file is sorted by, so that few parts of it are read for a page.
SORTED_BY = {name: f"shop, {KEYS.get(name, 'order_id')}" for name in TABLES}
LOGS = (*TABLES, "scores")
#: Rows that may gather in the books.
GATHERED = 250_000
#: The newest files are written together with what comes, as long as they are no larger than this
#: times what comes, and not FULL: so there are few files, and each row is written few times.
TIMES, FULL = 4, 4_000_000


class File(NamedTuple):
    """A file that counts: the batches in it, `first` to `last`, and how many rows."""

    name: str
    first: int
    last: int
    rows: int


# --------------------------------------------------------------------------------- the warehouse


def prepare(connection: DuckDBPyConnection) -> None:
    """Makes the books of a warehouse out of a store, once; sweeps out what doesn't count."""
    connection.execute(f"create or replace view {PLACE} as select 'tail' as place")
    with transaction(connection):
        if not is_warehouse(connection):
            _part(connection)
        for log in LOGS:
            view(connection, log)
    sweep(connection)


def is_warehouse(connection: DuckDBPyConnection) -> bool:
    sql = "select 1 from duckdb_tables() where table_name = 'sealed'"
    return bool(connection.execute(sql).fetchall())


def refuse(connection: DuckDBPyConnection, path: Path) -> None:
    """StoreError where a warehouse's books were named as a store."""
    if is_warehouse(connection):
        raise StoreError(
            "these are the books of a Spark warehouse, of which most is beside them",
            mend="Name the Spark target in CLV_STORE (see .env.example).",
            path=path,
        )


def _part(connection: DuckDBPyConnection) -> None:
    connection.execute(
        "create schema tail;"
        " create table sealed (log varchar, name varchar, first bigint, last bigint, rows bigint)"
    )
    for log in LOGS:
        connection.execute(f"create table tail.{log} as from {log}; drop table {log}")


def view(connection: DuckDBPyConnection, log: str) -> None:
    """What stands in the books and in the files that count, as one."""
    sql = f"create or replace view {log} as from tail.{log}"
    paths = paths_of(connection, log)
    if paths:
        sql += f" union all by name from {_read(paths)}"
    connection.execute(sql)


def _read(paths: Iterable[Path]) -> str:
    listed = ", ".join("'" + os.fspath(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{listed}], union_by_name = true)"


def folder(connection: DuckDBPyConnection) -> Path:
    """Where the books lie."""
    sql = "select path from duckdb_databases() where database_name = current_database()"
    ((path,),) = connection.execute(sql).fetchall()
    return Path(path).parent


def files(connection: DuckDBPyConnection, log: str) -> list[File]:
    """The files that count, the oldest first."""
    sql = "select name, first, last, rows from sealed where log = ? order by first, name"
    return [File(*row) for row in connection.execute(sql, [log]).fetchall()]


def paths_of(connection: DuckDBPyConnection, log: str) -> list[Path]:
    beside = folder(connection)
    return [beside / file.name for file in files(connection, log)]


def sweep(connection: DuckDBPyConnection) -> None:
    """Files that don't count leave: of runs that died, or written anew since."""
    beside = folder(connection)
    named = {beside / name for (name,) in connection.execute("select name from sealed").fetchall()}
    for path in (beside / "log").rglob("*"):
        if path.is_file() and path not in named:
            path.unlink()


# ----------------------------------------------------------------------------------------- writing


def table(connection: DuckDBPyConnection, log: str) -> str:
    """The table that rows of the log are put into."""
    ((place,),) = connection.execute(f"from {PLACE}").fetchall()
    return f"{place}.{log}" if place else log


def gathered(connection: DuckDBPyConnection) -> int:
    """How many rows of the largest log are still in the books."""
    counts = ", ".join(f"(select count(*) from tail.{log})" for log in TABLES)
    return int(connection.execute(f"select greatest({counts})").fetchall()[0][0])


def seal(connection: DuckDBPyConnection) -> None:
    """What has gathered in the books leaves for files."""
    for log in TABLES:
        _seal(connection, log)


def _seal(connection: DuckDBPyConnection, log: str) -> None:
    sql = f"select count(*), min(seq), max(seq) from tail.{log}"
    ((rows, first, last),) = connection.execute(sql).fetchall()
    if not rows:
        return
    along = _along(files(connection, log), rows)
    rows += sum(file.rows for file in along)
    source, beside = f"from tail.{log}", folder(connection)
    if along:
        source += f" union all by name from {_read(beside / file.name for file in along)}"
    first = min([first, *(file.first for file in along)])
    name = f"log/{log}/{first:012}-{last:012}-{next_seq(connection)}.parquet"
    write(connection, beside / name, f"{source} order by {SORTED_BY[log]}, seq")
    with transaction(connection):
        replace(connection, log, along, [File(name, first, last, rows)])
        connection.execute(f"delete from tail.{log}")
    for file in along:
        (beside / file.name).unlink()


def _along(known: Sequence[File], rows: int) -> list[File]:
    """The newest files that are so small that they are written together with so many rows."""
    taken: list[File] = []
    for file in reversed(known):
        if file.rows > TIMES * rows or file.rows + rows > FULL:
            break
        taken.append(file)
        rows += file.rows
    return taken


def write(
    connection: DuckDBPyConnection,
    path: Path,
    sql: str,
    values: Sequence[object] | dict[str, object] = (),
) -> int:
    """The rows of a query as a Parquet file, written whole, a batch at a time; how many."""
    found, rows = connection.execute(sql, values).to_arrow_reader(100_000), 0
    with written_whole(path) as fresh, pq.ParquetWriter(fresh, found.schema) as writer:
        for batch in found:
            writer.write_batch(batch)
            rows += batch.num_rows
    on_the_disk(path.parent)  # its name, too: the books are about to rely on it
    return rows


def write_table(path: Path, table: pa.Table) -> None:
    with written_whole(path) as fresh:
        pq.write_table(table, fresh)
    on_the_disk(path.parent)


def replace(
    connection: DuckDBPyConnection, log: str, old: Collection[File], new: Iterable[File]
) -> None:
    """Other files count from the end of the transaction on. What doesn't is swept out later."""
    for file in old:
        connection.execute("delete from sealed where name = ?", [file.name])
    for file in new:
        connection.execute("insert into sealed values (?, ?, ?, ?, ?)", [log, *file])
    view(connection, log)


# ---------------------------------------------------------------------------------------- leaving


def delete(
    connection: DuckDBPyConnection, name: str, condition: str, values: Sequence[object]
) -> int:
    """Rows of any of the store's tables leave, within the transaction; how many there were."""
    sealed = table(connection, name) != name and name in LOGS
    place = f"tail.{name}" if sealed else name
    sql = f"delete from {place} where {condition}"
    gone = int(connection.execute(sql, values).fetchall()[0][0])
    return gone + (_leave_files(connection, name, condition, values) if sealed else 0)


def _leave_files(
    connection: DuckDBPyConnection, log: str, condition: str, values: Sequence[object]
) -> int:
    """Files with such rows are written anew without them."""
    beside = folder(connection)
    known = {beside / file.name: file for file in files(connection, log)}
    gone = _held(connection, list(known), condition, values)
    fresh = [
        _without(connection, path, known[path], condition, values)
        for path, rows in gone.items()
        if rows < known[path].rows
    ]
    if gone:
        replace(connection, log, [known[path] for path in gone], fresh)
    return sum(gone.values())


def _held(
    connection: DuckDBPyConnection, paths: Sequence[Path], condition: str, values: Sequence[object]
) -> dict[Path, int]:
    """How many such rows each file holds that has any."""
    found = {
        path: connection.execute(
            f"select count(*) from {_read([path])} where {condition}", values
        ).fetchall()[0][0]
        for path in paths
    }
    return {path: rows for path, rows in found.items() if rows}


def _without(
    connection: DuckDBPyConnection,
    path: Path,
    file: File,
    condition: str,
    values: Sequence[object],
) -> File:
    fresh = path.with_name(f"{path.name.partition('.')[0]}.{next_seq(connection)}.parquet")
    rows = write(connection, fresh, f"from {_read([path])} where ({condition}) is not true", values)
    return File(fresh.relative_to(folder(connection)).as_posix(), file.first, file.last, rows)
