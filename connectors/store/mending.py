"""What a comparison with the shop needs of the store: totals by month, and single orders mended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.platform import Placed, Window
from connectors.schema import Rule
from connectors.store import reading, sealed
from connectors.store.connection import in_utc, registered, transaction

#: So many ids go to a table together.
PRESENT_ROWS = 100_000


class MonthTotals(NamedTuple):
    """The orders that were placed in one month (UTC), in one currency.

    `total` is what was ordered, tax and shipping included. To the cent

        total - cancelled - open - test - nobodys - refunded - tax_and_shipping = net

    where `refunded` is what went back of the orders that count, and `net` what scores rest on.
    `all_refunded` includes what went back of the others. `guest_orders` are among the `orders`.
    `tax` and `shipping` are what `tax_and_shipping` consists of, by the rule. The rest are counts
    of the same; `guests_counting` and `guests_net` are what guests have in those that count.
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
    tax: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)
    guests_net: Decimal = Decimal(0)
    cancelled_orders: int = 0
    open_orders: int = 0
    test_orders: int = 0
    nobodys_orders: int = 0
    counting_orders: int = 0
    refunded_orders: int = 0
    guests_counting: int = 0


class Edge(NamedTuple):
    """Hours in which the shop's month is another than that of UTC, and which month gains them."""

    begin: datetime
    end: datetime
    gains: date
    loses: date


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


#: What was kept of tax and shipping, as far as it is no part of the value by that rule.
_TAX = "tax_value - (refunded_total - refunded_value - refunded_shipping)"
_SHIPPING = "shipping_value - refunded_shipping"
_KEPT: Mapping[Rule, tuple[str, str]] = {
    "net": (_TAX, _SHIPPING),
    "net_with_shipping": (_TAX, "0"),
    "gross": ("0", "0"),
}


def months(
    connection: DuckDBPyConnection, shop: str, rule: Rule, begin: datetime, end: datetime
) -> Sequence[MonthTotals]:
    """The months from `begin` until before `end` with an order, the oldest first, by currency."""
    apart = ", ".join(
        f"coalesce(sum(total_value) filter (where why = '{why}'), 0)"
        for why in ("cancelled", "open", "test", "nobodys")
    )
    each = ", ".join(
        f"count(*) filter (where {condition})"
        for condition in (
            *(f"why = '{why}'" for why in ("cancelled", "open", "test", "nobodys", "counts")),
            *(f"why = 'counts' and {more}" for more in ("refunded_total <> 0", "is_guest")),
        )
    )
    kept = ", ".join(
        f"coalesce(sum({money}) filter (where why = 'counts'), 0)" for money in _KEPT[rule]
    )
    rows = connection.execute(
        "select date_trunc('month', ordered_at)::date as month, currency, count(*),"
        f" count(*) filter (where is_guest), sum(total_value), sum(refunded_total), {apart},"
        " coalesce(sum(refunded_total) filter (where why = 'counts'), 0),"
        " coalesce(sum(total_value - refunded_total - net_value) filter (where why = 'counts'), 0),"
        f" coalesce(sum(net_value) filter (where why = 'counts'), 0), {kept},"
        f" coalesce(sum(net_value) filter (where why = 'counts' and is_guest), 0), {each}"
        f" from (select *, {_WHY} as why from ({reading.orders(rule)})"
        " where shop = ? and ordered_at >= ? and ordered_at < ?)"
        " group by all order by month, currency",
        [shop, in_utc(begin), in_utc(end)],
    ).fetchall()
    return [MonthTotals(*row) for row in rows]


def moved(
    connection: DuckDBPyConnection, shop: str, window: Window, edges: Sequence[Edge]
) -> dict[tuple[date, str], Placed]:
    """By month and currency, what the shop counts there beyond the month of UTC; or below zero."""
    columns = {name: [getattr(edge, name) for edge in edges] for name in ("gains", "loses")}
    bounds = {name: [in_utc(getattr(edge, name)) for edge in edges] for name in ("begin", "end")}
    if not edges:
        return {}
    with registered(connection, "edges", pa.table(columns | bounds)):
        rows = connection.execute(
            "select gains, loses, currency, count(*), sum(total_value) from latest_orders"
            ' join edges on ordered_at >= edges."begin" and ordered_at < edges."end"'
            " where shop = ? and ordered_at >= ? and ordered_at < ? group by all",
            [shop, in_utc(window.begin), in_utc(window.end)],
        ).fetchall()
    found: dict[tuple[date, str], Placed] = {}
    for gains, loses, currency, orders, total in rows:
        for month, sign in ((gains, 1), (loses, -1)):
            known = found.get((month, currency), Placed(0, Decimal(0)))
            money = (known.total or 0) + sign * total
            found[month, currency] = Placed(known.orders + sign * orders, money)
    return found


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
    connection: DuckDBPyConnection, shop: str, customer_ids: Iterable[str]
) -> list[str]:
    """Registered customers' orders, by id, but for those of these customers."""
    with _present(connection, customer_ids):
        rows = connection.execute(
            "select order_id from latest_orders where shop = ? and customer_id is not null"
            " and customer_id not in (from present) order by order_id",
            [shop],
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
    connection: DuckDBPyConnection, shop: str, customer_ids: Iterable[str]
) -> None:
    """Customers of the shop who are none of these leave."""
    with _present(connection, customer_ids), transaction(connection):
        condition = "shop = ? and customer_id not in (from present)"
        sealed.delete(connection, "customers", condition, [shop])


@contextmanager
def _present(connection: DuckDBPyConnection, customer_ids: Iterable[str]) -> Iterator[None]:
    """A table of these ids meanwhile, however many."""
    waiting = iter(customer_ids)
    connection.execute("create or replace temp table present (customer_id varchar)")
    while some := list(islice(waiting, PRESENT_ROWS)):
        with registered(connection, "some_present", pa.table({"customer_id": some})):
            connection.execute("insert into present from some_present")
    yield
    connection.execute("drop table present")


def forget_orders(connection: DuckDBPyConnection, shop: str, order_ids: Collection[str]) -> None:
    """Orders that the shop no longer has leave, with their lines and refunds."""
    with transaction(connection):
        for name in ("orders", "order_lines", "refunds"):
            condition = "shop = ? and order_id in (select unnest(?::varchar[]))"
            sealed.delete(connection, name, condition, [shop, list(order_ids)])
