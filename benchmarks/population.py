"""Shops of any size from known parameters, in memory that doesn't grow with them, as Parquet.

python benchmarks/population.py 100000000 orders.parquet [--model pareto] [--seed 7]
python benchmarks/population.py 10000000 customers.parquet --of customers

Orders (order_id, customer_id, ordered_at, net_value, currency) come in the order of time and are
numbered by it, as a shop numbers them; customers are numbered from 1. A model of `TRUTHS` and
Gamma-Gamma say who buys when and for how much, over two years. The same seed gives the same file.
Customers (frequency, recency, T in days, net) are for benchmarks that begin behind the store.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from peers.measure import Laps, peak_mb

from clv.models.beta_geo import BetaGeoNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.models.purchases import Purchases

#: Of customers: BG/NBD in days and Gamma-Gamma in money.
R, ALPHA, A, B = 0.25, 31.0, 0.8, 2.4
P, Q, V = 6.25, 3.74, 15.44
OLDEST_DAYS = 730
BATCH = 1_000_000

#: Of orders: ten of them to three customers; of `rare`, four.
TRUTHS = {
    "bg": BetaGeoNBD(r=0.466, alpha=31.0, a=0.8, b=2.4),
    "pareto": ParetoNBD(r=0.8, alpha=75.0, s=0.5, beta=100.0),
    "rare": BetaGeoNBD(r=0.466, alpha=400.0, a=0.8, b=2.4),
}
ORDERS_A_CUSTOMER = 10 / 3
ORDERS_A_RARE_CUSTOMER = 1.3575
BEGINS = np.datetime64("2024-01-02", "s")
#: Customers at a time, then orders at a time: some 100 MB either way.
CUSTOMERS_AT_ONCE = 250_000
ORDERS_AT_ONCE = 1_000_000
ROW = np.dtype([("customer", "i4"), ("second", "i4"), ("cents", "i8")])


# ------------------------------------------------------------------------------------------ orders


class Population(NamedTuple):
    """So many orders of customers who behave by `model`."""

    orders: int
    model: str = "bg"
    seed: int = 1


def write_orders(population: Population, path: Path) -> int:
    """Writes the orders; how many customers they are of.

    Customers are drawn one after another and orders are needed one after another in time, so each
    goes into a file of its stretch of time first.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        stretches = Stretches(Path(folder), 1 + 2 * population.orders // ORDERS_AT_ONCE)
        customers = 0
        for batch in drawn(population):
            customers = int(batch["customer"].max())
            stretches.add(batch)
        write(path, (table(first, batch) for first, batch in stretches.in_time()))
    return customers


def drawn(population: Population) -> Iterator[np.ndarray]:
    """All orders as `ROW`s, by customer; of the last customer as many as are left."""
    rng, left, first = np.random.default_rng(population.seed), population.orders, 1
    while left:
        batch = orders_of(CUSTOMERS_AT_ONCE, TRUTHS[population.model], rng)[:left]
        batch["customer"] += first
        yield batch
        left -= len(batch)
        first += CUSTOMERS_AT_ONCE


def orders_of(customers: int, model: Purchases, rng: np.random.Generator) -> np.ndarray:
    """Their orders, by customer: each came on some day of the period, and buys by the model."""
    ages = rng.uniform(0, OLDEST_DAYS, customers)
    who, since = model.draw_histories(ages, rng)
    who = np.concatenate([np.arange(customers), who])
    days = OLDEST_DAYS - ages[who] + np.concatenate([np.zeros(customers), since])
    nu = rng.gamma(Q, 1 / V, customers)
    worth = rng.gamma(P, size=len(who)) / np.maximum(nu[who], np.finfo(float).tiny)
    rows = np.empty(len(who), ROW)
    rows["customer"] = who
    rows["second"] = np.minimum(days * 86_400, OLDEST_DAYS * 86_400 - 1)
    rows["cents"] = np.maximum(np.round(100 * np.minimum(worth, 1e9)), 1)
    return rows[np.argsort(who, kind="stable")]


class Stretches:
    """Rows by stretches of time of equal length, each in a file of its own."""

    def __init__(self, folder: Path, many: int) -> None:
        self._files = [folder / f"{number}" for number in range(many)]
        self._seconds = 1 + OLDEST_DAYS * 86_400 // many

    def add(self, rows: np.ndarray) -> None:
        rows = rows[np.argsort(rows["second"], kind="stable")]
        bounds = np.arange(1, len(self._files)) * self._seconds
        parts = np.split(rows, np.searchsorted(rows["second"], bounds))
        for file, part in zip(self._files, parts, strict=True):
            with file.open("ab") as opened:
                part.tofile(opened)

    def in_time(self) -> Iterator[tuple[int, np.ndarray]]:
        """The rows of each stretch in the order of time, and the number of the first; then gone."""
        number = 1
        for file in self._files:
            rows = np.fromfile(file, ROW)
            file.unlink()
            yield number, rows[np.argsort(rows["second"], kind="stable")]
            number += len(rows)


def table(first: int, rows: np.ndarray) -> pa.Table:
    """The rows as they are written, numbered from `first`."""
    at = BEGINS + rows["second"].astype("timedelta64[s]")
    return pa.table(
        {
            "order_id": np.arange(first, first + len(rows)),
            "customer_id": rows["customer"].astype(np.int64),
            "ordered_at": pa.array(at).cast(pa.timestamp("us", "UTC")),
            "net_value": money(rows["cents"]),
            "currency": pa.repeat(pa.scalar("EUR"), len(rows)),
        }
    )


def money(cents: np.ndarray) -> pa.Array:
    """Cents as decimals: 128 bits each, the lower half first."""
    halves = np.zeros((len(cents), 2), dtype="<i8")
    halves[:, 0] = cents
    return pa.Array.from_buffers(pa.decimal128(14, 2), len(cents), [None, pa.py_buffer(halves)])


# --------------------------------------------------------------------------------------- customers


def simulated(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """frequency, recency, T, monetary_value (of the repeat purchases) and net (of all)."""
    age = rng.integers(1, OLDEST_DAYS, n)
    frequency, recency = purchases(age, rng)
    rate = rng.gamma(Q, 1 / V, n)
    first = np.round(rng.gamma(P, 1 / rate), 2)
    repeat = np.round(rng.gamma(P * np.maximum(frequency, 1), 1 / rate), 2)
    net = first + np.where(frequency, repeat, 0.0)
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency": recency,
            "T": age,
            "monetary_value": (net - first) / np.maximum(frequency, 1),
            "net": net,
        }
    )


