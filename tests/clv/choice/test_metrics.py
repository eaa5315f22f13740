from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clv.choice import metrics
from clv.choice.metrics import Actual

counts = st.lists(st.integers(0, 20), min_size=2, max_size=60)
rng = np.random.default_rng(11)


def floats(values: list[int]) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def beside(values: np.ndarray, seed: int = 3) -> np.ndarray:
    """Forecasts of some length, with ties."""
    return np.random.default_rng(seed).integers(0, 5, len(values)).astype(float)


@given(counts)
@settings(max_examples=25)
def test_a_perfect_forecast_has_no_error_no_bias_and_the_whole_gini(
    given_counts: list[int],
) -> None:
    n = floats(given_counts)
    found = metrics.measured(n, n, Actual(n, n))
    assert found.mae == found.rmse == 0
    if n.sum() > 0:
        assert found.bias_purchases == found.bias_spend == 0
        assert found.calibration_error == 0
    if len(np.unique(n)) > 1:
        assert found.gini_spend == pytest.approx(1)
        assert found.rank_correlation == pytest.approx(1)


@given(counts)
@settings(max_examples=25)
def test_the_order_of_the_customers_changes_nothing(given_counts: list[int]) -> None:
    n = floats(given_counts)
    e, y = beside(n), 10 * n + 1
    shuffled = np.random.default_rng(5).permutation(len(n))
    one = metrics.measured(e, e, Actual(n, y)).as_dict()
    other = metrics.measured(e[shuffled], e[shuffled], Actual(n[shuffled], y[shuffled])).as_dict()
    assert one == pytest.approx(other, nan_ok=True)


@given(counts)
@settings(max_examples=25)
def test_rmse_is_never_below_mae_and_calibration_never_below_bias(given_counts: list[int]) -> None:
    n = floats(given_counts)
    found = metrics.measured(beside(n), n, Actual(n, n))
    assert found.rmse >= found.mae - 1e-12
    if n.sum() > 0:
        assert found.calibration_error >= abs(found.bias_purchases) - 1e-12


@given(counts)
@settings(max_examples=25)
def test_ranks_correlate_as_spearman_has_it(given_counts: list[int]) -> None:
    n = floats(given_counts)
    e = beside(n)
    if len(np.unique(n)) > 1 and len(np.unique(e)) > 1:
        expected = stats.spearmanr(e, n).statistic
        assert metrics.rank_correlation(e, n) == pytest.approx(expected)


def test_gini_is_that_of_every_order_of_the_tied_on_average() -> None:
    v, y = np.array([3.0, 2, 2, 2, 1]), np.array([5.0, 9, 1, 2, 0])

    def of_order(order: np.ndarray) -> float:
        gains = np.append(0, np.cumsum(y[order]) / y.sum())
        return 2 * np.trapezoid(gains, np.arange(6) / 5) - 1

    orders = [np.lexsort((rng.random(5), -v)) for _ in range(4000)]
    assert metrics.gini(v, y) == pytest.approx(np.mean([of_order(o) for o in orders]), abs=0.01)


def test_a_lot_orders_nothing_and_the_reverse_order_is_the_negative() -> None:
    y = rng.gamma(0.5, size=999)
    assert metrics.normalised_gini(np.ones(999), y) == pytest.approx(0)
    assert metrics.normalised_gini(-y, y) == pytest.approx(-1)


def test_the_top_tenth_is_a_tenth_of_the_customers_rounded_down() -> None:
    v = np.arange(29.0)
    y = np.where(v >= 27, 1.0, 0.0)
    assert metrics.top_share(v, y) == 1
    assert metrics.top_share(v, np.where(v >= 26, 1.0, 0.0)) == pytest.approx(2 / 3)


def test_customers_of_one_forecast_share_the_last_places() -> None:
    v = np.array([9.0, 5, 5, 5, 5] + [1] * 15)
    y = np.array([4.0, 0, 0, 0, 4] + [0] * 15)
    assert metrics.top_share(v, y) == pytest.approx((4 + 1) / 8)


def test_calibration_tells_each_tenth_apart() -> None:
    e = np.linspace(0, 1, 1000)
    table = metrics.calibration(e, 2 * e)
    assert list(table.columns) == ["customers", "expected", "actual"]
    assert table.customers.tolist() == [100] * 10
    assert np.allclose(table.actual, 2 * table.expected)
    assert metrics.calibration_error(e, 2 * e) == pytest.approx(0.5)


def test_errors_that_cancel_out_in_the_total_show_in_the_calibration() -> None:
    e, n = np.repeat([1.0, 2.0], 50), np.repeat([2.0, 1.0], 50)
    assert metrics.bias(e, n) == 0
    assert metrics.calibration_error(e, n) == pytest.approx(2 / 3)


def test_figures_without_meaning_are_none_in_the_card() -> None:
    nothing = np.zeros(20)
    card = metrics.measured(np.ones(20), np.ones(20), Actual(nothing, nothing)).as_dict()
    assert card["mae"] == 1
    undefined = ("bias_purchases", "bias_spend", "rank_correlation", "top_decile_spend")
    assert all(card[name] is None for name in (*undefined, "gini_spend", "calibration_error"))
    empty = metrics.measured(*(np.empty(0),) * 2, Actual(np.empty(0), np.empty(0))).as_dict()
    assert {value for name, value in empty.items() if name != "customers"} == {None}
