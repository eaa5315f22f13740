"""How long a whole score takes, from a summary to tiers and reasons: one run each.

python benchmarks/scores.py [customers ...]
"""

from __future__ import annotations

import sys
import time
from datetime import date

import numpy as np
import pandas as pd
import population

from clv import ScoreSettings, score_summary

AS_OF = date(2026, 1, 1)


def stored(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """`n` simulated customers, as the order store summarises them."""
    customers = population.simulated(n, rng)
    keys = [f"{number:09d}" for number in range(n)]
    return customers.assign(
        shop="bench",
        person_key=keys,
        customer_id=keys,
        currency="EUR",
        days_since_last_order=customers["T"] - customers.recency,
        first_order_on=None,
        last_order_on=None,
        orders=customers.frequency + 1,
        units=1,
        gross=customers.net,
        refunds=0.0,
        margin=None,
    )


def main(sizes: list[int]) -> None:
    line(f"{'customers':>10}  {'score, in all':>13}  {'cpu':>8}")
    for n in sizes:
        summary = stored(n, np.random.default_rng(1))
        start, cpu = time.perf_counter(), time.process_time()
        score_summary(summary, ScoreSettings(), as_of=AS_OF)
        line(f"{n:>10,}  {time.perf_counter() - start:>12.3f}s  {time.process_time() - cpu:>7.3f}s")


def line(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- the table


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
