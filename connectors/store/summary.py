"""The order log summarised per person, as Ibis expressions: the only module that knows Ibis.

Tables in, expressions out: nothing here runs a query, so the same expressions serve every engine.
Only functions that DuckDB and Spark answer alike are used: day differences between dates (between
instants one counts midnights, the other full days), `nullif` below a division, no ordered `first`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, NamedTuple

import ibis
from ibis.expr.types import BooleanValue, Column, DecimalValue, Table

from connectors.schema import COUNTED_STATES, PURCHASE_STATES, Rule, amount
from connectors.store.rows import KEYS, TABLES, arrow_schema

REFUNDED = ("refunded_value", "refunded_shipping", "refunded_total")
ZERO = ibis.literal(Decimal(0), "decimal(18,4)")


class Tables(NamedTuple):
    """The schema's tables: the log (with `seq`), or the latest rows of each."""

    orders: Table
    order_lines: Table
    refunds: Table
    customers: Table


def stored(prefix: str = "") -> Tables:
    """The tables by the names they have in the store: the log, or `latest_` for its views."""
    return Tables(**{name: _stored(name, prefix) for name in TABLES})


def _stored(name: str, prefix: str) -> Table:
    columns = dict(ibis.Schema.from_pyarrow(arrow_schema(TABLES[name])))
    return ibis.table(columns | {"seq": "int64"}, name=prefix + name)


def latest(log: Tables) -> Tables:
    """Each row as it stands now: orders by their `updated_at`, then the last one to arrive."""
    orders = _newest(log.orders, KEYS["orders"], "updated_at", "seq")
    return Tables(
        orders=orders,
        order_lines=log.order_lines.semi_join(orders, ["shop", "order_id", "seq"]),
        refunds=_newest(log.refunds, KEYS["refunds"], "seq"),
        customers=_newest(log.customers, KEYS["customers"], "seq"),
    )


def standing() -> Tables:
    """What the summary reads from the store: the latest rows, and the log of the lines.

    Superseded lines find no order there, since lines carry the `seq` of theirs; that is cheaper
    than asking for the latest lines, which would ask for the latest orders once more.
    """
    return stored("latest_")._replace(order_lines=stored().order_lines)


def latest_sql() -> dict[str, str]:
    """`latest` as the store's own SQL, by table."""
    return {name: sql(table) for name, table in latest(stored())._asdict().items()}


def sql(expression: Table) -> str:
    """The expression as DuckDB reads it."""
    return str(ibis.to_sql(expression, dialect="duckdb"))


def _newest(log: Table, key: str, *newest: str) -> Table:
    return _first(log, ["shop", key], [ibis.desc(column) for column in newest])


def _first(table: Table, group: list[str], order: list[Any]) -> Table:
    """The first row of each group in an order."""
    window = ibis.window(group_by=group, order_by=order)
    return table.filter(ibis.row_number().over(window) == 0)


# ------------------------------------------------------------------------------ orders and persons


def orders(tables: Tables, rule: Rule = "net") -> Table:
    """The latest orders with whose they are, whether they count, and what they are worth.

    A guest order whose person key is a registered customer's e-mail key counts for that customer;
    should two customers share the key, for the one with the smaller id. `customer_id` and
    `person_key` say so; `is_guest` keeps what the shop said. `net_value` is 0 where `counts` is
    false.
    """
    registered = (
        tables.customers.filter(tables.customers.email_key.notnull())
        .group_by("shop", "email_key")
        .agg(registered_id=lambda t: t.customer_id.min())
    )
    known = tables.orders.left_join(
        registered,
        [tables.orders.shop == registered.shop, tables.orders.person_key == registered.email_key],
    ).select(tables.orders, registered.registered_id)
    customer_id = ibis.coalesce(known.customer_id, known.registered_id)
    counts = known.state.isin(COUNTED_STATES) & ~known.is_test
    return known.mutate(
        customer_id=customer_id,
        person_key=ibis.coalesce(customer_id, known.person_key),
        counts=counts,
        net_value=ibis.ifelse(counts, amount(known, rule), ZERO),
    ).drop("registered_id")


