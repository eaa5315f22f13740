"""`state`: what the history of runs tells, to people and to programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from started import Run as Command

from connectors import history
from connectors.store import Run
from connectors.terminal import Terminal

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
DAY = timedelta(days=1)
GOOD = Run(
    "a", "run", ["eu", "us"], AT, AT + timedelta(seconds=90.25), "exit 0",
    {"eu.orders": 1200, "eu.applied": 0, "us.scored": 7},
)  # fmt: skip
BAD = Run("b", "run", ["eu"], AT + DAY, AT + DAY, "exit 13", {}, {"eu": "can't be [reached]"})
KILLED = Run("c", "run", ["eu"], AT + 2 * DAY, None, None, {})
ODD = Run("d", "plan", ["eu"], AT + 2 * DAY, AT + 3 * DAY, "StalePlan", {}, {"": "is stale"})


def told(capsys: pytest.CaptureFixture[str], *runs: Run) -> list[str]:
    history.history(Terminal(), runs)
    return capsys.readouterr().out.splitlines()


def test_people_see_the_newest_first_how_it_ended_and_what_was_done_to_whom(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told(capsys, GOOD, KILLED) == [
        "c                       2026-11-24 03:00           run       did not end",
        "a                       2026-11-22 03:00  0:01:30  run       done",
        "    eu: orders 1,200",
        "    us: scored 7",
    ]


def test_why_a_run_failed_stands_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, BAD, ODD) == [
        "d                       2026-11-24 03:00  1 day, 0:00:00  plan      StalePlan",
        "    is stale",
        "b                       2026-11-23 03:00  0:00:00  run       shop not reached",
        "    eu: can't be [reached]",
    ]


def test_a_runs_id_is_whole_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    long = Run("20261129T173250-000012", "run", ["eu"], AT, AT, "exit 0", {"eu.orders": 7})
    first, second = told(capsys, long)
    assert first.startswith("20261129T173250-000012  ")
    assert second == "    eu: orders 7"


def test_programs_get_instants_seconds_codes_and_counts() -> None:
    assert history.facts(GOOD) == {
        "run_id": "a",
        "command": "run",
        "shops": ["eu", "us"],
        "started_at": "2026-11-22T03:00:00+00:00",
        "finished_at": "2026-11-22T03:01:30.250000+00:00",
        "seconds": 90.25,
        "exit_code": 0,
        "status": "exit 0",
        "counts": {"eu": {"orders": 1200, "applied": 0}, "us": {"scored": 7}},
        "failures": {},
    }
    assert history.facts(KILLED)["seconds"] is None
    assert history.facts(ODD)["exit_code"] is None


@pytest.mark.parametrize(
    ("runs", "line"),
    [
        ([GOOD], "Last success of `run`: 2026-11-22 03:01 UTC, 4 days ago"),
        ([GOOD, BAD, KILLED], "Last success of `run`: 2026-11-22 03:01 UTC, 4 days ago;"
                              " 2 without success since"),
        ([BAD], "Last success of `run`: never; 1 without success since"),
    ],
)  # fmt: skip
def test_it_tells_when_the_scheduled_job_last_went_well(
    runs: list[Run], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history.schedule(Terminal(), runs, AT + 5 * DAY)
    assert capsys.readouterr().out.splitlines() == [line]


@pytest.mark.end_to_end
def test_state_tells_of_runs_good_and_bad(run: Command, tmp_path: Path) -> None:
    day = datetime.now(UTC).date().isoformat()
    rows = "".join(f"c{n % 4},{day}T0{n}:00:00,{n}.50\n" for n in range(8))
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,net_value\n" + rows)
    shop = {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "file", "CLV_X_PATH": "orders.csv"}
    assert run({**shop, "CLV_MODEL": "mbg"}, "run").code == 0
    assert run({**shop, "CLV_X_PATH": "gone.csv"}, "run").code == 1
    assert run(shop, "pull").code == 0
    bad, good = run(shop, "state", "--only", "run", "--json").events("history")
    assert (good["exit_code"], good["counts"]["x"]["scored"]) == (0, 4)
    assert bad["exit_code"] == 1
    assert "gone.csv" in bad["failures"]["x"]
    (schedule,) = run(shop, "state", "--json").events("schedule")
    assert schedule["without_success_since"] == 1
