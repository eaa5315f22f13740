"""Valuable customers who have gone quiet, what is at stake, and when they were due.

With v the predicted value and p the chance that the customer still is one, v / p is what they
would bring if they stayed, and v (1 - p) / p what their leaving takes on average: the money at
risk. Nobody is taken to bring more than they did in their own rhythm: a forecast that is only in
part one of models (`clv.choice.averaged`) isn't quite in proportion to p.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from clv import columns as c
from clv.report.known import Known, exact, figure, floats

#: So many are listed by name, those with the most money at risk; the table of customers has all.
NAMED = 15
#: Below this chance the value if they stayed is a guess divided by nearly nothing.
LEAST_P_ALIVE = 0.01


def slipping(known: Known) -> dict[str, Any]:
    """How many, the money at risk, and the first by name."""
    people = slipping_people(known)
    named = people.nlargest(NAMED, "at_risk", keep="first")
    return {
        "customers": len(people),
        "at_risk": float(people["at_risk"].sum()),
        "net": exact(known.people.loc[people.index, c.HISTORIC_NET]),
        "overdue": known.rule.overdue,
        "p_alive": known.rule.p_alive,
        "named": _rows(known, named),
    }


def slipping_people(known: Known) -> pd.DataFrame:
    """Those whom the rule flags, by person key: at_risk, rhythm, overdue factor, due day."""
    keys = known.win_back.index[known.win_back.to_numpy(dtype=bool)]
    gaps = known.gaps.reindex(keys)
    last = pd.to_datetime(gaps[c.LAST_ORDER_ON])
    people = pd.DataFrame({"at_risk": at_risk(known).reindex(keys)})
    people["gap_days"] = gaps["expected_gap_days"]
    people["overdue_factor"] = gaps["overdue_factor"]
    people["due_on"] = last + pd.to_timedelta(np.ceil(gaps["expected_gap_days"]), unit="D")
    people["last_on"] = last
    return people


def at_risk(known: Known) -> pd.Series:
    """The money that leaving takes on average, by person key; 0 where nothing is known."""
    alive = known.column(c.P_ALIVE).clip(lower=LEAST_P_ALIVE)
    stayed = (known.column(c.PREDICTED_CLV) / alive).clip(upper=in_rhythm(known).fillna(np.inf))
    return (stayed * (1 - alive)).fillna(0.0).rename("at_risk")


def in_rhythm(known: Known) -> pd.Series:
    """What the horizon would bring at each one's own gaps and mean value, by person key.

    NaN where no gap is known.
    """
    gaps = known.gaps.reindex(known.people.index)
    each = known.column(c.HISTORIC_NET).clip(lower=0.0) / (gaps["gaps"] + 1)
    return each * known.column(c.HORIZON_DAYS) / gaps["expected_gap_days"]


def p_alive_before(known: Known) -> pd.Series:
    """The chance at the earliest of the scorings before, by person key; NaN where there is none."""
    frames = [frame for frame in known.before.values() if len(frame)]
    if not frames:
        return pd.Series(np.nan, index=known.people.index)
    oldest = min(frames, key=lambda frame: frame[c.AS_OF].iloc[0])
    then = floats(oldest.set_index(c.PERSON_KEY)[c.P_ALIVE])
    return then.reindex(known.people.index)


def _rows(known: Known, named: pd.DataFrame) -> list[dict[str, Any]]:
    wanted = [c.TIER, c.HISTORIC_NET, c.P_ALIVE, c.ORDERS, c.NEXT_ORDER_ON]
    table = named.join(known.people[wanted]).assign(then=p_alive_before(known).reindex(named.index))
    rows = table.rename_axis("customer").reset_index().to_dict("records")
    return [_row({str(name): value for name, value in row.items()}) for row in rows]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "customer": row["customer"],
        "tier": row[c.TIER],
        "net": row[c.HISTORIC_NET],
        "at_risk": float(row["at_risk"]),
        "p_alive": figure(row[c.P_ALIVE]),
        "p_alive_before": figure(row["then"]),
        "orders": int(row[c.ORDERS]),
        "last_on": _day(row["last_on"]),
        "gap_days": figure(row["gap_days"]),
        "overdue_factor": figure(row["overdue_factor"]),
        "due_on": _day(row["due_on"]),
        "next_on": _day(row[c.NEXT_ORDER_ON]),
    }


def _day(instant: Any) -> date | None:
    return None if pd.isna(instant) else pd.Timestamp(instant).date()


def due_within(known: Known, days: int) -> pd.Series:
    """Active customers whose rhythm calls for an order now: due within so many days, or since as
    many; by person key. Those who are slipping are told of elsewhere."""
    gaps = known.gaps.reindex(known.people.index)
    left = gaps["expected_gap_days"] - gaps[c.DAYS_SINCE_LAST_ORDER]
    active = known.column(c.P_ALIVE) >= known.rule.p_alive
    return (left.abs() <= days) & (gaps["gaps"] > 0) & active & ~known.win_back