def excluded(tables: Tables, *, shop: str, as_of: date, currency: str | None = None) -> Table:
    """How many of a shop's orders are left out of the summary, by the first reason that fits.

    Columns: reason, orders. A wholly refunded order is not left out: it counts, with what was kept.
    """
    every = orders(tables)
    every = every.filter(every.shop == shop)
    reason = ibis.cases(
        (every.is_test, "test"),
        (every.state == "cancelled", "cancelled"),
        (every.state == "open", "open"),
        (every.person_key.isnull(), "no person"),
        (_later(every, as_of), "after as_of"),
        (~_in(every, currency), "other currency"),
    )
    named = every.mutate(reason=reason)
    return named.filter(named.reason.notnull()).group_by("reason").agg(orders=lambda t: t.count())


def _later(table: Table, as_of: date) -> BooleanValue:
    return table.ordered_at.date() > ibis.literal(as_of, "date")


def _in(table: Table, currency: str | None) -> BooleanValue:
    return ibis.literal(True) if currency is None else table.currency == currency


# ------------------------------------------------------------------------------------- the summary


def summary(
    tables: Tables, *, shop: str, as_of: date, rule: Rule = "net", currency: str | None = None
) -> Table:
    """One row per person (and currency, where `currency` is None) with at least one purchase.

    A purchase is a paid, not wholly refunded order placed on or before `as_of`; days are dates in
    UTC, and the purchases of one day are one. `frequency` counts the purchase days after the first,
    `recency` is the days from the first to the last, `T` from the first to `as_of`,
    `monetary_value` the mean net value of the repeat days as a float: NULL where there are none.
    `orders` and `units` count purchases.

    `gross`, `refunds` and `net` = gross - refunds add up all counting orders, refunded ones
    included, by `rule`, as exact decimals. `margin` is the net goods value less the costs of what
    was bought and not sent back as a whole; NULL where the cost of any of it is unknown.

    Of the past it says what was known then: a refund made after `as_of` had not been made. (An
    order that was cancelled or paid later is as it is now: the shop doesn't say when.)
    """
    return _persons(_days(_valued(tables, shop, as_of, rule, currency)), shop, as_of)


def purchase_days(
    tables: Tables, *, shop: str, as_of: date, rule: Rule = "net", currency: str | None = None
) -> Table:
    """One row per person and purchase day up to `as_of`, as `summary` counts them.

    Columns: person_key, day, and value as a float.
    """
    days = _days(_valued(tables, shop, as_of, rule, currency))
    bought = days.filter(days.orders > 0)
    return bought.select("person_key", "day", value=_float(bought.value))


def traits(
    tables: Tables, *, shop: str, as_of: date, rule: Rule = "net", currency: str | None = None
) -> Table:
    """What each person of the summary came by: the channel, category and coupon of the first order.

    Columns: person_key, currency, channel, category, coupon. The category is that of the line worth
    most; `coupon` says whether there was one (`coupon` or `none`), since codes come and go.
    """
    every = _valued(tables, shop, as_of, rule, currency)
    bought = every.filter(every.bought)
    first = _first(bought, ["person_key", "currency"], ["ordered_at", "order_id"])
    lines = tables.order_lines.filter(tables.order_lines.shop == shop)
    dearest = _first(lines, ["order_id", "seq"], [ibis.desc("net_value"), "line_id"])
    return first.left_join(dearest, ["order_id", "seq"]).select(
        *(first[name] for name in ("person_key", "currency", "channel")),
        category=dearest.category,
        coupon=ibis.ifelse(first.coupon.notnull(), "coupon", "none"),
    )


#: What an order says besides its money.
PASSED_ON = (
    *("person_key", "customer_id", "currency", "order_id", "seq"),
    *("ordered_at", "channel", "coupon"),
)


def _valued(tables: Tables, shop: str, as_of: date, rule: Rule, currency: str | None) -> Table:
    """The counting orders with their money, units and costs."""
    every = orders(_as_known(tables, as_of), rule)
    counting = every.filter(
        every.shop == shop,
        every.counts,
        every.person_key.notnull(),
        ~_later(every, as_of),
        _in(every, currency),
    )
    costs = _costs(tables.order_lines.filter(tables.order_lines.shop == shop))
    return counting.left_join(costs, ["order_id", "seq"]).select(
        *(counting[column] for column in PASSED_ON),
        day=counting.ordered_at.date(),
        bought=counting.state.isin(PURCHASE_STATES),
        gross=amount(_before_refunds(counting), rule),
        net=counting.net_value,
        goods=amount(counting, "net"),
        units=costs.units,
        cost=costs.cost,
    )


