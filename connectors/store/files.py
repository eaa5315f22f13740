"""Which files were made from the store: plans, exports, reports. An erasure has to find them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from connectors.store.connection import in_utc, transaction


def note(connection: DuckDBPyConnection, path: Path, kind: str, at: datetime) -> None:
    """Remembers a file; one of the same name was overwritten."""
    with transaction(connection):
        forget(connection, path)
        connection.execute(
            "insert into files values (?, ?, ?)", [str(path.resolve()), kind, in_utc(at)]
        )


def noted(connection: DuckDBPyConnection) -> list[tuple[Path, str]]:
    """Path and kind of each file, in the order of the paths."""
    found = connection.execute("select path, kind from files order by path").fetchall()
    return [(Path(path), kind) for path, kind in found]


def forget(connection: DuckDBPyConnection, path: Path) -> None:
    connection.execute("delete from files where path = ?", [str(path.resolve())])
