"""Between what bounds each customer's purchases and value will lie, and how often that was true.

An interval holds chance, what is unknown about the customer (their rate, when they leave, what they
spend) and what is unknown about the shop (the parameters).

Purchases are counts, and most customers make none: whoever will purchase nothing with 90% is inside
any interval that starts at 0, whatever was asked for. Intervals of 80% for each customer alone
would hold far more than 80% of all customers. So the level is meant of the customers of a shop: of
100 customers, 80 land within their 80% interval. To get there, the counts of all are first rounded
down rather than up, to the same degree, where the interval of exactly 80% ends between two counts;
if that isn't enough (or for value, which isn't rounded), all aim at less than 80%. How far is found
from the models themselves, for the intervals' own probabilities to average to the level: or to up
to SPARE of the rest above it, the more so the further single intervals have to give way. That costs
all customers a point or two, and gives the best tenth, who have nothing to do with the zeros and
pay for them, up to ten.

No interval of counts can do better for all. Whoever buys nothing with probability P has 0 in any
interval that is worth its name, so it holds them with P or more; where the mean of those P is above
the level, so is the coverage. Ranks tell whether the models are right all the same
(`clv.uncertainty.calibration`), and what they say about the past moves the levels.

The limit: nobody's own interval leaves out more than MOST_TAIL times what was asked for, so that it
holds at least half of a customer's futures where 80% were asked for. Where so many do nothing that
even this holds more customers than asked for, more it is.

At most half of what an interval leaves out lies below it, and nothing where it starts at 0. It
holds the expected value, and the expected purchases rounded down: most make fewer than are expected
of them, and if each interval had to reach the count above, 85% would be in it where 78% buy
nothing, and fewer of the best tenth, who pay for that. Value is discounted as the
forecast's is; when it comes is taken as certain. Where Gamma-Gamma has no usable mean
(`GammaGamma.is_robust`) its quantiles exist all the same and are used, widened to the value that
the robust mean gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.forecast import ByModels, Forecast, all_purchases
from clv.models.purchases import Purchases
from clv.summary import every, money
from clv.uncertainty.futures import Futures, Kinds, Table, Wanted, drawn, rounded
from clv.uncertainty.plausible import Plausible, by_hessian

Floats = NDArray[np.float64]

PURCHASES, CLV = "purchases", "clv"
LEVELS = (0.8, 0.95)
#: The shares of outcomes outside the intervals that can be resolved by draws.
LOWEST, HIGHEST = 0.01, 0.99
#: Nobody's interval leaves out more than this times what was asked for. (Where 78% buy nothing, the
#: 80% intervals hold 87% of all with 1.5, 85% with 2, and 83% with 2.5.)
MOST_TAIL = 2.5
#: The more single intervals are tightened, the more of all customers they shall hold: at the most
#: this share of what was to be left out.
SPARE = 0.15
#: Customers by whom the nominal levels are found, and halvings of the range they may lie in.
SAMPLE, HALVINGS = 20_000, 14
#: Customers at a time: some 100 MB.
BLOCK = 200_000


@dataclass(frozen=True, eq=False)
class Intervals:
    """What a shop's intervals need beside the customer, learned once from all its customers.

    `nominal` has the level that is taken instead of each level asked for, by measure and level.
    `of` is a pure function of its batch.
    """

    models: Plausible
    horizon_days: int
    discount_rate: float
    seed: int
    futures: Futures
    nominal: Mapping[str, Mapping[float, Wanted]]

    def of(self, summary: pd.DataFrame, ahead: Forecast | None = None) -> pd.DataFrame:
        """A row per customer: `purchases_low_80`, `purchases_high_80`, `clv_low_80` and so on.

        `ahead` is the best models' forecast of the same customers where it is known already.
        """
        best, days = self.models.best, self.horizon_days
        ahead = ahead or best.forecast(summary, days, self.discount_rate)
        starts = range(0, max(len(summary), 1), BLOCK)
        blocks = [self._block(summary, ahead, slice(start, start + BLOCK)) for start in starts]
        columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        return pd.DataFrame(columns, index=summary.index)

    def _block(self, summary: pd.DataFrame, ahead: Forecast, which: slice) -> dict[str, Floats]:
        customers = foreseen(self, summary.iloc[which], _part(ahead, which))
        return {
            name: bound
            for measure, levels in self.nominal.items()
            for name, bound in nested(customers[measure], measure, levels)
        }


def learned(
    best: ByModels | Plausible,
    summary: pd.DataFrame,
    horizon_days: int,
    discount_rate: float = 0.0,
    *,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> Intervals:
    """The intervals of a shop from all its customers. `discount_rate` is continuous, per day.

    `best` are its models, or those with other plausible ones as `by_bootstrap` finds them; by
    default the others are taken from the Hessian. Raises BadSettings.
    """
    buying = (best.best if isinstance(best, Plausible) else best).buying
    kinds, some = kinds_of(buying, summary, horizon_days), every(summary, SAMPLE)
    return learned_from(best, kinds, some, horizon_days, discount_rate, levels=levels, seed=seed)


def learned_from(
    best: ByModels | Plausible,
    kinds: Kinds,
    some: pd.DataFrame,
    horizon_days: int,
    discount_rate: float = 0.0,
    *,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> Intervals:
    """The same from the kinds of all customers, and SAMPLE of them, evenly spread."""
    each = checked_levels(levels)
    models = best if isinstance(best, Plausible) else by_hessian(best, seed)
    rng = np.random.default_rng(seed)
    futures = drawn(models, kinds, horizon_days, rng)
    plain = Intervals(models, horizon_days, discount_rate, seed, futures, {})
    customers = foreseen(plain, some, models.best.forecast(some, horizon_days, discount_rate))
    nominal = {
        measure: {
            level: tightest(outcome, models.best.calibration.level(measure, level))
            for level in each
        }
        for measure, outcome in customers.items()
    }
    return replace(plain, nominal=nominal)


def intervals(
    predictor: ByModels,
    summary: pd.DataFrame,
    horizon_days: int,
    discount_rate: float = 0.0,
    *,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> pd.DataFrame:
    """The intervals of all customers of a shop at once; see `Intervals.of`."""
    shop = learned(predictor, summary, horizon_days, discount_rate, levels=levels, seed=seed)
    return shop.of(summary)


def checked_levels(levels: Sequence[float]) -> list[float]:
    """The levels in order. Raises BadSettings for those that draws can't tell apart."""
    if not len(levels) or not all(LOWEST <= level <= HIGHEST for level in levels):
        raise BadSettings("levels must be between 0.01 and 0.99", levels=tuple(levels))
    return sorted(set(levels))


