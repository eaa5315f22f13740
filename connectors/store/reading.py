"""What others read from the store: Arrow batches and frames, their instants aware and in UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, Required, TypedDict

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.schema import PURCHASE_STATES, Rule
from connectors.store.connection import registered
from connectors.store.scores import LATEST_SCORES, latest_seq

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
SMALL_BATCH_ROWS = 5_000


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
    # Others may ask the store while this is being read.
    return _batches(connection.cursor(), sql, parameters, BATCH_ROWS)


def small_batches(
    connection: DuckDBPyConnection, sql: str, **parameters: object
) -> pa.RecordBatchReader:
    """The same for whoever makes several values of each row."""
    return _batches(connection.cursor(), sql, parameters, SMALL_BATCH_ROWS)


def _batches(
    own: DuckDBPyConnection, sql: str, parameters: Mapping[str, object], size: int
) -> pa.RecordBatchReader:
    found = own.execute(sql, parameters).to_arrow_reader(size)
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


class Which(TypedDict, total=False):
    """Which of a shop's orders count, and as what: in one currency, or each in its own."""

    as_of: Required[date]
    rule: Rule
    currency: str | None


class Numbers(Which, total=False):
    """The same, and whether traits are told, too."""

    with_traits: bool


def asked_of(shop: str, which: Which) -> Asked:
    return Asked(shop, which["as_of"], which.get("rule", "net"), which.get("currency"))


def split(shop: str, known: Numbers) -> tuple[Asked, bool]:
    """What is asked of a shop, and whether with traits."""
    return asked_of(shop, known), known.get("with_traits", False)


#: What `numbers` gives as whole numbers.
COUNTS = ("frequency", "recency", "T", "orders")


def whole(what: str, rule: Rule, summaries: Sequence[str]) -> str:
    """SQL for one of `ORDERED_BY`, of the shops in its parameter `shops` with these summaries."""
    return (
        f"select * from ({_source(what, rule, summaries)})"
        f" where shop in (select unnest($shops::varchar[])) order by {ORDERED_BY[what]}"
    )


def _source(what: str, rule: Rule, summaries: Sequence[str]) -> str:
    if what == "scores":
        return LATEST_SCORES
    if what == "orders":
        return orders(rule)
    if what == "summary":
        return " union all ".join(f"({each})" for each in summaries)
    own = "(seq)" if what == "order_lines" else "(seq, digest)"
    return f"select * exclude {own} from latest_{what}"


# Ibis takes half a second to import, which most commands can do without: it comes when needed.


def orders(rule: Rule) -> str:
    from connectors.store import saying

    return saying.orders(rule)


def summary(asked: Asked) -> str:
    from connectors.store import saying

    return saying.of(asked, saying.whole_summary(saying.any_like(asked)))


# ------------------------------------------------------------------------------------- for a plan

#: So many customers are looked up together: all of a large shop at once have no room.
PASS_ROWS = 100_000

#: Who was told more than once, as a platform may that has to read a part again.
TOLD_AGAIN = """
    select shown_id, min(place) as first, max(place) as last from showing
    group by shown_id having count(*) > 1
"""
LAST_TOLD = "select shown_id, first, shown as by_now from showing join told_again using (shown_id)"

_SCORES = "from scores where shop = $shop and seq = $seq and customer_id is not null"

BESIDE = """
    select shown_id, coalesce(by_now, shown) as shown, scored.*
    from some_shown left join last_told using (shown_id)
    left join (
        select customer_id{columns} {scores} and customer_id in (select shown_id from some_shown)
    ) as scored on shown_id = customer_id
    where first is null or place = first
    order by place
"""


