"""A first pull of all orders, beside pymagento and my-magento in environments of their own.

python benchmarks/magento.py [--orders 50000] [--most 500000] [--no-peers]

One server answers in a fixed 50 ms a page and 1 ms an order (`magento_server.py`); each side pulls
all orders from a fresh one, as its documentation tells its users to. The server's own time is what
it was told to take, divided by the workers that ask. Then the same while orders go and late ones
come in (a range that gave fewer orders than the shop counts is read twice, and the store drops what
it has), and memory as the shop grows (from a server that takes no time).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from first_pull import SIZES, Pull, asked, figures, pulled, show
from peers.environments import HERE as SIDES
from peers.environments import python_of

PEERS = {"pymagento": "pymagento_peer.py", "my-magento": "my_magento_peer.py"}
#: From so many on my-magento is left out: it holds all orders in memory twice, a few dozen KB each.
MANY = 50_000
MOVING = 5_000


@dataclass(frozen=True, kw_only=True)
class Run(Pull):
    """One pull by so many workers; `served` is the server's own time in seconds."""

    workers: int
    served: float

    @property
    def over(self) -> float:
        """Seconds as a multiple of the server's own time; infinite where that is none."""
        return self.seconds / (self.served / self.workers) if self.served else math.inf


def pull(side: str, orders: int, *options: object, workers: int = 1, task: str = "read") -> Run:
    """One side's pull of a fresh server with so many orders."""
    if side in PEERS:
        command, arguments = (python_of(side), SIDES / PEERS[side]), (orders,)
    else:
        command, arguments = (sys.executable, SIDES / "magento_side.py"), (orders, workers, task)
    server = ("magento_server.py", "--orders", orders, *options)
    told, seen = pulled(side, command, arguments, server)
    return Run(**figures(told, seen), workers=workers, served=seen["seconds"])


def show_run(name: str, run: Run, base: Run | None) -> None:
    ratio = f"{run.speed / base.speed:6.2f}" if base else f"{'':>6}"
    show(
        f"{name:<30} {run.speed:8,.0f} {ratio} {run.seconds:8.1f} {run.served / run.workers:8.1f}"
        f" {run.over:6.2f} {run.cpu_seconds:7.1f} {run.requests:8,} {run.peak_mb:8,.0f}"
        f" {run.lost:6,} {run.doubled:7,}"
    )


def heading(title: str) -> None:
    show(f"\n{title}")
    show(
        f"{'':<30} {'orders/s':>8} {'ratio':>6} {'seconds':>8} {'server':>8} {'over':>6} {'CPU':>7}"
        f" {'requests':>8} {'peak MB':>8} {'lost':>6} {'doubled':>7}"
    )


def side_by_side(orders: int, peers: bool) -> None:
    heading(f"{orders:,} orders, 50 ms a page and 1 ms an order")
    base = pull("pymagento", orders) if peers else None
    if base:
        show_run("pymagento", base, base)
    if peers and orders <= MANY:
        show_run("my-magento", pull("my-magento", orders), base)
    for workers in (1, 4):
        name = f"clv-sync, {workers} worker{'s' * (workers > 1)}"
        show_run(name, pull("ours", orders, workers=workers), base)
    stored = pull("ours", orders, workers=4, task="store")
    show_run("clv-sync, 4 workers, stored", stored, base)


def on_the_move(peers: bool) -> None:
    heading(f"{MOVING:,} orders while some go and late ones come in below the newest")
    for side in PEERS if peers else ():
        show_run(side, pull(side, MOVING, "--moving"), None)
    for workers in (1, 4):
        run = pull("ours", MOVING, "--moving", workers=workers)
        show_run(f"clv-sync, {workers} worker{'s' * (workers > 1)}", run, None)


def growing(most: int) -> None:
    heading("4 workers, as the shop grows, from a server that takes no time")
    for orders in (size for size in SIZES if size <= most):
        run = pull("ours", orders, "--page-ms", 0, "--order-ms", 0, workers=4)
        show_run(f"{orders:,} orders", run, None)


def main() -> None:
    told = asked(__doc__)
    side_by_side(told.orders, told.peers)
    on_the_move(told.peers)
    growing(told.most)


if __name__ == "__main__":
    main()
