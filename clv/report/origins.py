"""Value by how customers came, and what winning one may cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd

from clv import columns as c
from clv.customers.acquisition import clv_per_cac
from clv.customers.first_purchase import first_of, value_by
from clv.report.known import Known, figure

#: Where each is told: of an order, or of its lines.
OF_ORDERS = (c.CHANNEL, c.COUPON, c.COUNTRY, "store_view")
OF_LINES = (c.PRODUCT, c.CATEGORY)
#: A table shows so many groups.
MOST_GROUPS = 12

SHOWN = ("customers", "repeat_rate", "mean", "drawn_mean", "drawn_mean_low", "drawn_mean_high")


def by_origin(known: Known) -> dict[str, dict[str, Any]]:
    """By what it is told by: the groups, best first. Nothing where the shop tells it of nobody."""
    firsts = {name: _first(known, name) for name in (*OF_LINES, *OF_ORDERS)}
    return {
        name: _table(known, label)
        for name, label in firsts.items()
        if label is not None and label.notna().any()
    }


def _first(known: Known, name: str) -> pd.Series | None:
    rows = known.lines if name in OF_LINES else known.orders
    if name not in rows.columns or rows[name].isna().all():
        return None
    return first_of(rows, name, known.as_of)


def _table(known: Known, label: pd.Series) -> dict[str, Any]:
    """Net value to date by the label, with the predicted value beside it."""
    worth = known.summary.assign(**{c.NET: known.column(c.HISTORIC_NET)})
    table = value_by(label, worth)
    ahead = known.column(c.PREDICTED_CLV).groupby(label.reindex(known.people.index), dropna=False)
    table["predicted"] = ahead.mean().reindex(table.index)
    rows = [
        {"group": figure(name), **{key: figure(row[key]) for key in (*SHOWN, "predicted")}}
        for name, row in table.head(MOST_GROUPS).iterrows()
    ]
    return {"rows": rows, "more": max(len(table) - MOST_GROUPS, 0)}


def cac(known: Known) -> dict[str, Any]:
    """The ceiling of what winning a customer may cost, by first channel, against what it costs.

    A third of the margin CLV; of the sales CLV (`at_margin` false) where no margin is known.
    """
    worth = known.column(c.MARGIN_CLV)
    at_margin = bool(worth.notna().any())
    worth = worth if at_margin else known.column(c.FORMULA_CLV)
    label = _first(known, c.CHANNEL)
    if label is None:
        label = pd.Series(None, index=known.people.index, dtype=object)
    return {
        "at_margin": at_margin,
        "cac": known.settings.cac,
        "rows": _ceilings(worth, label, known.settings.cac),
    }


def _ceilings(worth: pd.Series, label: pd.Series, cost: Decimal | None) -> list[dict[str, Any]]:
    channels = label.reindex(worth.index)
    cost_of = pd.Series(
        float("nan") if cost is None else float(cost),
        index=pd.Index(channels.unique(), dtype=object),
    )
    table = clv_per_cac(worth, channels, cost_of).sort_values("mean_clv", ascending=False)
    wanted = ("customers", "mean_clv", "max_cac", "cac", "ratio", "verdict")
    return [
        {"channel": figure(name), **{key: figure(row[key]) for key in wanted}}
        for name, row in table.head(MOST_GROUPS).iterrows()
    ]
