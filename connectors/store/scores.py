"""Scores as they were given, run by run. The columns are the scorer's: the table follows them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from connectors.plain import plain
from connectors.store.connection import next_seq, transaction

#: The scores of each shop that speak of the latest day, of these the newest. So a look back with
#: `--as-of` leaves what the shop shows alone, and a run that left a shop out its scores as well.
LATEST_SCORES = """
    select * exclude (seq) from scores where (shop, seq) in (
        select shop, arg_max(seq, (coalesce(as_of, date '0001-01-01'), seq))
        from scores group by shop
    )
"""

#: The newest scores of a shop that speak of a day up to `until`, of these the last given.
SCORES_UNTIL = """
    select * exclude (seq) from scores where shop = $shop and seq = (
        select arg_max(seq, (as_of, seq)) from scores where shop = $shop and as_of <= $until
    ) order by person_key
"""


def latest_seq(connection: DuckDBPyConnection, shop: str) -> int | None:
    """The number of the shop's scores that stand: `LATEST_SCORES` has those alone."""
    sql = (
        "select arg_max(seq, (coalesce(as_of, date '0001-01-01'), seq)) from scores where shop = ?"
    )
    seq: int | None = connection.execute(sql, [shop]).fetchall()[0][0]
    return seq


def latest_until(shop: str, until: date) -> str:
    """`LATEST_SCORES` as they were on that day, of one shop; `shop` is quoted."""
    day = "coalesce(as_of, date '0001-01-01')"
    return f"""
        select * exclude (seq) from scores where shop = {shop} and seq = (
            select arg_max(seq, ({day}, seq)) from scores
            where shop = {shop} and {day} <= date '{until}'
        )
    """


@dataclass(frozen=True, slots=True)
class Card:
    """A scoring's model card, as the scorer gave it."""

    run_id: str
    as_of: date
    card: Mapping[str, Any]


def save_scores(connection: DuckDBPyConnection, run_id: str, batches: Iterable[pa.Table]) -> None:
    """Keeps a run's scores, all of them or none; those of earlier runs stay.

    Decimals are kept to four digits, instants in UTC. Raises TypeError where a column changed its
    type since the last run (whole numbers may become fractions).
    """
    with transaction(connection):
        seq = next_seq(connection)
        for batch in batches:
            _append(connection, {"seq": seq, "run_id": run_id}, batch)


def _append(connection: DuckDBPyConnection, run: Mapping[str, object], batch: pa.Table) -> None:
    """Adds a batch to the table, which is given the columns that it lacks.

    Not through `registered`: a transaction holds on to every view that was made in it, and so to
    all batches at once.
    """
    fresh = plain(batch, run)
    _widen(connection, fresh)
    columns = [
        _quoted(name) if name in fresh.column_names else "null"
        for name in connection.table("scores").columns
    ]
    connection.from_arrow(fresh).project(", ".join(columns)).insert_into("scores")


def save_card(
    connection: DuckDBPyConnection, run_id: str, shop: str, as_of: date, card: Mapping[str, Any]
) -> None:
    """Keeps what a run's scores of a shop rest on."""
    connection.execute(
        "insert into cards values (?, ?, ?, ?, ?)",
        [next_seq(connection), run_id, shop, as_of, json.dumps(card, allow_nan=False)],
    )


def cards(connection: DuckDBPyConnection, shop: str) -> list[Card]:
    """The model cards of a shop, the oldest first."""
    found = connection.execute(
        "select run_id, as_of, card from cards where shop = ? order by seq", [shop]
    ).fetchall()
    return [Card(run_id, as_of, json.loads(card)) for run_id, as_of, card in found]


def fitting(connection: DuckDBPyConnection, batch: pa.Table, run: Mapping[str, object]) -> pa.Table:
    """A batch as it stands beside the scores of earlier runs in files of their own: without columns
    of which nothing is known. Raises TypeError as `save_scores` does."""
    fresh = plain(batch, run)
    has, kinds = _types(connection.table("scores")), _types(connection.from_arrow(fresh))
    known = [name for name in fresh.column_names if _is_known(batch, name)]
    for name in known:
        if name in has and {has[name], kinds[name]} != {"BIGINT", "DOUBLE"}:
            _require_same(connection, name, has[name], kinds[name])
    return fresh.select(known)


def _is_known(batch: pa.Table, name: str) -> bool:
    return name not in batch.column_names or not pa.types.is_null(batch[name].type)


def _widen(connection: DuckDBPyConnection, fresh: pa.Table) -> None:
    """Gives the table the columns and types that the fresh scores have."""
    has = _types(connection.table("scores"))
    for name, kind in _types(connection.from_arrow(fresh)).items():
        quoted = _quoted(name)
        if name not in has:
            sql = f"add column {quoted} {kind}"
        elif has[name] == kind or fresh[name].null_count == fresh.num_rows:
            continue
        elif (has[name], kind) == ("BIGINT", "DOUBLE") or not _any(connection, quoted):
            sql = f"alter column {quoted} type {kind}"
        else:
            raise _changed(name, has[name], kind)
        connection.execute(f"alter table scores {sql}")


def _types(relation: DuckDBPyRelation) -> dict[str, str]:
    return dict(zip(relation.columns, map(str, relation.types), strict=True))


def _any(connection: DuckDBPyConnection, quoted: str) -> bool:
    sql = f"select 1 from scores where {quoted} is not null limit 1"
    return bool(connection.execute(sql).fetchall())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _require_same(connection: DuckDBPyConnection, name: str, was: str, kind: str) -> None:
    if was != kind and _any(connection, _quoted(name)):
        raise _changed(name, was, kind)


def _changed(name: str, was: str, kind: str) -> TypeError:
    return TypeError(f"scores: {name} was {was} and is {kind} now")