def purchases(age: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Repeat purchase days within `age` days, and the last of them."""
    n = len(age)
    wait_days = 1 / rng.gamma(R, 1 / ALPHA, n)
    leaves = rng.beta(A, B, n)
    last, frequency = np.zeros(n), np.zeros(n, dtype=np.int64)
    active = np.arange(n)
    while len(active):
        day = np.ceil(last[active] + rng.exponential(wait_days[active]))
        active, day = active[day <= age[active]], day[day <= age[active]]
        last[active] = day
        frequency[active] += 1
        active = active[rng.random(len(active)) >= leaves[active]]
    return frequency, last.astype(np.int64)


def histories(n: int, seed: int) -> Iterator[pa.Table]:
    """`n` customers, a million at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, n, BATCH):
        batch = simulated(min(BATCH, n - start), rng).drop(columns="monetary_value")
        batch = batch.astype({"frequency": "int32", "recency": "int32", "T": "int32"})
        batch.insert(0, "customer", np.arange(start, start + len(batch)))
        yield pa.Table.from_pandas(batch, preserve_index=False)


# --------------------------------------------------------------------------------------------- main


def write(path: Path, tables: Iterator[pa.Table]) -> None:
    writer = None
    for one in tables:
        writer = writer or pq.ParquetWriter(path, one.schema, compression="zstd")
        writer.write_table(one)
    if writer:
        writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--of", choices=["orders", "customers"], default="orders")
    parser.add_argument("--model", choices=TRUTHS, default="bg")
    parser.add_argument("--seed", type=int, default=1)
    asked, laps = parser.parse_args(), Laps()
    with laps.lap("all"):
        if asked.of == "customers":
            write(asked.path, histories(asked.rows, asked.seed))
            customers = asked.rows
        else:
            customers = write_orders(Population(asked.rows, asked.model, asked.seed), asked.path)
    sys.stdout.write(
        f"{asked.rows:,} {asked.of}, {customers:,} customers,"
        f" {asked.path.stat().st_size / 1e6:,.0f} MB: {laps.seconds['all']:.1f} s,"
        f" {laps.cpu_seconds['all']:.1f} s of CPU, peak {peak_mb():,.0f} MB\n"
    )


if __name__ == "__main__":
    main()
