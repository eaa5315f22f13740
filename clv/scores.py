"""Three scores side by side for every customer of a shop: historic, by formula, and predicted.

historic_net   what the customer brought so far, net, to the cent
formula_clv    average order value x purchases a year x lifespan (`clv.formula`)
predicted_clv  net value of the purchases within the horizon, discounted to today

`margin_clv` is the formula at the shop's margin, or at what the customer's own orders earned where
their costs are known and no margin is given. `max_cac` is a third of it; without any margin, of
`formula_clv`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.beta_geo import BetaGeoNBD
from clv.card import model_card
from clv.forecast import Forecast, by_day, by_models, predictor
from clv.formula import CENT, average_order_value, lifetime_value, max_cac, purchases_a_year
from clv.past import Past
from clv.reason import Facts, sentences
from clv.settings import ScoreSettings
from clv.summary import checked
from clv.tiers import Tiers, assign

#: A next order that is further away, or of a customer less likely active, is no news.
NEXT_ORDER_WITHIN_DAYS = 3 * 365
NEXT_ORDER_P_ALIVE = 0.1


@dataclass(frozen=True)
class Scored:
    """`frame` has `columns.SCORES`, in order of person_key; `card` is plain JSON.

    The card says which models were used, their parameters with errors, what the data were, the
    tiers with their lowest values, totals, and the warnings.
    """

    frame: pd.DataFrame
    card: dict[str, Any]
    warnings: tuple[str, ...]


def score(
    summary: pd.DataFrame,
    settings: ScoreSettings,
    *,
    as_of: date,
    previous_tiers: Mapping[str, str] | None = None,
) -> Scored:
    """Score one shop's customers in one currency. Raises BadSummary.

    `previous_tiers` by person_key, as the last scoring left them. With too little data the
    predicted value falls back to the shop's average: column `model`, `reason`, card and warnings
    say so.
    """
    people = checked(summary)
    fitted = predictor(
        Past(people, as_of), settings.horizon_days, settings.needs, by_models(BetaGeoNBD.fit)
    )
    ahead = fitted.forecast(people, settings.horizon_days, by_day(settings.discount_per_year))
    predicted_cents = np.rint(ahead.value * 100).astype(np.int64)
    net = [_exact(value) for value in people[c.NET]]
    net_cents = np.array([int(value * 100) for value in net], dtype=np.int64)
    assigned = assign(predicted_cents, net_cents, _are_new(people, settings.tiers), settings.tiers)
    known = previous_tiers or {}
    new_columns = {
        c.HISTORIC_NET: _objects(net),
        **_by_formula(people, net, settings),
        c.PREDICTED_CLV: _from_cents(predicted_cents),
        **_foreseen(ahead, fitted.name, as_of),
        c.TIER: _objects(assigned.tiers),
        c.PREVIOUS_TIER: _objects(known.get(key) for key in people[c.PERSON_KEY]),
    }
    frame = pd.concat([_described(people, settings, as_of), pd.DataFrame(new_columns)], axis=1)
    frame[c.REASON] = _objects(_reasons(frame, settings, fitted.name))
    frame = frame[list(c.SCORES)]
    return Scored(frame, model_card(people, frame, fitted, assigned, settings), fitted.warnings)


def _described(people: pd.DataFrame, settings: ScoreSettings, as_of: date) -> pd.DataFrame:
    """Who and when: what the summary knows already."""
    frame = people[[c.SHOP, c.PERSON_KEY, c.CURRENCY]].copy()
    ids = people[c.CUSTOMER_ID].astype(object)
    frame[c.CUSTOMER_ID] = ids.where(ids.notna(), None)
    frame[c.AS_OF] = _objects([as_of] * len(people))
    frame[c.HORIZON_DAYS] = settings.horizon_days
    for name in (c.DAYS_SINCE_LAST_ORDER, c.ORDERS):
        frame[name] = people[name].astype(np.int64)
    return frame


def _are_new(people: pd.DataFrame, tiers: Tiers) -> NDArray[np.bool_]:
    return ((people[c.ORDERS] == 1) & (people[c.T] <= tiers.new_days)).to_numpy()


def _by_formula(
    people: pd.DataFrame, net: list[Decimal], settings: ScoreSettings
) -> dict[str, pd.Series]:
    """The formula, the formula at margin, and the largest CAC, per customer."""
    earned = [None if pd.isna(value) else _exact(value) for value in people[c.MARGIN]]
    orders, ages = people[c.ORDERS].astype(int).tolist(), people[c.T].astype(int).tolist()
    worth = [_worth(*row, settings) for row in zip(net, earned, orders, ages, strict=True)]
    names = (c.FORMULA_CLV, c.MARGIN_CLV, c.MAX_CAC)
    return {name: _objects(row[place] for row in worth) for place, name in enumerate(names)}


def _worth(
    net: Decimal, earned: Decimal | None, orders: int, age: int, settings: ScoreSettings
) -> tuple[Decimal, Decimal | None, Decimal]:
    """One customer's `formula_clv`, `margin_clv` and `max_cac`."""
    a_year, years = purchases_a_year(orders, age), settings.lifespan_years
    per_order = average_order_value(net, orders)
    value = lifetime_value(per_order, a_year, years)
    if settings.margin is not None:
        at_margin = lifetime_value(per_order, a_year, years, settings.margin)
    elif earned is not None:
        at_margin = lifetime_value(average_order_value(earned, orders), a_year, years)
    else:
        return value, None, max_cac(value)
    return value, at_margin, max_cac(at_margin)


