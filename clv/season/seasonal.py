"""A model of purchases in a shop with seasons: any plain model, in operational time.

The season s(d) of `clv.season.index` multiplies each active customer's purchase rate. In
operational time, its running sum W, purchases are then what the plain model says: exactly for the
models that leave after a purchase or never; Pareto/NBD's customers live and leave on that clock.
So the summary is measured in W, the plain model fitted to it and asked for W(as_of + t) - W(as_of).

By calendar days the density of a purchase on day d has s(d) as a factor more, and

    log-likelihood = that of the plain model in operational time + sum of ln s(d)

over all repeat purchases, which is comparable with the plain model's own.

Season and model are found in turn: the plain model's expectation by day against what was bought
gives the season (`clv.season.estimate`), the season gives the operational time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv import columns as c
from clv.models.fitted import Covariance, Fitted
from clv.models.purchases import Purchases, Rows
from clv.numerics.log_time import LogTime
from clv.season.estimate import Plain, season_of
from clv.season.history import Activity
from clv.season.index import SeasonalIndex, day_number

Floats = NDArray[np.float64]

__all__ = ["Seasonal", "SeasonalIndex"]

#: Days of a discounted horizon that are looked at one by one; more are taken in growing steps.
DAYS_ONE_BY_ONE, LATER_STEPS, NODES = 36_525, 200, 4
#: Nodes for those whose next purchase depends on the last: their expectation rises in steps.
RHYTHM = 80


@dataclass(frozen=True, kw_only=True)
class Seasonal(Purchases):
    """A fitted seasonal model: asked about summaries as of its `as_of`, all times in days.

    `plain` is fitted in operational time. `log_likelihood` is comparable with
    `plain_log_likelihood`, that of the same model without a season; `season_parameters` is the
    effective number of parameters behind the season (0: the data show none, and the index is
    flat), `dispersion` how much more the shop's days scatter than chance alone would have it.
    """

    plain: Purchases
    index: SeasonalIndex
    as_of: date
    log_likelihood: float = 0.0
    plain_log_likelihood: float = 0.0
    season_parameters: float = 0.0
    dispersion: float = 1.0

    @classmethod
    def fit(
        cls,
        model_class: Plain,
        summary: pd.DataFrame,
        activity: pd.DataFrame,
        as_of: date,
        weights: ArrayLike | None = None,
    ) -> Self:
        """The season of a shop and the model that fits it best.

        `summary` is as of `as_of`, in days; `activity` has a row for each date (index) with
        first_purchases and repeat_purchases of the same customers; later days are left out, and
        so is the column `log_waits`, which belongs to calendar days.
        Raises NotEnoughData, also below 456 days of history, BadSummary, ConvergenceError.
        """
        days = Activity.read(activity, day_number(as_of))
        summary = summary.drop(columns=c.LOG_WAITS, errors="ignore")
        season = season_of(model_class, summary, days, as_of, weights)
        without = model_class.fit(summary, weights)
        index, fitted = season.index, without
        if not index.is_flat:
            fitted = model_class.fit(index.operational(summary, as_of), weights)
        return cls(
            plain=fitted,
            index=index,
            as_of=date(as_of.year, as_of.month, as_of.day),
            log_likelihood=fitted.log_likelihood + _log_rates(index, days, summary, weights),
            plain_log_likelihood=without.log_likelihood,
            season_parameters=season.parameters,
            dispersion=season.dispersion,
        )

    @property
    def gain(self) -> float:
        """What the season adds to the log-likelihood beyond what chance would (Akaike).

        Above 0: keep the season; 0 without one. Overdispersed days count for less (QAIC: Lebreton
        et al. (1992), Ecological Monographs 62(1)).
        """
        more = self.log_likelihood - self.plain_log_likelihood
        return more / self.dispersion - self.season_parameters

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active."""
        return self.plain.p_alive(self._operational(summary))

    def leaving_known(self, summary: pd.DataFrame) -> NDArray[np.bool_]:
        """Where `p_alive` is a finding."""
        return self.plain.leaving_known(self._operational(summary))

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases within `t` (any shape) of a customer who is new on `as_of`."""
        return self.plain.expected_purchases(self.index.horizon(self.as_of, t))

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """Expected purchases within the next `t` (one for all or one each) of active customers."""
        horizon = self.index.horizon(self.as_of, t)
        return self.plain.purchases_while_active(horizon, self._operational(summary))

    def conditional_expected_purchases(self, t: float, summary: pd.DataFrame) -> Floats:
        """Purchases within the next `t`, by what each customer did so far."""
        horizon = float(self.index.horizon(self.as_of, t))
        return self.plain.conditional_expected_purchases(horizon, self._operational(summary))

    def discounted_expected_purchases(
        self, t: float, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """Purchases within the next `t`, each times exp(-discount_rate * days until then).

        By parts as for the plain models, day by day. The expectation is smooth in operational
        time and taken as a sum of Chebyshev polynomials there, so that the days are gone through
        once for all customers.
        """
        measured = self._operational(summary)
        futures, rows = self.plain._futures(measured)
        least = RHYTHM if c.RECENCY in self.plain.FUTURE else 0
        time = LogTime(self.plain.time_scale, float(self.index.horizon(self.as_of, t)), least)
        known = [self.plain.purchases_while_active(moment, futures) for moment in time.moments]
        active = self._discounts(t, discount_rate, time) @ time.coefficients(np.array(known))
        expected: Floats = self.plain.p_alive(measured) * np.maximum(active, 0.0)[rows]
        return expected

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Days until an active customer's expected wait is over in operational time."""
        measured = self._operational(summary)
        now = day_number(self.as_of)
        due = self.index.running(now) + self.plain.expected_wait(measured)
        return np.maximum(self.index.calendar(due) - now, 0.0)

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """One random future each: the purchases within the next `t` of customers active now."""
        horizon = float(self.index.horizon(self.as_of, t))
        return self.plain.draw_purchases(horizon, self._operational(summary), rng)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Random customers who first purchased `ages` days before `as_of`, up to that day.

        Time in days since the first purchase. For other periods: `clv.models.simulate` with a
        season.
        """
        first = day_number(self.as_of) - np.asarray(ages, dtype=np.float64)
        start = self.index.running(first)
        rows, since = self.plain.draw_histories(
            self.index.running(day_number(self.as_of)) - start, rng
        )
        days = self.index.calendar(start[rows] + since) - first[rows]
        return rows, np.clip(days, 0.0, ages[rows])

    @property
    def FUTURE(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802
        """The plain model's columns, and T: by the calendar it tells what they are in its time."""
        return tuple(dict.fromkeys((*self.plain.FUTURE, c.T)))

    @property
    def time_scale(self) -> float:
        return self.plain.time_scale

    def _operational(self, summary: pd.DataFrame) -> pd.DataFrame:
        return self.index.operational(summary, self.as_of)

    def _discounts(self, t: float, discount_rate: float, time: LogTime) -> Floats:
        """What each coefficient of an expectation adds to the discounted one: (nodes,).

        exp(-d t) E(t) + d * integral of exp(-d u) E(W(as_of + u) - W(as_of)) du.
        """
        end = np.array([time.longest])
        total: Floats = np.exp(-discount_rate * t) * time.basis(end)[0]
        if discount_rate:
            for u, width in _moments(t):
                now = time.basis(self.index.horizon(self.as_of, u))
                total += (discount_rate * width * np.exp(-discount_rate * u)) @ now
        return total

    # ------------------------------------------------------------------ what every model has

    @property
    def NAME(self) -> str:  # noqa: N802 -- as every model
        return f"seasonal {self._fitted.NAME}"

    @property
    def PARAMETERS(self) -> tuple[str, ...]:  # noqa: N802 -- as every model
        return self._fitted.PARAMETERS

    @property
    def customers(self) -> int:
        return self._fitted.customers

    @property
    def parameters(self) -> Floats:
        """Those of the plain model, in operational days."""
        return self._fitted.parameters

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Of the plain model's parameters, with the season taken as certain."""
        return self._fitted.standard_errors

    @property
    def log_covariance(self) -> Covariance | None:
        return self._fitted.log_covariance

    @property
    def at_wall(self) -> tuple[str, ...]:
        return self._fitted.at_wall

    def with_parameters(self, values: Floats) -> Self:
        """The same season with other parameters of the plain model."""
        return self._with(self._fitted.with_parameters(values))

    def drawn(self, many: int, rng: np.random.Generator) -> list[Self]:
        """`many` models as the data allow them, all in the same season."""
        return [self._with(plain) for plain in self._fitted.drawn(many, rng)]

    def as_dict(self) -> dict[str, Any]:
        """What the model card shows: the plain model's figures, and the season by month."""
        months = pd.date_range("2001-01-01", "2001-12-31").month
        usual = self.index.at(np.arange(365) + day_number(date(2001, 1, 1)))
        return {
            **self._fitted.as_dict(),
            "model": self.NAME,
            "as_of": self.as_of.isoformat(),
            "log_likelihood": self.log_likelihood,
            "plain_log_likelihood": self.plain_log_likelihood,
            "season_parameters": self.season_parameters,
            "dispersion": self.dispersion,
            "gain": self.gain,
            "season_by_month": [float(usual[months == month].mean()) for month in range(1, 13)],
        }

    def to_json(self) -> str:
        """The model as JSON text, to the last digit."""
        values = asdict(self) | {"as_of": self.as_of.isoformat(), "of": self._fitted.NAME}
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote. The plain model's class must have been imported."""
        values = json.loads(text)
        name = values.pop("of")
        (of,) = (kind for kind in _kinds(Fitted) if getattr(kind, "NAME", None) == name)
        values["plain"] = of.from_json(json.dumps(values["plain"]))
        values["index"] = SeasonalIndex.from_json(json.dumps(values["index"]))
        return cls(**values | {"as_of": date.fromisoformat(values["as_of"])})

    @property
    def _fitted(self) -> Fitted:
        """The plain model as what it is besides."""
        return cast(Fitted, self.plain)

    def _with(self, plain: Fitted) -> Self:
        return replace(self, plain=cast(Purchases, plain))


