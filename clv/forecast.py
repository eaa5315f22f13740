"""What each customer will buy: by the models where the data carry them, else by the shop's average.

The simple estimate: a customer repeats at the rate (x + 1) / (T + 1 / rate) and spends
(net + mean) / (days + 1) a purchase, where `rate` is the shop's repeat purchases per customer and
day and `mean` its winsorised mean spend. That is each customer's own average drawn to the shop's
with the weight of one purchase. It knows no leaving, so it is too high for those long gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.beta_geo import BetaGeoNBD
from clv.errors import ClvError
from clv.formula import DAYS_A_YEAR
from clv.gamma_gamma import GammaGamma, winsorised_mean
from clv.summary import money

Floats = NDArray[np.float64]

TOO_LITTLE_DATA = "too little data"
SHOP_AVERAGE = "shop average"


@dataclass(frozen=True)
class Needs:
    """What a shop must have before the models are believed."""

    customers: int = 200
    repeaters: int = 30
    history_days: int = 90

    def unmet(self, summary: pd.DataFrame) -> list[str]:
        """What is missing, as `120 of 200 customers`."""
        has = {
            "customers": len(summary),
            "repeat customers": int((summary[c.FREQUENCY] > 0).sum()),
            "days of history": int(summary[c.T].max()) if len(summary) else 0,
        }
        needed = (self.customers, self.repeaters, self.history_days)
        pairs = zip(has.items(), needed, strict=True)
        return [f"{number} of {need} {what}" for (what, number), need in pairs if number < need]


@dataclass(frozen=True)
class Forecast:
    """One value per customer. NaN in `p_alive` and `wait_days`: nothing is known about it.

    `discounted` are the purchases within the horizon weighed by when they come; `models` goes
    into the model card.
    """

    model: str
    p_alive: Floats
    purchases: Floats
    discounted: Floats
    spend: Floats
    wait_days: Floats
    warnings: tuple[str, ...] = ()
    models: dict[str, dict[str, Any]] = field(default_factory=dict)


def forecast(
    summary: pd.DataFrame, horizon_days: int, discount_per_year: float, needs: Needs
) -> Forecast:
    """The next `horizon_days` of each customer of a checked summary."""
    discount_rate = float(np.log1p(discount_per_year)) / DAYS_A_YEAR
    unmet = needs.unmet(summary)
    if unmet:
        warning = f"{TOO_LITTLE_DATA} for the models: {', '.join(unmet)}"
        return _by_average(summary, horizon_days, discount_rate, TOO_LITTLE_DATA, warning)
    try:
        return _by_models(summary, horizon_days, discount_rate)
    except ClvError as error:
        warning = f"the models could not be fitted: {error}"
        return _by_average(summary, horizon_days, discount_rate, SHOP_AVERAGE, warning)


def _by_models(summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
    paid = _all_purchases(summary)
    buying, spending = BetaGeoNBD.fit(summary), GammaGamma.fit(paid)
    came_back = summary[c.FREQUENCY].to_numpy() > 0
    return Forecast(
        model="BG/NBD + " + ("mean spend" if spending.is_robust else "Gamma-Gamma"),
        # For those who never came back BG/NBD says 1 by definition, which is no fact.
        p_alive=np.where(came_back, buying.p_alive(summary), np.nan),
        purchases=buying.conditional_expected_purchases(horizon_days, summary),
        discounted=buying.discounted_expected_purchases(horizon_days, summary, discount_rate),
        spend=spending.expected_spend(paid),
        wait_days=buying.expected_wait(summary),
        warnings=_doubts(buying, spending),
        models={buying.NAME: buying.as_dict(), spending.NAME: spending.as_dict()},
    )


def _doubts(buying: BetaGeoNBD, spending: GammaGamma) -> tuple[str, ...]:
    doubts = [
        f"{model} stopped at the edge of what is plausible for {', '.join(names)}"
        for model, names in (("BG/NBD", buying.at_wall), ("Gamma-Gamma", spending.at_wall))
        if names
    ]
    if spending.is_robust:
        doubts.append(
            f"Gamma-Gamma has no usable mean (q={spending.q:.3g}): everybody is taken to spend "
            f"the winsorised mean {spending.robust_mean:.2f}"
        )
    return tuple(doubts)


def _all_purchases(summary: pd.DataFrame) -> pd.DataFrame:
    """Purchase days and their mean value, the first one too: what spend is best learned from."""
    days = summary[c.FREQUENCY].to_numpy() + 1
    return pd.DataFrame({c.FREQUENCY: days, c.MONETARY_VALUE: money(summary, c.NET) / days})


def _by_average(
    summary: pd.DataFrame, horizon_days: int, discount_rate: float, model: str, warning: str
) -> Forecast:
    x, age = summary[c.FREQUENCY].to_numpy(), summary[c.T].to_numpy()
    net = np.maximum(money(summary, c.NET), 0)
    # A shop younger than a year is taken to be a year old: a few good days prove no rate.
    rate = float(x.sum()) / max(float(age.sum()), DAYS_A_YEAR)
    purchases = horizon_days * (x + 1) * rate / (age * rate + 1)
    mean = winsorised_mean(net[net > 0] / (x[net > 0] + 1))
    unknown = np.full(len(x), np.nan)
    return Forecast(
        model=model,
        p_alive=unknown,
        purchases=purchases,
        discounted=purchases * _mean_discount(horizon_days * discount_rate),
        spend=(net + mean) / (x + 2),
        wait_days=unknown,
        warnings=(warning,),
    )


def _mean_discount(exponent: float) -> float:
    """The mean of exp(-s) for s from 0 to `exponent`."""
    return float(-np.expm1(-exponent) / exponent) if exponent else 1.0
