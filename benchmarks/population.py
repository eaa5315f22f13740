"""Customers simulated from BG/NBD and Gamma-Gamma: two years of history, by days.

python benchmarks/population.py 10000000 customers.parquet
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

#: BG/NBD in days and Gamma-Gamma in money.
R, ALPHA, A, B = 0.25, 31.0, 0.8, 2.4
P, Q, V = 6.25, 3.74, 15.44
OLDEST_DAYS = 730
BATCH = 1_000_000


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


def write(n: int, path: Path, seed: int = 1) -> None:
    """`n` customers as Parquet, a million at a time."""
    rng = np.random.default_rng(seed)
    writer = None
    for start in range(0, n, BATCH):
        batch = simulated(min(BATCH, n - start), rng).drop(columns="monetary_value")
        batch = batch.astype({"frequency": "int32", "recency": "int32", "T": "int32"})
        batch.insert(0, "customer", np.arange(start, start + len(batch)))
        table = pa.Table.from_pandas(batch, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
