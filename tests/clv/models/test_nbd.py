# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from scipy.stats import nbinom

from clv.models.histories import grouped
from clv.models.nbd import NBD, _Likelihood
from clv.models.pareto_nbd import ParetoNBD

NAMES = ("r", "alpha")


@pytest.fixture(scope="module")
def weekly(cdnow_weeks: pd.DataFrame) -> NBD:
    return NBD.fit(cdnow_weeks)


@pytest.fixture(scope="module")
def daily(cdnow: pd.DataFrame) -> NBD:
    return NBD.fit(cdnow)


def history(x: int, t_x: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [T]})


def independently(model: NBD, summary: pd.DataFrame) -> float:
    """scipy's negative binomial of each customer's purchases, at the customer's own age.

    Of purchases at given times instead of their number: x! ways, each of density T^-x, fewer.
    """
    x, T = summary.frequency.to_numpy(float), summary["T"].to_numpy(float)
    of_numbers = nbinom.logpmf(x, model.r, model.alpha / (model.alpha + T))
    return float(np.sum(of_numbers + gammaln(x + 1) - x * np.log(T)))


def test_the_sample_gives_our_estimate_to_six_digits(weekly: NBD) -> None:
    assert [round(getattr(weekly, name), 6) for name in NAMES] == [0.384766, 12.072023]
    assert round(weekly.log_likelihood, 4) == -9763.6576


def test_the_likelihood_is_scipys(weekly: NBD, cdnow_weeks: pd.DataFrame) -> None:
    assert weekly.log_likelihood == pytest.approx(independently(weekly, cdnow_weeks), rel=1e-12)


def test_no_other_parameters_are_likelier(daily: NBD, cdnow: pd.DataFrame) -> None:
    best = independently(daily, cdnow)
    for factors in ([1.01, 1], [0.99, 1], [1, 1.01], [1, 0.99], [1.01, 1.01], [0.99, 0.99]):
        assert independently(daily.with_parameters(daily.parameters * factors), cdnow) < best


@pytest.mark.parametrize("point", [(0.4, 50.0), (30.0, 4000.0), (0.01, 0.5)])
def test_the_gradient_and_the_hessian_are_those_of_the_value(
    cdnow: pd.DataFrame, point: tuple[float, float]
) -> None:
    likelihood, at = _Likelihood(grouped(cdnow, model="NBD")), np.array(point)
    _, gradient, hessian = likelihood(at)
    for place in range(2):
        step = np.zeros(2)
        step[place] = at[place] * 1e-5
        up, down = likelihood(at + step), likelihood(at - step)
        width = 2 * step[place]
        assert (up[0] - down[0]) / width == pytest.approx(gradient[place], rel=1e-6, abs=1e-4)
        np.testing.assert_allclose((up[1] - down[1]) / width, hessian[place], rtol=1e-6, atol=1e-4)


def test_days_and_weeks_give_the_same_forecast(
    daily: NBD, weekly: NBD, cdnow: pd.DataFrame, cdnow_weeks: pd.DataFrame
) -> None:
    np.testing.assert_allclose(
        daily.conditional_expected_purchases(364, cdnow),
        weekly.conditional_expected_purchases(52, cdnow_weeks),
        rtol=1e-9,
    )


def test_weights_stand_for_as_many_customers(cdnow: pd.DataFrame, daily: NBD) -> None:
    counted = cdnow.groupby(["frequency", "recency", "T"]).size().reset_index(name="n")
    model = NBD.fit(counted, weights=counted.n)
    assert model.customers == 2357
    np.testing.assert_allclose(model.parameters, daily.parameters, rtol=1e-9)


def test_simulated_populations_give_their_parameters_back_as_surely_as_reported() -> None:
    rng, truth = np.random.default_rng(3), NBD(r=0.8, alpha=45.0)
    standard = []
    for _ in range(40):
        ages = rng.uniform(100, 700, 1000)
        rows, times = truth.draw_histories(ages, rng)
        assert np.all((times >= 0) & (times <= ages[rows]))
        x = np.bincount(rows, minlength=1000)
        recency = np.where(x > 0, ages, 0.0)
        model = NBD.fit(pd.DataFrame({"frequency": x, "recency": recency, "T": ages}))
        reported = np.sqrt(np.diag(np.array(model.log_covariance)))
        standard.append(np.log(model.parameters / truth.parameters) / reported)
    assert np.abs(np.mean(standard, axis=0)).max() < 3 / np.sqrt(40)
    # The spread of 40 standard normal numbers is within .7 and 1.3 in 99 of 100 cases.
    assert np.all(np.abs(np.std(standard, axis=0) - 1) < 0.3)


