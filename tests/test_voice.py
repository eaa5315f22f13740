"""What the scheduled job says: a line for people, JSON for programs, a textfile for alarms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from started import Run

pytestmark = pytest.mark.end_to_end

HEADER = "customer_id,ordered_at,net_value\n"


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, str]:
    day = datetime.now(UTC).date().isoformat()
    rows = "".join(f"c{n % 4},{day}T0{n}:00:00,{n}.50\n" for n in range(8))
    (tmp_path / "orders.csv").write_text(HEADER + rows)
    return {
        "CLV_SHOPS": "x",
        "CLV_X_PLATFORM": "file",
        "CLV_X_PATH": "orders.csv",
        "CLV_MODEL": "mbg",
        "CLV_METRICS": "clv.prom",
    }


def told(folder: Path) -> Mapping[str, float]:
    text = (folder / "clv.prom").read_text()
    return {
        sample.name.removeprefix("clv_sync_"): sample.value
        for family in families(text)
        for sample in family.samples
        if not sample.labels
    }


def test_a_quiet_run_says_one_line_and_a_failed_one_says_why_on_stderr(
    run: Run, shop: dict[str, str]
) -> None:
    good = run(shop, "--quiet", "run")
    assert (good.code, good.out, good.err) == (0, "run done\n", "")
    bad = run({**shop, "CLV_X_PATH": "gone.csv"}, "--quiet", "run")
    assert (bad.code, bad.out) == (1, "run ended with exit code 1\n")
    assert "gone.csv" in bad.err


def test_programs_get_json_alone_and_the_summary_last(run: Run, shop: dict[str, str]) -> None:
    for path, code in (("orders.csv", 0), ("gone.csv", 1)):
        ended = run({**shop, "CLV_X_PATH": path}, "run", "--json")
        lines = [json.loads(line) for line in ended.out.splitlines()]
        assert [line["event"] == "summary" for line in lines] == [False] * (len(lines) - 1) + [True]
        assert lines[-1]["exit_code"] == ended.code == code


def test_the_last_success_moves_on_success_alone(
    run: Run, shop: dict[str, str], tmp_path: Path
) -> None:
    assert run(shop, "run").code == 0
    first = told(tmp_path)
    assert first["last_success_timestamp_seconds"] == first["last_run_timestamp_seconds"]
    assert run({**shop, "CLV_X_PATH": "gone.csv"}, "run").code == 1
    failed = told(tmp_path)
    assert failed["last_run_failed"] == 1
    assert failed["last_run_timestamp_seconds"] > first["last_run_timestamp_seconds"]
    assert failed["last_success_timestamp_seconds"] == first["last_success_timestamp_seconds"]
    with (tmp_path / "orders.csv").open("a") as orders:
        orders.write("c9,yesterday,1\n")
    assert run(shop, "run").code == 3  # a row was put aside: somebody should look
    aside = told(tmp_path)
    assert aside["last_run_failed"] == 1
    assert aside["last_success_timestamp_seconds"] == first["last_success_timestamp_seconds"]


def test_other_commands_leave_the_textfile_alone(
    run: Run, shop: dict[str, str], tmp_path: Path
) -> None:
    assert run(shop, "backfill").code == 0
    assert not (tmp_path / "clv.prom").exists()
