"""What a comparison with the shop needs of the store: totals by month, and single orders mended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.schema import Rule
from connectors.store import reading, sealed
from connectors.store.connection import in_utc, registered, transaction


class MonthTotals(NamedTuple):
    """The orders that were placed in one month (UTC), in one currency.

    `total` is what was ordered, tax and shipping included. To the cent

        total - cancelled - open - test - nobodys - refunded - tax_and_shipping = net

    where `refunded` is what went back of the orders that count, and `net` what scores rest on.
    `all_refunded` includes what went back of the others. `guest_orders` are among the `orders`.
    """

    month: date
    currency: str
    orders: int
    guest_orders: int
    total: Decimal
    all_refunded: Decimal
    cancelled: Decimal
    open: Decimal
    test: Decimal
    nobodys: Decimal
    refunded: Decimal
    tax_and_shipping: Decimal
    net: Decimal


class Known(NamedTuple):
    """What the store knows of an order, as far as a comparison tells it."""

    number: str
    state: str
    total: Decimal
    refunded: Decimal


#: Each order belongs to the first of these that fits; `net_value` is 0 in all but the last.
_WHY = """
    case when is_test then 'test' when state in ('cancelled', 'open') then state
         when person_key is null then 'nobodys' else 'counts' end
"""


def months(
    connection: DuckDBPyConnection, shop: str, rule: Rule, begin: datetime, end: datetime
) -> Sequence[MonthTotals]:
    """The months from `begin` until before `end` with an order, the oldest first, by currency."""
    apart = ", ".join(
        f"coalesce(sum(total_value) filter (where why = '{why}'), 0)"
        for why in ("cancelled", "open", "test", "nobodys")
    )
    rows = connection.execute(
        "select date_trunc('month', ordered_at)::date as month, currency, count(*),"
        f" count(*) filter (where is_guest), sum(total_value), sum(refunded_total), {apart},"
        " coalesce(sum(refunded_total) filter (where why = 'counts'), 0),"
        " coalesce(sum(total_value - refunded_total - net_value) filter (where why = 'counts'), 0),"
        " coalesce(sum(net_value) filter (where why = 'counts'), 0)"
        f" from (select *, {_WHY} as why from ({reading.orders(rule)})"
        " where shop = ? and ordered_at >= ? and ordered_at < ?)"
        " group by all order by month, currency",
        [shop, in_utc(begin), in_utc(end)],
    ).fetchall()
    return [MonthTotals(*row) for row in rows]


def first_order_at(connection: DuckDBPyConnection, shop: str) -> datetime | None:
    """When the oldest order that the store knows of was placed."""
    rows = connection.execute("select min(ordered_at) from orders where shop = ?", [shop])
    (first,) = rows.fetchall()[0]
    return first.replace(tzinfo=UTC) if first else None


def placed(
    connection: DuckDBPyConnection, shop: str, begin: datetime, end: datetime
) -> dict[str, Known]:
    """The orders placed from `begin` until before `end`, by id."""
    rows = connection.execute(
        "select order_id, order_number, state, total_value, refunded_total from latest_orders"
        " where shop = ? and ordered_at >= ? and ordered_at < ?",
        [shop, in_utc(begin), in_utc(end)],
    ).fetchall()
    return {order_id: Known(*row) for order_id, *row in rows}


def orders_of_others(
    connection: DuckDBPyConnection, shop: str, customer_ids: Collection[str]
) -> list[str]:
    """Registered customers' orders, by id, but for those of these customers."""
    rows = connection.execute(
        "select order_id from latest_orders where shop = ? and customer_id is not null"
        " and customer_id not in (select unnest(?::varchar[])) order by order_id",
        [shop, list(customer_ids)],
    ).fetchall()
    return [order_id for (order_id,) in rows]


def behind(
    connection: DuckDBPyConnection,
    shop: str,
    told: Mapping[str, datetime | None],
    always: Collection[str],
) -> list[str]:
    """Orders that changed at an instant we may not know of: all but those read since then.

    `told`: when each changed, None where nobody said; those of `always` are due whatever is known.
    """
    known = {
        order_id: updated_at.replace(tzinfo=UTC)
        for order_id, updated_at in connection.execute(
            "select order_id, updated_at from latest_orders"
            " where shop = ? and order_id in (select unnest(?::varchar[]))",
            [shop, list(told)],
        ).fetchall()
    }
    return [
        order
        for order, at in told.items()
        if order in always or at is None or order not in known or known[order] < at
    ]


def forget_customers(
    connection: DuckDBPyConnection, shop: str, customer_ids: Collection[str]
) -> None:
    """Customers whom the shop no longer has leave; their orders are another's by now, or none."""
    with transaction(connection):
        condition = "shop = ? and customer_id in (select unnest(?::varchar[]))"
        sealed.delete(connection, "customers", condition, [shop, list(customer_ids)])


def forget_other_customers(
    connection: DuckDBPyConnection, shop: str, customer_ids: Collection[str]
) -> None:
    """Customers of the shop who are none of these leave."""
    with (
        registered(connection, "present", pa.table({"customer_id": list(customer_ids)})),
        transaction(connection),
    ):
        condition = "shop = ? and customer_id not in (from present)"
        sealed.delete(connection, "customers", condition, [shop])


def forget_orders(connection: DuckDBPyConnection, shop: str, order_ids: Collection[str]) -> None:
    """Orders that the shop no longer has leave, with their lines and refunds."""
    with transaction(connection):
        for name in ("orders", "order_lines", "refunds"):
            condition = "shop = ? and order_id in (select unnest(?::varchar[]))"
            sealed.delete(connection, name, condition, [shop, list(order_ids)])
