"""The model card: what a scoring rests on, as plain JSON. Money is text, to the cent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clv import columns as c
from clv import money
from clv.choice.choosing import Choice
from clv.choice.hindsight import calibration_of
from clv.forecast import Predictor
from clv.formula import CLV_PER_CAC
from clv.settings import ScoreSettings

if TYPE_CHECKING:
    from clv.scorer import Scorer

Ints = NDArray[np.int64]

MONEY = (c.HISTORIC_NET, c.FORMULA_CLV, c.PREDICTED_CLV)


@dataclass(frozen=True)
class Totals:
    """Customers and cents, by tier; they add up over batches."""

    shop: str = ""
    currency: str = ""
    tiers: dict[str, dict[str, int]] = field(default_factory=dict)
    worth_it: int = 0
    without_net_value: int = 0

    @classmethod
    def of(cls, table: pa.Table, settings: ScoreSettings) -> Totals:
        """The totals of one batch of scores."""
        values = {name: _cents(table, name) for name in MONEY}
        return cls(
            shop=_first(table, c.SHOP),
            currency=_first(table, c.CURRENCY),
            tiers=_by_tier(table, values, settings.tiers.names),
            worth_it=_worth_it(table, settings),
            without_net_value=int((values[c.HISTORIC_NET] <= 0).sum()),
        )

    def __add__(self, other: Totals) -> Totals:
        names = {**self.tiers, **other.tiers}
        return Totals(
            self.shop or other.shop,
            self.currency or other.currency,
            {name: _added(self.tiers.get(name, {}), other.tiers.get(name, {})) for name in names},
            self.worth_it + other.worth_it,
            self.without_net_value + other.without_net_value,
        )

    def sum(self, name: str) -> int:
        return sum(tier.get(name, 0) for tier in self.tiers.values())


def predictor_card(fitted: Predictor) -> dict[str, Any]:
    """The models, what they warn of, and where the shop's own past has chosen them, how.

    `calibration` has the levels that the intervals take instead of those asked for.
    """
    chosen = fitted if isinstance(fitted, Choice) else None
    return {
        "model": fitted.name,
        "models": (chosen.predictor if chosen else fitted).card(),
        "choice": chosen.card() if chosen else None,
        "calibration": calibration_of(fitted).as_dict(),
        "warnings": list(fitted.warnings),
    }


def model_card(scorer: Scorer, totals: Totals) -> dict[str, Any]:
    """Data, models, settings, tiers and totals of one scoring."""
    settings, fitted = scorer.settings, scorer.predictor
    return {
        "data": _data(scorer, totals),
        **predictor_card(fitted),
        "settings": _settings(settings),
        "tiers": {name: _shown(totals, name, scorer) for name in settings.tiers.names},
        "totals": {name: money.text(totals.sum(name)) for name in MONEY},
        "cac": _cac(totals, settings),
    }


def _by_tier(
    table: pa.Table, values: dict[str, Ints], names: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    place = pc.index_in(table[c.TIER], pa.array(names)).to_numpy()
    columns = {"customers": np.ones(len(place), dtype=np.int64), **values}
    # In floats, which are exact up to 2^53 cents: 90 trillion.
    sums = {
        column: np.bincount(place, weights=each, minlength=len(names)).astype(np.int64).tolist()
        for column, each in columns.items()
    }
    return {name: {column: sums[column][i] for column in sums} for i, name in enumerate(names)}


def _cents(table: pa.Table, name: str) -> Ints:
    return money.cents(pd.Series(table[name], dtype=pd.ArrowDtype(table[name].type)))


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _worth_it(table: pa.Table, settings: ScoreSettings) -> int:
    if settings.cac is None:
        return 0
    return int((_cents(table, c.MAX_CAC) >= float(settings.cac * 100)).sum())


def _data(scorer: Scorer, totals: Totals) -> dict[str, Any]:
    data, as_of = scorer.data, scorer.as_of
    if not data.customers:
        return {"customers": 0}
    return {
        "shop": totals.shop,
        "currency": totals.currency,
        "as_of": as_of.isoformat(),
        "first_order_on": (as_of - timedelta(days=data.history_days)).isoformat(),
        "last_order_on": (as_of - timedelta(days=data.days_since_last_order)).isoformat(),
        "history_days": data.history_days,
        "customers": data.customers,
        "repeaters": data.repeaters,
        "purchase_days": data.purchase_days,
        "without_net_value": totals.without_net_value,
    }


def _first(table: pa.Table, name: str) -> str:
    return str(table[name][0]) if table.num_rows else ""


def _settings(settings: ScoreSettings) -> dict[str, Any]:
    return {
        "horizon_days": settings.horizon_days,
        "discount_per_year": settings.discount_per_year,
        "lifespan_years": str(settings.lifespan_years),
        "margin": None if settings.margin is None else str(settings.margin),
        "needs": vars(settings.needs),
    }


def _shown(totals: Totals, name: str, scorer: Scorer) -> dict[str, Any]:
    """Customers and value of a tier, and the predicted value from which on one belongs to it."""
    lowest, tier = scorer.cuts.lowest(name), totals.tiers.get(name, {})
    return {
        "customers": tier.get("customers", 0),
        c.PREDICTED_CLV: money.text(tier.get(c.PREDICTED_CLV, 0)),
        c.HISTORIC_NET: money.text(tier.get(c.HISTORIC_NET, 0)),
        "from": None if lowest is None else money.text(lowest),
    }


def _cac(totals: Totals, settings: ScoreSettings) -> dict[str, Any] | None:
    """How many customers are worth three times what winning one costs."""
    if settings.cac is None:
        return None
    cac = str(settings.cac)
    return {"cac": cac, "clv_per_cac": CLV_PER_CAC, "customers_worth_it": totals.worth_it}
