"""What would move one customer's prediction: more orders, or going on in silence.

Silence of d days makes the customer d days older with the same purchases. Of n more orders one
comes each day from tomorrow on, worth the mean so far, and it is asked what then is predicted.
Models with a season take the days to come as if they lay behind the customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from clv import columns as c
from clv.forecast import Predictor, by_day
from clv.settings import ScoreSettings

#: Steps that are looked at: more orders, days without one.
ORDERS = (1, 2, 3)
SILENCES = (30, 90, 180)


def what_if(
    predictor: Predictor,
    person: pd.DataFrame,
    settings: ScoreSettings,
    begins: Mapping[str, Decimal | None],
) -> list[dict[str, Any]]:
    """A row for each step: `orders` more or `silent_days`, and what would then be predicted.

    `person` is one row of a summary (frequency, recency, T, net, and what else the predictor looks
    at). `begins`: the lowest predicted value of each tier, the best first; none for a tier that
    nobody is in. The first row is the customer as they stand, with neither.
    """
    steps = [(0, 0), *((n, 0) for n in ORDERS), *((0, days) for days in SILENCES)]
    people = pd.concat([_after(person, *step) for step in steps], ignore_index=True)
    rate = by_day(settings.discount_per_year)
    ahead = predictor.forecast(people, settings.horizon_days, rate)
    return [
        {
            "orders": orders,
            "silent_days": silent,
            c.PREDICTED_CLV: round(float(value), 2),
            c.P_ALIVE: None if np.isnan(alive) else float(alive),
            c.TIER: tier_of(float(value), begins),
        }
        for (orders, silent), value, alive in zip(steps, ahead.value, ahead.p_alive, strict=True)
    ]


def _after(person: pd.DataFrame, orders: int, silent: int) -> pd.DataFrame:
    """The customer after so many orders, or so many days without one."""
    days = person[c.FREQUENCY] + 1
    age = person[c.T] + silent + orders
    return person.assign(
        **{
            c.FREQUENCY: person[c.FREQUENCY] + orders,
            c.RECENCY: age if orders else person[c.RECENCY],
            c.T: age,
            c.NET: person[c.NET] + orders * person[c.NET] / days,
        }
    )


def tier_of(value: float, begins: Mapping[str, Decimal | None]) -> str | None:
    """The first tier whose lowest value this reaches; the last tier takes everybody else."""
    known = [(tier, start) for tier, start in begins.items() if start is not None]
    for tier, start in known:
        if round(value, 2) >= float(start):
            return tier
    return known[-1][0] if known else None
