"""A scoring on a Spark cluster of two workers, beside the same in DuckDB: do they agree?

python benchmarks/spark.py [ORDERS ...] [--folder FOLDER] [--no-duckdb] [--memory 3g]

The shops are `filling`'s; their log is put straight into a warehouse. Master and workers are real
processes on loopback. `sync.py score` runs in a process of its own for each kind of store. Told of
each stage: seconds; of the driver: most memory of the Python process and of its Java process,
apart. At the end both summaries and both scores are held against each other, row by row.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import filling
from peers.measure import peak_mb
from store_scores import AS_OF, HOUSE, Stages, filled, line

from connectors.config.target import SparkTarget, target
from connectors.spark.store import SparkStore
from connectors.store import Store, sealed
from connectors.store.connection import next_seq, transaction
from connectors.store.rows import TABLES

sys.path.append(str(HOUSE / "tests"))
from clusters import Standalone, offspring, standalone

MILLION = 1_000_000
STAGES = (
    *("currencies", "purchase_days", "traits", "tally", "spread", "score", "excluded"),
    *("_people", "_sample", "_chosen"),
)
EXACT = 1e-9


# ---------------------------------------------------------------------------------------- the shop


def poured(store: Path, there: SparkTarget) -> None:
    """The store's log as the files of a warehouse."""
    if there.books.exists():
        return
    with (
        Store.open(store, now=filling.NOW) as plain,
        SparkStore.on(there, now=filling.NOW) as spark,
    ):
        into = spark.connection
        into.execute(f"create or replace sequence batches start with {next_seq(plain.connection)}")
        for log in TABLES:
            files = [poured_part(plain, there.warehouse, log, *part) for part in parts(plain, log)]
            with transaction(into):
                sealed.replace(into, log, [], files)


def parts(plain: Store, log: str) -> list[tuple[int, int, int]]:
    """Ranges of batches with some four million rows each, and how many."""
    sql = (
        "select min(seq), max(seq), sum(rows)::bigint from ("  # noqa: S608 -- a table of ours
        " select seq, count(*) as rows, (sum(count(*)) over (order by seq) - 1) // $full as part"
        f" from {log} group by seq) group by part order by 1"
    )
    return plain.connection.execute(sql, {"full": sealed.FULL}).fetchall()


def poured_part(
    plain: Store, warehouse: Path, log: str, first: int, last: int, rows: int
) -> sealed.File:
    name = f"log/{log}/{first:012}-{last:012}-0.parquet"
    sql = f"from {log} where seq between ? and ? order by {sealed.SORTED_BY[log]}, seq"
    sealed.write(plain.connection, warehouse / name, sql, [first, last])
    return sealed.File(name, first, last, rows)


# ------------------------------------------------------------------------------------- one scoring


def score(store: str) -> None:
    """The job, in this process; writes the figures as one line."""
    stages = Stages(Path(store))
    kind: Any = SparkStore if "://" in store else Store
    for name in STAGES:
        if hasattr(kind, name):
            stages.timed(kind, name, name)
    with stages.stage("in all"):
        import sync

        sync.app(["--quiet", "score", "--as-of", AS_OF], standalone_mode=False)
    java = [peak_of(process) for process in offspring(os.getpid()) if is_java(process)]
    told = {"peak_mb": peak_mb(), "java_mb": max(java, default=0), "stages": stages.figures}
    sys.stdout.write(json.dumps(told) + "\n")


def is_java(process: int) -> bool:
    return Path(f"/proc/{process}/comm").read_text().strip() == "java"


