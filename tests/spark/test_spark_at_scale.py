"""A large shop in both kinds of store, a worker killed while it is scored: still the same.

`SPARK_ORDERS` says how large; `make spark-full` asks for ten million orders.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from clusters import Standalone, lacking, standalone
from started import ROOT

pytestmark = [pytest.mark.end_to_end, pytest.mark.thorough]

ORDERS = int(os.environ.get("SPARK_ORDERS", "200000"))
#: So that there are some parts of the customers still to come when others are done.
PARTS = 12
BYTES_A_CUSTOMER = 40


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    sys.modules.pop("spark", None)
    return importlib.import_module("spark")


def test_a_large_shop_is_the_same_on_both_though_a_worker_dies(
    benchmark: ModuleType, tmp_path: Path
) -> None:
    if lacking():
        pytest.skip(lacking())
    shop = benchmark.Shop(ORDERS, Path(os.environ.get("SPARK_FOLDER", tmp_path)) / f"{ORDERS}")
    here = shop.folder / "store.duckdb"
    with standalone(tmp_path, memory="3g") as cluster:
        named, there = benchmark.warehouse(shop, cluster, Namespace(memory="3g", heap="1g"))
        named += (
            f"&spark.sql.files.maxPartitionBytes={ORDERS * 3 // 10 * BYTES_A_CUSTOMER // PARTS}"
        )
        shop.filled(here, there)
        before, killed = set(there.warehouse.glob("log/scores/*")), list[int]()
        spark = benchmark.measured(
            named, "bg", lambda: killed.append(killed_in_the_middle(cluster, there.warehouse))
        )
        every = len(parts(there.warehouse, before))
    duckdb = benchmark.measured(str(here), "bg")
    for kind, figures in {"Spark, a worker killed": spark, "DuckDB": duckdb}.items():
        benchmark.told(kind, figures)
    found = benchmark.agreement(here, there)
    benchmark.line(f"{found}; {killed[0]} parts of {every} done when the worker died")
    assert found.persons == found.scored > ORDERS * 0.25
    assert (found.summaries, found.scores) == (0, 0)
    assert 0 < killed[0] < every


def killed_in_the_middle(cluster: Standalone, warehouse: Path) -> int:
    """Once some customers are scored and others are not; how many parts were."""
    until = time.monotonic() + 3600
    before = set(warehouse.glob("log/scores/*"))
    while not (done := parts(warehouse, before)):
        assert time.monotonic() < until, "nobody was ever scored"
        time.sleep(0.02)
    cluster.kill("worker-1")
    return len(done)


def parts(warehouse: Path, before: set[Path]) -> list[Any]:
    """The files of this scoring that are whole."""
    return [
        file
        for folder in set(warehouse.glob("log/scores/*")) - before
        for file in folder.glob("[0-9]*.parquet")
    ]
