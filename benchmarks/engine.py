"""How long the engine takes: one run each, wall seconds, on customers simulated from BG/NBD.

python benchmarks/engine.py [customers ...]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from clv import BetaGeoNBD, GammaGamma, ScoreSettings, score

AS_OF = date(2026, 1, 1)
MODEL = BetaGeoNBD(r=0.25, alpha=31.0, a=0.8, b=2.4, log_likelihood=0.0, customers=0)
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44, log_likelihood=0.0, customers=0, robust_mean=35.0)


def simulated(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """`n` customers with two years of history by days, as the order store summarises them."""
    age = rng.integers(1, 730, n)
    wait_days = 1 / rng.gamma(MODEL.r, 1 / MODEL.alpha, n)
    leaves = rng.beta(MODEL.a, MODEL.b, n)
    last, frequency = np.zeros(n), np.zeros(n, dtype=np.int64)
    active = np.arange(n)
    while len(active):
        day = np.ceil(last[active] + rng.exponential(wait_days[active]))
        active, day = active[day <= age[active]], day[day <= age[active]]
        last[active] = day
        frequency[active] += 1
        active = active[rng.random(len(active)) >= leaves[active]]
    rate = rng.gamma(SPEND.q, 1 / SPEND.v, n)
    net = np.round(rng.gamma(SPEND.p * (frequency + 1), 1 / rate), 2)
    return stored(frequency, last.astype(np.int64), age, net)


def stored(
    frequency: np.ndarray, recency: np.ndarray, age: np.ndarray, net: np.ndarray
) -> pd.DataFrame:
    keys = [f"{number:09d}" for number in range(len(age))]
    return pd.DataFrame(
        {
            "shop": "bench",
            "person_key": keys,
            "customer_id": keys,
            "currency": "EUR",
            "frequency": frequency,
            "recency": recency,
            "T": age,
            "monetary_value": np.nan,
            "days_since_last_order": age - recency,
            "first_order_on": None,
            "last_order_on": None,
            "orders": frequency + 1,
            "units": 1,
            "gross": net,
            "refunds": 0.0,
            "net": net,
            "margin": None,
        }
    )


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def models(summary: pd.DataFrame) -> None:
    """Fit and predict a year by both models."""
    buying = BetaGeoNBD.fit(summary)
    buying.conditional_expected_purchases(365, summary)
    days = summary.frequency + 1
    paid = pd.DataFrame({"frequency": days, "monetary_value": summary.net / days})
    GammaGamma.fit(paid).expected_spend(paid)


def main(sizes: list[int]) -> None:
    rng = np.random.default_rng(1)
    print(f"{'customers':>10}  {'fit + predict':>13}  {'score, in all':>13}")  # noqa: T201 -- the table
    for n in sizes:
        summary = simulated(n, rng)
        fitted = timed(lambda summary=summary: models(summary))
        scored = timed(lambda summary=summary: score(summary, ScoreSettings(), as_of=AS_OF))
        print(f"{n:>10,}  {fitted:>12.3f}s  {scored:>12.3f}s")  # noqa: T201 -- the table


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [2_357, 23_570, 100_000, 1_000_000])
