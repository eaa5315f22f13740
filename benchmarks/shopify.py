"""A first pull of all orders, beside dlt and airbyte-source-shopify in environments of their own.

python benchmarks/shopify.py [--orders 50000] [--most 500000] [--no-peers]

One server takes 50 ms a page and 1 ms an order, in bulk as over REST, and holds every side to the
calls, points and operations of a plan (`shopify_server.py` tells what it simulates and what not);
each side pulls all orders from a fresh one, as its documentation tells its users to. Peers page
REST, the only way that they have; we are shown both ways. Then the processor's time for the same
bytes from a server that takes no time: `requests` and json over the pages of REST beside our REST,
and over one bulk file, a line at a time and nothing joined, beside our bulk, which ends in checked
rows. CPU is the whole process, start and all. At last memory as the shop grows.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from first_pull import SIZES, Pull, asked, figures, pulled, show
from peers.environments import HERE as SIDES
from peers.environments import python_of

PLANS = {"Basic, 2 calls and 100 points a second": "standard", "Plus, ten times that": "plus"}
NO_TIME = ("--page-ms", 0, "--order-ms", 0, "--plan", "none")


@dataclass(frozen=True)
class Side:
    """A way to pull: what it is called, its script, what that is told behind address and number."""

    name: str
    script: str
    told: tuple[str, ...] = ()
    peer: str = ""

    @property
    def python(self) -> Path:
        return python_of(self.peer) if self.peer else Path(sys.executable)


DLT = Side("dlt, REST client", "dlt_peer.py", peer="dlt")
AIRBYTE = Side("airbyte-source-shopify", "airbyte_peer.py", peer="airbyte")
PLAIN_REST = Side("requests + json, REST", "requests_peer.py", ("rest",))
PLAIN_FILE = Side("requests + json, one bulk file", "requests_peer.py", ("file",))
REST = Side("clv-sync, REST", "shopify_side.py", ("rest", "read"))
BULK = Side("clv-sync, bulk", "shopify_side.py", ("bulk", "read"))
STORED = Side("clv-sync, bulk, stored", "shopify_side.py", ("bulk", "store"))


@dataclass(frozen=True, kw_only=True)
class Run(Pull):
    """One pull, and how many MB the server sent for it."""

    mb: float


def pull(side: Side, orders: int, *options: object) -> Run:
    """One side's pull of a fresh server with so many orders."""
    command = (side.python, SIDES / side.script)
    server = ("shopify_server.py", "--orders", orders, *options)
    told, seen = pulled(side.name, command, (orders, *side.told), server)
    return Run(**figures(told, seen), mb=seen["mb"])


def heading(title: str) -> None:
    show(f"\n{title}")
    show(
        f"{'':<32} {'orders/s':>8} {'ratio':>6} {'seconds':>8} {'CPU':>7} {'µs/order':>8}"
        f" {'requests':>8} {'MB':>7} {'peak MB':>8} {'lost':>6} {'doubled':>7}"
    )


def show_run(name: str, run: Run, base: Run | None) -> None:
    ratio = f"{run.speed / base.speed:6.2f}" if base else f"{'':>6}"
    show(
        f"{name:<32} {run.speed:8,.0f} {ratio} {run.seconds:8.1f} {run.cpu_seconds:7.1f}"
        f" {run.cpu_seconds / run.orders * 1e6:8,.0f} {run.requests:8,} {run.mb:7,.0f}"
        f" {run.peak_mb:8,.0f} {run.lost:6,} {run.doubled:7,}"
    )


def compared(sides: tuple[Side, ...], orders: int, *options: object) -> None:
    """Each side once; ratios are to the first."""
    base = None
    for side in sides:
        run = pull(side, orders, *options)
        base = base or run
        show_run(side.name, run, base)


def side_by_side(orders: int, peers: tuple[Side, ...]) -> None:
    for told, plan in PLANS.items():
        heading(f"{orders:,} orders, 50 ms a page and 1 ms an order; {told}")
        compared((*peers, REST, BULK, STORED), orders, "--plan", plan)


def growing(most: int) -> None:
    heading("clv-sync, bulk, as the shop grows, from a server that takes no time")
    for orders in (size for size in SIZES if size <= most):
        show_run(f"{orders:,} orders", pull(BULK, orders, *NO_TIME), None)


def main() -> None:
    told = asked(__doc__)
    side_by_side(told.orders, (DLT, AIRBYTE) if told.peers else ())
    heading(f"{told.orders:,} orders from a server that takes no time")
    compared((PLAIN_REST, PLAIN_FILE, REST, BULK), told.orders, *NO_TIME)
    growing(told.most)


if __name__ == "__main__":
    main()
