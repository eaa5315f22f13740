"""A scoring that takes long enough to be disturbed: a second and a half for each part."""

from __future__ import annotations

import sys
import time

import pyarrow as pa
from made_rows import NOW, order, page

from connectors.config.target import SparkTarget, target
from connectors.spark import attending
from connectors.spark.store import SparkStore


def scored(batch: pa.RecordBatch) -> tuple[pa.Table, int]:
    time.sleep(1.5)
    people = pa.table(batch.select(["shop", "person_key", "customer_id"]))
    tier = pa.repeat(pa.scalar("high"), batch.num_rows)
    return people.append_column("tier", tier), batch.num_rows


def main(named: str, customers: int) -> None:
    found = target(named)
    assert isinstance(found, SparkTarget)
    with SparkStore.on(found, now=NOW) as store:
        rows = [order(str(n), customer_id=str(n), person_key=str(n)) for n in range(customers)]
        store.commit("eu", "orders", page(*rows), at=NOW)
        told = store.score("run", "eu", scored, as_of=NOW.date())
        sys.stdout.write(f"told {told}\n")


if __name__ == "__main__":
    if "--patience" in sys.argv:
        attending.ALONE_SECONDS, attending.LOOK_SECONDS = float(sys.argv[-1]), 0.5
    main(sys.argv[1], int(sys.argv[2]))
