# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.errors import BadSettings
from clv.models.beta_geo import BetaGeoNBD
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.numerics.stages_ahead import Silent, _by_integral, _by_stages, purchases_after_silence

#: The grocery estimate of Reutterer, Platzer & Schroeder, in days.
GROCERY = {"r": 1.33, "alpha": 19.7, "a": 0.42, "b": 0.79}


def history(x: int, t_x: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [T]})


def bought(
    model: MBGCNBDk, ages: np.ndarray, holdout: float, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Summaries at these ages, with `log_waits`, and the purchases within `holdout` after."""
    rows, times = model.draw_histories(ages + holdout, np.random.default_rng(seed))
    order = np.lexsort((times, rows))
    rows, times = rows[order], times[order]
    first = np.diff(rows, prepend=-1) > 0
    waits = times - np.where(first, 0.0, np.concatenate([[0.0], times[:-1]]))
    seen, many = times <= ages[rows], len(ages)
    latest = np.zeros(many)
    latest[rows[seen]] = times[seen]
    summary = pd.DataFrame(
        {
            "frequency": np.bincount(rows[seen], minlength=many),
            "recency": latest,
            "T": ages,
            "log_waits": np.bincount(rows[seen], np.log(waits[seen]), minlength=many),
        }
    )
    return summary, np.bincount(rows[~seen], minlength=many)


@pytest.fixture(scope="module")
def shops() -> dict[int, tuple[pd.DataFrame, np.ndarray]]:
    ages = np.random.default_rng(1).uniform(180, 365, 4000)
    return {k: bought(MBGCNBDk(k=k, **GROCERY), ages, 182.0, seed=k) for k in (1, 2, 3)}


@pytest.mark.parametrize("k", [1, 2, 3])
def test_how_regular_customers_are_is_found_from_their_waits(
    shops: dict[int, tuple[pd.DataFrame, np.ndarray]], k: int
) -> None:
    model = MBGCNBDk.fit(shops[k][0])
    assert model.k == k
    errors = np.log(model.parameters / list(GROCERY.values()))
    assert np.all(np.abs(errors) < 3.5 * np.sqrt(np.diag(model.log_covariance)))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_without_the_waits_their_sums_tell_how_regular_customers_are(
    shops: dict[int, tuple[pd.DataFrame, np.ndarray]], k: int
) -> None:
    assert MBGCNBDk.fit(shops[k][0].drop(columns="log_waits")).k == k


@pytest.mark.parametrize("k", [2, 3])
def test_regular_customers_are_foreseen_better_than_by_models_of_chance(
    shops: dict[int, tuple[pd.DataFrame, np.ndarray]], k: int
) -> None:
    shop, came = shops[k]
    errors = {}
    for model in (MBGCNBDk.fit(shop), ModifiedBetaGeoNBD.fit(shop), BetaGeoNBD.fit(shop)):
        off = model.conditional_expected_purchases(182.0, shop) - came
        errors[model.NAME] = np.array([np.abs(off).mean(), np.sqrt((off**2).mean())])
    best = errors.pop("MBG/CNBD-k")
    for error in errors.values():
        assert best[0] < 0.95 * error[0]
        assert best[1] < 0.99 * error[1]


def test_the_likelihood_of_one_stage_is_that_of_mbg_nbd(cdnow: pd.DataFrame) -> None:
    regular, plain = MBGCNBDk.fit(cdnow, k=1), ModifiedBetaGeoNBD.fit(cdnow)
    assert regular.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(regular.parameters, plain.parameters, rtol=1e-8)
    np.testing.assert_allclose(
        regular.conditional_expected_purchases(365, cdnow),
        plain.conditional_expected_purchases(365, cdnow),
        rtol=1e-7,
    )


def test_buyers_of_music_are_not_regular(cdnow: pd.DataFrame) -> None:
    assert MBGCNBDk.fit(cdnow).k == 1


def test_with_one_wait_each_the_waits_and_their_sums_say_the_same(
    shops: dict[int, tuple[pd.DataFrame, np.ndarray]],
) -> None:
    shop = shops[2][0]
    once = shop[shop.frequency <= 1]
    by_waits = MBGCNBDk.fit(once, k=3)
    by_sums = MBGCNBDk.fit(once.drop(columns="log_waits"), k=3)
    assert by_waits.log_likelihood == pytest.approx(by_sums.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("waits_known", [True, False])
def test_the_unit_of_time_changes_neither_k_nor_a_forecast(
    shops: dict[int, tuple[pd.DataFrame, np.ndarray]], waits_known: bool
) -> None:
    days = shops[2][0]
    weeks = days.assign(
        recency=days.recency / 7,
        T=days["T"] / 7,
        log_waits=days.log_waits - days.frequency * np.log(7),
    )
    if not waits_known:
        days, weeks = (shop.drop(columns="log_waits") for shop in (days, weeks))
    daily, weekly = MBGCNBDk.fit(days), MBGCNBDk.fit(weeks)
    assert daily.k == weekly.k
    shift = days.frequency.sum() * np.log(7)
    assert weekly.log_likelihood == pytest.approx(daily.log_likelihood + shift, rel=1e-10)
    np.testing.assert_allclose(
        daily.conditional_expected_purchases(364, days),
        weekly.conditional_expected_purchases(52, weeks),
        rtol=1e-7,
    )


@pytest.mark.parametrize("k", [0, 13])
def test_k_out_of_its_range_is_refused(cdnow: pd.DataFrame, k: int) -> None:
    with pytest.raises(BadSettings, match=f"k={k} least=1 most=12"):
        MBGCNBDk.fit(cdnow, k=k)


def simulated_future(model: MBGCNBDk, t_x: float, T: float, t: float) -> tuple[float, float]:
    """Of simulated customers with one repeat purchase about t_x: mean purchases after T, error."""
    ages = np.full(600_000, T + t)
    rows, times = model.draw_histories(ages, np.random.default_rng(5))
    before = np.bincount(rows[times <= T], minlength=len(ages))
    at = np.bincount(rows, times * (times <= T), minlength=len(ages))
    alike = (before == 1) & (np.abs(at - t_x) < 5)
    after = np.bincount(rows[times > T], minlength=len(ages))[alike]
    return float(after.mean()), float(after.std() / np.sqrt(len(after)))


@pytest.mark.parametrize(("k", "t_x"), [(2, 30.0), (3, 80.0), (6, 60.0)])
def test_the_expectation_is_that_of_simulated_customers_of_the_same_history(
    k: int, t_x: float
) -> None:
    model = MBGCNBDk(k=k, r=2.0, alpha=20.0 * 2 / k, a=1.0, b=2.0)
    mean, error = simulated_future(model, t_x, 100.0, 50.0)
    expected = model.conditional_expected_purchases(50.0, history(1, t_x, 100.0))[0]
    assert error < 0.04 * mean
    assert abs(expected - mean) < 4 * error


@pytest.mark.parametrize("k", [5, *(pytest.param(k, marks=pytest.mark.thorough) for k in (2, 12))])
def test_random_futures_come_to_the_expectation(k: int) -> None:
    model = MBGCNBDk(k=k, **GROCERY)
    for one in (history(0, 0, 60), history(9, 200, 250), history(9, 245, 250)):
        drawn = model.draw_purchases(90.0, pd.concat([one] * 40_000), np.random.default_rng(4))
        expected = model.purchases_while_active(90.0, one)[0]
        assert abs(drawn.mean() - expected) < 4 * drawn.std() / np.sqrt(len(drawn))


def test_sum_and_integral_meet_where_both_are_good() -> None:
    rng = np.random.default_rng(7)
    R, A, t = rng.uniform(0.1, 60, 60), rng.uniform(20, 400, 60), rng.uniform(20, 400, 60)
    silent, beta = Silent(R, A, A * rng.random(60)), rng.uniform(1, 40, 60)
    for k in (2, 3, 12):
        for a in (0.05, 1.0, 3.0):
            summed, left_out = _by_stages(t, k, silent, a, beta)
            good = (left_out < 1e-10 * summed) & (summed > 1e-3)
            assert good.mean() > 0.4
            integral = _by_integral(t / A, k, silent, a, beta)
            np.testing.assert_allclose(summed[good], integral[good], rtol=1e-9)


def test_of_very_many_stages_waits_are_of_even_length() -> None:
    """A rate known for sure, twelve stages, no leaving: a purchase every 12 / rate, on average."""
    silent = Silent(np.array([1e6]), np.array([1e6]), np.array([0.0]))
    ahead = purchases_after_silence(1e4, 12, silent, 1e-4, np.array([1e4]))[0]
    assert ahead == pytest.approx((1e4 - 5.5) / 12, rel=1e-4)


def test_a_regular_customer_who_is_overdue_has_likely_left() -> None:
    due, overdue = history(10, 300, 320), history(10, 300, 420)
    regular, plain = MBGCNBDk(k=6, **GROCERY), ModifiedBetaGeoNBD(**GROCERY)
    assert regular.p_alive(due)[0] > 0.9
    assert regular.p_alive(overdue)[0] < plain.p_alive(overdue)[0] / 5


def test_a_wait_that_has_begun_is_shorter() -> None:
    model = MBGCNBDk(k=4, **GROCERY)
    fresh, begun = model.expected_wait(pd.concat([history(10, 300, 300), history(10, 300, 330)]))
    assert begun < 0.6 * fresh
    assert fresh == pytest.approx(4 * (model.alpha + 300) / (model.r + 40))


def test_new_customers_are_foreseen_for_any_shape_of_times() -> None:
    model = MBGCNBDk(k=2, **GROCERY)
    ahead = model.expected_purchases([[0.0, 39.0], [365.0, 18_250.0]])
    assert ahead.shape == (2, 2)
    assert ahead[0, 0] == 0
    alone = model.conditional_expected_purchases(365.0, history(0, 0, 0))[0]
    assert ahead[1, 0] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("k", [2, 12])
def test_discounting_agrees_with_a_sum_over_days(k: int) -> None:
    model, rate = MBGCNBDk(k=k, **GROCERY), np.log(1.5) / 365
    for one in (history(0, 0, 30), history(26, 360, 365), history(100, 364, 365)):
        days = np.arange(90 * 4 + 1) / 4
        until = model.purchases_while_active(days, pd.concat([one] * len(days)))
        by_part = np.diff(until) @ np.exp(-rate * (days[1:] - 1 / 8))
        exact = by_part * model.p_alive(one)[0]
        discounted = model.discounted_expected_purchases(90, one, rate)[0]
        assert discounted == pytest.approx(exact, rel=1e-7)


def test_standard_errors_are_those_seen_over_simulated_populations() -> None:
    true = MBGCNBDk(k=2, r=1.33, alpha=19.7, a=0.6, b=1.2)
    ages = np.random.default_rng(1).uniform(180, 365, 3000)
    models = [MBGCNBDk.fit(bought(true, ages, 0.0, seed)[0], k=2) for seed in range(30)]
    errors = np.array([np.log(model.parameters / true.parameters) for model in models])
    variances = np.array([np.diag(model.log_covariance) for model in models])
    spread = errors.std(axis=0, ddof=1)
    assert np.all(np.abs(errors.mean(axis=0)) < 3 * spread / np.sqrt(len(models)))
    assert np.all(np.abs(np.sqrt(variances.mean(axis=0)) / spread - 1) < 0.45)
