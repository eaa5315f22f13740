"""What others read from the store: Arrow batches and frames, their instants aware and in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Required, TypedDict

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.schema import PURCHASE_STATES, Rule
from connectors.store.scores import LATEST_SCORES

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd

#: What can be read as a whole, and the order it comes in.
ORDERED_BY: Mapping[str, str] = {
    "orders": "shop, ordered_at, order_id",
    "order_lines": "shop, order_id, line_id",
    "refunds": "shop, refunded_at, refund_id",
    "customers": "shop, customer_id",
    "summary": "shop, person_key, currency",
    "scores": "shop, person_key",
}
BATCH_ROWS = 100_000


class Asked(NamedTuple):
    """Which of a shop's orders count, and as what."""

    shop: str
    as_of: date
    rule: Rule
    currency: str | None


def table(connection: DuckDBPyConnection, sql: str, **parameters: object) -> pa.Table:
    """The answer as a whole."""
    found = connection.execute(sql, parameters).to_arrow_table()
    return found.cast(_at_the_edge(found.schema))


def frame(connection: DuckDBPyConnection, sql: str, **parameters: object) -> pd.DataFrame:
    """The answer as a frame; decimals stay decimals, dates dates."""
    # Column by column, so that a large answer is in memory once.
    answer: pd.DataFrame = table(connection, sql, **parameters).to_pandas(self_destruct=True)
    return answer


def batches(connection: DuckDBPyConnection, sql: str, **parameters: object) -> pa.RecordBatchReader:
    """The answer in batches, however large; read it before the store closes."""
    own = connection.cursor()  # others may ask the store while this is being read
    found = own.execute(sql, parameters).to_arrow_reader(BATCH_ROWS)
    schema = _at_the_edge(found.schema)

    def rows() -> Iterator[pa.RecordBatch]:
        with closing(own):
            for batch in found:
                yield batch.cast(schema)

    return pa.RecordBatchReader.from_batches(schema, rows())


def _at_the_edge(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(_outside(field.type)) for field in schema])


def _outside(kind: pa.DataType) -> pa.DataType:
    """What a column is outside the store: its instants are in UTC, and say so there."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC")
    if pa.types.is_decimal(kind) and kind.scale == 0:  # whole numbers that DuckDB has added up
        return pa.int64()
    return kind


class Numbers(TypedDict, total=False):
    """Which of a shop's orders count and as what, and whether traits are told, too."""

    as_of: Required[date]
    rule: Rule
    currency: str | None
    with_traits: bool


def split(shop: str, known: Numbers) -> tuple[Asked, bool]:
    """What is asked of a shop, and whether with traits."""
    asked = Asked(shop, known["as_of"], known.get("rule", "net"), known.get("currency"))
    return asked, known.get("with_traits", False)


#: What `numbers` gives as whole numbers.
COUNTS = ("frequency", "recency", "T", "orders")


def whole(what: str, shops: Sequence[str], as_of: date, rule: Rule, currency: str | None) -> str:
    """SQL for one of `ORDERED_BY`, of the shops in its parameter `shops`."""
    source = _source(what, [Asked(shop, as_of, rule, currency) for shop in shops], rule)
    return (
        f"select * from ({source}) where shop in (select unnest($shops::varchar[]))"
        f" order by {ORDERED_BY[what]}"
    )


def _source(what: str, asked: Sequence[Asked], rule: Rule) -> str:
    if what == "scores":
        return LATEST_SCORES
    if what == "orders":
        return orders(rule)
    if what == "summary":
        return " union all ".join(f"({summary(each)})" for each in asked)
    own = "(seq)" if what == "order_lines" else "(seq, digest)"
    return f"select * exclude {own} from latest_{what}"


# Ibis takes half a second to import, which most commands can do without: it comes when needed.


def orders(rule: Rule) -> str:
    from connectors.store import summary, tables

    return tables.sql(summary.orders(tables.standing(), rule).drop("seq"))


def summary(asked: Asked) -> str:
    from connectors.store import saying

    return saying.of(asked, saying.whole_summary(saying.any_like(asked)))


# -------------------------------------------------------------------------- for people, one by one


def purchases(rule: Rule) -> str:
    """The purchases of a shop that have somebody; a row each, as `clv` reads transactions."""
    return (
        "select person_key as customer_id, order_id, ordered_at, net_value::double as net_value,"
        f" channel, coupon, country, store_view from ({orders(rule)})"
        f" where shop = $shop and counts and state in {PURCHASE_STATES}"
        " and person_key is not null and ordered_at::date <= $as_of"
        " and ($currency::varchar is null or currency = $currency)"
    )


