"""Everything that the store knows of one person or one shop: found, and made to leave.

The bytes leave the file when it is written anew (`connectors.store.rewriting`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.identity import EmailHasher
from connectors.schema import Order, OrderLine
from connectors.store import sealed, tombstones
from connectors.store.connection import in_utc, next_seq, registered, transaction
from connectors.store.rows import COLUMNS, arrays, digest, repeated
from connectors.store.tombstones import CUSTOMER, EMAIL, ORDER, SHOP, Identity

Row = TypeVar("Row", Order, OrderLine)

#: The tables with a column `shop`: what is left of an erased shop are its tombstones, its erasures
#: and the runs, which name it.
OF_A_SHOP = (
    "orders",
    "order_lines",
    "refunds",
    "customers",
    "cursors",
    "rejects",
    "intents",
    "outcomes",
    "scores",
    "cards",
)


@dataclass(frozen=True, slots=True)
class Person:
    """What one person stands under in one shop: customer ids and keyed e-mail hashes.

    `orders` are ids of orders that are theirs for another reason: the shop said so.
    """

    shop: str
    ids: Collection[str]
    keys: Collection[str]
    orders: Collection[str] = ()

    def identities(self) -> list[Identity]:
        kinds = {CUSTOMER: self.ids, EMAIL: self.keys, ORDER: self.orders}
        return [Identity(kind, one) for kind, found in kinds.items() for one in sorted(found)]


@dataclass(frozen=True, slots=True)
class Erasure:
    """The audit line of one erasure. `what`: customer or shop; `counts`: rows by table."""

    shop: str
    what: str
    tombstones: Sequence[str]
    counts: Mapping[str, int]
    erased_at: datetime


# --------------------------------------------------------------------------------------- a person


def person(
    connection: DuckDBPyConnection, shop: str, ids: Collection[str], keys: Collection[str]
) -> Person:
    """The person of these ids and keyed hashes, with those that the store knows of them besides.

    A hash leads to the customer who has it now; a customer to all that they ever had, but for
    those that are somebody else's by now.
    """
    found = connection.execute(
        "select customer_id from latest_customers"
        " where shop = ? and email_key in (select unnest(?::varchar[]))",
        [shop, list(keys)],
    ).fetchall()
    every_id = {*ids, *(one for (one,) in found)}
    had = connection.execute(
        "select distinct email_key from customers where shop = $shop and email_key is not null"
        " and customer_id in (select unnest($ids::varchar[])) and email_key not in ("
        "  select email_key from latest_customers where shop = $shop and email_key is not null"
        "  and customer_id not in (select unnest($ids::varchar[])))",
        {"shop": shop, "ids": list(every_id)},
    ).fetchall()
    return Person(shop, every_id, {*keys, *(key for (key,) in had)})


def erase(
    connection: DuckDBPyConnection, hasher: EmailHasher, who: Person, at: datetime
) -> Erasure:
    """The person leaves the store, all or nothing, and tombstones keep them out."""
    with transaction(connection):
        return forget(connection, hasher, who, at)


def forget(
    connection: DuckDBPyConnection, hasher: EmailHasher, who: Person, at: datetime
) -> Erasure:
    """The same within a transaction.

    Their orders get tombstones, too: a shop may give them to another account later.
    """
    counts, orders = _taken_out(connection, who)
    whole = replace(who, orders={*who.orders, *orders})
    made = tombstones.add(connection, who.shop, hasher, whole.identities())
    return _entered(connection, Erasure(who.shop, "customer", made, counts, at))


def _taken_out(
    connection: DuckDBPyConnection, who: Person
) -> tuple[dict[str, int], Collection[str]]:
    """The person's rows out, their orders' identity off; rows by table, and which orders."""
    with (
        registered(connection, "erased_ids", _column(who.ids)),
        registered(connection, "erased_people", _column([*who.ids, *who.keys])),
        registered(connection, "erased_orders", _column(who.orders)),
    ):
        theirs = _order_ids(connection, who.shop)
        counts = Counter({"orders": _make_anonymous(connection, who.shop, theirs)})
        for table, condition in _THEIRS.items():
            whose = f"shop = ? and ({condition})"
            counts[table] += sealed.delete(connection, table, whose, [who.shop])
    with registered(connection, "erased_orders", _column(theirs)):
        sql = "delete from rejects where shop = ? and row_id in (from erased_orders)"
        counts["rejects"] += _changed(connection, sql, who.shop)
    connection.execute(
        "delete from cursors where shop = ? and stream = 'customers'",  # it may end at their id
        [who.shop],
    )
    return dict(counts), theirs


_BY_ID = "customer_id in (from erased_ids)"

#: Which rows are a person's, by table; for their orders see below.
_THEIRS = {
    "customers": f"{_BY_ID} or email_key in (from erased_people)",
    "scores": f"{_BY_ID} or person_key in (from erased_people)",
    "intents": _BY_ID,
    "outcomes": _BY_ID,
    "rejects": "stream = 'customers' and row_id in (from erased_ids)",
}

_THEIR_ORDERS = f"""
    shop = ? and ({_BY_ID} or person_key in (from erased_people)
    or order_id in (from erased_orders))
