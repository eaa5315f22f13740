"""What others read from the store: Arrow batches and frames, their instants aware and in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date

import pandas as pd
import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.schema import Rule

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


def table(connection: DuckDBPyConnection, sql: str, **parameters: object) -> pa.Table:
    """The answer as a whole."""
    found = connection.execute(sql, parameters).to_arrow_table()
    return found.cast(_at_the_edge(found.schema))


def frame(connection: DuckDBPyConnection, sql: str, **parameters: object) -> pd.DataFrame:
    """The answer as a frame; decimals stay decimals, dates dates."""
    answer: pd.DataFrame = table(connection, sql, **parameters).to_pandas()
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


#: The scores of each shop that speak of the latest day, of these the newest. So a look back with
#: `--as-of` leaves what the shop shows alone, and a run that left a shop out its scores as well.
LATEST_SCORES = """
    select * exclude (seq) from scores where (shop, seq) in (
        select shop, arg_max(seq, (coalesce(as_of, date '0001-01-01'), seq))
        from scores group by shop
    )
"""

#: What `numbers` gives as whole numbers.
COUNTS = ("frequency", "recency", "T", "orders")
#: About how many persons a sample has at least, where a shop has more.
SAMPLE = 100_000


def whole(what: str, shops: Sequence[str], as_of: date, rule: Rule, currency: str | None) -> str:
    """SQL for one of `ORDERED_BY`, of the shops in its parameter `shops`."""
    source = _source(what, shops, as_of, rule, currency)
    return (
        f"select * from ({source}) where shop in (select unnest($shops::varchar[]))"
        f" order by {ORDERED_BY[what]}"
    )


def _source(what: str, shops: Sequence[str], as_of: date, rule: Rule, currency: str | None) -> str:
    if what == "scores":
        return LATEST_SCORES
    if what == "orders":
        return orders(rule)
    if what == "summary":
        each = [summary(shop, as_of, rule, currency) for shop in shops]
        return " union all ".join(f"({sql})" for sql in each)
    own = "(seq)" if what == "order_lines" else "(seq, digest)"
    return f"select * exclude {own} from latest_{what}"


# `connectors.store.summary` brings Ibis with it: half a second that most commands can do without.


def orders(rule: Rule) -> str:
    from connectors.store import summary as ibis

    return ibis.sql(ibis.orders(ibis.standing(), rule).drop("seq"))


def summary(shop: str, as_of: date, rule: Rule, currency: str | None) -> str:
    from connectors.store import summary as ibis

    told = ibis.summary(ibis.standing(), shop=shop, as_of=as_of, rule=rule, currency=currency)
    return ibis.sql(told)


def to_score(
    shop: str, as_of: date, rule: Rule, currency: str | None, with_traits: bool = False
) -> str:
    """The summary with the tier that each person has shown so far, and what they came by."""
    columns = ", channel, category, coupon"
    joined = " left join came_by using (person_key, currency)"
    return (
        _staged(shop, as_of, rule, currency, with_traits)
        + f"select told.*{columns if with_traits else ''}, shown.tier as previous_tier"
        + f" from told{joined if with_traits else ''}"
        + f" left join ({LATEST_SCORES}) as shown using (shop, person_key)"
        + " order by person_key, currency"
    )


def numbers(
    shop: str, as_of: date, rule: Rule, currency: str | None, with_traits: bool = False
) -> str:
    """What models look at: counts, durations in days and net value, of nobody by name.

    In four bytes each where they fit: a large shop's are held in memory at once.
    """
    counts = ", ".join(f"{name}::integer as {name}" for name in COUNTS)
    columns = f"{counts}, net::double as net"
    in_order = " order by person_key, currency"
    if not with_traits:
        return f"select {columns} from ({summary(shop, as_of, rule, currency)}){in_order}"
    return (
        _staged(shop, as_of, rule, currency, with_traits)
        + f"select {columns}, channel, category, coupon"
        + f" from told left join came_by using (person_key, currency){in_order}"
    )


def _staged(shop: str, as_of: date, rule: Rule, currency: str | None, with_traits: bool) -> str:
    """Statements that make the tables `told` and `came_by` for the one that follows.

    In one query both would be worked out at once, and need the memory of both: a shop of a million
    persons then has no room in two gigabytes. What is staged goes to the disk instead.
    """
    sql = f"create or replace temp table told as {summary(shop, as_of, rule, currency)}; "
    if with_traits:
        sql += f"create or replace temp table came_by as {_traits(shop, as_of, rule, currency)}; "
    return sql


def traits(shop: str, as_of: date, rule: Rule, currency: str | None) -> str:
    """What the persons came by whose purchase days `purchase_days` tells."""
    every = _traits(shop, as_of, rule, currency)
    return f"select * from ({every}) where hash(person_key) % ({_one_in(shop)}) = 0"


def _traits(shop: str, as_of: date, rule: Rule, currency: str | None) -> str:
    from connectors.store import summary as ibis

    told = ibis.traits(ibis.standing(), shop=shop, as_of=as_of, rule=rule, currency=currency)
    return ibis.sql(told)


def purchase_days(shop: str, as_of: date, rule: Rule, currency: str | None) -> str:
    """The purchase days of all persons, or of a fixed sample of a large shop's."""
    from connectors.store import summary as ibis

    tables = ibis.standing()
    tables = tables._replace(order_lines=tables.order_lines.limit(0))  # costs are of no account
    told = ibis.purchase_days(tables, shop=shop, as_of=as_of, rule=rule, currency=currency)
    # As a constant the share reaches the orders before they are put together to days.
    return (
        f"set variable one_in = ({_one_in(shop)});"
        f" select person_key as customer_id, day, value from ({ibis.sql(told)})"
        " where hash(person_key) % getvariable('one_in') = 0 order by person_key, day"
    )


def _one_in(shop: str) -> str:
    """One of how many persons is in the sample, by all who ever ordered."""
    quoted = "'" + shop.replace("'", "''") + "'"
    return (
        f"select greatest(1, count(distinct coalesce(customer_id, person_key)) // {SAMPLE})"
        f" from orders where shop = {quoted}"
    )


def excluded(shop: str, as_of: date, currency: str | None) -> str:
    from connectors.store import summary as ibis

    told = ibis.excluded(ibis.standing(), shop=shop, as_of=as_of, currency=currency)
    return ibis.sql(told)
