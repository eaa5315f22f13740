"""What the engine costs, beside lifetimes and pymc-marketing in environments of their own.

python benchmarks/engine.py [--most 10000000] [--rounds 3] [--no-peers]

Every run is a process of its own that reads the same customers from a file; sides take turns, and
medians are shown. Seconds are without the import and without reading; pymc-marketing has compiled
before. The streaming table is ours alone: from a Parquet file of customers to a
Parquet file of scores, reading and writing included.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cdnow
import numpy as np
import pandas as pd
import population
from likelihood import log_likelihood
from peers.environments import COMPILED, PEERS, data_of_lifetimes, python_of, surroundings
from peers.environments import HERE as SIDES

COLUMNS = ["frequency", "recency", "T", "monetary_value"]
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
#: From so many customers on, every peer runs once; this one always does.
MANY = 500_000
SLOW = ("pymc",)
LAPS = ("fit", "predict", "clv")
NAMES = {
    "sample": "2,357 CDNOW sample",
    "full": "23,570 CDNOW full",
    "simulated": "1,000,000 simulated",
}


@dataclass(frozen=True)
class Run:
    """What one process reported."""

    seconds: dict[str, float]
    cpu_seconds: dict[str, float]
    parameters: dict[str, float]
    peak_mb: float
    clv: float = math.nan
    purchases: float = math.nan
    histories: float = math.nan
    spendings: float = math.nan
    holes: float = 0

    @property
    def total(self) -> float:
        return sum(self.seconds.values()) - self.seconds.get("import", 0.0)

    @property
    def cpu_total(self) -> float:
        return sum(self.cpu_seconds.values()) - self.cpu_seconds.get("import", 0.0)


def reported(*command: object) -> Run:
    """The JSON that a process writes last."""
    done = subprocess.run(  # noqa: S603 -- our own words
        [str(part) for part in command], env=surroundings(), capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{command[1]} failed:\n{done.stderr[-3000:]}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def run_side(side: str, customers: Path, task: str) -> Run:
    python = sys.executable if side == "clv" else python_of(side)
    return reported(python, SIDES / f"{side}_peer.py", customers, task)


def take_turns(customers: Path, task: str, peers: Iterable[str], rounds: int) -> dict[str, Run]:
    """Every side's median run; ours before and after each of the others, the slow ones once."""
    runs: dict[str, list[Run]] = {"clv": [run_side("clv", customers, task)]}
    for turn in range(rounds):
        for peer in peers if not turn else (peer for peer in peers if peer not in SLOW):
            runs.setdefault(peer, []).append(run_side(peer, customers, task))
            runs["clv"].append(run_side("clv", customers, task))
    return {side: middle(of_side) for side, of_side in runs.items()}


def middle(runs: list[Run]) -> Run:
    half = median(run.total for run in runs)
    return min(runs, key=lambda run: abs(run.total - half))


def saved(summary: pd.DataFrame, path: Path) -> Path:
    np.savez(path, **{name: summary[name].to_numpy(dtype=np.float64) for name in COLUMNS})
    return path


def compared(folder: Path, peers: tuple[str, ...], rounds: int) -> None:
    """BG/NBD and Gamma-Gamma, then the Pareto fit, side by side."""
    data = data_of_lifetimes()
    sets = {which: cdnow.calibration(cdnow.purchase_days(data, which)) for which in cdnow.FILES}
    sets["simulated"] = population.simulated(1_000_000, np.random.default_rng(1))
    paths = {which: saved(summary, folder / f"{which}.npz") for which, summary in sets.items()}
    if "pymc" in peers:
        compile_pymc(paths["sample"])
    line("\nBG/NBD + Gamma-Gamma: fit, predict 360 days, 12-month CLV; median seconds")
    heading("log-likelihood", "sum of CLV")
    for which, summary in sets.items():
        turns = 1 if len(summary) > MANY else rounds
        sides = take_turns(paths[which], "bg", peers, turns)
        for side, run in sides.items():
            fitted = f"{log_likelihood('bg', run.parameters, summary):>15.2f}"
            shown((which, side), run, sides["clv"], f"{fitted}{run.clv:>15,.0f}")
    line("\nPareto/NBD: fit; median seconds")
    heading("log-likelihood", "")
    for which in ("sample", "full"):
        sides = take_turns(paths[which], "pareto", peers, rounds)
        for side, run in sides.items():
            fitted = f"{log_likelihood('pareto', run.parameters, sets[which]):>15.2f}"
            shown((which, side), run, sides["clv"], fitted)


def compile_pymc(customers: Path) -> None:
    """Compiled code stays on disk, so that no run that counts has to compile."""
    stamp = COMPILED / ".all"
    if not stamp.exists():
        for task in ("bg", "pareto"):
            run_side("pymc", customers, task)
        stamp.touch()


def heading(*answers: str) -> None:
    names = (*LAPS, "total", "ratio", "cpu", "of cpu", "import", "MB")
    cells = "".join(f"{name:>9}" for name in names)
    line(f"{'customers':20} {'side':<10}{cells}" + "".join(f"{name:>15}" for name in answers))


def shown(who: tuple[str, str], run: Run, ours: Run, answers: str) -> None:
    laps = [f"{run.seconds[lap]:.3f}" if lap in run.seconds else "" for lap in LAPS]
    rest = [f"{run.total:.3f}", f"{run.total / ours.total:.1f}x"]
    rest += [f"{run.cpu_total:.3f}", f"{run.cpu_total / ours.cpu_total:.1f}x"]
    rest += [f"{run.seconds['import']:.2f}", f"{run.peak_mb:,.0f}"]
    cells = "".join(f"{cell:>9}" for cell in [*laps, *rest])
    line(f"{NAMES[who[0]]:20} {who[1]:<10}{cells}{answers}")


def streamed(folder: Path, most: int) -> None:
    """Ours by the number of customers; the exponent is log(time ratio) / log(size ratio)."""
    line("\nSummary to scores, streaming from and to Parquet (our side alone)")
    names = ("group", "fit", "score", "total", "cpu", "MB", "histories", "exponent")
    line(f"{'customers':>20} " + "".join(f"{name:>10}" for name in names))
    before: tuple[int, float] | None = None
    for n in (size for size in SIZES if size <= most):
        customers = folder / f"{n}.parquet"
        reported_none(sys.executable, Path(population.__file__), n, customers, "--of", "customers")
        scores = folder / "scores.parquet"
        runs = [reported(sys.executable, STREAM, customers, scores) for _ in range(3)]
        run = middle(runs)
        grows = math.log(run.total / before[1]) / math.log(n / before[0]) if before else math.nan
        cells = [f"{run.seconds[lap]:.2f}" for lap in names[:3]]
        cells += [f"{run.total:.2f}", f"{run.cpu_total:.2f}", f"{run.peak_mb:,.0f}"]
        cells += [f"{run.histories:,.0f}", "" if math.isnan(grows) else f"{grows:.2f}"]
        line(f"{n:>20,} " + "".join(f"{cell:>10}" for cell in cells))
        before = n, run.total
        customers.unlink()


STREAM = Path(__file__).parent / "stream.py"


def reported_none(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)  # noqa: S603 -- our own words


def line(*words: str) -> None:
    print(*words, flush=True)  # noqa: T201 -- the table


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--most", type=int, default=SIZES[-1], help="customers to stream")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--no-peers", action="store_true")
    given = options.parse_args()
    line(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory() as folder:
        compared(Path(folder), () if given.no_peers else PEERS, given.rounds)
        streamed(Path(folder), given.most)
    line(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
