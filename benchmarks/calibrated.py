"""What the backtest's correction of levels is worth: coverage before and after, by shop.

python benchmarks/calibrated.py [seeds [customers]]

Shops with the automatic choice: some whose truth is a candidate, some whose truth is none (a season
of less than two years, spend that is no Gamma-Gamma), then real ones. Nothing behind the cut is
known to the choice or to the correction. `by rank` is the coverage without the steps of counts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import choice as shops
import numpy as np
import pandas as pd

from clv.choice.backtest import backtest
from clv.choice.choosing import choose
from clv.choice.hindsight import calibration_of
from clv.choice.metrics import Actual
from clv.choice.origins import came_after, known_at, read_history
from clv.forecast import ByModels, Predictor, models_of
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.simulate import simulate
from clv.past import Past
from clv.uncertainty.calibration import UNCHANGED
from clv.uncertainty.intervals import LEVELS, coverage, groups_of, learned
from clv.uncertainty.ranks import ranks

START, DAYS, HORIZON = date(2022, 10, 1), 822, 183
TRUTHS = shops.TRUTHS | {"mbg": ModifiedBetaGeoNBD(r=0.525, alpha=43.3, a=0.891, b=1.614)}
KINDS = (*TRUTHS, "seasonal bg", "seasonal pareto", "uneven spend")
MEASURES = ("purchases", "clv")
BAND = {0.8: (0.78, 0.84), 0.95: (0.93, 0.97)}


class Shop(NamedTuple):
    name: str
    frame: pd.DataFrame
    as_of: date
    horizon_days: int


def simulated(kind: str, customers: int, seed: int) -> Shop:
    truth = TRUTHS.get(kind.removeprefix("seasonal "), TRUTHS["bg"])
    season = shops.season() if kind.startswith("seasonal") else None
    frame = simulate(
        truth,
        customers,
        start=START,
        days=DAYS,
        seed=seed,
        spend=shops.SPEND,
        season=season,
    )
    if kind == "uneven spend":
        frame = frame.assign(net_value=uneven(frame, seed))
    return Shop(kind, frame, START + timedelta(days=DAYS - HORIZON), HORIZON)


def uneven(frame: pd.DataFrame, seed: int) -> np.ndarray:
    """Log-normal between and within customers, and one order in fifty is twenty times as large."""
    rng = np.random.default_rng(seed)
    own = np.exp(rng.normal(0, 1, int(frame.customer_id.max()) + 1))[frame.customer_id]
    large = np.where(rng.random(len(frame)) < 0.02, 20, 1)
    return np.maximum((30 * own * np.exp(rng.normal(0, 0.8, len(frame))) * large).round(2), 0.01)


def real() -> Iterator[Shop]:
    for shop in shops.SHOPS:
        if not shop.simulated:
            yield Shop(shop.name, shop.read(), shop.as_of, shop.horizon_days)


def covered(chosen: Predictor, models: ByModels, past: Past, came: Actual, days: int) -> np.ndarray:
    """By measure and level: all, by rank, and the best tenth."""
    shop = learned(models, past.summary, days)
    ahead = chosen.forecast(past.summary, days, 0.0)
    groups = groups_of(past.summary, ahead.value)
    shares = coverage(shop.of(past.summary, ahead), came.purchases, came.spend, groups)
    by_rank = ranks(shop, past.summary, came.purchases, came.spend)
    taken = models.calibration
    return np.array(
        [
            [
                shares[f"{measure}_{100 * level:g}"]["all"],
                by_rank[measure].coverage(taken.level(measure, level)),
                shares[f"{measure}_{100 * level:g}"]["top decile"],
            ]
            for measure in MEASURES
            for level in LEVELS
        ],
        dtype=float,
    )


def both(shop: Shop) -> tuple[str, np.ndarray] | None:
    """The chosen candidate, and (before and after, measures and levels, shares)."""
    known = known_at(read_history(shop.frame, shop.as_of), shop.as_of)
    tested = backtest(shop.frame, shop.as_of, horizon_days=shop.horizon_days)
    chosen = choose(tested, known, with_coverage=True)
    models = models_of(chosen)
    if models is None:
        return None
    until = shop.as_of + timedelta(days=shop.horizon_days)
    later = read_history(shop.frame, until)
    past = known_at(later, shop.as_of)
    came = came_after(later, past, shop.horizon_days)
    plain = replace(models, calibration=UNCHANGED)
    before, after = (covered(chosen, one, past, came, shop.horizon_days) for one in (plain, models))
    moved = "" if calibration_of(chosen) == UNCHANGED else " *"
    return f"{chosen.entry.key}{moved} ({(came.purchases == 0).mean():.0%} buy nothing)", np.array(
        [before, after]
    )


def line(name: str, shares: np.ndarray) -> str:
    """before > after of all, in brackets by rank and the best tenth, for each measure and level."""
    parts = []
    for row in range(shares.shape[1]):
        (a, ranked_a, top_a), (b, ranked_b, top_b) = 100 * shares[:, row]
        ranked, top = f"{ranked_a:.1f}>{ranked_b:.1f}", f"{top_a:.0f}>{top_b:.0f}"
        parts.append(f"{a:.1f}>{b:.1f} ({ranked}; {top})".ljust(32))
    return f"{name:54}{''.join(parts)}"


def within(every: list[np.ndarray]) -> None:
    """How many shops are within the bands, before and after."""
    shares = np.array(every)[..., 0]
    names = [f"{measure} {100 * level:g}%" for measure in MEASURES for level in LEVELS]
    for number, (name, level) in enumerate(zip(names, 2 * list(LEVELS), strict=True)):
        low, high = BAND[level]
        below = (shares[:, :, number] < low).sum(axis=0)
        above = (shares[:, :, number] > high).sum(axis=0)
        say(f"  {name:14} below {below[0]} > {below[1]}, above {above[0]} > {above[1]}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def shown(every: Iterator[Shop]) -> None:
    found = []
    for shop in every:
        result = both(shop)
        if result is None:
            say(f"{shop.name}: no models were chosen")
            continue
        chosen, shares = result
        say(line(f"{shop.name}: {chosen}", shares))
        found.append(shares)
    say(f"of {len(found)} shops")
    within(found)


def main() -> None:
    seeds, customers = (int(one) for one in (*sys.argv[1:], *("3", "1000")[len(sys.argv) - 1 :]))
    heads = [f"{measure} {100 * level:g}%" for measure in MEASURES for level in LEVELS]
    say(f"{'before > after: all (by rank; best tenth)':54}" + "".join(f"{h:32}" for h in heads))
    shown(simulated(kind, customers, seed) for kind in KINDS for seed in range(1, seeds + 1))
    shown(real())


if __name__ == "__main__":
    main()
