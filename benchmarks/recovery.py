"""Are a population's parameters found again? Mean error of every log-parameter over 200 of them.

python benchmarks/recovery.py [populations]

A mean error of less than some two of its own standard errors is no bias; `spread` is the standard
deviation of the estimates by the standard errors that the fits reported, 1 where they are right.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd

import clv

#: The truth, how many customers a population has, and the ages of its customers.
TRUTHS: tuple[tuple[Any, int, tuple[float, float]], ...] = (
    (clv.BetaGeoNBD(r=1.2, alpha=20.0, a=0.7, b=2.5), 4_000, (100, 400)),
    (clv.ModifiedBetaGeoNBD(r=1.2, alpha=20.0, a=0.7, b=2.5), 4_000, (100, 400)),
    (clv.MBGCNBDk(k=2, r=1.2, alpha=10.0, a=0.7, b=2.5), 4_000, (100, 400)),
    (clv.ParetoNBD(r=1.2, alpha=20.0, s=0.8, beta=100.0), 4_000, (100, 400)),
    (clv.NBD(r=0.8, alpha=40.0), 2_000, (100, 400)),
    (clv.BetaGeoBetaBinomial(alpha=1.2, beta=0.75, gamma=0.66, delta=2.8), 4_000, (6, 13)),
)


def population(model: Any, customers: int, ages: tuple[float, float], seed: int) -> pd.DataFrame:
    """The histories of new customers of these ages, by exact times."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(*ages, customers)
    if isinstance(model, clv.BetaGeoBetaBinomial):
        age = np.floor(age)
    rows, times = model.draw_histories(age, rng)
    frequency = np.bincount(rows, minlength=customers)
    recency = np.zeros(customers)
    np.maximum.at(recency, rows, times)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "T": age})


def recovered(model: Any, customers: int, ages: tuple[float, float], many: int) -> pd.DataFrame:
    """By parameter: mean error of its logarithm, the same in standard errors, and the spread."""
    more = {"k": model.k} if isinstance(model, clv.MBGCNBDk) else {}
    fits = [
        type(model).fit(population(model, customers, ages, seed), **more) for seed in range(many)
    ]
    errors = np.array([np.log(fit.parameters / model.parameters) for fit in fits])
    reported = np.sqrt([np.diag(np.array(fit.log_covariance)) for fit in fits])
    mean, spread = errors.mean(axis=0), errors.std(axis=0, ddof=1)
    return pd.DataFrame(
        {
            "model": model.NAME,
            "parameter": model.PARAMETERS,
            "truth": model.parameters,
            "mean log error": mean,
            "in standard errors": mean / (spread / np.sqrt(many)),
            "spread": spread / reported.mean(axis=0),
        }
    )


def main(many: int) -> None:
    tables = [recovered(*truth, many) for truth in TRUTHS]
    table = pd.concat(tables, ignore_index=True)
    print(table.to_string(index=False, float_format="{:.4f}".format))  # noqa: T201 -- the table


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
