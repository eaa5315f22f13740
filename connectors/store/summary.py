"""The order log summarised per person, as Ibis expressions.

Tables in, expressions out: nothing here runs a query, so the same expressions serve every engine.
Only functions that DuckDB and Spark answer alike are used: day differences between dates (between
instants one counts midnights, the other full days), `nullif` below a division, no ordered `first`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import ibis
from ibis.expr.types import BooleanValue, Column, DateValue, DecimalValue, Table

from connectors.schema import COUNTED_STATES, PURCHASE_STATES, Rule, amount
from connectors.store.tables import Tables, first, once_said

REFUNDED = ("refunded_value", "refunded_shipping", "refunded_total")
ZERO = ibis.literal(Decimal(0), "decimal(18,4)")


# ------------------------------------------------------------------------------ orders and persons


@once_said
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


def told_apart(orders: Table, shop: str) -> Table:
    """What `kinds` asks of a shop's orders, and which of them stand, in few bytes each.

    Of an order without a customer and without a person key nobody can be found: `nobody`.
    """
    mine = orders.filter(orders.shop == shop)
    return mine.select(
        *("order_id", "updated_at", "seq", "currency", "is_test", "state"),
        day=mine.ordered_at.date(),
        nobody=mine.customer_id.isnull() & mine.person_key.isnull(),
    )


def kinds(told_apart: Table) -> Table:
    """How many standing orders are alike in what `excluded` and `currencies` ask: a few rows."""
    alike = told_apart.group_by("currency", "is_test", "state", "day", "nobody")
    return alike.agg(orders=lambda t: t.count())


def excluded(kinds: Table, as_of: date, currency: str | None = None) -> Table:
    """How many of a shop's orders are left out of the summary, by the first reason that fits.

    Columns: reason, orders. A wholly refunded order is not left out: it counts, with what was kept.
    """
    reason = ibis.cases(
        (kinds.is_test, "test"),
        (kinds.state == "cancelled", "cancelled"),
        (kinds.state == "open", "open"),
        (kinds.nobody, "no person"),
        (kinds.day > ibis.literal(as_of, "date"), "after as_of"),
        (~_in(kinds, currency), "other currency"),
    )
    named = kinds.mutate(reason=reason)
    return (
        named.filter(named.reason.notnull())
        .group_by("reason")
        .agg(orders=_total)
        .order_by("reason")
    )


def currencies(kinds: Table) -> Table:
    """How many orders there are in each currency, the commonest first."""
    found = kinds.group_by("currency").agg(orders=_total)
    return found.order_by(ibis.desc("orders"), "currency")


def _total(kinds: Table) -> Column:
    return kinds.orders.sum().cast("int64")


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
    every = valued(tables, shop=shop, as_of=as_of, rule=rule, currency=currency)
    return told(persons(every), shop, as_of)


def purchase_days(valued: Table) -> Table:
    """One row per person and purchase day, as `summary` counts them.

    Columns: person_key, day, and value as a float.
    """
    days = _days(valued)
    bought = days.filter(days.orders > 0)
    return bought.select("person_key", "day", value=_float(bought.value))


def first_orders(valued: Table) -> Table:
    """The order that each person of the summary came with."""
    return first(valued.filter(valued.bought), PERSON, ["ordered_at", "order_id"])


def traits(first_orders: Table, lines: Table) -> Table:
    """What persons came by, told from their first orders and these orders' lines.

    Columns: person_key, currency, channel, category, coupon, country. The category is that of the
    line worth most; `coupon` says whether there was one (`coupon` or `none`), since codes come and
    go.
    """
    each = first_orders.left_join(lines, ["order_id", "seq"]).select(
        *(first_orders[name] for name in (*PERSON, "channel", "coupon", "country")),
        *(lines[name] for name in ("category", "net_value", "line_id")),
    )
    dearest = first(each, PERSON, [ibis.desc("net_value"), "line_id"])
    return dearest.select(
        *(*PERSON, "channel", "category"),
        coupon=ibis.ifelse(dearest.coupon.notnull(), "coupon", "none"),
        country=dearest.country,
    )


#: The summary's columns.
SUMMARY = (
    *("shop", "person_key", "customer_id", "currency", "frequency", "recency", "T"),
    *("monetary_value", "days_since_last_order", "first_order_on", "last_order_on"),
    *("orders", "units", "gross", "refunds", "net", "margin"),
)
#: What is known of a person from the first order on.
TRAITS = ("channel", "category", "coupon", "country")
PERSON = ["person_key", "currency"]
#: What traits ask of an order besides.
PASSED_ON = ("order_id", "seq", "ordered_at", "channel", "coupon", "country")


@once_said
def valued(
    tables: Tables, *, shop: str, as_of: date, rule: Rule = "net", currency: str | None = None
) -> Table:
    """The counting orders with whose they are, their money, units and costs."""
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
        *(counting[column] for column in (*PERSON, *PASSED_ON)),
        registered=counting.customer_id.notnull(),
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
        registered=lambda t: t.registered.any(),
        orders=lambda t: t.count(where=t.bought),
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


def persons(valued: Table) -> Table:
    """What the summary is told from, in few bytes: a row for each of its rows."""
    days = _days(valued)
    bought = days.orders > 0
    person = days.group_by("person_key", "currency").agg(
        registered=days.registered.any(),
        purchase_days=days.count(where=bought),
        first_order_on=days.day.min(where=bought),
        last_order_on=days.day.max(where=bought),
        first_value=min_by(days.value, days.day, where=bought),
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
    repeats = person.purchase_days - 1
    return person.select(
        *("person_key", "currency", "registered", "first_order_on", "last_order_on"),
        *("units", "gross", "net"),
        frequency=repeats.cast("int32"),
        orders=person.orders.cast("int32"),
        monetary_value=_float(person.value - person.first_value) / _float(repeats).nullif(0),
        margin=ibis.ifelse(person.cost_unknown, ibis.null(), person.goods - person.cost).round(4),
    )


def told(person: Table, shop: str, as_of: date, *more: str) -> Table:
    """The persons in the summary's columns, named and ordered as promised, and in `more`."""
    today = ibis.literal(as_of, "date")
    return person.select(
        "person_key",
        "currency",
        "monetary_value",
        *("first_order_on", "last_order_on", "gross", "net", "margin", *more),
        shop=ibis.literal(shop),
        customer_id=ibis.ifelse(person.registered, person.person_key, ibis.null()),
        frequency=person.frequency.cast("int64"),
        recency=person.last_order_on.delta(person.first_order_on, unit="day"),
        T=today.delta(person.first_order_on, unit="day"),
        days_since_last_order=today.delta(person.last_order_on, unit="day"),
        orders=person.orders.cast("int64"),
        units=person.units.fill_null(ZERO),
        refunds=person.gross - person.net,
    ).select(*SUMMARY, *more)


def _min_by(value: DecimalValue, by: DateValue) -> DecimalValue:
    """The value in the row where `by` is least. (Ibis' own `argmin` sorts each group.)"""


_MONEY_BY_DAY = (("decimal(38, 4)", "date"), "decimal(38, 4)")
min_by = ibis.udf.agg.builtin(_min_by, name="min_by", signature=_MONEY_BY_DAY)


def _float(column: Column) -> Column:
    return column.cast("float64")
