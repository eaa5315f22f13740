"""A scoring on a Spark cluster of two workers, beside the same in DuckDB: do they agree?

python benchmarks/spark.py [ORDERS ...] [--folder FOLDER] [--no-duckdb] [--memory 3g]
python benchmarks/spark.py --customers 1000000 3000000 10000000 30000000 --heap 512m

The shops are `filling`'s, the same orders in a DuckDB store and in a warehouse. Master and workers
are real processes on loopback. `sync.py score` runs in a process of its own for each kind of store.
Told of each stage: seconds; of the driver: most memory of the Python process and of its Java
process, apart, and the most of Java's heap that was in use behind a collection. At the end both
summaries and both scores are held against each other, row by row.

`--customers` asks for what the driver needs as a shop grows: four orders to three customers, a
warehouse alone, the driver's Java with so little heap that it has to tidy up.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import filling
import population
from peers.measure import peak_mb
from store_scores import AS_OF, HOUSE, Stages, line

from connectors.config.target import SparkTarget, target
from connectors.spark.store import SparkStore
from connectors.store import Store

sys.path.append(str(HOUSE / "tests"))
from clusters import Standalone, offspring, standalone

MILLION = 1_000_000
STAGES = (
    *("currencies", "purchase_days", "traits", "tally", "spread", "score", "excluded"),
    *("_valued", "_people", "_sample", "_chosen"),
)
EXACT = 1e-9


# ---------------------------------------------------------------------------------------- the shop


class Shop(NamedTuple):
    """So many orders of customers who behave by `model`, in a folder of their own."""

    orders: int
    folder: Path
    model: str = "bg"

    def filled(self, *stores: Path | SparkTarget) -> None:
        """The stores with these orders, made where there are none; by processes of their own."""
        made = self.folder / "orders.parquet"
        missing = [
            one for one in stores if not (one if isinstance(one, Path) else one.books).exists()
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        if missing and not made.exists():
            population.write_orders(population.Population(self.orders, self.model), made)
        for store in missing:
            filling.fill(store, made)


def file_of(store: Path | SparkTarget) -> Path:
    return store if isinstance(store, Path) else store.books


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


def measured(store: str, model: str, meanwhile: Callable[[], None] | None = None) -> dict[str, Any]:
    """The figures of a fresh process; what is to happen in the meantime happens."""
    with tempfile.TemporaryDirectory() as tidied:
        environment = os.environ | {
            "CLV_SHOPS": filling.SHOP,
            f"CLV_{filling.SHOP.upper()}_PLATFORM": "file",
            f"CLV_{filling.SHOP.upper()}_PATH": "orders.csv",
            "CLV_STORE": store,
            "CLV_MODEL": model,
            "PYTHONPATH": str(HOUSE),
            "JDK_JAVA_OPTIONS": f"-Xlog:gc:file={tidied}/%p.log",
        }
        command = [sys.executable, __file__, "--job", store]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as job:  # noqa: S603
            if meanwhile:
                meanwhile()
            said, _ = job.communicate()
        if job.returncode:
            raise subprocess.CalledProcessError(job.returncode, command)
        figures: dict[str, Any] = json.loads(said.splitlines()[-1])
        said_of_heap = "".join(log.read_text() for log in Path(tidied).iterdir())
        lasting = re.findall(r"->(\d+)M\(", said_of_heap)
    return figures | {"heap_mb": max(map(int, lasting), default=0)}


def told(kind: str, figures: dict[str, Any]) -> None:
    line(
        f"\n{kind}: Python {figures['peak_mb']:,.0f} MB, Java {figures['java_mb']:,.0f} MB,"
        f" {figures['heap_mb']:,} MB of it lasting"
    )
    for name, stage in figures["stages"].items():
        line(f"{name:>16}  {stage['s']:>8.1f} s")


# --------------------------------------------------------------------------------------- agreement


class Agreement(NamedTuple):
    """How many persons there are, and how many differ: at all in the summary, in the scores by more
    than EXACT."""

    persons: int
    summaries: int
    scored: int
    scores: int


def agreement(here: Path, there: SparkTarget) -> Agreement:
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
        return Agreement(*differ, *scores_differ(found, files))


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


def compared(shop: Shop, cluster: Standalone, asked: argparse.Namespace) -> None:
    here, (named, there) = shop.folder / "store.duckdb", warehouse(shop, cluster, asked)
    shop.filled(here, there)
    line(f"\n--- {shop.orders:,} orders")
    for kind, store, wanted in (
        ("Spark, two workers", named, asked.spark),
        ("DuckDB", str(here), asked.duckdb),
    ):
        if wanted:
            figures = measured(store, asked.model)
            told(kind, figures)
            seconds = figures["stages"]["in all"]["s"] / shop.orders * MILLION
            line(f"{seconds:.1f} s a million orders")
    if asked.duckdb:
        line(
            "summary: {:,} persons, {:,} differ\n"
            "scores: {:,} persons, {:,} differ by more than 1e-9".format(*agreement(here, there))
        )


def warehouse(
    shop: Shop, cluster: Standalone, asked: argparse.Namespace
) -> tuple[str, SparkTarget]:
    """What CLV_STORE says, and what that is."""
    settings = {"spark_executor_memory": asked.memory}
    if asked.heap:
        settings["spark_driver_memory"] = asked.heap
    named = cluster.target(shop.folder / "warehouse", **settings)
    named = named.replace("partitions=4", "partitions=32")
    there = target(named)
    assert isinstance(there, SparkTarget)  # noqa: S101
    return named, there


def grown(folder: Path, cluster: Standalone, asked: argparse.Namespace) -> None:
    """What the driver needs for each of some numbers of customers."""
    line(f"{'customers':>12}  {'orders':>12}  {'s':>7}  {'Python MB':>9}  {'Java MB':>8}  lasting")
    for customers in asked.customers:
        orders = round(customers * population.ORDERS_A_RARE_CUSTOMER)
        shop = Shop(orders, folder / f"rare-{customers}", "rare")
        named, there = warehouse(shop, cluster, asked)
        shop.filled(there)
        figures = measured(named, asked.model)
        line(
            f"{customers:>12,}  {orders:>12,}  {figures['stages']['in all']['s']:>7.0f}"
            f"  {figures['peak_mb']:>9,.0f}  {figures['java_mb']:>8,.0f}  {figures['heap_mb']:>7,}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("orders", type=int, nargs="*")
    parser.add_argument("--customers", type=int, nargs="+", default=[])
    parser.add_argument("--folder", type=Path, help="keep the shops here")
    parser.add_argument("--model", default="bg")
    parser.add_argument("--memory", default="3g", help="of each worker")
    parser.add_argument("--heap", help="of the driver's Java")
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
        folder = asked.folder or Path(fleeting)
        if asked.customers:
            grown(folder, cluster, asked)
        for orders in asked.orders or ([] if asked.customers else [MILLION]):
            compared(Shop(orders, folder / f"{orders}"), cluster, asked)


if __name__ == "__main__":
    main()
