"""Where what came lies within what was foreseen: ranks of outcomes, for `clv.uncertainty`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv.uncertainty.calibration import Ranks
from clv.uncertainty.intervals import CLV, PURCHASES, Intervals, Outcomes, foreseen

Floats = NDArray[np.float64]


def ranks(
    shop: Intervals, summary: pd.DataFrame, purchases: Floats, value: Floats
) -> dict[str, Ranks]:
    """The ranks of what some customers did within the horizon, by measure.

    Who gave more back than they bought counts as having brought nothing.
    """
    best = shop.models.best
    ahead = best.forecast(summary, shop.horizon_days, shop.discount_rate)
    came = {PURCHASES: purchases, CLV: np.maximum(value, 0.0)}
    each = foreseen(shop, summary, ahead)
    return {measure: _ranks(each[measure], came[measure]) for measure in came}


def _ranks(outcomes: Outcomes, came: Floats) -> Ranks:
    table, rows, active = outcomes.table, outcomes.rows, outcomes.active
    units = np.divide(came, outcomes.unit, out=np.zeros_like(came), where=outcomes.unit > 0)
    nothing = table.upto_value(rows, active, np.zeros_like(came))
    below = np.where(units > 0, table.below_value(rows, active, units), 0.0)
    return Ranks(below, table.upto_value(rows, active, units), nothing)