def _as_known(tables: Tables, as_of: date) -> Tables:
    """The tables without the refunds that were made after `as_of`."""
    later = tables.refunds.filter(tables.refunds.refunded_at.date() > ibis.literal(as_of, "date"))
    returned = later.group_by("shop", "order_id").agg(
        **{f"later_{name[9:]}": later[name].sum() for name in REFUNDED}
    )
    every = tables.orders.left_join(returned, ["shop", "order_id"]).drop(
        "shop_right", "order_id_right"
    )
    then = {
        name: (every[name] - every[f"later_{name[9:]}"].fill_null(ZERO)).cast("decimal(18,4)")
        for name in REFUNDED
    }
    # Wholly refunded later, it was a purchase then.
    whole = (every.state == "refunded") & every.later_total.notnull()
    state = ibis.ifelse(whole, "complete", every.state)
    columns = every.mutate(**then, state=state).drop(*(f"later_{name[9:]}" for name in REFUNDED))
    return tables._replace(orders=columns)


def _before_refunds(table: Table) -> SimpleNamespace:
    """The same orders as if nothing had gone back: what `amount` makes of them is the gross."""
    columns = {name: table[name] for name in table.columns}
    return SimpleNamespace(**columns | {n: ZERO for n in columns if n.startswith("refunded_")})


def _costs(lines: Table) -> Table:
    """Units and cost of each order; no cost where that of a single line is unknown."""
    return lines.group_by("order_id", "seq").agg(
        units=lambda t: t.quantity.sum(),
        cost=lambda t: ibis.ifelse(
            t.unit_cost.isnull().any(), ibis.null(), (t.unit_cost * t.quantity).sum()
        ),
    )


def _days(orders: Table) -> Table:
    """One row per person, currency and day."""
    return orders.group_by("person_key", "currency", "day").agg(
        customer_id=lambda t: t.customer_id.max(),
        orders=lambda t: t.bought.sum(),
        value=_if_bought("net"),
        units=_if_bought("units"),
        cost=_if_bought("cost"),
        cost_unknown=lambda t: (t.bought & t.cost.isnull()).any(),
        gross=lambda t: t.gross.sum(),
        net=lambda t: t.net.sum(),
        goods=lambda t: t.goods.sum(),
    )


def _if_bought(column: str) -> Callable[[Table], DecimalValue]:
    return lambda t: t[column].sum(where=t.bought)


def _persons(days: Table, shop: str, as_of: date) -> Table:
    """The days of each person as the summary's columns, named and ordered as promised."""
    bought = days.orders > 0
    person = days.group_by("person_key", "currency").agg(
        customer_id=days.customer_id.max(),
        purchase_days=bought.sum(),
        first_order_on=days.day.min(where=bought),
        last_order_on=days.day.max(where=bought),
        first_value=days.value.argmin(days.day, where=bought),
        value=days.value.sum(where=bought),
        orders=days.orders.sum(),
        units=days.units.sum(),
        gross=days.gross.sum(),
        net=days.net.sum(),
        goods=days.goods.sum(),
        cost=days.cost.sum(),
        cost_unknown=days.cost_unknown.any(),
    )
    person = person.filter(person.purchase_days > 0)
    today = ibis.literal(as_of, "date")
    repeats = person.purchase_days - 1
    return person.select(
        ibis.literal(shop).name("shop"),
        "person_key",
        "customer_id",
        "currency",
        frequency=repeats,
        recency=person.last_order_on.delta(person.first_order_on, unit="day"),
        T=today.delta(person.first_order_on, unit="day"),
        monetary_value=_float(person.value - person.first_value) / _float(repeats).nullif(0),
        days_since_last_order=today.delta(person.last_order_on, unit="day"),
        first_order_on=person.first_order_on,
        last_order_on=person.last_order_on,
        orders=person.orders,
        units=person.units.fill_null(ZERO),
        gross=person.gross,
        refunds=person.gross - person.net,
        net=person.net,
        margin=ibis.ifelse(person.cost_unknown, ibis.null(), person.goods - person.cost).round(4),
    )


def _float(column: Column) -> Column:
    return column.cast("float64")