def _log_rates(
    index: SeasonalIndex, days: Activity, summary: pd.DataFrame, weights: ArrayLike | None
) -> float:
    """Sum of ln s over the repeat purchases of the summary, which come as the activity's do."""
    x = summary[c.FREQUENCY].to_numpy(dtype=np.float64)
    purchases = float(x @ (np.ones(len(x)) if weights is None else np.asarray(weights)))
    by_day = days.repeat_purchases
    mean = float(by_day @ np.log(index.at(days.days))) / max(float(by_day.sum()), 1.0)
    return purchases * mean


def _moments(t: float) -> Iterator[tuple[Floats, Floats]]:
    """Moments of a horizon and the time each stands for, by Gauss-Legendre within each day."""
    days = np.arange(np.ceil(min(t, DAYS_ONE_BY_ONE)), dtype=np.float64)
    later = np.geomspace(DAYS_ONE_BY_ONE, t, LATER_STEPS) if t > DAYS_ONE_BY_ONE else [t]
    edges: Floats = np.append(days, later)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    widths: Floats = np.diff(edges)
    for node, weight in zip(nodes, weights, strict=True):
        yield edges[:-1] + widths * (1 + node) / 2, widths * weight / 2


def _kinds(of: type[Fitted]) -> Iterator[type[Fitted]]:
    """All models that are imported."""
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)
