"""Scores as they were given, run by run. The columns are the scorer's: the table follows them."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from connectors.store.connection import next_seq, registered, transaction

#: Text until a first value shows the type: a column may be empty for a long time.
EMPTY = "VARCHAR"


def save_scores(connection: DuckDBPyConnection, run_id: str, frame: pd.DataFrame) -> None:
    """Keeps a run's scores; those of earlier runs stay.

    Decimals are kept to four digits, instants in UTC. Raises TypeError where a column changed its
    type since the last run (whole numbers may become fractions).
    """
    given = pa.Table.from_pandas(frame, preserve_index=False)
    plain = pa.table({name: _plain(given[name]) for name in given.column_names})
    with registered(connection, "fresh", plain), transaction(connection):
        _widen(connection)
        connection.execute(
            "insert into scores by name select $seq as seq, $run_id as run_id, * from fresh",
            {"seq": next_seq(connection), "run_id": run_id},
        )


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values in one of the store's own types."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return values.cast(kind.value_type)
    if pa.types.is_timestamp(kind):  # from any zone to UTC, and the zone left out
        return values.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    if pa.types.is_decimal(kind):
        return pc.round(values, 4).cast(pa.decimal128(18, 4))
    if pa.types.is_integer(kind):
        return values.cast(pa.int64())
    return values.cast(pa.float64()) if pa.types.is_floating(kind) else values


def _widen(connection: DuckDBPyConnection) -> None:
    """Gives the table the columns and types that the fresh scores have."""
    has = _types(connection, "scores")
    for name, kind in _types(connection, "fresh").items():
        quoted = '"' + name.replace('"', '""') + '"'
        empty = not _any(connection, "fresh", quoted)
        if name not in has:
            sql = f"add column {quoted} {EMPTY if empty else kind}"
        elif empty or has[name] == kind:
            continue
        elif (has[name], kind) == ("BIGINT", "DOUBLE") or not _any(connection, "scores", quoted):
            sql = f"alter column {quoted} type {kind}"
        else:
            raise TypeError(f"scores: {name} was {has[name]} and is {kind} now")
        connection.execute(f"alter table scores {sql}")


def _types(connection: DuckDBPyConnection, name: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {name}").fetchall()}


def _any(connection: DuckDBPyConnection, table: str, quoted: str) -> bool:
    sql = f"select 1 from {table} where {quoted} is not null limit 1"
    return bool(connection.execute(sql).fetchall())
