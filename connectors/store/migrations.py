"""The store's tables, in numbered steps that every store takes once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from connectors.errors import StoreError
from connectors.store.connection import in_utc, transaction
from connectors.store.rows import COLUMNS, KEYS, TABLES

Step = Callable[[DuckDBPyConnection], None]


def migrate(connection: DuckDBPyConnection, path: Path, now: datetime) -> None:
    """Bring the store to this version, or leave it as it was.

    Raises StoreError where it is of a newer version, or no store of ours.
    """
    found = version(connection, path)
    if found > len(STEPS):
        raise StoreError(
            f"the order store is of version {found}, this program knows {len(STEPS)}",
            mend="Update clv-sync, or name another store in CLV_STORE.",
            path=path,
        )
    if found == len(STEPS):
        return
    with transaction(connection):
        for number, step in enumerate(STEPS[found:], start=found + 1):
            step(connection)
            connection.execute("insert into schema_version values (?, ?)", [number, in_utc(now)])
        _view_latest(connection)


def version(connection: DuckDBPyConnection, path: Path) -> int:
    """The last step that the store took; 0 for a new one."""
    names = {
        name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
    }
    if not names:
        return 0
    if "schema_version" not in names:
        raise StoreError(
            "this DuckDB file is not an order store", mend="Name another in CLV_STORE.", path=path
        )
    rows = connection.execute("select max(version) from schema_version").fetchall()
    return int(rows[0][0])


def _first_tables(connection: DuckDBPyConnection) -> None:
    connection.execute(
        """
        create sequence batches;
        create table schema_version (version integer, taken_at timestamp);
        create table cursors (shop varchar, stream varchar, cursor varchar);
        create table rejects (
            shop varchar, stream varchar, row_id varchar, field varchar, reason varchar,
            first_seen_at timestamp, last_seen_at timestamp
        );
        create table pins (name varchar, value varchar);
        create table runs (
            seq bigint, run_id varchar, command varchar, shops varchar, started_at timestamp,
            finished_at timestamp, status varchar, counts varchar
        );
        create table intents (
            seq bigint, run_id varchar, shop varchar, customer_id varchar,
            shown_before varchar, shown_after varchar
        );
        create table outcomes (
            seq bigint, run_id varchar, shop varchar, customer_id varchar,
            status varchar, reason varchar
        );
        create table scores (
            seq bigint, run_id varchar, shop varchar, person_key varchar, customer_id varchar,
            tier varchar
        );
        """
    )
    for name, kind in TABLES.items():
        typed = [f'"{column.name}" {column.type.sql}' for column in COLUMNS[kind]]
        own = ["seq bigint", "digest blob"] if name in KEYS else ["seq bigint"]
        connection.execute(f"create table {name} ({', '.join(typed + own)})")


def _dated_scores_and_cards(connection: DuckDBPyConnection) -> None:
    """Scores carry the day they speak of from the first row on; each scoring keeps its card."""
    connection.execute("alter table scores add column if not exists as_of date")
    connection.execute(
        "create table cards (seq bigint, run_id varchar, shop varchar, as_of date, card varchar)"
    )


def _view_latest(connection: DuckDBPyConnection) -> None:
    """The `latest_` views, made anew behind every step: they follow from the tables."""
    from connectors.store import (
        tables,
    )  # brings Ibis with it, which only a new store has to wait for

    for name, sql in tables.latest_sql().items():
        connection.execute(f"create or replace view latest_{name} as {sql}")


def _latest_in_little_memory(connection: DuckDBPyConnection) -> None:
    """No table changes: a store's `latest_` views are made anew behind every step."""


def _erasures(connection: DuckDBPyConnection) -> None:
    """Who was erased, as keyed hashes; each erasure; and the files that the store was told of."""
    connection.execute(
        """
        create table tombstones (shop varchar, kind varchar, tombstone varchar);
        create table erasures (
            seq bigint, shop varchar, what varchar, tombstones varchar, counts varchar,
            erased_at timestamp, rewritten_at timestamp
        );
        create table files (path varchar, kind varchar, made_at timestamp);
        """
    )


def _countries(connection: DuckDBPyConnection) -> None:
    """Orders say their country from here on; those that are there when they change next."""
    connection.execute("alter table orders add column if not exists country varchar")


def _failures(connection: DuckDBPyConnection) -> None:
    """Why a run failed, by shop; of the run itself under an empty name."""
    connection.execute("alter table runs add column if not exists failures varchar default '{}'")


#: Only ever appended to: a store remembers how many it has taken.
STEPS: Sequence[Step] = (
    _first_tables,
    _dated_scores_and_cards,
    _latest_in_little_memory,
    _erasures,
    _countries,
    _failures,
)
