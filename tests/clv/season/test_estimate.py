# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv.models.beta_geo import BetaGeoNBD
from clv.season.estimate import Season, _Counts, estimate, expected_at_one
from clv.season.history import BINS, Activity, Cells
from clv.season.index import SeasonalIndex, day_number

AS_OF = day_number(date(2024, 9, 30))
TRUTH = BetaGeoNBD(r=0.6, alpha=60.0, a=0.7, b=3.0)
DAYS = np.arange(365)
PEAK = SeasonalIndex.of(1 + 1.5 * np.exp(-0.5 * ((DAYS - 335) / 15) ** 2))
#: The same, as found seasons are: one factor for five days, February 29 like March 1.
STEPS = np.add.reduceat(np.delete(PEAK.factors, 59), np.arange(0, 365, 5)).repeat(5) / 5
STEPPED = SeasonalIndex.of(np.insert(STEPS, 59, STEPS[59]))


def frame(days: int, first: float = 5.0, repeat: float = 20.0) -> pd.DataFrame:
    """A shop of as many purchases each day, up to AS_OF."""
    index = pd.date_range(end="2024-09-30", periods=days, name="day")
    columns = {"first_purchases": first, "repeat_purchases": repeat}
    return pd.DataFrame(columns, index=index, dtype=float)


def cells_with(index: SeasonalIndex, each: float, days: int = 730) -> tuple[Cells, np.ndarray]:
    """Cells as expected in this season, `each` purchases on a day at factor 1; and A."""
    activity = Activity.read(frame(days), AS_OF)
    cells = Cells.of(activity)
    of_day = np.append(cells.starts[1:], days) - cells.starts
    A = each * of_day.astype(float)
    seasonal = each * np.add.reduceat(index.at(activity.days), cells.starts)
    return Cells(cells.starts, cells.bins, cells.z, seasonal), A


def spread(index: SeasonalIndex) -> float:
    return float(np.ptp(np.log(index.factors)))


@pytest.mark.parametrize("index", [SeasonalIndex.flat(), STEPPED])
def test_what_is_expected_adds_up_all_cohorts(index: SeasonalIndex) -> None:
    """Against the model asked for each pair of days by itself."""
    rng = np.random.default_rng(1)
    activity = Activity.read(frame(470).assign(first_purchases=rng.poisson(4.0, 470)), AS_OF)
    starts = Cells.of(activity).starts
    ends = np.append(starts[1:], 470)
    expected = expected_at_one(TRUTH, index, activity)
    for cell in (1, 20, len(starts) - 1):
        left, right = activity.first + starts[cell] - 1, activity.first + ends[cell] - 1
        at = index.running(np.maximum([[right], [left]], activity.days))
        until, before = TRUTH.expected_purchases(at - index.running(activity.days))
        total = activity.first_purchases @ (until - before)
        assert expected[cell] * index.at(right) == pytest.approx(total, rel=1e-8)


def test_a_plain_season_is_found() -> None:
    cells, A = cells_with(PEAK, each=2_000.0)
    season = estimate(A, cells)
    assert season.index.factors == pytest.approx(STEPPED.factors, rel=0.02)
    assert season.log_evidence > 100
    assert season.parameters > 10


def test_factors_hold_for_five_days_each() -> None:
    cells, A = cells_with(PEAK, each=2_000.0)
    usual = np.delete(estimate(A, cells).index.factors, 59).reshape(73, 5)
    assert np.ptp(usual, axis=1).max() == 0


def test_the_fewer_purchases_the_closer_the_factors_are_to_one() -> None:
    spreads = [spread(estimate(A, cells).index) for cells, A in map(few_and_many, (0.02, 2, 200))]
    assert spreads[0] == 0
    assert 0.5 * spreads[2] < spreads[1] < spreads[2]


def few_and_many(each: float) -> tuple[Cells, np.ndarray]:
    return cells_with(PEAK, each)


