"""Who changed tier since an earlier scoring, how much value moved with them, and why."""

from __future__ import annotations

from typing import Any

import pandas as pd

from clv import columns as c
from clv.customers.migration import ENTERED, LEFT, migration, moves
from clv.report.known import Known, figure, floats

#: So many of those who moved are named, upwards and downwards each.
NAMED = 8
#: A chance to be active that fell by this part of itself is a reason.
FELL = 0.05

#: Why somebody moved: the first of these that fits.
ORDERED, REFUNDED, SILENT, MODEL, OTHERS = "ordered", "refunded", "silent", "model", "others"


def movement(known: Known, before: pd.DataFrame) -> dict[str, Any]:
    """The matrix of tiers before and after, and the biggest movers by value.

    `since` is the day of the earlier scoring.
    """
    moved = moves(before, known.scores)
    names = known.settings.tiers.names
    found = migration(moved, names)
    changed = _changed(moved, {name: place for place, name in enumerate(names)})
    changed = changed.join(_facts(before, known.scores, changed.index))
    up, down = changed[changed["rise"] > 0], changed[changed["rise"] < 0]
    return {
        "since": before[c.AS_OF].iloc[0],
        "tiers": list(found.customers.columns[:-1]),
        "customers": {str(key): row.tolist() for key, row in found.customers.iterrows()},
        "rose": len(up),
        "fell": len(down),
        "value_rose": float(up["change"].sum()),
        "value_fell": float(down["change"].sum()),
        "up": _movers(up.nlargest(NAMED, "change", keep="first")),
        "down": _movers(down.nsmallest(NAMED, "change", keep="first")),
    }


def _changed(moved: pd.DataFrame, rank: dict[str, int]) -> pd.DataFrame:
    """Those who stand in another tier than before, and by how many steps they rose."""
    both = ~moved["tier_before"].eq(ENTERED) & ~moved["tier_after"].eq(LEFT)
    changed = moved[both & (moved["tier_before"] != moved["tier_after"])].copy()
    places = [changed[name].map(rank).fillna(len(rank)) for name in ("tier_before", "tier_after")]
    changed["rise"] = places[0] - places[1]
    changed["change"] = floats(changed["value_after"]) - floats(changed["value_before"])
    return changed


def _facts(before: pd.DataFrame, after: pd.DataFrame, people: pd.Index) -> pd.DataFrame:
    """What may have moved them, then and now."""
    names = [c.ORDERS, c.HISTORIC_NET, c.P_ALIVE, c.MODEL, c.DAYS_SINCE_LAST_ORDER, c.CUSTOMER_ID]
    then, now = (
        frame.assign(**{c.P_ALIVE: floats(frame[c.P_ALIVE])})
        .set_index(c.PERSON_KEY)[names]
        .reindex(people)
        for frame in (before, after)
    )
    return then.add_suffix("_before").join(now)


def _movers(people: pd.DataFrame) -> list[dict[str, Any]]:
    rows = people.rename_axis("customer").reset_index().to_dict("records")
    return [_mover({str(name): value for name, value in row.items()}) for row in rows]


def _mover(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "customer": row["customer"],
        "before": row["tier_before"],
        "after": row["tier_after"],
        "value_before": float(row["value_before"]),
        "value_after": float(row["value_after"]),
        "why": _why(row),
        "orders": int(row[c.ORDERS] - row[f"{c.ORDERS}_before"]),
        "days_since": int(row[c.DAYS_SINCE_LAST_ORDER]),
        "p_alive_before": figure(row[f"{c.P_ALIVE}_before"]),
        "p_alive": figure(row[c.P_ALIVE]),
    }


def _why(row: dict[str, Any]) -> str:
    if row[c.ORDERS] > row[f"{c.ORDERS}_before"]:
        return ORDERED
    if row[c.HISTORIC_NET] < row[f"{c.HISTORIC_NET}_before"]:
        return REFUNDED
    if row[c.MODEL] != row[f"{c.MODEL}_before"]:
        return MODEL
    # A chance that nobody knows compares false.
    return SILENT if row[c.P_ALIVE] <= (1 - FELL) * row[f"{c.P_ALIVE}_before"] else OTHERS
