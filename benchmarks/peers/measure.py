"""What all sides of the comparison share: task, clock and report. Standard library only.

A side is a script: `side.py customers.npz bg|pareto` reads the customers, does the task once and
writes one JSON object to the standard output. Seconds by lap; the import is a lap of its own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: Twelve months of thirty days, as both peers count them, at one percent a month.
MONTHS = 12
DAYS = 30 * MONTHS
MONTHLY_RATE = 0.01


class Laps:
    """Wall seconds and the processor's seconds by name; the latter suffer less from others."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        start, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = time.perf_counter() - start
        self.cpu_seconds[name] = time.process_time() - cpu


def report(laps: Laps, parameters: Mapping[str, float], **figures: float) -> None:
    """Writes what `engine.py` reads. The parameters are of days and money units."""
    answer = {
        "seconds": laps.seconds,
        "cpu_seconds": laps.cpu_seconds,
        "parameters": {name: float(value) for name, value in parameters.items()},
        "peak_mb": peak_mb(),
        **{name: float(figure) for name, figure in figures.items()},
    }
    sys.stdout.write(json.dumps(answer) + "\n")


def peak_mb() -> float:
    """Most memory that this process held, without the parent's that ru_maxrss may contain."""
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
