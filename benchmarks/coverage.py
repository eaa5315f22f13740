"""How many customers land within their intervals: on simulated populations, then on real shops.

python benchmarks/coverage.py [seeds]

Levels are 80% and 95%. `all` customers are what the levels are about; then those who came once,
those who came back, and the tenth predicted to be worth most. Real shops are read from
../shared/data, and from the lifetimes package of the other benchmarks, where they are.

Whoever buys nothing with probability P is inside any interval that holds 0, with P at the least; so
where most buy nothing no intervals of counts can hold as few as 80%. `sure` are customers whose P
is above 80% already, and how much of them any such interval holds on average. By rank (the
randomised probability integral transform, `clv.uncertainty.calibration`) the steps of counts are
gone: that is what tells whether the models are right, of all and of the best tenth.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cdnow
import numpy as np
import pandas as pd
from seasonal import online_retail_ii

from clv import GammaGamma
from clv.choice.baselines import RepeatRate
from clv.errors import ClvError, NotEnoughData
from clv.forecast import ByModels, paired, spending_of
from clv.models.beta_geo import BetaGeoNBD
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.nbd import NBD
from clv.models.pareto_nbd import ParetoNBD
from clv.past import Past
from clv.season.seasonal import Seasonal
from clv.transactions import activity, purchase_days, summarise
from clv.uncertainty.empirical_intervals import EmpiricalIntervals
from clv.uncertainty.intervals import LEVELS, coverage, groups_of, learned
from clv.uncertainty.plausible import by_bootstrap
from clv.uncertainty.ranks import ranks

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data"
LIFETIMES = HERE.parent / ".venv-bench/lifetimes/lib/python3.11/site-packages/lifetimes/datasets"
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44, robust_mean=35.0)
SURE = 0.8


@dataclass(frozen=True)
class Population:
    """Customers of known parameters, aged between `ages` days, and a horizon."""

    name: str
    truth: Any
    customers: int
    ages: tuple[int, int] = (180, 270)
    days: int = 273


#: CDNOW's parameters in days (facts of the papers), and some that differ from them.
POPULATIONS = (
    Population("BG, like CDNOW", BetaGeoNBD(r=0.2426, alpha=30.9, a=0.793, b=2.426), 20_000),
    Population("BG, a year", BetaGeoNBD(r=0.2426, alpha=30.9, a=0.793, b=2.426), 20_000, days=365),
    Population("BG, 500", BetaGeoNBD(r=0.2426, alpha=30.9, a=0.793, b=2.426), 500, (30, 400)),
    Population("BG, 200k", BetaGeoNBD(r=0.2426, alpha=30.9, a=0.793, b=2.426), 200_000, (30, 700)),
    Population("BG, active", BetaGeoNBD(r=1.5, alpha=40, a=0.5, b=4), 10_000, (30, 700), 180),
    Population("BG, active 500", BetaGeoNBD(r=1.5, alpha=40, a=0.5, b=4), 500, (30, 700), 180),
    Population("MBG", ModifiedBetaGeoNBD(r=0.525, alpha=43.3, a=0.891, b=1.614), 10_000),
    Population("Pareto", ParetoNBD(r=0.5532, alpha=74.0, s=0.6062, beta=81.7), 10_000),
    Population("NBD", NBD(r=0.6, alpha=100.0), 10_000),
    Population("regular, k = 2", MBGCNBDk(k=2, r=1.3, alpha=15.0, a=0.4, b=1.5), 10_000),
)


def drawn(population: Population, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The summary, and purchases and spend within the horizon behind it."""
    rng, n = np.random.default_rng(seed), population.customers
    age = rng.uniform(*population.ages, n)
    who, at = population.truth.draw_histories(age + population.days, rng)
    past = at <= age[who]
    recency = np.zeros(n)
    np.maximum.at(recency, who[past], at[past])
    x, later = (np.bincount(who[part], minlength=n).astype(float) for part in (past, ~past))
    rate = rng.gamma(SPEND.q, 1 / SPEND.v, n)
    net, spend = (rng.gamma(SPEND.p * days) / rate for days in (x + 1, later))
    columns = {"frequency": x, "recency": recency, "T": age, "net": net}
    return pd.DataFrame(columns), later, spend


def measured(
    models: ByModels, summary: pd.DataFrame, actual: tuple[np.ndarray, np.ndarray], days: int
) -> pd.DataFrame:
    shop = learned(models, summary, days)
    groups = groups_of(summary, models.forecast(summary, days, 0.0).value)
    table = pd.DataFrame(coverage(shop.of(summary), *actual, groups)).T
    everybody = {"all": np.ones(len(summary), dtype=np.bool_), **groups}
    for measure, seen in ranks(shop, summary, *actual).items():
        for level in LEVELS:
            inside = seen.inside(level)
            table.loc[f"{measure}_{100 * level:g} by rank"] = by_group(inside, everybody)
    nothing = np.where(seen.nothing > SURE, seen.nothing, np.nan)
    table.loc["sure"] = by_group(np.isfinite(nothing), everybody)
    table.loc["sure: held"] = by_group(nothing, everybody)
    return table


