"""The model card: what a scoring rests on, as plain JSON. Money is text, to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from clv import columns as c
from clv.forecast import Predictor
from clv.formula import CLV_PER_CAC
from clv.settings import ScoreSettings
from clv.tiers import Assigned


def model_card(
    people: pd.DataFrame,
    frame: pd.DataFrame,
    fitted: Predictor,
    assigned: Assigned,
    settings: ScoreSettings,
) -> dict[str, Any]:
    """Data, models, settings, tiers and totals of one scoring. `people` is the checked summary."""
    return {
        "data": _data(people, frame),
        "model": fitted.name,
        "models": fitted.card(),
        "settings": _settings(settings),
        "tiers": _tiers(frame, assigned, settings),
        "totals": {
            name: str(sum(frame[name], Decimal("0.00")))
            for name in (c.HISTORIC_NET, c.FORMULA_CLV, c.PREDICTED_CLV)
        },
        "cac": _cac(frame, settings),
        "warnings": list(fitted.warnings),
    }


def _data(people: pd.DataFrame, frame: pd.DataFrame) -> dict[str, Any]:
    if people.empty:
        return {"customers": 0}
    as_of: date = frame[c.AS_OF].iloc[0]
    history, since = int(people[c.T].max()), int(people[c.DAYS_SINCE_LAST_ORDER].min())
    return {
        "shop": str(people[c.SHOP].iloc[0]),
        "currency": str(people[c.CURRENCY].iloc[0]),
        "as_of": as_of.isoformat(),
        "first_order_on": (as_of - timedelta(days=history)).isoformat(),
        "last_order_on": (as_of - timedelta(days=since)).isoformat(),
        "history_days": history,
        "customers": len(people),
        "repeaters": int((people[c.FREQUENCY] > 0).sum()),
        "purchase_days": int((people[c.FREQUENCY] + 1).sum()),
        "without_net_value": int((frame[c.HISTORIC_NET] <= 0).sum()),
    }


def _settings(settings: ScoreSettings) -> dict[str, Any]:
    return {
        "horizon_days": settings.horizon_days,
        "discount_per_year": settings.discount_per_year,
        "lifespan_years": str(settings.lifespan_years),
        "margin": None if settings.margin is None else str(settings.margin),
        "needs": vars(settings.needs),
    }


def _tiers(
    frame: pd.DataFrame, assigned: Assigned, settings: ScoreSettings
) -> dict[str, dict[str, Any]]:
    """Customers and value per tier, and the predicted value from which on one belongs to it."""
    card = {}
    for name in settings.tiers.names:
        values = frame.loc[frame[c.TIER] == name, c.PREDICTED_CLV]
        lowest = assigned.lowest_cents.get(name)
        card[name] = {
            "customers": len(values),
            "predicted_clv": str(sum(values, Decimal("0.00"))),
            "from": None if lowest is None else str(Decimal(lowest).scaleb(-2)),
        }
    return card


def _cac(frame: pd.DataFrame, settings: ScoreSettings) -> dict[str, Any] | None:
    """How many customers are worth three times what winning one costs."""
    if settings.cac is None:
        return None
    worth_it = int((frame[c.MAX_CAC] >= settings.cac).sum())
    return {"cac": str(settings.cac), "clv_per_cac": CLV_PER_CAC, "customers_worth_it": worth_it}