def test_a_factor_is_the_expectation_of_what_it_may_be() -> None:
    """A bin that might be 2 or 1/2 is 1.25 to a forecast of sums, not 1."""
    cells, A = cells_with(SeasonalIndex.flat(), each=1.0)
    unsure = np.where(cells.bins < 36, 1.0, 1e3)
    scales = Season(SeasonalIndex.flat(), ((0.0, 0.8),), (1.0,), 0.0, 1.0, 9.0)
    data = Cells(cells.starts, cells.bins, cells.z, A * unsure)
    factors = np.delete(estimate(A * unsure, data, scales).index.factors, 59)
    assert factors[20:160].mean() > 1.02 * factors[200:350].mean()


def test_a_trend_is_no_season() -> None:
    """Customers who buy ever more, or whom the model ages too fast."""
    cells, A = cells_with(SeasonalIndex.flat(), each=30.0)
    for slope in (-0.5, 0.5):
        growing = Cells(cells.starts, cells.bins, cells.z, A * np.exp(slope * cells.z))
        season = estimate(A, growing)
        assert season.index.is_flat
        assert season.parameters == 0


def test_a_season_is_found_beneath_a_trend() -> None:
    cells, A = cells_with(PEAK, each=200.0)
    growing = Cells(cells.starts, cells.bins, cells.z, cells.purchases * np.exp(0.4 * cells.z))
    found, true = (estimate(A, data).index.factors for data in (growing, cells))
    assert np.log(found) == pytest.approx(np.log(true), abs=0.06)


def test_chance_makes_no_season() -> None:
    """With odds of twenty to one asked for, hardly one shop in twenty shows one."""
    rng = np.random.default_rng(1)
    cells, A = cells_with(SeasonalIndex.flat(), each=10.0)
    seasons = [
        estimate(A, Cells(cells.starts, cells.bins, cells.z, rng.poisson(A).astype(float)))
        for _ in range(20)
    ]
    assert sum(not season.index.is_flat for season in seasons) <= 1
    assert max(season.dispersion for season in seasons) < 1.5


def test_days_that_scatter_more_than_chance_count_for_less() -> None:
    """Sales that come in one year and not in the other are no season."""
    rng = np.random.default_rng(1)
    cells, A = cells_with(SeasonalIndex.flat(), each=10.0)
    sales = rng.poisson(A * rng.gamma(10.0, 0.1, len(A))).astype(float)
    season = estimate(A, Cells(cells.starts, cells.bins, cells.z, sales))
    assert season.dispersion > 3
    assert season.index.is_flat


def test_scales_that_were_found_before_are_kept() -> None:
    cells, A = cells_with(PEAK, each=200.0)
    first = estimate(A, cells)
    again = estimate(A / 2, cells, first)
    assert (again.scales, again.weights) == (first.scales, first.weights)
    assert sum(first.weights) == pytest.approx(1)
    assert len(estimate(*reversed(few_and_many(2.0))).scales) > 1
    assert again.dispersion == first.dispersion
    assert again.index.factors == pytest.approx(first.index.factors, rel=1e-2)


def test_no_purchases_at_all_make_no_season() -> None:
    cells, A = cells_with(SeasonalIndex.flat(), each=0.0)
    assert estimate(A, cells).index.is_flat
    assert estimate(A + 1.0, cells).index.is_flat


@pytest.mark.parametrize("bins", [0, BINS])
def test_the_sums_by_bin_are_those_of_the_design_written_out(bins: int) -> None:
    rng = np.random.default_rng(3)
    cells = 4 * BINS
    counts = _Counts(*rng.gamma(2.0, 1.0, (2, cells)), np.arange(cells) % BINS, rng.random(cells))
    design = np.column_stack((np.eye(BINS)[counts.bins][:, :bins], np.ones(cells), counts.z))
    theta, means = rng.normal(size=bins + 2), rng.random(cells)
    np.testing.assert_allclose(counts._eta(theta), design @ theta)
    np.testing.assert_allclose(counts._gathered(means, bins), design.T @ means)
    np.testing.assert_allclose(counts._information(means, bins), (design.T * means) @ design)