def purchase_lines(rule: Rule) -> str:
    """The lines of the same purchases, each worth its own net value before refunds."""
    return (
        "select bought.customer_id, bought.order_id, bought.ordered_at,"
        " lines.net_value::double as net_value, coalesce(sku, product_id) as product, category"
        f" from ({purchases(rule)}) as bought join latest_order_lines as lines"
        " on lines.shop = $shop and lines.order_id = bought.order_id"
    )


def net_of_unscored(rule: Rule) -> str:
    """What the counting orders of those brought who have no score: their purchases went back."""
    return (
        f"select coalesce(sum(net_value), 0)::decimal(18, 2) from ({orders(rule)})"
        " where shop = $shop and counts and person_key is not null"
        " and ordered_at::date <= $as_of and currency = $currency"
        f" and person_key not in (select person_key from ({LATEST_SCORES}) where shop = $shop)"
    )


# ---------------------------------------------------------------------------- for scoring, staged


def excluded(connection: DuckDBPyConnection, asked: Asked) -> dict[str, int]:
    """How many orders the summary leaves out, by reason."""
    from connectors.store import staging, summary, tables

    with closing(connection.cursor()) as own:
        standing = staging.standing(own, asked)
        told = summary.excluded(
            standing, shop=asked.shop, as_of=asked.as_of, currency=asked.currency
        )
        return dict(own.execute(tables.sql(told) + " order by reason").fetchall())


def currencies(connection: DuckDBPyConnection, shop: str) -> dict[str, int]:
    """How many orders the shop has in each currency, the commonest first."""
    from connectors.store import staging

    with closing(connection.cursor()) as own:
        found = own.execute(
            f"select currency, count(*) from orders anti join {staging.superseded(own, shop)}"
            " using (shop, order_id, seq) where shop = ?"
            " group by currency order by count(*) desc, currency",
            [shop],
        )
        return dict(found.fetchall())


def to_score(connection: DuckDBPyConnection, asked: Asked, with_traits: bool = False) -> str:
    """The summary with the tier that each person has shown so far, and what they came by.

    In order of person_key and currency: so they are staged, and DuckDB gives a table's rows in the
    order they went in (https://duckdb.org/docs/stable/sql/dialect/order_preservation, 2026-11-23).
    """
    from connectors.store import saying, staging

    with closing(connection.cursor()) as own:
        people = staging.people(own, asked, with_traits)
    return saying.of(asked, saying.told(saying.any_like(asked), with_traits), people)


def numbers(connection: DuckDBPyConnection, asked: Asked, with_traits: bool = False) -> str:
    """What models look at: counts, durations in days and net value, of nobody by name.

    In four bytes each where they fit: a large shop's are held in memory at once. The order is that
    of `to_score`.
    """
    from connectors.store.summary import TRAITS

    columns = [f"{name}::integer as {name}" for name in COUNTS]
    columns += ["net::double as net", *(TRAITS if with_traits else ())]
    return f"select {', '.join(columns)} from ({to_score(connection, asked, with_traits)})"


def spread(connection: DuckDBPyConnection, sql: str, many: int) -> pd.DataFrame:
    """At most so many rows of an answer, evenly spread over it, the first one among them."""
    ((of,),) = connection.execute(f"select count(*) from ({sql})").fetchall()
    placed = f"select *, row_number() over () - 1 as place from ({sql})"
    chosen = f"select * exclude (place) from ({placed}) where place % $step = 0 order by place"
    return frame(connection, chosen, step=max(1, -(-of // many)))


def traits(connection: DuckDBPyConnection, asked: Asked) -> str:
    """What the persons came by whose purchase days `purchase_days` tells."""
    from connectors.store import saying, staging

    with closing(connection.cursor()) as own:
        sample = staging.sample(own, asked)
    return saying.of(asked, saying.traits_of_sample(saying.any_like(asked)), sample)


def purchase_days(connection: DuckDBPyConnection, asked: Asked) -> str:
    """The purchase days of all persons, or of a fixed sample of a large shop's."""
    from connectors.store import saying, staging

    with closing(connection.cursor()) as own:
        told = saying.of(asked, saying.purchase_days(), staging.sample(own, asked))
    return f"select person_key as customer_id, day, value from ({told}) order by person_key, day"
