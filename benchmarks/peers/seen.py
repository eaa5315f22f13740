"""What the sides of the pull share: the clock, a mark for each order, the report.

A side is a script: `side.py <address> <orders> ...` pulls all orders of the server at that address
once and writes one JSON object to the standard output. Standard library only.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable

from measure import peak_mb

GAP = 7  # how far apart the server's ids are at the beginning


class Seen:
    """Which orders were given: one byte an id, so that remembering weighs the same for all."""

    def __init__(self, orders: int) -> None:
        self._expected = range(GAP, GAP * orders + 1, GAP)
        self._marks = bytearray(GAP * orders + GAP + 1)
        self._given = 0

    def add(self, order_ids: Iterable[int]) -> None:
        for order_id in order_ids:
            self._marks[order_id] = 1
            self._given += 1

    def report(self, seconds: float) -> None:
        """Writes what `benchmarks/magento.py` reads."""
        told = {
            "seconds": seconds,
            "given": self._given,
            "doubled": self._given - self._marks.count(1),
            "missing": [order_id for order_id in self._expected if not self._marks[order_id]],
            "peak_mb": peak_mb(),
            "cpu_seconds": time.process_time(),
        }
        sys.stdout.write(json.dumps(told) + "\n")
