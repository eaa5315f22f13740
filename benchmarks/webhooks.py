"""Webhooks under load: `clv-sync serve` as its users start it, deliveries from another process.

python benchmarks/webhooks.py [--rate 200] [--seconds 30]

One in ten deliveries comes twice, one in twenty is badly signed, their instants are in no order,
and meanwhile a run drains the queue again and again. Told: how long answers took (from the instant
that each delivery was due), what was answered, and whether every order that was delivered with a
good signature is in the queue just once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from connectors.hints import Hints, beside  # noqa: E402  from this very checkout

SECRET = "shpss_of_a_benchmark"  # noqa: S105  opens nothing
LIMIT_MS = 250


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """`serve` on a free port of loopback: its address and process, ended as a supervisor would."""
    environment = {
        "PATH": os.environ["PATH"],
        "CLV_SHOPS": "us",
        "CLV_US_PLATFORM": "shopify",
        "CLV_US_URL": "https://us.myshopify.com",
        "CLV_US_TOKEN": "unused",
        "CLV_US_CLIENT_SECRET": SECRET,
        "CLV_STORE": str(folder / "store.duckdb"),
    }
    command = [sys.executable, str(ROOT / "sync.py"), "serve", "--port", "0", "--json"]
    log = folder / "serve.log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, env=environment, cwd=folder, stdout=out) as process,  # noqa: S603
    ):
        try:
            yield _address(log), process.pid
        finally:
            process.terminate()
            process.wait(timeout=20)


def _address(log: Path) -> str:
    ends_at = time.monotonic() + 20
    while time.monotonic() < ends_at:
        if line := log.read_text():
            return str(json.loads(line)["url"])
        time.sleep(0.05)
    raise SystemExit("serve did not start")


def drained(hints: Hints) -> Counter[str]:
    """What a run takes: all that waits, settled behind it."""
    told = hints.pending("us")
    if told:
        hints.settle(told, datetime.now(UTC))
    return Counter(order for hint in told for order in hint.orders)


def measured(rate: int, seconds: int) -> dict[str, Any]:
    """One load, and what was kept of it."""
    plan = {"rate": rate, "seconds": seconds, "replayed": 0.1, "forged": 0.05, "connections": 40}
    with TemporaryDirectory() as name, serving(Path(name)) as (url, pid):
        idle, report = _cpu_seconds(pid), Path(name) / "load.json"
        load = str(ROOT / "benchmarks" / "webhook_load.py")
        command = [sys.executable, load, f"{url}/webhooks", SECRET, json.dumps(plan)]
        kept: Counter[str] = Counter()
        with (
            Hints.open(beside(Path(name) / "store.duckdb")) as hints,
            report.open("w") as out,
            subprocess.Popen(command, stdout=out) as sender,  # noqa: S603  our own file
        ):
            while sender.poll() is None:
                kept += drained(hints)
                time.sleep(0.5)
            kept += drained(hints)
        cpu = _cpu_seconds(pid) - idle
        return {**json.loads(report.read_text()), "kept": kept, "cpu": cpu}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rate", type=int, default=200)
    arguments.add_argument("--seconds", type=int, default=30)
    asked = arguments.parse_args()
    told = measured(asked.rate, asked.seconds)
    every = [second for seconds in told["seconds"].values() for second in seconds]
    statuses = {status: len(seconds) for status, seconds in sorted(told["seconds"].items())}
    lost = set(map(str, told["accepted"])) - set(told["kept"])
    twice = {order for order, times in told["kept"].items() if times > 1}
    stray = set(told["kept"]) - set(map(str, told["signed"]))
    p50, p99 = (1000 * percentile(every, share) for share in (0.5, 0.99))
    lines = (
        f"{len(every):,} deliveries at {asked.rate} a second for {asked.seconds} s: {statuses}",
        f"answers: median {p50:.1f} ms, p99 {p99:.1f} ms (limit {LIMIT_MS}), "
        f"longest {1000 * max(every):.1f} ms; the sender itself was late by "
        f"{1000 * told['late']:.1f} ms at most",
        f"orders: {len(told['signed']):,} delivered, {len(told['accepted']):,} accepted, "
        f"{len(told['kept']):,} kept, {len(lost)} lost, {len(twice)} twice, "
        f"{len(stray)} that nobody signed",
        f"server: {told['cpu']:.1f} s of CPU, {1e6 * told['cpu'] / len(every):.0f} us a delivery",
    )
    print("\n".join(lines))  # noqa: T201  a benchmark's report
    whole = set(told["signed"]) == set(told["accepted"]) and not (lost or twice or stray)
    sys.exit(0 if whole and p99 < LIMIT_MS else 1)


if __name__ == "__main__":
    main()
