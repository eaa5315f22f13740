"""Order stores of simulated shops, put straight into the log: what a backfill leaves behind.

python benchmarks/filling.py 1000000 folder/store.duckdb [orders.parquet]

The orders are `population`'s, made beside the store where they aren't given. Of ten customers,
eight are registered and two are guests; one in fifty orders of a registered one was placed as a
guest. Of a hundred orders two are logged twice, open and then complete, and three are refunded in
part. Every order has one line, with its cost.

The log is filled by one statement a table, without the digests of pages and their commits: a pull
of a hundred million orders would take days of a shop's time.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import population
import pyarrow.parquet as pq

from connectors.store import Store

SHOP = "bench"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE_ROWS = 250


def fill(path: Path, orders: Path) -> None:
    """A new store at `path`, in memory that doesn't grow with it."""
    made = pq.ParquetFile(orders)
    with Store.open(path, now=NOW) as store:
        for number in range(made.num_row_groups):
            store.connection.register("made", made.read_row_group(number))
            store.connection.execute(ORDERS)
            store.connection.unregister("made")
        for statement in (ORDERS_AGAIN, LINES, REFUNDS, CUSTOMERS, SEQ, "checkpoint"):
            store.connection.execute(statement)


PERSON_KEY = "'guest-' || md5(customer_id::varchar)"
VALUE = "net_value::decimal(18,4)"
GUEST = "customer_id % 5 = 0 or order_id % 50 = 1"
ORDERS = f"""
    insert into orders by name
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
        1 + order_id // {PAGE_ROWS} as seq, unhex(md5(order_id::varchar)) as digest
    from made
"""  # noqa: S608 -- our own constants
ORDERS_AGAIN = f"""
    insert into orders
    select * replace (
        updated_at + to_days(3) as updated_at, 'complete' as state,
        1 + (select max(seq) from orders) + order_id::bigint // {50 * PAGE_ROWS} as seq,
        unhex(md5(order_id || 'complete')) as digest
    ) from orders where state = 'open'
"""  # noqa: S608
LINES = """
    insert into order_lines by name
    select shop, order_id, order_id || '-1' as line_id, 'sku-' || hash(order_id) % 5000 as sku,
        (hash(order_id) % 5000)::varchar as product_id,
        'category ' || hash(order_id) % 20 as category, 1 as quantity, goods_value as net_value,
        (goods_value * 0.6)::decimal(18,4) as unit_cost, seq
    from orders
"""
REFUNDS = """
    insert into refunds by name
    select shop, 'r' || order_id as refund_id, order_id, ordered_at + to_days(5) as refunded_at,
        currency, refunded_value, 0 as refunded_shipping, 0 as refunded_tax, refunded_total, seq,
        digest
    from orders where refunded_total > 0 and state = 'complete'
"""
#: Every customer has placed an order, so those who are registered need not be looked for.
CUSTOMERS = f"""
    insert into customers by name
    select '{SHOP}' as shop, customer_id::varchar as customer_id, {PERSON_KEY} as email_key,
        '1' as website, '1' as "group", timestamp '2024-01-01' as created_at,
        timestamp '2024-01-01' as updated_at, 1 + customer_id // {PAGE_ROWS} as seq,
        unhex(md5(customer_id::varchar)) as digest
    from range(1, 1 + (select max(customer_id::bigint) from orders)) as known(customer_id)
    where customer_id % 5 > 0
"""  # noqa: S608
SEQ = "create or replace sequence batches start with 10000000"


def main(orders: int, path: Path, made: Path | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if made is None:
        made = path.with_name("orders.parquet")
        population.write_orders(population.Population(orders), made)
    fill(path, made)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(Path, sys.argv[2:]))
