"""What a whole scoring from the order store costs, stage by stage, each in a fresh process.

python benchmarks/store_scores.py [orders ...] [--model bg auto] [--folder FOLDER]

A store of simulated orders, ten to three customers, is filled (`filling`), then `sync.py score`
runs on it as its owner would start it. Told of each stage: seconds, processor seconds, most memory,
most spilt to the disk. Of several sizes also how processor time and wall time grew, as a share of
n log n: at most 1 is no faster.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import filling
from peers.measure import peak_mb

HOUSE = Path(__file__).resolve().parents[1]
AS_OF = filling.NOW.date().isoformat()
#: What is timed: what `jobs.scoring.score_shop` asks of the store and of the engine. The second and
#: third are parts of `save_scores`.
STORE = (
    *("currencies", "purchase_days", "traits", "tally", "spread"),
    *("score", "save_scores", "to_score", "excluded"),
)
ENGINE = ("past_of", "fitted")


class Stages:
    """Seconds, processor seconds, and most megabytes in memory and on the disk, by stage."""

    def __init__(self, spilt: Path) -> None:
        self.figures: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._under_way: list[str] = []
        self._spilt = spilt
        threading.Thread(target=self._watch, daemon=True).start()

    def timed(self, owner: Any, name: str, stage: str) -> None:
        """Has every call of `owner.name` counted."""
        call = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.stage(stage):
                return call(*args, **kwargs)

        setattr(owner, name, counted)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun, cpu = time.perf_counter(), time.process_time()
        self._under_way.append(name)
        yield
        self._look()
        self._under_way.pop()
        self.figures[name]["s"] += time.perf_counter() - begun
        self.figures[name]["cpu_s"] += time.process_time() - cpu

    def _watch(self) -> None:
        while True:
            time.sleep(0.05)
            self._look()

    def _look(self) -> None:
        seen = {"rss_mb": resident_mb(), "spilt_mb": folder_mb(self._spilt)}
        for name in list(self._under_way):
            figures = self.figures[name]
            figures.update({key: max(figures[key], value) for key, value in seen.items()})


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def folder_mb(folder: Path) -> float:
    """What is in a folder just now; its files come and go."""
    try:
        return sum(file.stat().st_size for file in folder.glob("*")) / 2**20
    except FileNotFoundError:
        return 0.0


def score(path: Path, model: str) -> None:
    """The job, in this process; writes the figures as one line."""
    stages = Stages(path.with_name(path.name + ".tmp"))
    with stages.stage("in all"):
        with stages.stage("import"):
            import sync
        for name in STORE:
            stages.timed(sync.sessions.Store, name, name)
        for name in ENGINE:
            stages.timed(sync.clv, name, name)
        stages.timed(sync.clv.Scorer, "score", "score")
        stages.timed(sync.clv.Scorer, "knowing", "learn")
        command = ["--json", "score", "--as-of", AS_OF, "--model", model]
        with redirect_stdout(StringIO()) as told:
            sync.app(command, standalone_mode=False)
    figures = {"peak_mb": peak_mb(), "customers": scored(told.getvalue()), "stages": stages.figures}
    sys.stdout.write(json.dumps(figures) + "\n")


def scored(told: str) -> int:
    """How many customers the command says it has scored."""
    return int(json.loads(told.splitlines()[-1])["shops"][filling.SHOP]["scored"])


def measured(path: Path, model: str) -> dict[str, Any]:
    """The figures of a fresh process."""
    environment = os.environ | {
        "CLV_SHOPS": filling.SHOP,
        "CLV_BENCH_PLATFORM": "file",
        "CLV_BENCH_PATH": str(path),
        "CLV_STORE": str(path),
        "PYTHONPATH": str(HOUSE),  # this checkout, whatever is installed
    }
    command = [sys.executable, __file__, "--job", str(path), "--model", model]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def told(orders: int, model: str, figures: dict[str, Any]) -> None:
    customers = figures["customers"]
    line(
        f"\n{orders:,} orders, {customers:,} customers, {model}: peak {figures['peak_mb']:,.0f} MB"
    )
    line(f"{'stage':>16}  {'s':>8}  {'cpu s':>8}  {'memory MB':>9}  {'spilt MB':>8}")
    for name, stage in figures["stages"].items():
        line(
            f"{name:>16}  {stage['s']:>8.2f}  {stage['cpu_s']:>8.2f}"
            f"  {stage['rss_mb']:>9,.0f}  {stage['spilt_mb']:>8,.0f}"
        )


def grown(runs: dict[int, dict[str, Any]]) -> None:
    """How the whole grew from each size to the next, beside what n log n would have grown."""
    for (small, before), (large, after) in pairwise(sorted(runs.items())):
        due = large * math.log(large) / (small * math.log(small))
        ratios = {
            key: after["stages"]["in all"][key] / before["stages"]["in all"][key]
            for key in ("s", "cpu_s")
        }
        line(
            f"{small:,} to {large:,} orders: {ratios['cpu_s']:.1f} times the processor time,"
            f" {ratios['s']:.1f} times the time; n log n {due:.1f} times"
            f" ({ratios['cpu_s'] / due:.2f}, {ratios['s'] / due:.2f})"
        )


def line(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- the table


def filled(folder: Path, orders: int) -> Path:
    """The store of that many orders, made where there is none."""
    path = folder / f"{orders}" / "store.duckdb"
    if not path.exists():
        script = Path(filling.__file__)
        command = [sys.executable, script, str(orders), str(path)]
        here = os.environ | {"PYTHONPATH": str(HOUSE)}
        subprocess.run(command, env=here, check=True)  # noqa: S603
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("orders", type=int, nargs="*", default=[300_000, 3_000_000])
    parser.add_argument("--model", nargs="+", default=["bg", "auto"])
    parser.add_argument("--folder", type=Path, help="keep the stores here")
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        return score(arguments.job, arguments.model[0])
    runs: dict[str, dict[int, dict[str, Any]]] = {model: {} for model in arguments.model}
    with tempfile.TemporaryDirectory() as fleeting:
        for orders in arguments.orders:
            path = filled(arguments.folder or Path(fleeting), orders)
            for model in arguments.model:
                runs[model][orders] = figures = measured(path, model)
                told(orders, model, figures)
    for model in arguments.model:
        grown(runs[model])


if __name__ == "__main__":
    main()