def beside_scores(
    connection: DuckDBPyConnection,
    shop: str,
    shown: Callable[[], pa.RecordBatchReader],
    columns: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    """What customers show, and these columns of their scores as far as there are such columns."""
    with closing(connection.cursor()) as own:
        own.register("last_told", _last_told(own, shown))
        known = own.table("scores").columns
        there = "".join(f", {name}" for name in columns if name in known)
        asked = {"shop": shop, "seq": latest_seq(own, shop)}
        for some in _passes(shown()):
            with registered(own, "some_shown", some):
                found = own.execute(BESIDE.format(columns=there, scores=_SCORES), asked)
                yield from found.to_arrow_reader(SMALL_BATCH_ROWS)


def scored(connection: DuckDBPyConnection, shop: str) -> int:
    """How many registered customers have a score that stands."""
    asked = {"shop": shop, "seq": latest_seq(connection, shop)}
    return int(connection.execute(f"select count(*) {_SCORES}", asked).fetchall()[0][0])


def _last_told(own: DuckDBPyConnection, shown: Callable[[], pa.RecordBatchReader]) -> pa.Table:
    """What was told last of those who were told again, and where they were first."""
    with registered(own, "showing", shown()):
        told_again = own.execute(TOLD_AGAIN).to_arrow_table()
    with registered(own, "showing", shown()), registered(own, "told_again", told_again):
        return own.execute(f"{LAST_TOLD} where place = last").to_arrow_table()


def _passes(shown: pa.RecordBatchReader) -> Iterator[pa.Table]:
    gathered: list[pa.RecordBatch] = []
    for batch in shown:
        gathered.append(batch)
        if sum(map(len, gathered)) >= PASS_ROWS:
            yield pa.Table.from_batches(gathered)
            gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered)


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
    from connectors.store import saying

    return _of_kinds(connection, asked, saying.excluded(saying.any_like(asked)))


def currencies(connection: DuckDBPyConnection, shop: str) -> dict[str, int]:
    """How many orders the shop has in each currency, the commonest first."""
    from connectors.store import saying

    return _of_kinds(connection, Asked(shop, saying.DAY, "net", None), saying.currencies())


def _of_kinds(connection: DuckDBPyConnection, asked: Asked, said: str) -> dict[str, int]:
    from connectors.store import saying, staging

    with closing(connection.cursor()) as own:
        staging.set_out_standing_orders(own, asked.shop)
        return dict(own.execute(saying.of(asked, said)).fetchall())


def to_score(connection: DuckDBPyConnection, asked: Asked, with_traits: bool = False) -> str:
    """The summary with the tier that each person has shown so far, and what they came by.

    In order of person_key and currency: so they are staged, and DuckDB gives a table's rows in the
    order they went in (https://duckdb.org/docs/stable/sql/dialect/order_preservation, 2026-11-23).
    """
    from connectors.store import saying, staging

    with closing(connection.cursor()) as own:
        people = staging.people(own, asked, with_traits)
    return saying.of(asked, saying.told(saying.any_like(asked), with_traits), people)


def numbers(people: str, with_traits: bool) -> str:
    """What forecasts look at: counts, durations in days and net values, of nobody by name.

    As any engine reads it, from the answer of `to_score` and in its order. Counts in four bytes.
    """
    from connectors.store.summary import TRAITS

    columns = [f"cast({name} as int) as {name}" for name in COUNTS]
    columns += [f"cast({name} as double) as {name}" for name in ("monetary_value", "net")]
    columns += TRAITS if with_traits else ()
    return f"select {', '.join(columns)} from {people}"


def spread(connection: DuckDBPyConnection, sql: str, many: int) -> pd.DataFrame:
    """At most so many rows of an answer, evenly spread over it, the first one among them."""
    ((of,),) = connection.execute(f"select count(*) from ({sql})").fetchall()
    placed = f"select *, row_number() over () - 1 as place from ({sql})"
    chosen = f"select * exclude (place) from ({placed}) where place % $step = 0 order by place"
    return frame(connection, chosen, step=max(1, -(-of // many)))


def purchase_days(asked: Asked, sampled: str) -> str:
    """The purchase days of all persons, or of a fixed sample of a large shop's."""
    from connectors.store import saying

    told = saying.of(asked, saying.purchase_days(), sampled)
    return f"select person_key as customer_id, day, value from ({told}) order by person_key, day"


def sampled(connection: DuckDBPyConnection, asked: Asked) -> str:
    """Where the counting orders of the sample are."""
    from connectors.store import staging

    with closing(connection.cursor()) as own:
        return staging.sample(own, asked)


def traits(asked: Asked, sampled: str) -> str:
    """What the persons came by whose purchase days `purchase_days` tells."""
    from connectors.store import saying

    return saying.of(asked, saying.traits_of_sample(saying.any_like(asked)), sampled)
