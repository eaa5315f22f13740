"""Who moved between tiers from one scoring to another, and how much value moved with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clv import columns as c
from clv.errors import BadSummary

ENTERED, LEFT, NO_TIER = "entered", "left", "no tier"


@dataclass(frozen=True)
class Migration:
    """Matrices of the same shape: a row per tier before and `entered`, a column per tier after
    and `left`.

    `customers` counts them; `value_before` and `value_after` add up their value then and now, as
    Decimal where it came so. Every customer of either date is in exactly one cell.
    """

    customers: pd.DataFrame
    value_before: pd.DataFrame
    value_after: pd.DataFrame


def moves(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    key: str = c.PERSON_KEY,
    tier: str = c.TIER,
    value: str = c.PREDICTED_CLV,
) -> pd.DataFrame:
    """Each customer of two score frames: tier_before, tier_after, value_before, value_after.

    By `key`, sorted. Whoever is in one frame only has `entered` or `left` in place of the other
    tier, and no value there (0). Raises BadSummary.
    """
    old, new = (_by_key(frame, key, tier, value) for frame in (before, after))
    both = old.add_suffix("_before").join(new.add_suffix("_after"), how="outer").sort_index()
    both["tier_before"] = both["tier_before"].where(both.index.isin(old.index), ENTERED)
    both["tier_after"] = both["tier_after"].where(both.index.isin(new.index), LEFT)
    for name in ("value_before", "value_after"):
        both[name] = both[name].where(both[name].notna(), 0)
    return both[["tier_before", "tier_after", "value_before", "value_after"]]


def migration(moved: pd.DataFrame, tiers: tuple[str, ...] = ()) -> Migration:
    """The matrices of what `moves` gives. `tiers`: their order, best first; others follow."""
    found = [*moved["tier_before"], *moved["tier_after"]]
    known = [*tiers, *sorted(set(found) - {*tiers, ENTERED, LEFT})]
    by = moved.groupby(["tier_before", "tier_after"], sort=False)
    shape = {"index": [*known, ENTERED], "columns": [*known, LEFT]}
    return Migration(
        _matrix(by.size(), shape).astype(np.int64),
        _matrix(by["value_before"].sum(), shape),
        _matrix(by["value_after"].sum(), shape),
    )


def _matrix(cells: pd.Series, shape: dict[str, Any]) -> pd.DataFrame:
    table = cells.unstack().reindex(**shape)
    return table.where(table.notna(), 0).rename_axis(index="before", columns="after")


def _by_key(frame: pd.DataFrame, key: str, tier: str, value: str) -> pd.DataFrame:
    for column in (key, tier, value):
        if column not in frame.columns:
            raise BadSummary("the scores lack columns", column=column, rows=len(frame))
    twice = int(frame[key].duplicated().sum())
    if twice:
        raise BadSummary("customers that come twice", column=key, rows=twice)
    chosen = frame.set_index(key)[[tier, value]].set_axis(["tier", "value"], axis=1)
    chosen["tier"] = chosen["tier"].astype(object).where(chosen["tier"].notna(), NO_TIER)
    return chosen
