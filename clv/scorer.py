"""A shop's scorer: what was learned from all its customers, applied to any part of them.

historic_net   what the customer brought so far, net, to the cent
formula_clv    average order value x purchases a year x lifespan (`clv.formula`)
predicted_clv  net value of the purchases within the horizon, discounted to today

`margin_clv` is the formula at the shop's margin, or at what the customer's own orders earned where
their costs are known and no margin is given. `max_cac` is a third of it; without any margin, of
`formula_clv`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from clv import columns as c
from clv import money
from clv.choice.choosing import Choice
from clv.crowd import Crowd, Data, are_new, cents, forecast
from clv.forecast import ByModels, Forecast, Predictor, by_day, models_of
from clv.formula import lifetime_value, max_cac
from clv.reason import Facts, sentences
from clv.settings import ScoreSettings
from clv.summary import every
from clv.tiers import Cuts
from clv.uncertainty import intervals, settling
from clv.uncertainty.empirical_intervals import EmpiricalIntervals
from clv.uncertainty.intervals import Intervals, learned_from
from clv.uncertainty.settling import Settling

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Some = Callable[[int], pd.DataFrame]

#: A next order that is further away, or of a customer less likely active, is no news.
NEXT_ORDER_WITHIN_DAYS = 3 * 365
NEXT_ORDER_P_ALIVE = 0.1
EPOCH = date(1970, 1, 1)
BOUNDS = (c.PURCHASES_LOW, c.PURCHASES_HIGH, c.CLV_LOW, c.CLV_HIGH)


@dataclass(frozen=True)
class Scorer:
    """Everything that a score needs beside the customer. `score` is a pure function of its batch,
    so that any number of machines can share a shop."""

    predictor: Predictor
    settings: ScoreSettings
    as_of: date
    data: Data
    cuts: Cuts
    intervals: Intervals | None = None
    empirical: EmpiricalIntervals | None = None
    settling: Settling | None = None

    @classmethod
    def of(
        cls, predictor: Predictor, people: pd.DataFrame, as_of: date, settings: ScoreSettings
    ) -> Scorer:
        """The scorer of a shop, from all its customers: frequency, recency, T, orders and net.

        Their predicted values place the tiers' limits. Intervals, and tiers that hold on to what
        a customer shows, need models that know how sure they are.
        """
        crowd = Crowd.of(predictor, people, settings)
        return cls.knowing(crowd, partial(every, people), predictor, as_of, settings)

    @classmethod
    def knowing(
        cls, crowd: Crowd, some: Some, predictor: Predictor, as_of: date, settings: ScoreSettings
    ) -> Scorer:
        """The same from what all customers come to together, and from some of them.

        `some(many)` gives at most so many, evenly spread in order of their person_key.
        """
        plain = cls(predictor, settings, as_of, crowd.data, crowd.cuts(settings.tiers))
        models = models_of(predictor)
        if models is None:
            return replace(plain, empirical=_learned_bounds(predictor, settings))
        return plain._with(models, crowd, some)

    def _with(self, models: ByModels, crowd: Crowd, some: Some) -> Scorer:
        days, rate = self.settings.horizon_days, by_day(self.settings.discount_per_year)
        assert crowd.kinds is not None  # noqa: S101 -- there are models
        bounds = learned_from(
            *(models, crowd.kinds, some(intervals.SAMPLE), days, rate),
            levels=(self.settings.interval,),
        )
        people = some(settling.SAMPLE)
        new = are_new(people, self.settings)
        settles = Settling.of(
            bounds.models, self.cuts, people, new, horizon_days=days, discount_rate=rate
        )
        return replace(self, intervals=bounds, settling=settles)

    def score(self, people: pd.DataFrame) -> pa.Table:
        """`columns.SCORES` for some customers of a checked summary, in their order."""
        ahead = forecast(self.predictor, people, self.settings)
        predicted, net = cents(ahead.value), money.cents(people[c.NET])
        known = {
            **_described(people),
            c.AS_OF: _days(np.full(len(people), (self.as_of - EPOCH).days)),
            c.HORIZON_DAYS: pa.array(np.full(len(people), self.settings.horizon_days)),
            c.HISTORIC_NET: money.decimals(net),
            **_by_formula(people, net, self.settings),
            c.PREDICTED_CLV: money.decimals(predicted),
            **self._foreseen(ahead),
            **self._bounds(people, ahead),
            c.TIER: self._tiers(people, predicted, ahead),
            c.PREVIOUS_TIER: _texts(people, c.PREVIOUS_TIER),
            c.MODEL: _repeated(self.predictor.name, len(people)),
        }
        came_back = people[c.FREQUENCY].to_numpy() > 0
        known[c.REASON] = self._reasons(known, ahead, came_back)
        return pa.table({name: known[name] for name in c.SCORES})

    def _tiers(self, people: pd.DataFrame, predicted: Ints, ahead: Forecast) -> pa.Array:
        names = self.cuts.assign(predicted, are_new(people, self.settings))
        if self.settling is not None and c.PREVIOUS_TIER in people.columns:
            previous = people[c.PREVIOUS_TIER].astype(object).to_numpy()
            names = self.settling.settle(people, names, previous, ahead.value)
        return pa.array(names, pa.string())

    def _bounds(self, people: pd.DataFrame, ahead: Forecast) -> dict[str, pa.Array]:
        """Between what purchases and value will lie; null where the predictor doesn't know."""
        if self.intervals is not None:
            found = self.intervals.of(people, ahead)
        elif self.empirical is not None:
            found = _around(self.empirical.of(ahead), ahead)
        else:
            counts, value = pa.nulls(len(people), pa.int64()), pa.nulls(len(people), money.CENTS)
            return dict(zip(BOUNDS, (counts, counts, value, value), strict=True))
        low, high, least, most = (found[name].to_numpy() for name in found.columns)
        return {
            c.PURCHASES_LOW: pa.array(low.astype(np.int64)),
            c.PURCHASES_HIGH: pa.array(high.astype(np.int64)),
            c.CLV_LOW: money.decimals(cents(least)),
            c.CLV_HIGH: money.decimals(cents(most)),
        }

    def _foreseen(self, ahead: Forecast) -> dict[str, pa.Array]:
        """The forecast's columns, with null for what nobody knows."""
        return {
            c.P_ALIVE: pa.array(ahead.p_alive, mask=np.isnan(ahead.p_alive)),
            c.EXPECTED_PURCHASES: pa.array(ahead.purchases),
            c.EXPECTED_SPEND: money.decimals(cents(ahead.spend)),
            c.NEXT_ORDER_ON: self._next_orders(ahead),
        }

    def _next_orders(self, ahead: Forecast) -> pa.Array:
        """The day on which a customer who is still active can be expected; null if far or unlikely.

        NaN compares false: without a model nobody gets a day, and one-time buyers, of whom nothing
        says that they left, get theirs.
        """
        near = ahead.wait_days <= NEXT_ORDER_WITHIN_DAYS
        gone = ahead.p_alive < NEXT_ORDER_P_ALIVE
        waits = np.where(near & ~gone, np.ceil(ahead.wait_days), 0).astype(np.int64)
        return _days((self.as_of - EPOCH).days + waits, mask=waits == 0)

    def _reasons(
        self, known: dict[str, pa.Array], ahead: Forecast, came_back: NDArray[np.bool_]
    ) -> pa.Array:
        since = known[c.DAYS_SINCE_LAST_ORDER].to_numpy(zero_copy_only=False)
        facts = Facts(
            tier=known[c.TIER],
            orders=known[c.ORDERS],
            net=known[c.HISTORIC_NET],
            last_order_on=_days((self.as_of - EPOCH).days - since),
            came_back=came_back,
            purchases=ahead.purchases,
            spend=known[c.EXPECTED_SPEND],
            p_alive=ahead.p_alive,
        )
        currency = known[c.CURRENCY][0].as_py() if len(known[c.CURRENCY]) else ""
        return sentences(
            facts,
            currency=currency,
            horizon_days=self.settings.horizon_days,
            model=self.predictor.name,
        )


