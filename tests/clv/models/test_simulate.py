from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv.errors import BadSettings
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.simulate import simulate
from clv.season.index import SeasonalIndex
from clv.transactions import summarise

TRUTH = BetaGeoNBD(r=0.6, alpha=60.0, a=0.7, b=3.0)
SPEND = GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
START, DAYS, AS_OF = date(2023, 3, 1), 500, date(2024, 7, 12)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return simulate(TRUTH, 5_000, start=START, days=DAYS, seed=1, spend=SPEND)


def test_a_shop_is_a_frame_of_transactions_in_order_of_time(orders: pd.DataFrame) -> None:
    assert {name: str(kind) for name, kind in orders.dtypes.items()} == {
        "customer_id": "int64",
        "ordered_at": "datetime64[ns, UTC]",
        "net_value": "float64",
    }
    assert orders.ordered_at.is_monotonic_increasing
    assert orders.index.equals(pd.RangeIndex(len(orders)))


def test_everything_happens_within_the_period(orders: pd.DataFrame) -> None:
    assert orders.ordered_at.min() >= pd.Timestamp(START, tz="UTC")
    assert orders.ordered_at.max() < pd.Timestamp(START, tz="UTC") + pd.Timedelta(days=DAYS)
    assert orders.ordered_at.max().date() == AS_OF


def test_every_customer_comes_and_purchases_are_worth_whole_cents(orders: pd.DataFrame) -> None:
    assert sorted(orders.customer_id.unique()) == list(range(1, 5_001))
    assert (orders.net_value >= 0.01).all()
    assert (orders.net_value == orders.net_value.round(2)).all()


def test_a_seed_gives_the_same_shop_again_and_another_one_another() -> None:
    one, same, other = (
        simulate(TRUTH, 50, start=START, days=90, seed=seed, spend=SPEND) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)


def test_customers_come_evenly(orders: pd.DataFrame) -> None:
    first = orders.groupby("customer_id").ordered_at.min()
    days = (first - pd.Timestamp(START, tz="UTC")).dt.days
    thirds = np.bincount(days // 167, minlength=3)
    assert thirds == pytest.approx(np.array([167, 167, 166]) * 10, abs=120)


def test_customers_come_at_all_hours(orders: pd.DataFrame) -> None:
    hours = orders.groupby("customer_id").ordered_at.min().dt.hour
    assert np.bincount(hours, minlength=24) == pytest.approx(np.full(24, 5_000 / 24), rel=0.3)


def test_customers_come_as_the_weights_say() -> None:
    weights = np.zeros(DAYS)
    weights[[10, 400]] = 3, 1
    orders = simulate(TRUTH, 4_000, start=START, days=DAYS, seed=1, acquisition=weights)
    first = orders.groupby("customer_id").ordered_at.min()
    days = (first - pd.Timestamp(START, tz="UTC")).dt.days
    assert set(days) == {10, 400}
    assert (days == 10).mean() == pytest.approx(0.75, abs=0.03)


def test_the_model_is_found_again(orders: pd.DataFrame) -> None:
    """Purchases of one day count once in a summary: the rate comes out a little low."""
    found = BetaGeoNBD.fit(summarise(orders, AS_OF))
    errors = np.sqrt(np.diag(np.array(found.log_covariance)))
    assert (np.abs(np.log(found.parameters / TRUTH.parameters)) < 3 * errors).all()


def test_the_spend_is_found_again(orders: pd.DataFrame) -> None:
    per = orders.groupby("customer_id").net_value
    paid = pd.DataFrame({"frequency": per.size(), "monetary_value": per.mean()})
    found = GammaGamma.fit(paid)
    errors = np.sqrt(np.diag(np.array(found.log_covariance)))
    assert (np.abs(np.log(found.parameters / SPEND.parameters)) < 3 * errors).all()


def test_without_a_spend_every_purchase_is_worth_one() -> None:
    orders = simulate(TRUTH, 50, start=START, days=90, seed=1)
    assert (orders.net_value == 1).all()


def test_a_season_speeds_up_repeat_purchases_by_its_factors() -> None:
    """Customers of one day, then four times the rate in every other month."""
    year = pd.date_range("2023-01-01", "2023-12-31")
    season = SeasonalIndex.of(np.where(year.month % 2, 1.6, 0.4))
    loyal = BetaGeoNBD(r=50.0, alpha=5_000.0, a=1e-4, b=1.0)
    weights = np.eye(365)[0]
    orders = simulate(
        loyal, 20_000, start=date(2023, 1, 1), days=365, seed=1, season=season, acquisition=weights
    )
    repeats = orders[orders.customer_id.duplicated()].ordered_at.dt.month.value_counts()
    days = pd.Series(year.month).value_counts()
    rates = (repeats / days / 20_000).sort_index().iloc[1:]
    scale = np.mean([1.6 if month % 2 else 0.4 for month in year.month])
    expected = [0.01 * (1.6 if month % 2 else 0.4) / scale for month in range(2, 13)]
    assert rates.to_numpy() == pytest.approx(expected, rel=0.08)


def test_a_seasons_day_begins_at_its_midnight() -> None:
    """Nearly all is bought on June 10: not on the day before it or after it."""
    factors = np.full(365, 1e-6)
    factors[160] = 1.0
    loyal = BetaGeoNBD(r=50.0, alpha=5_000.0, a=1e-4, b=1.0)
    season = SeasonalIndex.of(factors)
    orders = simulate(loyal, 500, start=date(2023, 6, 5), days=20, seed=1, season=season)
    repeats = orders[orders.customer_id.duplicated()].ordered_at.dt.date
    assert len(repeats) > 100
    assert set(repeats) == {date(2023, 6, 10)}


def test_a_flat_season_is_none() -> None:
    plain = simulate(TRUTH, 200, start=START, days=DAYS, seed=1)
    flat = simulate(TRUTH, 200, start=START, days=DAYS, seed=1, season=SeasonalIndex.flat())
    assert (plain.customer_id == flat.customer_id).all()
    assert (plain.ordered_at - flat.ordered_at).abs().max() < pd.Timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "weights", [[1.0] * 9, [-1.0] + [1.0] * 9, [0.0] * 10, [float("nan")] * 10, [float("inf")] * 10]
)
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadSettings, match="one weight"):
        simulate(TRUTH, 5, start=START, days=10, seed=1, acquisition=weights)


def test_no_days_are_refused() -> None:
    with pytest.raises(BadSettings, match="a day at least"):
        simulate(TRUTH, 5, start=START, days=0, seed=1)


def test_nobody_makes_an_empty_frame() -> None:
    orders = simulate(TRUTH, 0, start=START, days=10, seed=1, spend=SPEND)
    assert orders.empty
    assert str(orders.ordered_at.dtype) == "datetime64[ns, UTC]"
