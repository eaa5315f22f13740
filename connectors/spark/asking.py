"""The queries: the store's own expressions as Spark reads them, and what reads their answers here.

The cluster's names: the log's tables, `guests` and `later` (what few orders can meet of customers
and refunds), `valued` (the counting orders) and `by_person` (the same, each person's together),
`tiers` (what tier each person has shown), `chosen` (the persons of a sample), `sampled` (their
orders), `people` (the summary).
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from connectors.store.reading import Asked
from connectors.store.rows import TABLES, arrow_schema

if TYPE_CHECKING:
    from ibis.expr.types import Table

    from connectors.store.tables import Tables

#: What an empty table has.
TIERS = pa.schema([("shop", pa.string()), ("person_key", pa.string()), ("tier", pa.string())])
CHOSEN = pa.schema([("person_key", pa.string())])

# Ibis takes half a second to import, which most commands can do without: it comes when needed.


def schema(log: str) -> pa.Schema:
    return arrow_schema(TABLES[log]).append(pa.field("seq", pa.int64()))


def spark_sql(expression: Table) -> str:
    """The expression as Spark reads it."""
    import ibis

    assert ibis.pyspark  # noqa: S101 -- loads the dialect with its options
    return str(ibis.to_sql(expression, dialect="pyspark"))


def _log(shop: str) -> Tables:
    from connectors.store import tables

    return tables.Tables(*(log.filter(log.shop == shop) for log in tables.stored()))


def _standing(orders: Table) -> Table:
    """The orders of one shop as they stand: all of them sorted once.

    (`tables.latest` has less to sort, and reads them three times for that.)
    """
    import ibis

    from connectors.store import tables

    return tables.first(orders, ["order_id"], [ibis.desc("updated_at"), ibis.desc("seq")])


def kinds(shop: str) -> str:
    from connectors.store import summary, tables

    return spark_sql(summary.kinds(_standing(summary.told_apart(tables.stored().orders, shop))))


def guests(shop: str) -> str:
    from connectors.store import tables

    return spark_sql(tables.guests(_log(shop)))


def later(shop: str, as_of: date) -> str:
    from connectors.store import tables

    return spark_sql(tables.refunds_after(_log(shop), as_of))


def valued(asked: Asked) -> str:
    return spark_sql(_valued(asked))


def _valued(asked: Asked) -> Table:
    from connectors.store import summary, tables

    log, stored = _log(asked.shop), tables.stored()
    standing = tables.Tables(
        orders=_standing(log.orders),
        order_lines=log.order_lines,
        refunds=tables.named("later", stored.refunds),
        customers=tables.named("guests", stored.customers),
    )
    return summary.valued(standing, **asked._asdict())


def latest(log: str) -> str:
    """The rows that stand, with their digests."""
    from connectors.store import tables

    kept = getattr(tables.latest(tables.stored()), log).select("shop", _key(log), "seq").distinct()
    return (
        f"select log.* from {log} as log left semi join ({spark_sql(kept)}) as kept on"
        + " and".join(f" log.{name} = kept.{name}" for name in ("shop", _key(log), "seq"))
    )


def _key(log: str) -> str:
    from connectors.store.rows import KEYS

    return KEYS.get(log, "order_id")


def people(asked: Asked, with_traits: bool) -> str:
    """The summary with the tier of each person so far, and what they came by."""
    from connectors.store import summary, tables

    valued = tables.named("by_person", _valued(asked))
    tiers = tables.named("tiers", _texts(TIERS))
    shown = tiers.filter(tiers.shop == asked.shop).select("person_key", previous_tier="tier")
    person = summary.persons(valued).left_join(shown, "person_key").drop("person_key_right")
    if with_traits:
        came = summary.traits(summary.first_orders(valued), _log(asked.shop).order_lines)
        person = person.left_join(came, summary.PERSON).drop("person_key_right", "currency_right")
    more = (*(summary.TRAITS if with_traits else ()), "previous_tier")
    return spark_sql(summary.told(person, asked.shop, asked.as_of, *more))


def _texts(schema: pa.Schema) -> Table:
    import ibis

    return ibis.table(dict.fromkeys(schema.names, "string"), name="texts")


def sample() -> str:
    return (
        "select valued.* from valued left semi join chosen on chosen.person_key = valued.person_key"
    )


def traits(asked: Asked) -> str:
    """What the sampled persons came by."""
    from connectors.store import summary

    first = summary.first_orders(sampled(asked))
    return spark_sql(summary.traits(first, _log(asked.shop).order_lines))


# -------------------------------------------------------------------------- read here, by DuckDB


def files(folder: Path) -> str:
    """The rows of a folder's files, in their order."""
    paths = (os.fspath(path) for path in sorted(folder.glob("*.parquet")))
    return (
        "read_parquet([" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "])"
    )


def summary(people: Path) -> str:
    from connectors.store.summary import SUMMARY

    return f"select {', '.join(SUMMARY)} from {files(people)}"


def seen(name: str, folder: Path) -> str:
    """Has the queries below find an answer under a name."""
    return f"create or replace temp view {name} as from {files(folder)}"


def excluded(as_of: date, currency: str | None) -> str:
    from connectors.store import summary, tables

    return tables.sql(summary.excluded(_kinds(), as_of, currency))


def currencies() -> str:
    from connectors.store import summary, tables

    return tables.sql(summary.currencies(_kinds()))


def _kinds() -> Table:
    from connectors.store import summary, tables

    return tables.named("kinds", summary.kinds(summary.told_apart(tables.stored().orders, "")))


def sampled(asked: Asked) -> Table:
    from connectors.store import tables

    return tables.named("sampled", _valued(asked))