def _learned_bounds(predictor: Predictor, settings: ScoreSettings) -> EmpiricalIntervals | None:
    if not isinstance(predictor, Choice):
        return None
    return predictor.empirical(settings.horizon_days, settings.interval)


def _around(bounds: pd.DataFrame, ahead: Forecast) -> pd.DataFrame:
    """Widened to hold the forecast itself, however far off such forecasts were as a rule."""
    low, high, least, most = (bounds[name].to_numpy() for name in bounds.columns)
    expected = np.floor(ahead.purchases)
    widened = (
        *(np.minimum(low, expected), np.maximum(high, expected)),
        *(np.minimum(least, ahead.value), np.maximum(most, ahead.value)),
    )
    return pd.DataFrame(dict(zip(bounds.columns, widened, strict=True)))


def _described(people: pd.DataFrame) -> dict[str, pa.Array]:
    """Who, and what the summary knows already."""
    texts = (c.SHOP, c.PERSON_KEY, c.CUSTOMER_ID, c.CURRENCY)
    counts = (c.DAYS_SINCE_LAST_ORDER, c.ORDERS)
    return {
        **{name: _texts(people, name) for name in texts},
        **{name: pa.array(people[name].to_numpy().astype(np.int64)) for name in counts},
    }


def _by_formula(people: pd.DataFrame, net: Ints, settings: ScoreSettings) -> dict[str, pa.Array]:
    """The formula, the formula at margin, and the largest CAC, per customer."""
    orders, age = (people[name].to_numpy().astype(np.int64) for name in (c.ORDERS, c.T))
    years = settings.lifespan_years
    value = lifetime_value(net, orders, age, years)
    if settings.margin is not None:
        known = np.ones(len(people), dtype=bool)
        earned = lifetime_value(net, orders, age, years, settings.margin)
    else:
        known = people[c.MARGIN].notna().to_numpy(dtype=bool)
        earned = lifetime_value(money.cents(people[c.MARGIN]), orders, age, years)
    return {
        c.FORMULA_CLV: money.decimals(value),
        c.MARGIN_CLV: money.decimals(earned, known),
        c.MAX_CAC: money.decimals(max_cac(np.where(known, earned, value))),
    }


def _days(since_epoch: Ints, mask: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(since_epoch.astype(np.int32), pa.int32(), mask=mask).cast(pa.date32())


def _texts(people: pd.DataFrame, name: str) -> pa.Array:
    """A text column, all null where there is none."""
    if name not in people.columns:
        return pa.nulls(len(people), pa.string())
    return money.arrow(people[name]).cast(pa.string())


def _repeated(value: str, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), times)
