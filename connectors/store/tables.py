"""The store's tables as Ibis expressions: the log, and what of it stands now.

This module and `connectors.store.summary` are the only ones that know Ibis. It takes half a second
to import, so those who need it do so when they need it.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import ibis
from ibis.expr.types import Table

from connectors.store.rows import KEYS, TABLES, arrow_schema

#: To build an expression and to say it in SQL takes longer than a small shop takes to answer it,
#: and a scoring asks the same several times.
once_said = lru_cache(64)


class Tables(NamedTuple):
    """The schema's tables: the log (with `seq`), or the latest rows of each."""

    orders: Table
    order_lines: Table
    refunds: Table
    customers: Table


@once_said
def stored(prefix: str = "") -> Tables:
    """The tables by the names they have in the store: the log, or `latest_` for its views."""
    return Tables(**{name: _stored(name, prefix) for name in TABLES})


def _stored(name: str, prefix: str) -> Table:
    columns = dict(ibis.Schema.from_pyarrow(arrow_schema(TABLES[name])))
    return ibis.table(columns | {"seq": "int64"}, name=prefix + name)


@once_said
def latest(log: Tables) -> Tables:
    """Each row as it stands now: orders by their `updated_at`, then the last one to arrive."""
    orders = _without(log.orders, superseded(log.orders))
    return Tables(
        orders=orders,
        order_lines=log.order_lines.semi_join(orders, ["shop", "order_id", "seq"]),
        refunds=_newest(log.refunds, KEYS["refunds"], "seq"),
        customers=_newest(log.customers, KEYS["customers"], "seq"),
    )


@once_said
def superseded(orders: Table) -> Table:
    """Which rows of the log of orders no longer stand: shop, order_id, seq.

    Most orders come once, and only the others are sorted; sorting all would take all of a large
    shop's orders into memory.
    """
    key = ["shop", KEYS["orders"]]
    times = orders.group_by(key).agg(times=lambda t: t.count())
    several = orders.semi_join(times.filter(times.times > 1), key)
    newest_first = [ibis.desc("updated_at"), ibis.desc("seq")]
    place = ibis.row_number().over(ibis.window(group_by=key, order_by=newest_first))
    return several.filter(place > 0).select(*key, "seq")


def _without(orders: Table, superseded: Table) -> Table:
    return orders.anti_join(superseded, ["shop", "order_id", "seq"])


def standing() -> Tables:
    """What the summary reads from the store: the latest rows, and the log of the lines.

    Superseded lines find no order there, since lines carry the `seq` of theirs; that is cheaper
    than asking for the latest lines, which would ask for the latest orders once more.
    """
    return stored("latest_")._replace(order_lines=stored().order_lines)


@once_said
def guests(log: Tables) -> Table:
    """The latest customers under whose e-mail key somebody ordered as a guest."""
    unregistered = log.orders.filter(log.orders.customer_id.isnull())
    keys = unregistered.select("shop", email_key=unregistered.person_key)
    return latest(log).customers.semi_join(keys, ["shop", "email_key"])


@once_said
def refunds_after(log: Tables, as_of: date) -> Table:
    """The latest refunds that were made after a day."""
    refunds = latest(log).refunds
    return refunds.filter(refunds.refunded_at.date() > ibis.literal(as_of, "date"))


def latest_sql() -> dict[str, str]:
    """`latest` as the store's own SQL, by table."""
    return {name: sql(table) for name, table in latest(stored())._asdict().items()}


def named(name: str, like: Table, *texts: str) -> Table:
    """The table of that name: it has the columns of `like`, and these texts."""
    *database, table = name.split(".")
    columns = dict(like.schema()) | dict.fromkeys(texts, "string")
    return ibis.table(columns, name=table, database=database[0] if database else None)


@once_said
def sql(expression: Table) -> str:
    """The expression as DuckDB reads it."""
    return str(ibis.to_sql(expression, dialect="duckdb"))


def _newest(log: Table, key: str, *newest: str) -> Table:
    return first(log, ["shop", key], [ibis.desc(column) for column in newest])


def first(table: Table, group: list[str], order: list[Any]) -> Table:
    """The first row of each group in an order."""
    window = ibis.window(group_by=group, order_by=order)
    return table.filter(ibis.row_number().over(window) == 0)
