"""A row of each customer, column by column, the most valuable first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from clv import columns as c
from clv.report.actions import WEEK
from clv.report.known import Known, figures
from clv.report.slipping import at_risk, due_within

#: A page with more rows would open slowly: the others are told by number.
MOST_ROWS = 50_000

MONEY = (c.PREDICTED_CLV, c.CLV_LOW, c.CLV_HIGH, c.HISTORIC_NET)


def rows(known: Known) -> dict[str, Any]:
    """Columns of equal length, by name; `left_out` counts those who have no row."""
    order = np.argsort(-known.column(c.PREDICTED_CLV).to_numpy(), kind="stable")[:MOST_ROWS]
    people = known.people.iloc[order]
    columns: dict[str, list[Any]] = {
        "customer": [str(key) for key in people.index],
        c.TIER: figures(people[c.TIER]),
        **{name: _cents(known.column(name).iloc[order]) for name in MONEY},
        c.P_ALIVE: _rounded(known.column(c.P_ALIVE).iloc[order], 3),
        c.ORDERS: figures(people[c.ORDERS]),
        c.DAYS_SINCE_LAST_ORDER: figures(people[c.DAYS_SINCE_LAST_ORDER]),
        c.NEXT_ORDER_ON: [None if pd.isna(day) else str(day) for day in people[c.NEXT_ORDER_ON]],
        "overdue": _rounded(known.gaps["overdue_factor"].reindex(people.index), 1),
        "abc": figures(known.segments["abc_class"].iloc[order]),
        "rfm": figures(known.segments["rfm"].iloc[order]),
        "at_risk": _cents(at_risk(known).iloc[order]),
        "due": [bool(flag) for flag in due_within(known, WEEK).iloc[order]],
        "slipping": [bool(flag) for flag in known.win_back.iloc[order]],
    }
    return {"columns": columns, "left_out": max(len(known.people) - MOST_ROWS, 0)}


def _cents(column: pd.Series) -> list[Any]:
    return _rounded(column, 2)


def _rounded(column: pd.Series, digits: int) -> list[Any]:
    return figures(np.round(column.to_numpy(dtype=np.float64), digits))
