"""What customers bring by age: cohorts, the curve of value, and when winning one has paid."""

from __future__ import annotations

from typing import Any

import pandas as pd

from clv.customers.acquisition import payback_days, value_by_age
from clv.customers.cohorts import Every, cohorts
from clv.customers.retention import repeat_ladder
from clv.report.known import Known, figure, figures

#: Ages at which the curve is read off.
AGES = (30, 90, 180, 365)
#: A table with more cohorts goes by quarter, and shows the latest.
MOST_COHORTS = 24
#: Points of the curve.
POINTS = 120


def cohort_tables(known: Known) -> dict[str, Any]:
    """Retention and value per customer by month (or quarter) of the first purchase and age."""
    every: Every = "month"
    found = cohorts(known.orders, known.as_of, every=every)
    if len(found.customers) > MOST_COHORTS:
        every = "quarter"
        found = cohorts(known.orders, known.as_of, every=every)
    latest = found.customers.index[-MOST_COHORTS:]
    ages = list(range(min(found.net.shape[1], MOST_COHORTS)))
    return {
        "every": every,
        "ages": ages,
        "rows": [
            {
                "cohort": pd.Timestamp(day).date(),
                "customers": int(found.customers[day]),
                "active": figures(found.active.loc[day, ages]),
                "net": figures(found.net.loc[day, ages]),
            }
            for day in latest
        ],
    }


def by_age(known: Known) -> dict[str, Any]:
    """The curve of value per customer by days since the first purchase, and the payback day.

    At margin where the owner told it, else in net sales; `cac` as the owner gave it.
    """
    rate = known.settings.margin
    curve = value_by_age(known.orders, known.as_of)
    if rate is not None:
        curve = curve * float(rate)
    seen = curve["all"].dropna() if "all" in curve else pd.Series(dtype=float)
    step = max(len(seen) // POINTS, 1)
    cac = known.settings.cac
    paid = None if cac is None else payback_days(curve, pd.Series({"all": float(cac)}))
    return {
        "at_margin": rate is not None,
        "curve": [(int(day), float(seen[day])) for day in seen.index[::step]],
        "at": {age: float(seen[age]) if age in seen.index else None for age in AGES},
        "cac": cac,
        "payback_days": None if paid is None else figure(paid.get("all")),
        "ladder": _ladder(known),
    }


def _ladder(known: Known) -> list[dict[str, Any]]:
    """How many reached their 1st, 2nd, ... purchase."""
    ladder = repeat_ladder(known.summary).reset_index()
    wanted = ("purchase", "customers", "share", "went_on")
    return [{name: figure(row[name]) for name in wanted} for row in ladder.to_dict("records")]
