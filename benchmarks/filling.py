"""Order stores of simulated shops, put straight into the log: what a backfill leaves behind.

python benchmarks/filling.py 1000000 folder/store.duckdb

The customers are `population`'s. Of ten, eight are registered and two are guests; one in fifty
placed the first order as a guest and registered then. Of a hundred orders two are logged twice,
open and then complete, and three are refunded in part. Every order has one line, with its cost.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import population
import pyarrow as pa

from connectors.store import Store

SHOP = "bench"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE_ROWS = 250


def fill(path: Path, customers: int) -> None:
    """A new store at `path`, in memory that doesn't grow with it."""
    with Store.open(path, now=NOW) as store:
        connection = store.connection
        connection.execute("create temp table bought (person integer, day integer, cents bigint)")
        for batch in bought(customers, np.random.default_rng(1)):
            connection.register("batch", batch)
            connection.execute("insert into bought select * from batch")
            connection.unregister("batch")
        for statement in (PLACED, ORDERS, ORDERS_AGAIN, LINES, REFUNDS, CUSTOMERS, SEQ):
            connection.execute(statement)
        connection.execute("checkpoint")


def bought(customers: int, rng: np.random.Generator) -> Iterator[pa.Table]:
    """A row per person and purchase day: person, day (of `population.OLDEST_DAYS`), cents."""
    for start in range(0, customers, population.BATCH):
        n = min(population.BATCH, customers - start)
        person, day = purchase_days(rng.integers(1, population.OLDEST_DAYS, n), rng)
        scale = 1 / rng.gamma(population.Q, 1 / population.V, n)
        cents = np.ceil(100 * rng.gamma(population.P, scale[person])).astype(np.int64)
        yield pa.table({"person": person + start, "day": day, "cents": cents})


def purchase_days(age: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Who buys on which day, by BG/NBD; the first purchase of each is `age` days old."""
    n, first = len(age), population.OLDEST_DAYS - age
    wait_days = 1 / rng.gamma(population.R, 1 / population.ALPHA, n)
    leaves = rng.beta(population.A, population.B, n)
    who, days, active, last = [np.arange(n)], [first], np.arange(n), np.zeros(n)
    while len(active):
        day = np.ceil(last[active] + rng.exponential(wait_days[active]))
        active, day = active[day <= age[active]], day[day <= age[active]]
        last[active] = day
        who.append(active)
        days.append(first[active] + day.astype(np.int64))
        active = active[rng.random(len(active)) >= leaves[active]]
    return np.concatenate(who), np.concatenate(days)


#: Numbered in the order in which they were placed, as a shop numbers them.
PLACED = """
    create temp table placed as
    select row_number() over () as number, person, cents,
        timestamp '2024-01-02' + to_days(day) + to_seconds((hash(person) % 86400)::integer)
            as placed_at,
        person % 5 = 0 as by_guest, person % 50 = 1 and rank = 1 as before_registering
    from (
        select *, row_number() over (partition by person order by day) as rank
        from bought order by day, hash(person)
    )
"""
PERSON_KEY = "'guest-' || md5(person::varchar)"
VALUE = "(cents / 100)::decimal(18,4)"
_ORDER = f"""
    insert into orders by name
    select '{SHOP}' as shop, number::varchar as order_id, '1' || lpad(number::varchar, 9, '0')
            as order_number,
        if(by_guest or before_registering, null, person::varchar) as customer_id,
        if(by_guest or before_registering, {PERSON_KEY}, person::varchar) as person_key,
        placed_at as ordered_at, placed_at + to_days({{days}}) as updated_at, {{state}} as state,
        by_guest or before_registering as is_guest, false as is_test, 'EUR' as currency,
        {VALUE} as goods_value, 0 as discount_value, {VALUE} / 5 as tax_value,
        4.9 as shipping_value, {VALUE} + {VALUE} / 5 + 4.9 as total_value,
        if(number % 33 = 0, {VALUE} / 2, 0) as refunded_value, 0 as refunded_shipping,
        if(number % 33 = 0, {VALUE} / 2, 0) as refunded_total,
        if(number % 3 = 0, 'app', 'web') as channel, 'default' as store_view,
        if(number % 10 = 0, 'WELCOME', null) as coupon,
        {{seq}} as seq, unhex(md5(number || {{state}})) as digest
    from placed
"""  # noqa: S608 -- our own constants
_PAGE = f"1 + number // {PAGE_ROWS}"
ORDERS = _ORDER.format(days=0, seq=_PAGE, state="if(number % 50 = 0, 'open', 'complete')")
LATER = f"1 + (select max(seq) from orders) + number // {50 * PAGE_ROWS}"  # noqa: S608
ORDERS_AGAIN = (
    _ORDER.format(days=3, seq=LATER, state="'complete'") + "where number % 50 = 0 order by number"
)
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
CUSTOMERS = f"""
    insert into customers by name
    select '{SHOP}' as shop, person::varchar as customer_id, {PERSON_KEY} as email_key,
        '1' as website, '1' as "group", timestamp '2024-01-01' as created_at,
        timestamp '2024-01-01' as updated_at, 1 + person // {PAGE_ROWS} as seq,
        unhex(md5(person::varchar)) as digest
    from (select distinct person from placed where person % 5 > 0) order by person
"""  # noqa: S608
SEQ = "create or replace sequence batches start with 10000000"


if __name__ == "__main__":
    fill(Path(sys.argv[2]), int(sys.argv[1]))
