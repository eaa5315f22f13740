"""All rows that the store has of one person, as plain values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from duckdb import DuckDBPyConnection

from connectors.store.erasure import Person
from connectors.store.rows import COLUMNS, TABLES

_THEIR_ORDERS = """
    select order_id from latest_orders where shop = $shop
    and (customer_id in (select unnest($ids::varchar[]))
    or person_key in (select unnest($people::varchar[]))
    or order_id in (select unnest($orders::varchar[])))
"""
_OF_THEM = "where shop = $shop and customer_id in (select unnest($ids::varchar[]))"
_OF_THEIR_ORDERS = f"where shop = $shop and order_id in ({_THEIR_ORDERS})"


def _columns(table: str) -> str:
    return ", ".join(f'"{column.name}"' for column in COLUMNS[TABLES[table]])


#: What is told of a person, and where it stands; `seq` and `digest` are the log's own.
_TABLES = {
    "customer": f"select distinct {_columns('customers')} from customers {_OF_THEM}"
    " order by updated_at",
    "orders": f"select {_columns('orders')} from latest_orders {_OF_THEIR_ORDERS}"
    " order by ordered_at, order_id",
    "order_lines": f"select {_columns('order_lines')} from latest_order_lines {_OF_THEIR_ORDERS}"
    " order by order_id, line_id",
    "refunds": f"select {_columns('refunds')} from latest_refunds {_OF_THEIR_ORDERS}"
    " order by refunded_at, refund_id",
    "scores": "select * exclude (seq) from scores where shop = $shop"
    " and (person_key in (select unnest($people::varchar[]))"
    " or customer_id in (select unnest($ids::varchar[]))) order by seq",
    "written": f"select * exclude (seq) from intents {_OF_THEM} order by seq",
    "outcomes": f"select * exclude (seq) from outcomes {_OF_THEM} order by seq",
    "put_aside": "select * from rejects where shop = $shop"
    " and (stream = 'customers' and row_id in (select unnest($ids::varchar[]))"
    f" or row_id in ({_THEIR_ORDERS})) order by first_seen_at",
}


def of_person(connection: DuckDBPyConnection, who: Person) -> dict[str, list[dict[str, Any]]]:
    """The rows by what they are; absent values are left out."""
    asked = {
        "shop": who.shop,
        "ids": list(who.ids),
        "people": [*who.ids, *who.keys],
        "orders": list(who.orders),
    }
    return {name: _rows(connection, sql, asked) for name, sql in _TABLES.items()}


def _rows(connection: DuckDBPyConnection, sql: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    used = {name: value for name, value in asked.items() if f"${name}" in sql}
    found = connection.execute(sql, used)
    names = [column[0] for column in found.description or ()]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True) if value is not None}
        for row in found.fetchall()
    ]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    return str(value) if isinstance(value, Decimal | date) else value


def holds_key(connection: DuckDBPyConnection, shop: str, key: str) -> bool:
    """Whether a keyed e-mail hash stands anywhere in a shop."""
    found = connection.execute(
        "select 1 from orders where shop = $shop and person_key = $key"
        " union all select 1 from customers where shop = $shop and email_key = $key limit 1",
        {"shop": shop, "key": key},
    )
    return bool(found.fetchall())
