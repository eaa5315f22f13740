"""How good the forecasts are on CDNOW: 39 weeks are known, 39 weeks are forecast.

python benchmarks/accuracy.py [folder of the CDNOW files] [full|sample]

Purchases are purchase days, of every customer; the figures are those of `clv.choice.metrics`.
"repeat spend" is Gamma-Gamma on the repeat purchases as in the note, "all spend" on all orders, the
first one too. Boosting needs scikit-learn. Without a folder: ../shared/data, or the lifetimes
package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import cdnow
import numpy as np
import pandas as pd
from peers.environments import data_of_lifetimes

from clv.choice.baselines import Hiatus, OrderFormula, RepeatRate
from clv.choice.challenger import Challenger
from clv.choice.metrics import Actual, measured
from clv.errors import ClvError
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.past import Past

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
HEADER = (
    f"{'':32}{'MAE':>7}{'RMSE':>7}{'bias n':>8}{'spend':>8}{'rank':>7}{'top 10%':>8}{'Gini':>7}"
)


class Foreseen(NamedTuple):
    """One value per customer within the holdout."""

    purchases: np.ndarray
    spend: np.ndarray


def past_of(days: pd.DataFrame) -> Past:
    """What was known when the calibration ended."""
    known = days[days.date <= cdnow.CALIBRATION_ENDS]
    summary = cdnow.calibration(days).assign(orders=known.groupby("customer_id").size())
    named = known.rename(columns={"date": "day"}).reset_index(drop=True)
    return Past(summary, date.fromisoformat(cdnow.CALIBRATION_ENDS.date().isoformat()), named)


def forecasts(past: Past) -> Iterator[tuple[str, Foreseen]]:
    """By the models, by the baselines, and by boosting with its mean with Pareto/NBD."""
    summary, days = past.summary, cdnow.HOLDOUT_DAYS
    number = summary.frequency + 1
    orders = pd.DataFrame({"frequency": number, "monetary_value": summary.net / number})
    repeat = GammaGamma.fit(summary).expected_spend(summary)
    every = GammaGamma.fit(orders).expected_spend(orders)
    for kind in (BetaGeoNBD, ModifiedBetaGeoNBD, ParetoNBD, MBGCNBDk):
        purchases = kind.fit(summary).conditional_expected_purchases(days, summary)
        yield f"{kind.NAME}, repeat spend", Foreseen(purchases, purchases * repeat)
        yield f"{kind.NAME}, all spend", Foreseen(purchases, purchases * every)
    pareto = ParetoNBD.fit(summary).conditional_expected_purchases(days, summary)
    for kind in (RepeatRate, OrderFormula, Hiatus, Challenger):
        forecast = kind.fit(past, days).forecast(summary, days, 0.0)
        told = Foreseen(forecast.purchases, forecast.purchases * forecast.spend)
        yield kind.name, told
    # Boosting is the last one.
    both = zip(told, (pareto, pareto * every), strict=True)
    yield f"mean of {ParetoNBD.NAME} and trees", Foreseen(*((a + b) / 2 for a, b in both))


def shown(folder: Path, which: str) -> None:
    days = cdnow.purchase_days(folder, which)
    past = past_of(days)
    came = cdnow.holdout(days, past.summary.index)
    actual = Actual(came.purchases.to_numpy(dtype=np.float64), came.spend.to_numpy())
    line(f"CDNOW {which}: {len(came):,} customers, {came.purchases.sum():,.0f} purchases to come")
    line(HEADER)
    for name, forecast in forecasts(past):
        m = measured(*forecast, actual)
        line(
            f"{name:32}{m.mae:7.3f}{m.rmse:7.3f}{m.bias_purchases:+8.1%}{m.bias_spend:+8.1%}"
            f"{m.rank_correlation:7.3f}{m.top_decile_spend:8.1%}{m.gini_spend:7.3f}"
        )


def line(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- the table


def main(folder: str = "", which: str = "full") -> None:
    data = Path(folder) if folder else DATA if DATA.exists() else data_of_lifetimes()
    try:
        shown(data, which)
    except ClvError as refusal:
        raise SystemExit(str(refusal)) from refusal


if __name__ == "__main__":
    main(*sys.argv[1:3])