def _foreseen(ahead: Forecast, model: str, as_of: date) -> dict[str, pd.Series]:
    """The forecast's columns, with None for what nobody knows."""
    return {
        c.P_ALIVE: _objects(None if p != p else p for p in ahead.p_alive.tolist()),
        c.EXPECTED_PURCHASES: pd.Series(ahead.purchases),
        c.EXPECTED_SPEND: _from_cents(np.rint(ahead.spend * 100).astype(np.int64)),
        c.NEXT_ORDER_ON: _objects(_next_orders(ahead, as_of)),
        c.MODEL: _objects([model] * len(ahead.spend)),
    }


def _next_orders(ahead: Forecast, as_of: date) -> list[date | None]:
    """The day on which a customer who is still active can be expected; None if far or unlikely.

    NaN compares false: without a model nobody gets a day, and one-time buyers, of whom nothing
    says that they left, get theirs.
    """
    near = ahead.wait_days <= NEXT_ORDER_WITHIN_DAYS
    gone = ahead.p_alive < NEXT_ORDER_P_ALIVE
    waits = np.where(near & ~gone, np.ceil(ahead.wait_days), 0).tolist()
    return [as_of + timedelta(days=wait) if wait else None for wait in waits]


def _reasons(frame: pd.DataFrame, settings: ScoreSettings, model: str) -> list[str]:
    facts = Facts(
        tier=frame[c.TIER].tolist(),
        orders=frame[c.ORDERS].tolist(),
        net=frame[c.HISTORIC_NET].tolist(),
        last_order_on=[
            as_of - timedelta(days=since)
            for as_of, since in zip(frame[c.AS_OF], frame[c.DAYS_SINCE_LAST_ORDER], strict=True)
        ],
        purchases=frame[c.EXPECTED_PURCHASES].tolist(),
        spend=frame[c.EXPECTED_SPEND].tolist(),
        p_alive=frame[c.P_ALIVE].tolist(),
    )
    currency = str(frame[c.CURRENCY].iloc[0]) if len(frame) else ""
    return sentences(facts, currency=currency, horizon_days=settings.horizon_days, model=model)


def _objects(values: Iterable[object]) -> pd.Series:
    """A column that keeps None as None."""
    return pd.Series(list(values), dtype=object)


def _exact(value: object) -> Decimal:
    """Money to the cent, from Decimal or float."""
    return Decimal(str(value)).quantize(CENT)


def _from_cents(cents: NDArray[np.int64]) -> pd.Series:
    return _objects(Decimal(value).scaleb(-2) for value in cents.tolist())