def peak_of(process: int) -> float:
    rows = Path(f"/proc/{process}/status").read_text().splitlines()
    (peak,) = (row for row in rows if row.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def measured(store: str, model: str) -> dict[str, Any]:
    """The figures of a fresh process."""
    environment = os.environ | {
        "CLV_SHOPS": filling.SHOP,
        f"CLV_{filling.SHOP.upper()}_PLATFORM": "file",
        f"CLV_{filling.SHOP.upper()}_PATH": "orders.csv",
        "CLV_STORE": store,
        "CLV_MODEL": model,
        "PYTHONPATH": str(HOUSE),
    }
    command = [sys.executable, __file__, "--job", store]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def told(kind: str, figures: dict[str, Any]) -> None:
    line(f"\n{kind}: Python {figures['peak_mb']:,.0f} MB, Java {figures['java_mb']:,.0f} MB")
    for name, stage in figures["stages"].items():
        line(f"{name:>16}  {stage['s']:>8.1f} s")


# --------------------------------------------------------------------------------------- agreement


def agreement(here: Path, there: SparkTarget) -> None:
    """How many persons differ in the summary at all, and in the scores by more than EXACT."""
    with tempfile.TemporaryDirectory(dir=here.parent) as fleeting:
        files = {name: Path(fleeting) / f"{name}.parquet" for name in ("a", "b", "c", "d")}
        with Store.open(here, now=filling.NOW) as store:
            kept(store, files["a"], files["c"])
        with SparkStore.on(there, now=filling.NOW) as store:
            kept(store, files["b"], files["d"])
        found = duckdb.connect(config={"memory_limit": "4GB", "temp_directory": fleeting})
        differ = found.execute(
            f"select count(*), count(*) filter (where a is distinct from b)"  # noqa: S608
            f" from '{files['a']}' as a full join '{files['b']}' as b using (person_key)"
        ).fetchall()[0]
        line("summary: {:,} persons, {:,} differ".format(*differ))
        line(
            "scores: {:,} persons, {:,} differ by more than 1e-9".format(
                *scores_differ(found, files)
            )
        )


def kept(store: Store, summary: Path, scores: Path) -> None:
    asked = {"shops": [filling.SHOP], "as_of": filling.NOW.date(), "currency": "EUR"}
    from connectors.export import export

    export(store.reader("summary", **asked), summary, "parquet")
    export(store.reader("scores", **asked), scores, "parquet")


def scores_differ(found: duckdb.DuckDBPyConnection, files: dict[str, Path]) -> tuple[int, int]:
    columns = found.execute(f"describe from '{files['c']}'").fetchall()
    apart = []
    for name, kind, *_ in columns:
        if name == "run_id":
            continue
        one, other = f'c."{name}"', f'd."{name}"'
        numbers = kind.startswith(("DOUBLE", "DECIMAL"))
        far = f"abs({one}::double - {other}::double) > {EXACT} * greatest(1, abs({one}::double))"
        apart.append(
            f"({one} is null) <> ({other} is null) or {far}" if numbers
            else f"{one} is distinct from {other}"
        )  # fmt: skip
    sql = (
        f"select count(*), count(*) filter (where c.person_key is null or d.person_key is null or"  # noqa: S608
        f" {' or '.join(f'coalesce({one}, false)' for one in apart)})"
        f" from '{files['c']}' as c full join '{files['d']}' as d"
        " on c.person_key = d.person_key and c.currency = d.currency"
    )
    return found.execute(sql).fetchall()[0]


# --------------------------------------------------------------------------------------------- main


def compared(orders: int, folder: Path, cluster: Standalone, asked: argparse.Namespace) -> None:
    store = filled(folder, orders)
    heap = {"spark_executor_memory": asked.memory}
    named = cluster.target(store.parent / "warehouse", **heap).replace(
        "partitions=4", "partitions=32"
    )
    there = target(named)
    assert isinstance(there, SparkTarget)  # noqa: S101
    poured(store, there)
    line(f"\n--- {orders:,} orders")
    begun = time.perf_counter()
    if asked.spark:
        told("Spark, two workers", measured(named, asked.model))
        line(f"{(time.perf_counter() - begun) / orders * MILLION:.1f} s a million orders")
    if asked.duckdb:
        begun = time.perf_counter()
        told("DuckDB", measured(str(store), asked.model))
        line(f"{(time.perf_counter() - begun) / orders * MILLION:.1f} s a million orders")
        agreement(store, there)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("orders", type=int, nargs="*", default=[MILLION])
    parser.add_argument("--folder", type=Path, help="keep the shops here")
    parser.add_argument("--model", default="bg")
    parser.add_argument("--memory", default="3g", help="of each worker")
    parser.add_argument("--no-duckdb", dest="duckdb", action="store_false")
    parser.add_argument("--no-spark", dest="spark", action="store_false", help="scored before")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        return score(asked.job)
    with (
        tempfile.TemporaryDirectory() as fleeting,
        standalone(Path(fleeting), memory=asked.memory) as cluster,
    ):
        for orders in asked.orders:
            compared(orders, asked.folder or Path(fleeting), cluster, asked)


if __name__ == "__main__":
    main()
