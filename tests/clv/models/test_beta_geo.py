# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.models.beta_geo import BetaGeoNBD

NAMES = ("r", "alpha", "a", "b")

#: Customer 1516 of the sample, in weeks.
BEST = pd.DataFrame({"frequency": [26], "recency": [30 + 6 / 7], "T": [31.0]})


@pytest.fixture(scope="module")
def weekly(cdnow_weeks: pd.DataFrame) -> BetaGeoNBD:
    return BetaGeoNBD.fit(cdnow_weeks)


@pytest.fixture(scope="module")
def daily(cdnow: pd.DataFrame) -> BetaGeoNBD:
    return BetaGeoNBD.fit(cdnow)


def history(x: int, t_x: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [T]})


def test_the_sample_gives_our_estimate_to_six_digits(weekly: BetaGeoNBD) -> None:
    assert [round(getattr(weekly, name), 6) for name in NAMES] == [
        0.242595,
        4.413602,
        0.792922,
        2.425907,
    ]
    assert round(weekly.log_likelihood, 4) == -9582.4292


def test_the_sample_gives_the_papers_printed_digits(weekly: BetaGeoNBD) -> None:
    assert [f"{getattr(weekly, name):.3f}" for name in NAMES] == [
        "0.243",
        "4.414",
        "0.793",
        "2.426",
    ]
    assert f"{weekly.log_likelihood:.1f}" == "-9582.4"


def test_the_sample_agrees_with_what_others_found_on_exact_days(weekly: BetaGeoNBD) -> None:
    """Their optimiser stopped some 1e-5 short of the maximum: ours is not below theirs."""
    theirs = [0.2425945, 4.4136019, 0.7929199, 2.4258881]
    assert [getattr(weekly, name) for name in NAMES] == pytest.approx(theirs, rel=1e-5)
    assert round(weekly.log_likelihood, 3) == -9582.429


def test_standard_errors_are_those_of_the_observed_information(weekly: BetaGeoNBD) -> None:
    errors = [round(weekly.standard_errors[name] or 0, 3) for name in NAMES]
    assert errors == [0.013, 0.378, 0.186, 0.705]


def test_customer_1516_is_foreseen_as_published(weekly: BetaGeoNBD) -> None:
    assert f"{weekly.conditional_expected_purchases(52, BEST)[0]:.4f}" == "25.7573"
    assert f"{weekly.p_alive(BEST)[0]:.5f}" == "0.96885"


def test_the_holdout_total_is_as_published(weekly: BetaGeoNBD, cdnow_weeks: pd.DataFrame) -> None:
    ahead = weekly.conditional_expected_purchases(39, cdnow_weeks)
    assert f"{ahead.sum():.1f}" == "1653.4"


def test_the_summary_in_the_tests_is_that_of_the_transactions(
    cdnow: pd.DataFrame, summarise_cdnow: Callable[[str], pd.DataFrame]
) -> None:
    pd.testing.assert_frame_equal(cdnow, summarise_cdnow("sample"), check_dtype=False)


def test_all_cdnow_customers_give_the_published_estimate(
    summarise_cdnow: Callable[[str], pd.DataFrame],
) -> None:
    full = summarise_cdnow("master")
    model = BetaGeoNBD.fit(full.assign(recency=full.recency / 7, T=full["T"] / 7))
    assert [round(getattr(model, name), 6) for name in NAMES] == [
        0.251624,
        4.788943,
        0.723434,
        2.161088,
    ]
    published = [0.251624, 4.788943, 0.723434, 2.161089]
    assert [getattr(model, name) for name in NAMES] == pytest.approx(published, abs=1.1e-6)
    assert f"{model.log_likelihood:.4f}" == "-95368.4439"


def test_days_and_weeks_give_the_same_forecast(
    daily: BetaGeoNBD, weekly: BetaGeoNBD, cdnow: pd.DataFrame, cdnow_weeks: pd.DataFrame
) -> None:
    by_days = daily.conditional_expected_purchases(364, cdnow)
    by_weeks = weekly.conditional_expected_purchases(52, cdnow_weeks)
    np.testing.assert_allclose(by_days, by_weeks, rtol=1e-8)
    assert daily.alpha == pytest.approx(7 * weekly.alpha, rel=1e-8)


def test_weights_stand_for_as_many_customers(cdnow: pd.DataFrame, daily: BetaGeoNBD) -> None:
    counted = cdnow.groupby(["frequency", "recency", "T"]).size().reset_index(name="n")
    model = BetaGeoNBD.fit(counted, weights=counted.n)
    assert model.customers == 2357
    assert [getattr(model, n) for n in NAMES] == pytest.approx(
        [getattr(daily, n) for n in NAMES], rel=1e-8
    )


def test_the_order_of_the_rows_does_not_matter(cdnow: pd.DataFrame, daily: BetaGeoNBD) -> None:
    shuffled = BetaGeoNBD.fit(cdnow.sample(frac=1, random_state=1))
    assert [getattr(shuffled, n) for n in NAMES] == pytest.approx(
        [getattr(daily, n) for n in NAMES], rel=1e-9
    )


