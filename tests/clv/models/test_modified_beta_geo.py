# ruff: noqa: N803 -- the papers' own letters

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from clv.models.beta_geo import BetaGeoNBD
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD

NAMES = ("r", "alpha", "a", "b")


@pytest.fixture(scope="module")
def weekly(cdnow_weeks: pd.DataFrame) -> ModifiedBetaGeoNBD:
    return ModifiedBetaGeoNBD.fit(cdnow_weeks)


@pytest.fixture(scope="module")
def daily(cdnow: pd.DataFrame) -> ModifiedBetaGeoNBD:
    return ModifiedBetaGeoNBD.fit(cdnow)


def history(x: int, t_x: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [T]})


def test_the_sample_gives_our_estimate_to_six_digits(weekly: ModifiedBetaGeoNBD) -> None:
    assert [round(getattr(weekly, name), 6) for name in NAMES] == [
        0.524843,
        6.183085,
        0.891359,
        1.614002,
    ]
    assert round(weekly.log_likelihood, 4) == -9582.1357


def test_the_sample_agrees_with_what_others_found(weekly: ModifiedBetaGeoNBD) -> None:
    """Their optimisers stopped some 1e-5 short of the maximum."""
    theirs = [0.524838, 6.18299, 0.891356, 1.613999]
    assert [getattr(weekly, name) for name in NAMES] == pytest.approx(theirs, rel=2e-5)
    assert f"{weekly.log_likelihood:.3f}" == "-9582.136"


def test_all_cdnow_customers_give_the_known_estimate(
    summarise_cdnow: Callable[[str], pd.DataFrame],
) -> None:
    full = summarise_cdnow("master")
    model = ModifiedBetaGeoNBD.fit(full.assign(recency=full.recency / 7, T=full["T"] / 7))
    assert [round(getattr(model, name), 6) for name in NAMES] == [
        0.63714,
        7.31029,
        0.807474,
        1.228394,
    ]
    assert f"{model.log_likelihood:.4f}" == "-95336.9583"


def test_a_one_time_buyer_may_have_left(daily: ModifiedBetaGeoNBD) -> None:
    young, old = daily.p_alive(pd.concat([history(0, 0, 1), history(0, 0, 5000)]))
    assert 0 < old < young < daily.b / (daily.a + daily.b) + 0.01


def test_some_of_the_new_customers_leave_at_once(weekly: ModifiedBetaGeoNBD) -> None:
    """What all do is what those who stay do, by their share: as of a customer of age 0."""
    ahead = weekly.conditional_expected_purchases(39, history(0, 0, 0))[0]
    assert weekly.expected_purchases(39) == pytest.approx(ahead, rel=1e-12)
    assert weekly.expected_purchases([[0.0, 39.0]]).shape == (1, 2)
    assert weekly.expected_purchases(0) == 0


def test_days_and_weeks_give_the_same_forecast(
    daily: ModifiedBetaGeoNBD,
    weekly: ModifiedBetaGeoNBD,
    cdnow: pd.DataFrame,
    cdnow_weeks: pd.DataFrame,
) -> None:
    by_days = daily.conditional_expected_purchases(273, cdnow)
    by_weeks = weekly.conditional_expected_purchases(39, cdnow_weeks)
    np.testing.assert_allclose(by_days, by_weeks, rtol=1e-7)
    assert f"{by_weeks.sum():.3f}" == "1576.728"


def test_weights_stand_for_as_many_customers(
    cdnow: pd.DataFrame, daily: ModifiedBetaGeoNBD
) -> None:
    counted = cdnow.groupby(["frequency", "recency", "T"]).size().reset_index(name="n")
    model = ModifiedBetaGeoNBD.fit(counted, weights=counted.n)
    assert model.customers == 2357
    np.testing.assert_allclose(model.parameters, daily.parameters, rtol=1e-8)


def test_random_futures_come_to_the_expectation(daily: ModifiedBetaGeoNBD) -> None:
    rng = np.random.default_rng(4)
    active = pd.concat([history(3, 200, 250)] * 40_000)
    drawn = daily.draw_purchases(365, active, rng)
    expected = daily.purchases_while_active(365, history(3, 200, 250))[0]
    assert abs(drawn.mean() - expected) < 4 * drawn.std() / np.sqrt(len(drawn))


def simulated(model: ModifiedBetaGeoNBD, ages: np.ndarray, seed: int) -> pd.DataFrame:
    rows, times = model.draw_histories(ages, np.random.default_rng(seed))
    latest = np.zeros(len(ages))
    np.maximum.at(latest, rows, times)
    count = np.bincount(rows, minlength=len(ages))
    return pd.DataFrame({"frequency": count, "recency": latest, "T": ages})


def test_simulated_populations_are_recovered_within_their_standard_errors() -> None:
    true = ModifiedBetaGeoNBD(r=0.8, alpha=60.0, a=0.9, b=1.6)
    ages = np.random.default_rng(1).uniform(180, 720, 4000)
    models = [ModifiedBetaGeoNBD.fit(simulated(true, ages, seed)) for seed in range(30)]
    errors = np.array([np.log(model.parameters / true.parameters) for model in models])
    variances = np.array([np.diag(model.log_covariance) for model in models])
    spread = errors.std(axis=0, ddof=1)
    assert np.all(np.abs(errors.mean(axis=0)) < 3 * spread / np.sqrt(len(models)))
    assert np.all(np.abs(np.sqrt(variances.mean(axis=0)) / spread - 1) < 0.45)


def test_leaving_at_once_fits_shops_where_that_happens() -> None:
    true = ModifiedBetaGeoNBD(r=2.0, alpha=60.0, a=1.0, b=1.0)
    shop = simulated(true, np.full(4000, 500.0), 3)
    modified, plain = ModifiedBetaGeoNBD.fit(shop), BetaGeoNBD.fit(shop)
    assert modified.log_likelihood > plain.log_likelihood + 20
