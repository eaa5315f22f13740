"""Order stores of simulated shops, put straight into the log: what a backfill leaves behind.

python benchmarks/filling.py 1000000 folder/store.duckdb [orders.parquet]
python benchmarks/filling.py 1000000 "spark://...?warehouse=folder" [orders.parquet]

The orders are `population`'s, made beside the store where they aren't given. Of ten customers,
eight are registered and two are guests; one in fifty orders of a registered one was placed as a
guest. Of a hundred orders two are logged twice, open and then complete, and three are refunded in
part. Every order has one line, with its cost.

The log is filled by one statement a table for a million orders at a time, without true digests
and the commits of pages: a pull of a hundred million orders would take days of a shop's time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import population
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from connectors.config.target import SparkTarget, target
from connectors.spark.store import SparkStore
from connectors.store import Store, sealed
from connectors.store.connection import next_seq, transaction

SHOP = "bench"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE_ROWS = 250
CUSTOMERS_AT_ONCE = 3_000_000


def fill(store: Path | SparkTarget, orders: Path) -> None:
    """A new store with these orders, in memory that doesn't grow with it."""
    if isinstance(store, Path):
        with Store.open(store, now=NOW) as opened:
            _fill(opened.connection, orders, partial(_inserted, opened.connection))
            opened.connection.execute("checkpoint")
    else:
        with SparkStore.on(store, now=NOW) as opened:
            _fill(opened.connection, orders, partial(_sealed, opened.connection))


Put = Callable[[str, str], None]


def _fill(connection: DuckDBPyConnection, orders: Path, put: Put) -> None:
    """`put` takes the rows of a query into a table of the log."""
    made, last = pq.ParquetFile(orders), 0
    for number in range(made.num_row_groups):
        part = made.read_row_group(number)
        last = max(last, pc.max(part["customer_id"]).as_py())
        connection.register("made", part)
        connection.execute(FRESH)
        connection.execute(AGAIN)
        for log, rows in LOGGED.items():
            put(log, rows)
        connection.unregister("made")
    for first in range(1, last + 1, CUSTOMERS_AT_ONCE):
        until = min(first + CUSTOMERS_AT_ONCE, last + 1)
        put("customers", CUSTOMERS.format(first=first, until=until))
    connection.execute("drop table fresh")
    connection.execute(SEQ)


def _inserted(connection: DuckDBPyConnection, log: str, rows: str) -> None:
    connection.execute(f"insert into {log} by name {rows}")


def _sealed(connection: DuckDBPyConnection, log: str, rows: str) -> None:
    """As a file of its own, in the types of the table."""
    there, given = connection.table(f"tail.{log}"), connection.sql(rows).columns
    columns = ", ".join(
        (f'"{name}"' if name in given else "null") + f'::{kind} as "{name}"'
        for name, kind in zip(there.columns, there.types, strict=True)
    )
    sql = f"select {columns} from ({rows}) order by {sealed.SORTED_BY[log]}, seq"  # noqa: S608
    number = next_seq(connection)
    name = f"log/{log}/{number:012}.parquet"
    many = sealed.write(connection, sealed.folder(connection) / name, sql)
    with transaction(connection):
        sealed.replace(connection, log, [], [sealed.File(name, number, number, many)])


PERSON_KEY = "'guest-' || md5(customer_id::varchar)"
VALUE = "net_value::decimal(18,4)"
GUEST = "customer_id % 5 = 0 or order_id % 50 = 1"
#: The rows of the log that some orders are worth.
FRESH = f"""
    create or replace temp table fresh as
    select '{SHOP}' as shop, order_id::varchar as order_id,
        '1' || lpad(order_id::varchar, 9, '0') as order_number,
        if({GUEST}, null, customer_id::varchar) as customer_id,
        if({GUEST}, {PERSON_KEY}, customer_id::varchar) as person_key,
        timezone('UTC', ordered_at) as ordered_at, timezone('UTC', ordered_at) as updated_at,
        if(order_id % 50 = 0, 'open', 'complete') as state,
        {GUEST} as is_guest, false as is_test, currency,
        {VALUE} as goods_value, 0 as discount_value, {VALUE} / 5 as tax_value,
        4.9 as shipping_value, {VALUE} + {VALUE} / 5 + 4.9 as total_value,
        if(order_id % 33 = 0, {VALUE} / 2, 0) as refunded_value, 0 as refunded_shipping,
        if(order_id % 33 = 0, {VALUE} / 2, 0) as refunded_total,
        if(order_id % 3 = 0, 'app', 'web') as channel, 'default' as store_view,
        if(order_id % 10 = 0, 'WELCOME', null) as coupon,
        1 + order_id // {PAGE_ROWS} as seq, encode(order_id::varchar) as digest
    from made
"""  # noqa: S608 -- our own constants
AGAIN = f"""
    insert into fresh
    select * replace (
        updated_at + to_days(3) as updated_at, 'complete' as state,
        1 + (select max(seq) from fresh) + order_id::bigint // {50 * PAGE_ROWS} as seq,
        encode(order_id || '+') as digest
    ) from fresh where state = 'open'
"""  # noqa: S608
LOGGED = {
    "orders": "select * from fresh",
    "order_lines": """
        select shop, order_id, order_id || '-1' as line_id, 'sku-' || hash(order_id) % 5000 as sku,
            (hash(order_id) % 5000)::varchar as product_id,
            'category ' || hash(order_id) % 20 as category, 1 as quantity, goods_value as net_value,
            (goods_value * 0.6)::decimal(18,4) as unit_cost, seq
        from fresh
    """,
    "refunds": """
        select shop, 'r' || order_id as refund_id, order_id,
            ordered_at + to_days(5) as refunded_at, currency, refunded_value,
            0 as refunded_shipping, 0 as refunded_tax, refunded_total, seq, digest
        from fresh where refunded_total > 0 and state = 'complete'
    """,
}
#: Every customer has placed an order, so those who are registered need not be looked for.
CUSTOMERS = f"""
    select '{SHOP}' as shop, customer_id::varchar as customer_id, {PERSON_KEY} as email_key,
        '1' as website, '1' as "group", timestamp '2024-01-01' as created_at,
        timestamp '2024-01-01' as updated_at, 1 + customer_id // {PAGE_ROWS} as seq,
        encode(customer_id::varchar) as digest
    from range({{first}}, {{until}}) as known(customer_id)
    where customer_id % 5 > 0
"""  # noqa: S608
SEQ = "create or replace sequence batches start with 10000000"


def main(orders: int, store: Path | SparkTarget, made: Path | None = None) -> None:
    folder = store.parent if isinstance(store, Path) else store.warehouse.parent
    folder.mkdir(parents=True, exist_ok=True)
    if made is None:
        made = folder / "orders.parquet"
        population.write_orders(population.Population(orders), made)
    fill(store, made)


if __name__ == "__main__":
    main(int(sys.argv[1]), target(sys.argv[2]), *map(Path, sys.argv[3:]))
