"""A worker that is killed in the middle of scoring: everybody is scored, and nobody twice."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from clusters import Standalone, lacking, standalone
from made_rows import NOW
from started import bare

from connectors.config.target import SparkTarget, target
from connectors.spark.store import SparkStore

pytestmark = pytest.mark.end_to_end

CUSTOMERS, PARTS = 600, 12
#: The driver, a process of its own: it tells when it begins to score, and how many it has scored.
SLOWLY = Path(__file__).with_name("scored_slowly.py")


def running(folder: Path) -> int:
    """Files that workers have begun, or have written."""
    return len([*folder.glob("log/scores/*/*"), *folder.glob("log/scores/*/.*")])


def test_a_worker_killed_in_the_middle_of_scoring_loses_nothing(tmp_path: Path) -> None:
    if lacking():
        pytest.skip(lacking())
    warehouse = tmp_path / "warehouse"
    with standalone(tmp_path) as cluster:
        apart = {
            "spark_sql_files_maxPartitionBytes": "65536",
            "spark_sql_adaptive_coalescePartitions_enabled": "false",
        }
        named = cluster.target(warehouse, **apart)
        command = [sys.executable, SLOWLY, named.replace("partitions=4", f"partitions={PARTS}")]
        path = ":".join(map(str, (SLOWLY.parents[2], SLOWLY.parents[1])))
        with subprocess.Popen(
            [*command, str(CUSTOMERS)],
            env={**bare(), "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        ) as driver:
            killed_in_the_middle(cluster, warehouse)
            out, _ = driver.communicate(timeout=240)
        assert driver.returncode == 0
        assert out.split() == ["told", str(CUSTOMERS)]
        found = target(named)
        assert isinstance(found, SparkTarget)
        with SparkStore.on(found, now=NOW) as store:
            scores = store.latest_scores("eu")
    assert sorted(scores["person_key"]) == sorted(map(str, range(CUSTOMERS)))
    assert scores["person_key"].is_unique
    left = {path for path in warehouse.glob("log/scores/*/*")}
    assert sum(pq.read_metadata(path).num_rows for path in left) == CUSTOMERS


def killed_in_the_middle(cluster: Standalone, warehouse: Path) -> None:
    """Once some parts are written and others under way."""
    until = time.monotonic() + 180
    while running(warehouse) < 4:
        assert time.monotonic() < until, "nothing was ever scored"
        time.sleep(0.05)
    assert running(warehouse) < PARTS
    cluster.kill("worker-1")


def test_a_cluster_without_workers_is_told_and_not_waited_for(tmp_path: Path) -> None:
    if lacking():
        pytest.skip(lacking())
    with standalone(tmp_path, workers=0) as cluster:
        named = cluster.target(tmp_path / "warehouse")
        command = [sys.executable, SLOWLY, named, "3", "--patience", "3"]
        path = ":".join(map(str, (SLOWLY.parents[2], SLOWLY.parents[1])))
        ended = subprocess.run(
            command, env={**bare(), "PYTHONPATH": path}, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert f"no worker of spark://127.0.0.1:{cluster.port} took the work within 3 s" in ended.stderr
