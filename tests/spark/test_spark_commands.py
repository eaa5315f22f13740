"""The same commands over the same shop: one line of the environment says which kind of store."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from clusters import Standalone
from started import Ended, called_in

import clv

pytestmark = pytest.mark.end_to_end

LAST_DAY = "2025-12-31"
SHOP = {
    "CLV_SHOPS": "web", "CLV_WEB_PLATFORM": "file", "CLV_WEB_PATH": "orders.csv",
    "CLV_EMAIL_KEY": "the same key for both of them", "CLV_MODEL": "bg",
}  # fmt: skip
#: In this order, each with what it writes.
COMMANDS: Mapping[str, tuple[list[str], list[str]]] = {
    "doctor": (["doctor"], []),
    "backfill": (["backfill", "--as-of", LAST_DAY], []),
    "pull": (["pull"], []),
    "backtest": (["backtest", "--as-of", LAST_DAY], []),
    "plan": (["plan", "--out", "plan.jsonl"], ["plan.jsonl"]),
    "export orders": (["export", "orders", "--out", "orders-out.csv"], ["orders-out.csv"]),
    "export customers": (
        ["export", "customers", "--out", "customers.parquet", "--format", "parquet"],
        [],
    ),
    "export summary": (
        ["export", "summary", "--as-of", LAST_DAY, "--out", "summary.csv"],
        ["summary.csv"],
    ),
    "export scores": (["export", "scores", "--out", "scores.csv"], ["scores.csv"]),
    "explain": (["explain", "7"], []),
    "reconcile": (["reconcile"], []),
    "segments": (["segments", "--out", "segments.csv"], ["segments.csv"]),
    "report": (["report", "--out", "report.html"], ["report.html"]),
    "apply": (["apply", "plan.jsonl", "--yes"], []),
    "undo": (["undo"], []),
    "notify": (["notify", "--dry-run"], []),
    "erase": (["erase", "8", "--yes"], ["scores.csv", "orders-out.csv"]),
    "subject-export": (["subject-export", "9", "--out", "nine.json"], ["nine.json"]),
    "score again": (["score", "--as-of", LAST_DAY], []),
    "score by a rule": (["score", "--as-of", LAST_DAY, "--model", "repeat-rate"], []),
    "readmit": (["readmit", "8"], []),
    "erasures": (["erase"], []),
    "erase the shop": (["erase", "--shop", "web", "--everything", "--yes"], []),
    "state": (["state"], []),
}


def orders_of(folder: Path, customers: int = 300, name: str = "orders.csv") -> None:
    """Two years of customers who buy and leave as Pareto/NBD says."""
    model = clv.ParetoNBD(r=0.9, alpha=60.0, s=0.6, beta=60.0)
    spend = clv.GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
    first = pd.Timestamp("2024-01-01").date()
    orders = clv.simulate(model, customers, start=first, days=731, seed=5, spend=spend)
    rows = orders.assign(order_id=np.arange(len(orders)), currency="EUR", channel="web")
    rows["ordered_at"] = rows.ordered_at.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    folder.mkdir(exist_ok=True)
    rows.to_csv(folder / name, index=False)


@pytest.fixture(scope="module")
def ended(
    cluster: Standalone, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[tuple[Ended, dict[str, str]], ...]]:
    """What each command said and wrote, with a file and with a warehouse."""
    both = tmp_path_factory.mktemp("commands")
    kinds = {"here": "store.duckdb", "there": cluster.target(both / "there" / "warehouse")}
    done: dict[str, list[tuple[Ended, dict[str, str]]]] = {name: [] for name in COMMANDS}
    for place, store in kinds.items():
        orders_of(both / place)
        run = called_in(both / place)
        for name, (arguments, files) in COMMANDS.items():
            said = run({**SHOP, "CLV_STORE": store}, *arguments, "--json")
            wrote = {file: (both / place / file).read_text(encoding="utf-8") for file in files}
            done[name].append((said, wrote))
    return {name: tuple(said) for name, said in done.items()}


SHOPS = {
    **SHOP, "CLV_SHOPS": "web,app", "CLV_APP_PLATFORM": "file", "CLV_APP_PATH": "app.csv",
}  # fmt: skip


def test_shops_side_by_side_are_run_and_taken_back_as_on_one_machine(
    cluster: Standalone, tmp_path: Path
) -> None:
    kinds = {"here": "store.duckdb", "there": cluster.target(tmp_path / "there" / "warehouse")}
    found: dict[str, list[Any]] = {}
    for place, store in kinds.items():
        orders_of(tmp_path / place)
        orders_of(tmp_path / place, 120, "app.csv")
        run = called_in(tmp_path / place)
        ran = run({**SHOPS, "CLV_STORE": store}, "run", "--all", "--jobs", "2", "--json")
        assert ran.code == 0, ran.err
        run_id = ran.lines[-1]["run_id"]
        for arguments in (
            ("export", "scores", "--out", "scores.csv"), ("undo", run_id, "--yes"), ("undo",),
        ):  # fmt: skip
            ended = run({**SHOPS, "CLV_STORE": store}, *arguments, "--json")
            assert ended.code == 0, ended.err
            found.setdefault(place, []).append(list(map(told, ended.lines)))
        found[place].append(sorted(json.dumps(told(line)) for line in ran.lines))
        found[place].append(lasting((tmp_path / place / "scores.csv").read_text(encoding="utf-8")))
    assert found["here"] == found["there"]
    assert found["here"][-1].count("\n") > 400


#: What differs from one run to the next, or is where it ran.
FLEETING = re.compile(
    r"\d{8}T\d{6}-[0-9a-f]{6}|\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)?|scores \d+, writes \d+"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d|/(here|there)/"
    r'|"digest":"\w+"|"seconds": ?[\d.]+|in [\d.]+ s\b'
)


def lasting(text: str) -> str:
    return FLEETING.sub("…", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_and_writes_the_same_on_both(
    ended: dict[str, tuple[tuple[Ended, dict[str, str]], ...]], name: str
) -> None:
    (here, wrote_here), (there, wrote_there) = ended[name]
    assert (here.code, there.code) == (0, 0), here.err + there.err
    assert list(map(told, here.lines)) == list(map(told, there.lines))
    for file, text in wrote_here.items():
        assert lasting(text) == lasting(wrote_there[file]), file


def told(line: dict[str, Any]) -> Any:
    """A line of the command's, without what is of its moment alone."""
    moment = ("took", "seconds")
    known = {name: value for name, value in line.items() if name not in moment}
    return json.loads(lasting(json.dumps(known)))