def test_a_large_shop_is_started_on_a_sample_and_ends_at_the_same_maximum(
    cdnow: pd.DataFrame, daily: BetaGeoNBD
) -> None:
    """Forty times the same customers, a little apart so that they don't fall into groups."""
    copies = [cdnow.assign(T=cdnow["T"] + part * 1e-7) for part in range(40)]
    model = BetaGeoNBD.fit(pd.concat(copies))
    assert model.customers == 40 * 2357
    assert [getattr(model, n) for n in NAMES] == pytest.approx(
        [getattr(daily, n) for n in NAMES], rel=1e-5
    )


def test_one_time_buyers_are_alive_by_definition(daily: BetaGeoNBD) -> None:
    assert daily.p_alive(history(0, 0, 5000))[0] == 1.0


def test_nothing_is_bought_in_no_time(daily: BetaGeoNBD) -> None:
    assert daily.expected_purchases(0) == 0
    assert daily.conditional_expected_purchases(0, history(3, 20, 60))[0] == 0


def test_new_customers_are_foreseen_for_any_shape_of_times(weekly: BetaGeoNBD) -> None:
    ahead = weekly.expected_purchases([[0.0, 39.0], [52.0, 520.0]])
    assert ahead.shape == (2, 2)
    assert ahead[1, 0] == pytest.approx(float(weekly.expected_purchases(52)))
    assert ahead[0, 1] == pytest.approx(1.195010, abs=1e-6)


def test_discounting_agrees_with_a_sum_over_days(daily: BetaGeoNBD) -> None:
    customer, rate = history(5, 200, 250), np.log(1.1) / 365
    until = [daily.conditional_expected_purchases(day, customer)[0] for day in range(731)]
    by_day = np.diff(until) @ np.exp(-rate * (np.arange(730) + 0.5))
    discounted = daily.discounted_expected_purchases(730, customer, rate)[0]
    assert discounted == pytest.approx(by_day, rel=1e-7)


@pytest.mark.parametrize(("years", "per_year"), [(1, 0.1), (10, 0.1), (50, 0.1), (50, 1.0)])
def test_discounting_is_exact_over_long_horizons(
    daily: BetaGeoNBD, years: int, per_year: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = pd.concat(
        [history(0, 0, 0), history(0, 0, 300), history(3, 30, 40), history(500, 999, 1000)]
    )
    t, rate = 365.0 * years, float(np.log1p(per_year)) / 365
    discounted = daily.discounted_expected_purchases(t, some, rate)
    monkeypatch.setattr("clv.models.purchases.NODES", 120)
    monkeypatch.setattr("clv.models.purchases.MOST_NODES", 200)
    exactly = daily.discounted_expected_purchases(t, some, rate)
    np.testing.assert_allclose(discounted, exactly, rtol=1e-9)


def test_discounting_at_nothing_is_no_discounting(daily: BetaGeoNBD, cdnow: pd.DataFrame) -> None:
    np.testing.assert_array_equal(
        daily.discounted_expected_purchases(365, cdnow, 0.0),
        daily.conditional_expected_purchases(365, cdnow),
    )


def test_a_customer_who_buys_often_is_awaited_sooner(daily: BetaGeoNBD) -> None:
    often, seldom = daily.expected_wait(pd.concat([history(20, 200, 205), history(1, 200, 205)]))
    assert often == pytest.approx((daily.alpha + 205) / (daily.r + 20))
    assert often < seldom


parameter = st.floats(-2, 2).map(lambda power: 10.0**power)


@st.composite
def histories(draw: st.DrawFn) -> pd.DataFrame:
    T = draw(st.integers(1, 20_000))
    x = draw(st.integers(0, min(T, 10_000)))
    return history(x, draw(st.integers(x, T)) if x else 0, T)


@settings(max_examples=80, deadline=None)
@given(parameter, parameter, parameter, parameter, histories(), st.integers(1, 18_250))
def test_forecasts_are_finite_not_negative_and_rise_with_time(
    r: float, alpha: float, a: float, b: float, customer: pd.DataFrame, t: int
) -> None:
    model = BetaGeoNBD(r=r, alpha=alpha * 30, a=a, b=b, log_likelihood=0, customers=0)
    alive = model.p_alive(customer)[0]
    assert 0 <= alive <= 1
    sooner, later = (model.conditional_expected_purchases(h, customer)[0] for h in (t, 2 * t))
    assert 0 <= sooner <= later * (1 + 1e-9) < np.inf
    discounted = model.discounted_expected_purchases(t, customer, 0.1 / 365)[0]
    assert 0 <= discounted <= sooner * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(histories(), st.floats(0.01, 1000), st.integers(1, 5000))
def test_the_unit_of_time_does_not_change_a_forecast(
    customer: pd.DataFrame, unit: float, t: int
) -> None:
    model = BetaGeoNBD(r=0.24, alpha=30.9, a=0.79, b=2.43, log_likelihood=0, customers=0)
    scaled = BetaGeoNBD(r=0.24, alpha=30.9 / unit, a=0.79, b=2.43, log_likelihood=0, customers=0)
    rescaled = customer.assign(recency=customer.recency / unit, T=customer["T"] / unit)
    np.testing.assert_allclose(
        scaled.conditional_expected_purchases(t / unit, rescaled),
        model.conditional_expected_purchases(t, customer),
        rtol=1e-9,
    )
