"""Summary to scores of any number of customers, a batch at a time: one process, one run.

python benchmarks/population.py 10000000 customers.parquet --of customers
python benchmarks/stream.py customers.parquet scores.parquet

First pass: identical histories and alike spending are counted batch by batch, and both models are
fitted to the counts. Second pass: every batch is scored by itself and written.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from peers.measure import DAYS, MONTHLY_RATE, Laps, report

from clv import BetaGeoNBD, GammaGamma
from clv.models.gamma_gamma import binned
from clv.numerics.grouping import tallied

BATCH = 2_000_000
HISTORY = ("frequency", "recency", "T")
DAILY_RATE = math.log1p(MONTHLY_RATE) / 30


def batches(path: Path) -> Iterator[pd.DataFrame]:
    for batch in pq.ParquetFile(path).iter_batches(BATCH):
        yield batch.to_pandas()


def orders(summary: pd.DataFrame) -> pd.DataFrame:
    """All of a customer's orders and their mean value, as Gamma-Gamma takes them."""
    number = summary.frequency + 1
    return pd.DataFrame({"frequency": number, "monetary_value": summary.net / number})


def counted(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The distinct histories and spendings of all customers, each with its `customers`."""
    histories, spendings = [], []
    for summary in batches(path):
        columns = (summary[name].to_numpy(dtype=np.float64) for name in HISTORY)
        kinds, customers = tallied(*columns)
        histories.append((*kinds, customers))
        paid = orders(summary)
        paid = paid[paid.monetary_value > 0].to_numpy(dtype=np.float64)
        spendings.append(binned(paid[:, 0], paid[:, 1], np.ones(len(paid))))
    kinds, customers = tallied(*joined(histories)[:-1], weights=joined(histories)[-1])
    spent = binned(*joined(spendings))
    return (
        pd.DataFrame(dict(zip((*HISTORY, "customers"), (*kinds, customers), strict=True))),
        pd.DataFrame(dict(zip(("frequency", "monetary_value", "customers"), spent, strict=True))),
    )


def joined(parts: list[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def scored(summary: pd.DataFrame, buying: BetaGeoNBD, spending: GammaGamma) -> pa.Table:
    """What each customer of a batch is worth: a pure function of the batch."""
    spend = spending.expected_spend(orders(summary))
    discounted = buying.discounted_expected_purchases(DAYS, summary, DAILY_RATE)
    return pa.table(
        {
            "customer": summary.customer,
            "p_alive": buying.p_alive(summary),
            "expected_purchases": buying.conditional_expected_purchases(DAYS, summary),
            "expected_spend": spend,
            "clv": discounted * spend,
        }
    )


def main(source: Path, target: Path) -> None:
    laps = Laps()
    with laps.lap("group"):
        histories, spendings = counted(source)
    with laps.lap("fit"):
        buying = BetaGeoNBD.fit(histories, histories.customers)
        spending = GammaGamma.fit(spendings, spendings.customers)
    with laps.lap("score"):
        worth = write((scored(batch, buying, spending) for batch in batches(source)), target)
    parameters = {
        name: getattr(model, name) for model in (buying, spending) for name in model.PARAMETERS
    }
    report(laps, parameters, clv=worth, histories=len(histories), spendings=len(spendings))


def write(tables: Iterator[pa.Table], target: Path) -> float:
    """Writes the scores; their sum of clv."""
    writer, worth = None, 0.0
    for table in tables:
        writer = writer or pq.ParquetWriter(target, table.schema, use_dictionary=False)
        writer.write_table(table)
        worth += float(np.sum(table["clv"].to_numpy()))
    if writer:
        writer.close()
    return worth


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
