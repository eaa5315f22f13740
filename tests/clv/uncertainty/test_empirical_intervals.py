from __future__ import annotations

import numpy as np
import pytest

from clv.errors import BadSettings, NotEnoughData
from clv.forecast import Forecast
from clv.uncertainty.empirical_intervals import EmpiricalIntervals
from clv.uncertainty.intervals import coverage


def forecast(purchases: np.ndarray, spend: float = 20.0) -> Forecast:
    nothing = np.full(len(purchases), np.nan)
    return Forecast(nothing, purchases, purchases, np.full(len(purchases), spend), nothing)


def shop(customers: int, seed: int) -> tuple[Forecast, np.ndarray, np.ndarray]:
    """Forecasts that are twice too high, of purchases between none and hundreds."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.2, 1.5, customers) * np.where(rng.random(customers) < 0.02, 20, 1)
    came = rng.poisson(rate).astype(float)
    return forecast(2 * rate), came, rng.gamma(3 * came, 5.0)


@pytest.fixture(scope="module")
def learned() -> EmpiricalIntervals:
    return EmpiricalIntervals.learned(*shop(20_000, 1))


def test_other_customers_land_within_as_often_as_asked_for_though_the_forecast_is_wrong(
    learned: EmpiricalIntervals,
) -> None:
    ahead, came, spend = shop(20_000, 2)
    bounds = learned.of(ahead)
    inside = coverage(bounds, came, spend, {"top": ahead.purchases > 10})
    for measure in ("purchases", "clv"):
        assert inside[f"{measure}_80"]["all"] == pytest.approx(0.80, abs=0.02)
        assert inside[f"{measure}_95"]["all"] == pytest.approx(0.95, abs=0.01)
        assert 0.7 < inside[f"{measure}_80"]["top"] < 0.95  # type: ignore[operator]


def test_purchases_are_whole_and_levels_lie_within_each_other(
    learned: EmpiricalIntervals,
) -> None:
    ahead, _, _ = shop(3000, 3)
    bounds = learned.of(ahead)
    whole = bounds.filter(like="purchases").to_numpy()
    assert (whole == np.rint(whole)).all()
    for measure in ("purchases", "clv"):
        assert (bounds[f"{measure}_low_95"] <= bounds[f"{measure}_low_80"]).all()
        assert (bounds[f"{measure}_low_80"] <= bounds[f"{measure}_high_80"]).all()
        assert (bounds[f"{measure}_high_95"] >= bounds[f"{measure}_high_80"]).all()


def test_forecasts_beyond_all_that_were_seen_are_measured_by_the_largest(
    learned: EmpiricalIntervals,
) -> None:
    bounds = learned.of(forecast(np.array([0.0, 1e4])))
    assert bounds.purchases_high_95[0] == 0
    assert 3000 < bounds.purchases_high_95[1] < 1.1e4
    assert np.isfinite(bounds.to_numpy()).all()


def test_a_batch_gets_what_all_get(learned: EmpiricalIntervals) -> None:
    ahead, _, _ = shop(300, 4)
    whole = learned.of(ahead).to_numpy()
    one = learned.of(Forecast(**{name: part[7:8] for name, part in vars(ahead).items()}))
    assert (one.to_numpy() == whole[7:8]).all()


@pytest.mark.parametrize("predicted", [0.0, 0.7, 5.0])
def test_equal_forecasts_have_equal_intervals(predicted: float) -> None:
    came = np.random.default_rng(1).poisson(2.0, 1000).astype(float)
    same = forecast(np.full(1000, predicted))
    bounds = EmpiricalIntervals.learned(same, came, 20 * came).of(same)
    assert len(bounds.drop_duplicates()) == 1
    assert bounds.purchases_low_95[0] <= 1
    assert bounds.purchases_high_95[0] >= 4


def test_what_cannot_be_learned_from_is_refused() -> None:
    ahead, came, spend = shop(99, 5)
    with pytest.raises(NotEnoughData, match="customers=99"):
        EmpiricalIntervals.learned(ahead, came, spend)
    with pytest.raises(BadSettings, match="levels"):
        EmpiricalIntervals.learned(*shop(200, 5), levels=(2.0,))


def test_two_kinds_of_forecasts_each_have_their_own_outcomes() -> None:
    predicted = np.repeat([0.0, 5.0], 500)
    came = np.where(predicted > 0, np.tile([4.0, 6.0], 500), 0.0)
    bounds = EmpiricalIntervals.learned(forecast(predicted), came, 10 * came).of(
        forecast(np.array([0.0, 5.0]))
    )
    assert bounds.purchases_high_95.tolist() == [0, 6]
    assert bounds.purchases_low_95.tolist() == [0, 4]
    np.testing.assert_allclose(bounds.clv_high_95, [0, 60], rtol=1e-6)