def coverage(
    bounds: pd.DataFrame,
    purchases: Floats,
    value: Floats,
    groups: Mapping[str, NDArray[np.bool_]] | None = None,
) -> dict[str, dict[str, float | None]]:
    """The share of customers whose actual purchases and value were within the bounds.

    By `purchases_80` and so on, then by group, `all` first; None for a group without customers.
    """
    named = {"all": np.ones(len(bounds), dtype=np.bool_), **(groups or {})}
    actual = {PURCHASES: purchases, CLV: value}
    return {
        f"{measure}_{level}": {name: _share(inside, group) for name, group in named.items()}
        for measure, level in _levels(bounds)
        for inside in [_inside(bounds, measure, level, actual[measure])]
    }


def groups_of(summary: pd.DataFrame, predicted: Floats) -> dict[str, NDArray[np.bool_]]:
    """Those who came once, those who came back, and the tenth predicted to be worth most."""
    back = summary[c.FREQUENCY].to_numpy() > 0
    best = np.zeros(len(summary), dtype=np.bool_)
    best[np.argsort(-predicted, kind="stable")[: len(summary) // 10]] = True
    return {"one-timers": ~back, "repeaters": back, "top decile": best}


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What may become of some customers in one measure, in units of `unit`.

    `rows` are places in the table, `active` the probabilities to be active; `expected`, if
    given, lies inside every interval.
    """

    table: Table
    rows: NDArray[np.intp]
    active: Floats
    unit: Floats
    expected: Floats | None = None

    def bounds(self, nominal: Wanted) -> tuple[Floats, Floats]:
        low, high = self.table.bounds(self.rows, self.active, nominal)
        if self.expected is None:
            return low, high
        return np.minimum(low, self.expected), np.maximum(high, self.expected)

    def probability(self, nominal: Wanted) -> float:
        """The mean probability of the intervals at a nominal level."""
        return float(self.table.probability(self.rows, self.active, *self.bounds(nominal)).mean())


def foreseen(shop: Intervals, summary: pd.DataFrame, ahead: Forecast) -> dict[str, Outcomes]:
    """What may become of some customers, by measure; `ahead` is the best models' forecast."""
    best, days, futures = shop.models.best, shop.horizon_days, shop.futures
    columns, keys = rounded(best.buying, summary, days)
    rows, known = futures.places(keys)
    if not known.all():
        missing = Kinds.of(columns[~known], keys[~known])
        futures = futures.including(shop.models, missing, days, shop.seed)
        rows, _ = futures.places(keys)
    active = best.buying.p_alive(summary)
    discount = ahead.discounted / np.where(ahead.purchases > 0, ahead.purchases, 1.0)
    spent = all_purchases(summary)
    total = np.maximum(money(spent, c.MONETARY_VALUE) * money(spent, c.FREQUENCY), 0.0)
    unit = (best.spending.v + total) * discount
    expected = ahead.value / np.where(unit > 0, unit, 1.0)
    whole = np.floor(ahead.purchases)
    ones = np.ones(len(summary))
    return {
        PURCHASES: Outcomes(futures.purchases, rows, active, ones, whole),
        CLV: Outcomes(futures.ratios, rows, active, unit, expected),
    }


def kinds_of(buying: Purchases, summary: pd.DataFrame, days: int) -> Kinds:
    """All kinds among some customers, found block by block."""
    starts = range(0, max(len(summary), 1), BLOCK)
    blocks = (summary.iloc[start : start + BLOCK] for start in starts)
    return Kinds.together([Kinds.of(*rounded(buying, block, days)) for block in blocks])


def tightest(outcomes: Outcomes, level: float) -> Wanted:
    """What gives the tightest intervals whose mean probability still reaches the level."""
    loose, tight = 0.0, 2.0
    if not len(outcomes.rows):
        return _tightened(level, loose)
    for _ in range(HALVINGS):
        middle = (loose + tight) / 2
        enough = level + SPARE * (1 - level) * middle / 2
        reached = outcomes.probability(_tightened(level, middle)) >= enough
        loose, tight = (middle, tight) if reached else (loose, middle)
    return _tightened(level, loose)


def _tightened(level: float, by: float) -> Wanted:
    """Counts are rounded down more and more, up to 1; then, up to 2, the level falls."""
    tail = (1 - level) * (1 + (MOST_TAIL - 1) * max(by - 1, 0))
    return Wanted(1 - tail, min(by, 1), 1 - MOST_TAIL * (1 - level))


def nested(
    outcomes: Outcomes, measure: str, levels: Mapping[float, Wanted]
) -> list[tuple[str, Floats]]:
    """The named bounds, each interval within the next."""
    named: list[tuple[str, Floats]] = []
    lowest, highest = np.full_like(outcomes.unit, np.inf), np.zeros_like(outcomes.unit)
    for level, wanted in levels.items():
        low, high = outcomes.bounds(wanted)
        lowest, highest = np.minimum(low, lowest), np.maximum(high, highest)
        for end, bound in (("low", lowest), ("high", highest)):
            named.append((f"{measure}_{end}_{100 * level:g}", bound * outcomes.unit))
    return named


def _part(ahead: Forecast, which: slice) -> Forecast:
    return Forecast(**{name: values[which] for name, values in vars(ahead).items()})


def _levels(bounds: pd.DataFrame) -> list[tuple[str, str]]:
    lows = [name.partition("_low_") for name in bounds.columns if "_low_" in name]
    return [(measure, level) for measure, _, level in lows]


def _inside(bounds: pd.DataFrame, measure: str, level: str, actual: Floats) -> NDArray[np.bool_]:
    low, high = (bounds[f"{measure}_{end}_{level}"].to_numpy() for end in ("low", "high"))
    inside: NDArray[np.bool_] = (low <= actual) & (actual <= high)
    return inside


def _share(inside: NDArray[np.bool_], group: NDArray[np.bool_]) -> float | None:
    return float(inside[group].mean()) if group.any() else None
