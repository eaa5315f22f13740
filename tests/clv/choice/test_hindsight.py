from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv.choice.backtest import Backtest, backtest
from clv.choice.candidates import CANDIDATES
from clv.choice.hindsight import Hindsight, calibrated, calibration_of, hindsight
from clv.forecast import ByModels
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.simulate import simulate
from clv.season.index import SeasonalIndex
from clv.uncertainty.calibration import UNCHANGED, Ranks

START, DAYS = date(2022, 10, 1), 639
TRUTH = BetaGeoNBD(r=0.6, alpha=60.0, a=0.7, b=3.0)
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44, robust_mean=35.0)
MODELS = ByModels("BG", TRUTH, SPEND)


def half_years(season: SeasonalIndex | None) -> Backtest:
    """Until the end of June 2024, tried on half years: one before, and one a year before."""
    orders = simulate(TRUTH, 3000, start=START, days=DAYS, seed=3, spend=SPEND, season=season)
    entries = [CANDIDATES[key] for key in ("bg", "repeat-rate")]
    as_of = START + timedelta(days=DAYS)
    return backtest(orders, as_of, horizon_days=183, candidates=entries)


def christmas() -> SeasonalIndex:
    return SeasonalIndex.of(1 + 1.6 * np.exp(-0.5 * ((np.arange(365) - 340) / 14) ** 2))


def one(days_ago: int, told: float) -> Hindsight:
    """10,000 customers whose outcomes are `told` times as far out as they should be."""
    at = np.linspace(0, 1, 10_000) ** told
    ranks = Ranks(at, at, np.ones_like(at))
    seen = {"purchases": ranks, "clv": ranks}
    return Hindsight(date(2025, 1, 1), 90, days_ago, {}, seen)


def test_of_a_shop_without_a_season_nothing_has_to_be_moved() -> None:
    seen = hindsight(half_years(None), "bg")
    assert len(seen) == 2
    for origin in seen:
        assert origin.card()["randomised"]["purchases_80"] == pytest.approx(0.8, abs=0.04)
        assert origin.card()["purchases_80"]["all"] == pytest.approx(0.81, abs=0.05)
    assert calibration_of(calibrated(MODELS, seen)) == UNCHANGED


def test_a_season_that_the_model_does_not_know_raises_the_levels_for_the_season_to_come() -> None:
    seen = hindsight(half_years(christmas()), "bg")
    spring, autumn = seen
    assert autumn.same_season
    assert not spring.same_season
    assert autumn.ranks["purchases"].coverage(0.8) < 0.77
    found = calibration_of(calibrated(MODELS, seen))
    assert found.level("purchases", 0.8) > 0.82
    assert found.level("clv", 0.95) > 0.955


@pytest.mark.parametrize(
    ("days_ago", "same"), [(365, True), (340, True), (730, True), (183, False)]
)
def test_a_year_ago_or_two_was_the_same_season(days_ago: int, same: bool) -> None:
    assert one(days_ago, 1.0).same_season is same


def test_only_the_season_to_come_counts_where_it_was_seen() -> None:
    known = calibrated(MODELS, [one(90, 0.4), one(365, 1.0)])
    assert calibration_of(known) == UNCHANGED
    assert calibration_of(calibrated(MODELS, [one(90, 0.4), one(180, 1.0)])) != UNCHANGED


def test_what_is_no_pair_of_models_has_no_levels() -> None:
    back = half_years(None)
    assert hindsight(back, "repeat-rate") == ()
    rule = back.origins[0].trial("repeat-rate").predictor
    assert rule is not None
    assert calibrated(rule, [one(90, 0.4)]) is rule
    assert calibration_of(rule) == UNCHANGED


def test_what_was_seen_is_plain_and_whole() -> None:
    card = one(90, 1.0).card()
    assert card["as_of"] == "2025-01-01"
    assert set(card["randomised"]) == {"purchases_80", "purchases_95", "clv_80", "clv_95"}
    assert pd.Series(card["randomised"]).between(0, 1).all()