def test_customers_who_are_all_alike_stop_at_the_wall() -> None:
    model = NBD.fit(pd.concat([history(10, 100, 105)] * 50))
    assert model.at_wall
    ahead = model.conditional_expected_purchases(105, history(10, 100, 105))[0]
    assert ahead == pytest.approx(10, rel=0.01)


def test_everybody_stays_and_that_is_no_finding(daily: NBD, cdnow: pd.DataFrame) -> None:
    assert np.all(daily.p_alive(cdnow) == 1.0)
    assert not daily.leaving_known(cdnow).any()


def test_it_is_pareto_nbd_without_lapses(cdnow: pd.DataFrame, daily: NBD) -> None:
    loyal = ParetoNBD(r=daily.r, alpha=daily.alpha, s=1e-13, beta=1e6)
    some = cdnow.iloc[::50]
    for ahead in (30, 3650):
        np.testing.assert_allclose(
            daily.conditional_expected_purchases(ahead, some),
            loyal.conditional_expected_purchases(ahead, some),
            rtol=1e-8,
        )
        np.testing.assert_allclose(
            daily.discounted_expected_purchases(ahead, some, 1e-3),
            loyal.discounted_expected_purchases(ahead, some, 1e-3),
            rtol=1e-8,
        )


@pytest.mark.parametrize("t", [1.0, 365.0, 18_250.0])
@pytest.mark.parametrize("x", [0, 3, 10_000])
@pytest.mark.parametrize(("r", "alpha"), [(0.4, 85.0), (1e-4, 0.03), (1e4, 3e6), (1e-4, 3e6)])
def test_expectations_agree_with_forty_digit_arithmetic(
    r: float, alpha: float, x: int, t: float
) -> None:
    model, rate, T = NBD(r=r, alpha=alpha), 0.1 / 365, 12_000.0
    customer = history(x, 11_000 if x else 0, T)
    with mp.workdps(40):
        often = (mp.mpf(r) + x) / (mp.mpf(alpha) + T)
        discounted = often * -mp.expm1(-mp.mpf(rate) * t) / rate
        new = mp.mpf(r) / mp.mpf(alpha) * t
    found = model.conditional_expected_purchases(t, customer)[0]
    assert found == pytest.approx(float(often * t), rel=1e-14)
    found = model.discounted_expected_purchases(t, customer, rate)[0]
    assert found == pytest.approx(float(discounted), rel=1e-13)
    assert model.expected_purchases(t) == pytest.approx(float(new), rel=1e-14)
    dert = model.discounted_expected_residual_transactions(customer, rate)[0]
    assert dert == pytest.approx(float(often / rate), rel=1e-12)


def test_new_customers_are_foreseen_for_any_shape_of_times(daily: NBD) -> None:
    ahead = daily.expected_purchases([[0.0, 39.0], [52.0, 520.0]])
    assert ahead.shape == (2, 2)
    assert ahead[0, 0] == 0
    assert ahead[1, 1] == pytest.approx(520 * daily.r / daily.alpha)


def test_the_next_purchase_is_awaited_by_the_expected_rate(daily: NBD) -> None:
    wait = daily.expected_wait(history(4, 90, 100))[0]
    assert wait == pytest.approx((daily.alpha + 100) / (daily.r + 4))


def test_random_futures_average_to_the_expectation(daily: NBD) -> None:
    rng, many = np.random.default_rng(8), 100_000
    customer = history(5, 100, 200)
    drawn = daily.draw_purchases(365, customer.loc[np.zeros(many, dtype=int)], rng)
    expected = daily.purchases_while_active(365, customer)[0]
    assert drawn.mean() == pytest.approx(expected, abs=4 * drawn.std() / np.sqrt(many))
    assert drawn.var() > drawn.mean()
