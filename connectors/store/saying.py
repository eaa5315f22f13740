"""What a scoring asks of the store as SQL, said once for every shop, day and staged table.

To build an expression and to say it in SQL takes longer than a small shop takes to answer it. So
that is done of what stands for any shop, and each asking puts its own in these places.
"""

from __future__ import annotations

import re
from datetime import date

from ibis.expr.types import Table

from connectors.schema import Rule
from connectors.store import summary, tables
from connectors.store.reading import Asked
from connectors.store.tables import once_said

SHOP, CURRENCY, DAY, STAGED = "⟨shop⟩", "⟨currency⟩", date(1, 1, 1), "staged.any"
PLACES = re.compile(r"'⟨shop⟩'|'⟨currency⟩'|MAKE_DATE\(1, 1, 1\)|\"staged\"\.\"any\"")


def any_like(asked: Asked) -> Asked:
    """What stands for it, and for all that differ in shop, day and currency alone."""
    return Asked(SHOP, DAY, asked.rule, asked.currency and CURRENCY)


def of(asked: Asked, sql: str, staged: str = "") -> str:
    """What was said of `any_like`, of this asking; `staged` is the table that it reads."""
    day = asked.as_of
    own = {
        f"'{SHOP}'": quoted(asked.shop),
        f"'{CURRENCY}'": quoted(asked.currency or ""),
        "MAKE_DATE(1, 1, 1)": f"MAKE_DATE({day.year}, {day.month}, {day.day})",
        '"staged"."any"': staged,
    }
    return PLACES.sub(lambda place: own[place[0]], sql)


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


# ------------------------------------------------------------------------------- of any like these


@once_said
def orders(rule: Rule) -> str:
    """All shops' latest orders, and what each is worth."""
    return tables.sql(summary.orders(tables.standing(), rule).drop("seq"))


@once_said
def whole_summary(like: Asked) -> str:
    return tables.sql(summary.summary(tables.standing(), **like._asdict()))


@once_said
def valued(like: Asked, with_traits: bool) -> str:
    """The counting orders, and what traits are told from."""
    orders = summary.valued(tables.stored("standing_"), **like._asdict())
    return tables.sql(orders if with_traits else orders.drop(*summary.PASSED_ON))


@once_said
def refunds_after(like: Asked) -> str:
    return tables.sql(tables.refunds_after(tables.stored(), like.as_of))


@once_said
def persons() -> str:
    """Of the orders in `a_part`."""
    return tables.sql(_persons())


@once_said
def first_orders() -> str:
    """Of the orders in `a_part`."""
    return tables.sql(_first_orders())


@once_said
def traits() -> str:
    """Of the first orders in `a_first`, and of the lines that are set out."""
    first = tables.named("a_first", _first_orders())
    return tables.sql(summary.traits(first, tables.stored("standing_").order_lines))


@once_said
def superseded() -> str:
    """Of the orders in `a_several`."""
    log = tables.stored().orders.select("shop", "order_id", "updated_at", "seq")
    return tables.sql(tables.superseded(tables.named("a_several", log)))


@once_said
def told(like: Asked, with_traits: bool) -> str:
    """Of the persons in the staged table."""
    more = (*(summary.TRAITS if with_traits else ()), "previous_tier")
    people = tables.named(STAGED, _persons(), *more)
    return tables.sql(summary.told(people, like.shop, like.as_of, *more))


@once_said
def traits_of_sample(like: Asked) -> str:
    """Of the orders in the staged table."""
    lines = tables.stored().order_lines
    first = summary.first_orders(tables.named(STAGED, _orders()))
    return tables.sql(summary.traits(first, lines.filter(lines.shop == like.shop)))


@once_said
def purchase_days() -> str:
    """Of the orders in the staged table."""
    return tables.sql(summary.purchase_days(tables.named(STAGED, _orders())))


@once_said
def excluded(like: Asked) -> str:
    return tables.sql(summary.excluded(_kinds(), like.as_of, like.currency))


@once_said
def currencies() -> str:
    return tables.sql(summary.currencies(_kinds()))


def _kinds() -> Table:
    return summary.kinds(summary.told_apart(tables.stored("standing_").orders, SHOP))


def _orders() -> Table:
    """The counting orders, whoever's: their columns are those of all."""
    return summary.valued(tables.stored(), shop=SHOP, as_of=DAY)


def _persons() -> Table:
    return summary.persons(tables.named("a_part", _orders()))


def _first_orders() -> Table:
    return summary.first_orders(tables.named("a_part", _orders()))
