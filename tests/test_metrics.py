"""The textfile: a failed run is told, and leaves the last success where it was."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from connectors import metrics
from connectors.config import read_settings
from connectors.errors import ConfigurationError
from connectors.session import opened
from connectors.store import Run
from connectors.terminal import Terminal

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
GOOD = Run("a", "run", ["eu"], AT, AT + timedelta(seconds=90), "exit 0", {"eu.orders": 12})
NEXT_DAY = AT + timedelta(days=1)
BAD = Run(
    "b", "run", ["eu"], NEXT_DAY, NEXT_DAY + timedelta(hours=1), "exit 13",
    {"eu.orders": 3, "us_2.applied": 4},
)  # fmt: skip


def told(path: Path, *runs: Run) -> dict[tuple[str, ...], float]:
    metrics.write(path, runs)
    return {
        (sample.name.removeprefix("clv_sync_"), *sample.labels.values()): sample.value
        for family in families(path.read_text())
        for sample in family.samples
    }


def test_others_may_read_the_file_and_nobody_else_may_write_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        metrics.write(tmp_path / "clv.prom", [GOOD])
    finally:
        os.umask(before)
    assert (tmp_path / "clv.prom").stat().st_mode & 0o777 == 0o644


def test_a_good_run_is_the_last_and_the_last_success(tmp_path: Path) -> None:
    found = told(tmp_path / "clv.prom", GOOD)
    ended = (AT + timedelta(seconds=90)).timestamp()
    assert found == {
        ("last_run_timestamp_seconds",): ended,
        ("last_success_timestamp_seconds",): ended,
        ("last_run_failed",): 0,
        ("last_run_duration_seconds",): 90,
        ("last_run_rows", "eu", "orders"): 12,
    }


def test_a_failed_run_leaves_the_last_success_alone(tmp_path: Path) -> None:
    found = told(tmp_path / "clv.prom", GOOD, BAD)
    assert found["last_run_failed",] == 1
    assert found["last_success_timestamp_seconds",] == (AT + timedelta(seconds=90)).timestamp()
    assert found["last_run_rows", "us_2", "applied"] == 4


def test_a_job_that_never_succeeded_has_no_last_success(tmp_path: Path) -> None:
    assert ("last_success_timestamp_seconds",) not in told(tmp_path / "clv.prom", BAD)


def test_a_file_that_cant_be_written_is_told_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CLV_METRICS"):
        metrics.write(tmp_path / "nowhere" / "clv.prom", [GOOD])


def test_metrics_that_fail_too_hide_no_error_of_the_run(tmp_path: Path) -> None:
    given = {
        "CLV_SHOPS": "eu", "CLV_EU_PLATFORM": "file", "CLV_EU_PATH": str(tmp_path / "orders.csv"),
        "CLV_STORE": str(tmp_path / "store.duckdb"), "CLV_METRICS": str(tmp_path / "no" / "x.prom"),
    }  # fmt: skip
    settings = read_settings(given)
    run = opened(settings, [], "run", Terminal(quiet=True), lambda: AT, lambda: False)
    with pytest.raises(LookupError, match="the real one"), run:
        raise LookupError("the real one")
