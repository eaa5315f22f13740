"""What to do on Monday: a few groups of customers, each with its money, the most money first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from clv import columns as c
from clv.customers.retention import return_curve
from clv.report.known import Known
from clv.report.slipping import due_within

#: Somebody due within so many days is due this week.
WEEK = 7
#: A second order is waited for as long as it took this part of those who came back.
MOST_WHO_RETURN = 0.8

WIN_BACK, SECOND_ORDER, DUE, REWARD = "win_back", "second_order", "due", "reward"


def actions(known: Known, slips: dict[str, Any]) -> list[dict[str, Any]]:
    """Each with `kind`, `customers`, `money` and what else its sentence needs.

    win_back      the slipping ones; money: what is at risk
    second_order  one order so far, and still within the time in which most others came back;
                  money: their predicted value
    due           active customers whose own rhythm calls for an order this week; money: what it
                  would bring
    reward        those who rose to the best tier since an earlier scoring; money: predicted value
    """
    found = [
        {"kind": WIN_BACK, "customers": slips["customers"], "money": slips["at_risk"]},
        _second_order(known),
        _due(known),
        _reward(known),
    ]
    worth_it = [one for one in found if one["customers"] and one["money"] > 0]
    return sorted(worth_it, key=lambda one: -one["money"])


def _of(known: Known, kind: str, who: pd.Series, money: str, **more: Any) -> dict[str, Any]:
    member = who.to_numpy(dtype=bool)
    return {
        "kind": kind,
        "customers": int(member.sum()),
        "money": float(known.column(money)[member].sum()),
        **more,
    }


def _second_order(known: Known) -> dict[str, Any]:
    within = time_to_second(known)
    once = known.people[c.ORDERS] == 1
    waiting = once & (known.people[c.DAYS_SINCE_LAST_ORDER] <= within)
    return _of(known, SECOND_ORDER, waiting, c.PREDICTED_CLV, within_days=within)


def time_to_second(known: Known) -> int:
    """Days after the first order by which most of those who came back had; 0 if nobody did."""
    returned = return_curve(known.days, known.as_of, after=1)["returned"].to_numpy()
    if not len(returned) or not returned[-1] > 0:
        return 0
    return int(np.argmax(returned >= MOST_WHO_RETURN * returned[-1]))


def _due(known: Known) -> dict[str, Any]:
    return _of(known, DUE, due_within(known, WEEK), c.EXPECTED_SPEND, within_days=WEEK)


def _reward(known: Known) -> dict[str, Any]:
    best = known.settings.tiers.names[0]
    before = next(iter(known.before.values()), None)
    if before is None:
        return {"kind": REWARD, "customers": 0, "money": 0.0}
    then = before.set_index(c.PERSON_KEY)[c.TIER].reindex(known.people.index)
    rose = (known.people[c.TIER] == best) & then.notna() & (then != best)
    return _of(known, REWARD, rose, c.PREDICTED_CLV, tier=best)
