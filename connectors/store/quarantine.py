"""Rows that could not be read: kept by name until they come well, never in anybody's way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.platform import Reject
from connectors.store.connection import in_utc, registered


def readmit(
    connection: DuckDBPyConnection, shop: str, came_well: Mapping[str, Collection[str]]
) -> None:
    """Rows that came well (ids by table) leave the quarantine.

    A reject's `row_id` names a refund or a customer where its stream says so, and else an order.
    """
    for name, ids in came_well.items():
        if ids:
            connection.execute(
                "delete from rejects where shop = ? and row_id in (select unnest(?::varchar[]))"
                " and case when stream in ('refunds', 'customers') then stream else 'orders' end"
                " = ?",
                [shop, list(ids), name],
            )


def settle(connection: DuckDBPyConnection, shop: str, gone: Collection[tuple[str, str]]) -> None:
    """Rows (stream and id) that are gone from the shop leave the quarantine."""
    for stream, row_id in gone:
        connection.execute(
            "delete from rejects where shop = ? and stream = ? and row_id = ?",
            [shop, stream, row_id],
        )


def settle_counts(connection: DuckDBPyConnection, shop: str) -> None:
    """What was put aside because counts differed is settled: a comparison has looked at it all."""
    connection.execute("delete from rejects where shop = ? and field = 'total_count'", [shop])


def empty(connection: DuckDBPyConnection, shop: str, stream: str) -> None:
    """A stream is read from its start: what can't be read will be put aside anew.

    The stream of orders brings their refunds, too.
    """
    connection.execute(
        "delete from rejects where shop = ? and (stream = 'customers') = (? = 'customers')",
        [shop, stream],
    )


def put_aside(connection: DuckDBPyConnection, rejects: Sequence[Reject], at: datetime) -> None:
    """New rejects enter the quarantine; known ones tell their newest reason and keep their age."""
    if not rejects:
        return
    first = {(r.shop, r.stream, r.row_id): r for r in reversed(rejects)}
    names = [field.name for field in fields(Reject)]
    told = {name: [_printable(getattr(r, name)) for r in first.values()] for name in names}
    with registered(connection, "aside", pa.table(told)):
        connection.execute(
            "update rejects set field = aside.field, reason = aside.reason, last_seen_at = $at"
            " from aside where rejects.shop = aside.shop and rejects.stream = aside.stream"
            " and rejects.row_id = aside.row_id",
            {"at": in_utc(at)},
        )
        connection.execute(
            "insert into rejects select shop, stream, row_id, field, reason, $at, $at from aside"
            " anti join rejects using (shop, stream, row_id)",
            {"at": in_utc(at)},
        )


def _printable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
