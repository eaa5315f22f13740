"""The examples for Airflow and Dagster, loaded by those: a unit for a shop, exit codes as meant.

Each runs in an environment of its own, which AIRFLOW_PYTHON and DAGSTER_PYTHON name; without, and
where they aren't installed beside us either, the tests skip.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from started import ROOT, bare

HERE = Path(__file__).parent
FILES = ROOT / "docs" / "schedule"
pytestmark = pytest.mark.end_to_end


def shape(library: str, file: str, folder: Path) -> Any:
    python = os.environ.get(f"{library.upper()}_PYTHON")
    if python is None and find_spec(library) is None:
        pytest.skip(f"{library} is not installed; {library.upper()}_PYTHON may name its Python")
    stub = folder / "clv-sync"
    stub.write_text('#!/bin/sh\necho "$@" >> asked\nexit "$(cat code)"\n')
    stub.chmod(0o755)
    ended = subprocess.run(
        [python or sys.executable, HERE / f"{library}_shape.py", FILES / file, folder],
        env={**bare(), "AIRFLOW_HOME": str(folder), "DAGSTER_HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    asked = (folder / "asked").read_text().splitlines()
    assert set(asked) == {"--non-interactive --shop eu run"}
    return json.loads(ended.stdout.splitlines()[-1])


def test_airflow_has_a_task_a_shop_and_heeds_the_exit_codes(tmp_path: Path) -> None:
    told = shape("airflow", "airflow_dag.py", tmp_path)
    assert told["dag"] == "clv_sync"
    assert told["at_a_time"] == [1, 1]
    assert told["tasks"] == {"sync_eu": 3, "sync_us": 3}
    fails = "AirflowFailException"
    assert told["codes"] == {
        **dict.fromkeys(("0", "3"), "success"),
        **dict.fromkeys(("1", "12", "14", "16"), fails),
        "11": "AirflowSkipException",
        "13": "AirflowException",
    }


def test_dagster_has_an_asset_a_shop_and_heeds_the_exit_codes(tmp_path: Path) -> None:
    told = shape("dagster", "dagster_definitions.py", tmp_path)
    assert told["assets"] == ["clv_eu", "clv_us"]
    assert told["schedules"] == {"clv_sync_schedule": "17 3 * * *"}
    assert told["executor"] == "in_process"
    assert told["codes"] == {
        **dict.fromkeys(("0", "3"), "success"),
        **dict.fromkeys(("1", "12", "14", "16"), "failure"),
        "11": "skipped",
        "13": "retry 3",
    }
