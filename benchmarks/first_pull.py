"""What the benchmarks of a first pull share: one side in its process, and a fresh server."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from loopback import started
from peers.environments import surroundings

SIZES = (10_000, 50_000, 100_000, 500_000)


@dataclass(frozen=True, kw_only=True)
class Pull:
    """What a side told of its pull; `requests` are the server's count."""

    seconds: float
    orders: int
    lost: int
    doubled: int
    peak_mb: float
    cpu_seconds: float
    requests: int

    @property
    def speed(self) -> float:
        return self.orders / self.seconds


def figures(told: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """A `Pull`'s, of what `pulled` gives. Who is `gone` from the shop wasn't lost."""
    lost = set(told["missing"]) - set(seen["gone"])
    same = {name: told[name] for name in ("seconds", "doubled", "peak_mb", "cpu_seconds")}
    orders = told["given"] - told["doubled"]
    return {**same, "orders": orders, "lost": len(lost), "requests": seen["requests"]}


def pulled(
    side: str, command: Sequence[object], arguments: Sequence[object], server: Sequence[object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the side told at its end, and what the server saw of it.

    `command` is run with the server's address and `arguments` behind it.
    """
    with started(*map(str, server)) as address, TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 -- our own words
            [str(part) for part in (*command, address, *arguments)],
            env=surroundings(),
            capture_output=True,
            text=True,
            cwd=folder,
        )
        if done.returncode:
            raise SystemExit(f"{side} failed:\n{done.stderr[-3000:]}")
        with urlopen(f"{address}/_served") as answer:  # noqa: S310 -- our own server
            return json.loads(done.stdout.splitlines()[-1]), json.load(answer)


def show(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def asked(description: str | None) -> argparse.Namespace:
    """How many orders, up to how many as the shop grows, and whether the peers pull, too."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--most", type=int, default=500_000)
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    return parser.parse_args()
