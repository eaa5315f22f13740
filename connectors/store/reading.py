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
BATCH_ROWS = 50_000


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

#: How many persons a sample has at least, where a shop has more.
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


def to_score(shop: str, as_of: date, rule: Rule, currency: str | None) -> str:
    """The summary with what each person came by, and the tier that they have shown so far."""
    return (
        "select told.*, channel, category, coupon, shown.tier as previous_tier"
        f" from ({summary(shop, as_of, rule, currency)}) as told"
        f" left join ({traits(shop, as_of, rule, currency)}) using (person_key, currency)"
        f" left join ({LATEST_SCORES}) as shown using (shop, person_key)"
        " order by person_key, currency"
    )


def numbers(
    shop: str, as_of: date, rule: Rule, currency: str | None, with_traits: bool = False
) -> str:
    """What models look at: counts, durations in days and net value, of nobody by name."""
    known = f"({summary(shop, as_of, rule, currency)})"
    columns = "frequency, recency, T, orders, net::double as net"
    if with_traits:
        columns += ", channel, category, coupon"
        came_by = traits(shop, as_of, rule, currency)
        known = f"{known} left join ({came_by}) using (person_key, currency)"
    return f"select {columns} from {known} order by person_key, currency"


def traits(shop: str, as_of: date, rule: Rule, currency: str | None) -> str:
    from connectors.store import summary as ibis

    told = ibis.traits(ibis.standing(), shop=shop, as_of=as_of, rule=rule, currency=currency)
    return ibis.sql(told)


def purchase_days(shop: str, as_of: date, rule: Rule, currency: str | None) -> str:
    """The purchase days of all persons, or of a fixed sample of a large shop's."""
    from connectors.store import summary as ibis

    told = ibis.purchase_days(ibis.standing(), shop=shop, as_of=as_of, rule=rule, currency=currency)
    return (
        f"with days as ({ibis.sql(told)}), share as ("
        f" select greatest(1, count(distinct person_key) // {SAMPLE}) as one_in from days)"
        " select person_key as customer_id, day, value from days, share"
        " where hash(person_key) % one_in = 0 order by person_key, day"
    )


def excluded(shop: str, as_of: date, currency: str | None) -> str:
    from connectors.store import summary as ibis

    told = ibis.excluded(ibis.standing(), shop=shop, as_of=as_of, currency=currency)
    return ibis.sql(told)
