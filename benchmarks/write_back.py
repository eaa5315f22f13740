"""What a plan and its write-back cost by the number of customers: seconds and memory.

python benchmarks/write_back.py [customers ...] [--folder FOLDER] [--only STEP ...]

A store with scores put straight in, and a shop in this process that takes what it is told and says
so: what is measured is ours alone, not a platform's. Each step runs in a process of its own.

first    `plan --out`, where no customer shows anything yet: every one of them changes
apply    `apply FILE` of that plan
steady   `plan`, where customers show their scores, and one in twenty another tier
run      `run` without its scoring: the same customers pulled, planned and written
undo     `undo` of the `apply`
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from unittest import mock

import pyarrow as pa
from peers.measure import peak_mb

from connectors.platform import Page
from connectors.schema import FIELDS, TAG, Change, Customer, Outcome, Shown, tier_tag
from connectors.store import Store

SHOP = "bench"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE_ROWS = 10_000
STEPS = ("first", "apply", "steady", "run", "undo")
TIERS = ("high", "medium", "low")
COMMANDS = {
    "first": ["plan", "--out", "bench.plan"],
    "apply": ["apply", "bench.plan"],
    "steady": ["plan"],
    "run": ["run"],
}


def id_of(number: int) -> str:
    return str(7_000_000_000 + number)


def fields_of(number: int) -> dict[str, str]:
    """What a customer's score says, in the schema's words."""
    return {
        "tier": TIERS[number % 10 // 4],
        "predicted_12m": f"{number % 99_991 / 100:.2f}",
        "historic_net": f"{number % 49_999 / 100:.2f}",
        "currency": "EUR",
        "p_alive": f"{number % 9_973 / 10_000:.4f}",
        "next_order_date": (NOW.date() + timedelta(days=number % 300)).isoformat(),
        "reason": f"{number % 17 + 1} orders, the last {number % 400} days ago, likely to return",
        "model": "BG/NBD and Gamma-Gamma",
        "scored_at": NOW.date().isoformat(),
    }


def fill(path: Path, customers: int) -> None:
    with Store.open(path, now=NOW) as store:
        run_id = store.start_run("score", [SHOP], NOW)
        rows = range(0, customers, 100_000)
        store.save_scores(run_id, (scores(range(n, min(n + 100_000, customers))) for n in rows))


def scores(numbers: Sequence[int]) -> pa.Table:
    told = [fields_of(number) for number in numbers]
    ids = [id_of(number) for number in numbers]

    def texts(field: str) -> pa.Array:
        return pa.array([one[field] for one in told])

    def money(field: str) -> pa.Array:
        return pa.array([Decimal(one[field]) for one in told], pa.decimal128(18, 2))

    figures = {f"figure_{n}": pa.array([number / 7 for number in numbers]) for n in range(12)}
    return pa.table(
        {
            "shop": pa.repeat(SHOP, len(ids)),
            "person_key": ids,
            "customer_id": ids,
            "as_of": pa.repeat(NOW.date(), len(ids)),
            "currency": texts("currency"),
            "tier": texts("tier"),
            "predicted_clv": money("predicted_12m"),
            "historic_net": money("historic_net"),
            "p_alive": pa.array([float(one["p_alive"]) for one in told]),
            "next_order_on": texts("next_order_date").cast(pa.date32()),
            "reason": texts("reason"),
            "model": texts("model"),
            **figures,
        }
    )


class Shop:
    """Shows what a step says; takes every change, and keeps none."""

    shop = SHOP
    shows = (*FIELDS, TAG)
    batch_size = 1_000

    def __init__(self, customers: int, is_empty: bool) -> None:
        self._customers = customers
        self._is_empty = is_empty

    def pull_orders(self, *_: object) -> Iterator[Page]:
        yield Page({"done": 1})

    def pull_customers(self, *_: object) -> Iterator[Page]:
        for begin in range(0, self._customers, PAGE_ROWS):
            numbers = range(begin, min(begin + PAGE_ROWS, self._customers))
            yield Page(
                {"customer": numbers.stop},
                customers=[customer(number) for number in numbers],
                shown={id_of(number): self._shown(number) for number in numbers},
                expected=self._customers,
            )

    def _shown(self, number: int) -> Shown:
        if self._is_empty:
            return {}
        told = fields_of(number)
        if number % 20 == 0:
            told["tier"] = "new"
        return {**told, TAG: tier_tag(told["tier"])}

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        for change in changes:
            yield Outcome(change.customer_id, "applied", change.after)


def customer(number: int) -> Customer:
    return Customer(SHOP, id_of(number), None, None, None, NOW, NOW)


def step(name: str, customers: int) -> None:
    """In this process, in the folder with the store; its figures as one line."""
    os.environ |= {
        "CLV_SHOPS": SHOP,
        f"CLV_{SHOP.upper()}_PLATFORM": "file",
        f"CLV_{SHOP.upper()}_PATH": "orders.csv",
        "CLV_STORE": "store.duckdb",
    }
    import sync
    from connectors import session
    from jobs import planning

    shop = Shop(customers, is_empty=name in ("first", "apply"))
    command = COMMANDS.get(name) or ["undo", last_apply(), "--yes"]
    begun, cpu, before = time.perf_counter(), time.process_time(), peak_mb()
    with (
        redirect_stdout(StringIO()) as told,
        mock.patch.object(session, "open_shop", return_value=shop),
        mock.patch.object(planning, "score_shop"),
    ):
        sync.app(["--json", *command], standalone_mode=False)
    summary = json.loads(told.getvalue().splitlines()[-1])
    figures = {
        "s": round(time.perf_counter() - begun, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "peak_mb": round(peak_mb()),
        "import_mb": round(before),
        "changes": summary.get("changes", summary["shops"].get(SHOP, {}).get("planned")),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def last_apply() -> str:
    with Store.open(Path("store.duckdb"), now=NOW) as store:
        return next(run_id for run_id, command, *_ in store.write_runs() if command == "apply")


def measured(customers: int, steps: Sequence[str], folder: Path) -> Iterator[str]:
    own = Path(tempfile.mkdtemp(dir=folder))
    fill(own / "store.duckdb", customers)
    for name in steps:
        done = subprocess.run(  # noqa: S603  # ourselves
            [sys.executable, __file__, str(customers), "--step", name],
            cwd=own, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        yield f"{customers:>10,} {name:7} {(done.stdout or done.stderr[-500:]).strip()}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", type=int, nargs="*", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=STEPS)
    asked = parser.parse_args()
    if asked.step:
        return step(asked.step, asked.customers[0])
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for customers in asked.customers:
            for line in measured(customers, asked.only, Path(folder)):
                sys.stdout.write(line + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
