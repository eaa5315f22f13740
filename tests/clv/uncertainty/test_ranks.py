from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv import GammaGamma
from clv.forecast import ByModels
from clv.models.beta_geo import BetaGeoNBD
from clv.uncertainty.calibration import Calibration, Ranks
from clv.uncertainty.intervals import groups_of, learned
from clv.uncertainty.ranks import ranks

DAYS = 180
BUYING = BetaGeoNBD(r=0.25, alpha=31.0, a=0.8, b=2.4)
SPENDING = GammaGamma(p=6.25, q=3.74, v=15.44, robust_mean=35.0)
MODELS = ByModels("the truth", BUYING, SPENDING)


@pytest.fixture(scope="module")
def shop() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """4,000 customers of these parameters: what is known, purchases and spend after."""
    rng, n = np.random.default_rng(5), 4_000
    age = rng.uniform(30, 400, n)
    who, at = BUYING.draw_histories(age + DAYS, rng)
    past = at <= age[who]
    recency = np.zeros(n)
    np.maximum.at(recency, who[past], at[past])
    x, later = (np.bincount(who[part], minlength=n).astype(float) for part in (past, ~past))
    rate = rng.gamma(SPENDING.q, 1 / SPENDING.v, n)
    net, spend = (rng.gamma(SPENDING.p * days) / rate for days in (x + 1, later))
    summary = pd.DataFrame({"frequency": x, "recency": recency, "T": age, "net": net})
    return summary, later, spend


@pytest.fixture(scope="module")
def seen(shop: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> dict[str, Ranks]:
    return ranks(learned(MODELS, shop[0], DAYS), *shop)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("measure", ["purchases", "clv"])
def test_by_ranks_the_true_models_hold_what_they_say_of_everybody(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
    seen: dict[str, Ranks],
    measure: str,
    level: float,
) -> None:
    """Of all, and of the tenth that is worth most, though three in four buy nothing."""
    summary, purchases, _ = shop
    assert (purchases == 0).mean() > 0.7
    best = groups_of(summary, MODELS.forecast(summary, DAYS, 0.0).value)["top decile"]
    inside = seen[measure].inside(level)
    assert inside.mean() == pytest.approx(level, abs=0.02)
    assert inside[best].mean() == pytest.approx(level, abs=0.055)


def test_who_gave_more_back_than_they_bought_counts_as_nothing(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    summary, purchases, spend = (part[:50] for part in shop)
    known = learned(MODELS, summary, DAYS)
    lost = ranks(known, summary, purchases, np.full_like(spend, -5.0))["clv"]
    assert (lost.below == 0).all()
    np.testing.assert_array_equal(lost.upto, lost.nothing)


def test_raised_levels_widen_the_intervals_of_their_measure_alone(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    summary = shop[0]
    raised = replace(MODELS, calibration=Calibration(clv=((0.8, 0.9), (0.95, 0.97))))
    plain, wider = (learned(models, summary, DAYS).of(summary) for models in (MODELS, raised))
    counts = [name for name in plain.columns if name.startswith("purchases")]
    pd.testing.assert_frame_equal(plain[counts], wider[counts])
    for level in (80, 95):
        widths = [
            (bounds[f"clv_high_{level}"] - bounds[f"clv_low_{level}"]).mean()
            for bounds in (plain, wider)
        ]
        assert widths[1] > 1.05 * widths[0]