"""


def _order_ids(connection: DuckDBPyConnection, shop: str) -> list[str]:
    """Orders that are theirs as they stand now."""
    found = connection.execute(
        f"select order_id from latest_orders where {_THEIR_ORDERS} order by all", [shop]
    )
    return [order_id for (order_id,) in found.fetchall()]


def _make_anonymous(connection: DuckDBPyConnection, shop: str, order_ids: list[str]) -> int:
    """Puts nobody's version in the place of each order; earlier versions leave."""
    orders = _orders(connection, shop, order_ids)
    with registered(connection, "theirs", _column(order_ids)):
        connection.execute(  # also versions of orders that are somebody else's by now
            "create or replace temp table leaving as"
            f" select order_id, seq from orders where {_THEIR_ORDERS}"
            " union select order_id, seq from orders where shop = ? and order_id in (from theirs)",
            [shop, shop],
        )
    for table in ("orders", "order_lines"):
        sealed.delete(connection, table, "shop = ? and (order_id, seq) in (from leaving)", [shop])
    connection.execute("drop table leaving")
    _append(connection, [(tombstones.anonymous(order), lines) for order, lines in orders])
    return len(orders)


def _orders(
    connection: DuckDBPyConnection, shop: str, order_ids: list[str]
) -> list[tuple[Order, list[OrderLine]]]:
    lines: dict[str, list[OrderLine]] = {order_id: [] for order_id in order_ids}
    for line in _read(connection, OrderLine, "latest_order_lines", shop, order_ids):
        lines[line.order_id].append(line)
    orders = _read(connection, Order, "latest_orders", shop, order_ids)
    return [(order, lines[order.order_id]) for order in orders]


def _read(
    connection: DuckDBPyConnection, kind: type[Row], view: str, shop: str, order_ids: list[str]
) -> list[Row]:
    names = [column.name for column in COLUMNS[kind]]
    found = connection.execute(
        f"select {', '.join(names)} from {view}"
        " where shop = ? and order_id in (select unnest(?::varchar[])) order by all",
        [shop, order_ids],
    ).fetchall()
    return [kind(**dict(zip(names, map(_aware, row), strict=True))) for row in found]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _append(
    connection: DuckDBPyConnection, orders: Sequence[tuple[Order, Sequence[OrderLine]]]
) -> None:
    seq = next_seq(connection)
    heads = [order for order, _ in orders]
    lines = [line for _, own in orders for line in own]
    digests = pa.array([digest(order, own) for order, own in orders], pa.binary())
    for table, kind, rows, more in (
        ("orders", Order, heads, {"digest": digests}),
        ("order_lines", OrderLine, lines, {}),
    ):
        columns = arrays(kind, rows) | {"seq": repeated(seq, len(rows))} | more
        with registered(connection, "page", pa.table(columns)):
            place = sealed.table(connection, table)
            connection.execute(f"insert into {place} by name select * from page")


def _column(values: Collection[str]) -> pa.Table:
    return pa.table({"one": pa.array(sorted(values), pa.string())})


def _changed(connection: DuckDBPyConnection, sql: str, *values: object) -> int:
    """How many rows a statement changed."""
    return int(connection.execute(sql, values).fetchall()[0][0])


# ----------------------------------------------------------------------------------------- a shop


def erase_shop(
    connection: DuckDBPyConnection, hasher: EmailHasher, shop: str, at: datetime
) -> Erasure:
    """All that the store holds of a shop leaves, and nothing of it is taken in any more."""
    with transaction(connection):
        counts = {
            table: sealed.delete(connection, table, "shop = ?", [shop]) for table in OF_A_SHOP
        }
        made = tombstones.add(connection, shop, hasher, [Identity(SHOP, shop)])
        return _entered(connection, Erasure(shop, "shop", made, counts, at))


def readmit(
    connection: DuckDBPyConnection, shop: str, hasher: EmailHasher, who: Sequence[Identity]
) -> int:
    """Takes tombstones away; how many there were. What the shop says of them comes in again.

    With those of the same erasures: an e-mail knows nothing any more of the customer's id.
    """
    lifted = {hasher.tombstone(shop, *one) for one in who}
    groups = [{*one.tombstones} for one in erasures(connection) if one.shop == shop]
    while more := [group for group in groups if group & lifted and not group <= lifted]:
        lifted |= set[str]().union(*more)
    sql = "delete from tombstones where shop = ? and tombstone in (select unnest(?::varchar[]))"
    return _changed(connection, sql, shop, sorted(lifted))


# ------------------------------------------------------------------------------------------ audit


def _entered(connection: DuckDBPyConnection, erasure: Erasure) -> Erasure:
    connection.execute(
        "insert into erasures values (?, ?, ?, ?, ?, ?, null)",
        [
            next_seq(connection),
            erasure.shop,
            erasure.what,
            json.dumps(list(erasure.tombstones)),
            json.dumps(dict(erasure.counts)),
            in_utc(erasure.erased_at),
        ],
    )
    return erasure


def erasures(connection: DuckDBPyConnection) -> list[Erasure]:
    """All erasures, the oldest first."""
    found = connection.execute(
        "select shop, what, tombstones, counts, erased_at from erasures order by seq"
    ).fetchall()
    return [
        Erasure(shop, what, json.loads(made), json.loads(counts), at.replace(tzinfo=UTC))
        for shop, what, made, counts, at in found
    ]