def by_group(values: np.ndarray, groups: dict[str, np.ndarray]) -> pd.Series:
    """The mean of those that are known."""
    return pd.Series({name: pd.Series(values[group]).mean() for name, group in groups.items()})


def simulated(seeds: int) -> None:
    for population in POPULATIONS:
        tables, zeros, model = [], [], type(population.truth)
        # Small shops scatter: they are drawn more often.
        for seed in range(seeds if population.customers > 1000 else 8 * seeds):
            summary, later, spend = drawn(population, seed)
            try:
                models = paired(model.fit(summary), spending_of(Past(summary, date(2026, 1, 1))))
            except ClvError as refusal:
                print(f"{population.name}: {refusal}")  # noqa: T201 -- the table
                continue
            tables.append(measured(models, summary, (later, spend), population.days))
            zeros.append((later == 0).mean())
        kept = f"{len(tables)} seeds, {np.mean(zeros):.0%} buy nothing"
        show(f"{population.name}: {population.customers:,} customers, {kept}", tables)


def shops() -> Iterator[tuple[str, pd.DataFrame, date, int]]:
    """Name, transactions, the end of the calibration and the days of the holdout."""
    for which in cdnow.FILES if DATA.is_dir() else ():
        days = cdnow.purchase_days(DATA, which)
        columns = {"date": "ordered_at", "value": "net_value"}
        yield f"CDNOW {which}", days.rename(columns=columns), date(1997, 9, 30), 273
    if DATA.is_dir():
        orders = online_retail_ii()
        yield "Online Retail II, with Christmas", orders, date(2011, 8, 31), 100
        yield "Online Retail II, before it", orders, date(2011, 3, 31), 100
    if LIFETIMES.is_dir():
        example = pd.read_csv(LIFETIMES / "example_transactions.csv", parse_dates=["date"])
        example = example.rename(columns={"date": "ordered_at", "id": "customer_id"})
        yield "lifetimes' example", example.assign(net_value=1.0), date(2014, 6, 30), 184


def real() -> None:
    for name, orders, as_of, days in shops():
        summary = summarise(orders, as_of)
        until = pd.Timestamp(as_of) + pd.Timedelta(days=days)
        bought = purchase_days(orders, until)
        later = bought[bought.day > pd.Timestamp(as_of)].groupby("customer_id").value
        seen = pd.DataFrame({"purchases": later.size(), "spend": later.sum()})
        seen = seen.reindex(summary.index, fill_value=0).astype(float)
        actual = seen.purchases.to_numpy(), seen.spend.to_numpy()
        head = f"{name}: {len(summary):,} customers, {(actual[0] == 0).mean():.0%} buy nothing"
        past = Past(summary, as_of)
        for model in (BetaGeoNBD, ModifiedBetaGeoNBD, ParetoNBD):
            models = paired(model.fit(summary), spending_of(past))
            show(f"{head}; {model.NAME}", [measured(models, summary, actual, days)])
        with suppress(NotEnoughData):
            daily = activity(purchase_days(orders, as_of))
            season = Seasonal.fit(BetaGeoNBD, summary, daily, as_of)
            table = measured(paired(season, spending_of(past)), summary, actual, days)
            show(f"{head}; {season.NAME}", [table])
        if len(summary) < 3000:
            bounds = learned(by_bootstrap(models, summary, 0), summary, days).of(summary)
            predicted = models.forecast(summary, days, 0.0).value
            groups = groups_of(summary, predicted)
            show(f"{head}; bootstrap", [pd.DataFrame(coverage(bounds, *actual, groups)).T])
        if len(summary) >= 200:
            show(f"{head}; repeat rate by half of them", [empirical(past, actual, days)])


def empirical(past: Past, actual: tuple[np.ndarray, np.ndarray], days: int) -> pd.DataFrame:
    """A baseline's intervals, learned from every other customer and measured on the rest."""
    rule = RepeatRate.fit(past, days)
    learning, rest = past.summary[::2], past.summary[1::2]
    came, later = ([values[start::2] for values in actual] for start in (0, 1))
    shop = EmpiricalIntervals.learned(rule.forecast(learning, days, 0.0), *came)
    ahead = rule.forecast(rest, days, 0.0)
    return pd.DataFrame(coverage(shop.of(ahead), *later, groups_of(rest, ahead.value))).T


def show(title: str, tables: list[pd.DataFrame]) -> None:
    print(f"\n{title}")  # noqa: T201 -- the table
    print((100 * sum(tables[1:], tables[0]) / len(tables)).round(1).to_string())  # noqa: T201 -- the table


if __name__ == "__main__":
    simulated(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    real()
