"""What each customer will buy: by the models where the data carry them, else by the shop's average.

The shop's average is a pair of models with given parameters. Repeats come at the rate
(x + 1) / (T + 1 / rate), which is NBD with r = 1, and a purchase is worth
(net + mean) / (days + 1), which is Gamma-Gamma with p = 1 and q = 2; `rate` is the shop's repeat
purchases per customer and day and `mean` its winsorised mean spend. That is each customer's own
average drawn to the shop's with the weight of one purchase. It knows no leaving, so it is too high
for those long gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import ClvError, NamedModelFails
from clv.formula import DAYS_A_YEAR
from clv.models.gamma_gamma import GammaGamma, winsorised_mean
from clv.models.nbd import NBD
from clv.models.purchases import Purchases
from clv.past import Past
from clv.summary import money
from clv.uncertainty.calibration import UNCHANGED, Calibration

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

    `discounted` are the purchases within the horizon weighed by when they come.
    """

    p_alive: Floats
    purchases: Floats
    discounted: Floats
    spend: Floats
    wait_days: Floats

    @property
    def value(self) -> Floats:
        """What the purchases to come are worth today."""
        return self.discounted * self.spend


class Predictor(Protocol):
    """Fitted to a shop's past; a forecast is a pure function of any part of its customers."""

    @property
    def name(self) -> str: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    def forecast(
        self, summary: pd.DataFrame, horizon_days: int, discount_rate: float
    ) -> Forecast: ...
    def card(self) -> dict[str, Any]: ...


#: Fits a predictor to a past, for a horizon in days. Raises ClvError where it can't.
Candidate = Callable[[Past, int], Predictor]


@dataclass(frozen=True)
class ByModels:
    """Purchases by one model, spend by Gamma-Gamma on all orders.

    `is_average`: the parameters are the shop's average, and say nothing about who has left or
    when somebody comes. `calibration` is what the shop's past says about the intervals' levels.
    """

    name: str
    buying: Purchases
    spending: GammaGamma
    warnings: tuple[str, ...] = ()
    is_average: bool = False
    calibration: Calibration = UNCHANGED

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        """`discount_rate` is continuous, per day."""
        buying, unknown = self.buying, np.full(len(summary), np.nan)
        purchases = buying.conditional_expected_purchases(horizon_days, summary)
        discounted = (
            buying.discounted_expected_purchases(horizon_days, summary, discount_rate)
            if discount_rate
            else purchases
        )
        known = buying.leaving_known(summary) & (not self.is_average)
        return Forecast(
            p_alive=np.where(known, buying.p_alive(summary), np.nan),
            purchases=purchases,
            discounted=discounted,
            spend=self.spending.expected_spend(all_purchases(summary)),
            wait_days=unknown if self.is_average else buying.expected_wait(summary),
        )

    def card(self) -> dict[str, Any]:
        """Both models with their parameters and errors, by name."""
        models: tuple[Any, ...] = (self.buying, self.spending)
        return {model.NAME: model.as_dict() for model in models}


def by_models(model: Callable[[pd.DataFrame], Purchases]) -> Candidate:
    """The candidate that fits a model to the summary, and Gamma-Gamma. `BetaGeoNBD.fit`, say."""

    def fit(past: Past, horizon_days: int) -> ByModels:
        return paired(model(past.summary), spending_of(past))

    return fit


def paired(buying: Any, spending: GammaGamma) -> ByModels:
    """Two fitted models, named after them, with what is doubtful about them."""
    spend = "mean spend" if spending.is_robust else spending.NAME
    return ByModels(f"{buying.NAME} + {spend}", buying, spending, _doubts(buying, spending))


def spending_of(past: Past) -> GammaGamma:
    """Gamma-Gamma on all purchases, the first ones too."""
    return GammaGamma.fit(all_purchases(past.summary))


def _doubts(buying: Any, spending: GammaGamma) -> tuple[str, ...]:
    doubts = [
        f"{model.NAME} stopped at the edge of what is plausible for {', '.join(model.at_wall)}"
        for model in (buying, spending)
        if model.at_wall
    ]
    if spending.is_robust:
        doubts.append(
            f"Gamma-Gamma has no usable mean (q={spending.q:.3g}): everybody is taken to spend "
            f"the winsorised mean {spending.robust_mean:.2f}"
        )
    return tuple(doubts)


def all_purchases(summary: pd.DataFrame) -> pd.DataFrame:
    """Purchase days and their mean value, the first one too: what spend is best learned from."""
    days = summary[c.FREQUENCY].to_numpy() + 1
    return pd.DataFrame({c.FREQUENCY: days, c.MONETARY_VALUE: money(summary, c.NET) / days})


def shop_average(past: Past, name: str, warning: str) -> ByModels:
    """What is left where no model could be fitted. It takes any number of customers, even none."""
    x, age = past.summary[c.FREQUENCY].to_numpy(), past.summary[c.T].to_numpy()
    net = np.maximum(money(past.summary, c.NET), 0)
    # A shop younger than a year is taken to be a year old: a few good days prove no rate. Where
    # nobody came back yet, half a purchase is taken to be under way.
    rate = max(float(x.sum()), 0.5) / max(float(age.sum()), DAYS_A_YEAR)
    mean = winsorised_mean(net[net > 0] / (x[net > 0] + 1))
    spending = GammaGamma(p=1.0, q=2.0, v=mean, robust_mean=mean)
    buying = NBD(r=1.0, alpha=1 / rate)
    return ByModels(name, buying, spending, (warning,), is_average=True)


def models_of(predictor: Predictor) -> ByModels | None:
    """The pair of models behind a predictor, alone or in a mean; None where there is none."""
    chosen = getattr(predictor, "predictor", predictor)
    models = chosen if isinstance(chosen, ByModels) else getattr(chosen, "models", None)
    return models if isinstance(models, ByModels) else None


def predictor(
    past: Past, horizon_days: int, needs: Needs, candidate: Candidate, named: str = ""
) -> Predictor:
    """The candidate, fitted where the shop has what it needs; else the shop's average.

    Whoever asked for a model by name is not given another one: where the shop is large enough and
    the model `named` can't be fitted all the same, NamedModelFails says why.
    """
    unmet = needs.unmet(past.summary)
    if unmet:
        warning = f"{TOO_LITTLE_DATA} for the models: {', '.join(unmet)}"
        return shop_average(past, TOO_LITTLE_DATA, warning)
    try:
        return candidate(past, horizon_days)
    except ClvError as error:
        if named:
            raise NamedModelFails(
                f"the model {named!r} can't be fitted to this shop: {error}. "
                "Name another one, or `auto`, which takes the best that can"
            ) from error
        return shop_average(past, SHOP_AVERAGE, f"the models could not be fitted: {error}")


def by_day(rate_per_year: float) -> float:
    """A yearly discount as a continuous rate per day."""
    return float(np.log1p(rate_per_year)) / DAYS_A_YEAR
