"""What `import clv` promises, called as its users call it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

import clv
from clv.choice.averaged import Averaged
from clv.choice.choosing import choose

AS_OF = "2025-12-31"


@pytest.fixture(scope="module")
def transactions() -> pd.DataFrame:
    model = clv.ParetoNBD(r=0.9, alpha=60.0, s=0.6, beta=60.0)
    spend = clv.GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
    return clv.simulate(model, 500, start=date(2024, 1, 1), days=731, seed=5, spend=spend)


@pytest.fixture(scope="module")
def scores(transactions: pd.DataFrame) -> pd.DataFrame:
    return clv.score(transactions, as_of=AS_OF)


def test_one_call_scores_every_customer(transactions: pd.DataFrame, scores: pd.DataFrame) -> None:
    assert scores.index.name == "customer_id"
    assert set(scores.index) == set(transactions.customer_id)
    assert scores.historic_net.sum() == pytest.approx(transactions.net_value.sum(), abs=0.01)
    numbers = scores.select_dtypes("number")
    assert np.isfinite(numbers.to_numpy()).all()
    assert (scores.purchases_low <= scores.expected_purchases).all()
    assert (scores.clv_low <= scores.predicted_clv).all()
    assert (scores.clv_high >= scores.predicted_clv).all()


def test_the_card_says_which_model_and_why(scores: pd.DataFrame) -> None:
    card = scores.attrs["card"]
    assert card["choice"]["ranking"][0]["candidate"] == card["choice"]["chosen"]
    assert card["choice"]["why"]
    assert card["left_out"]["without_customer"] == 0
    assert set(scores.model) == {card["model"]}


def test_the_order_of_the_rows_does_not_matter(
    transactions: pd.DataFrame, scores: pd.DataFrame
) -> None:
    shuffled = clv.score(transactions.sample(frac=1, random_state=3), as_of=AS_OF)
    pd.testing.assert_frame_equal(shuffled, scores)


def test_nothing_after_the_day_is_seen(transactions: pd.DataFrame) -> None:
    then = clv.score(transactions, "2025-06-30", 180)
    cut = transactions[transactions.ordered_at < pd.Timestamp("2025-07-01", tz="UTC")]
    pd.testing.assert_frame_equal(then, clv.score(cut, "2025-06-30", 180))
    assert then.attrs["card"]["left_out"]["after_as_of"] == len(transactions) - len(cut)


@pytest.mark.parametrize(
    "as_of", [AS_OF, date(2025, 12, 31), pd.Timestamp(AS_OF), datetime(2025, 12, 31, tzinfo=UTC)]
)
def test_the_day_may_be_given_in_any_form(transactions: pd.DataFrame, as_of: object) -> None:
    summary = clv.summarise(transactions, as_of)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(summary, clv.summarise(transactions, AS_OF))


def test_a_model_can_be_named_and_an_unknown_one_is_refused(transactions: pd.DataFrame) -> None:
    named = clv.score(transactions, AS_OF, model="mbg")
    assert named.model.unique().tolist() == ["MBG/NBD + Gamma-Gamma"]
    with pytest.raises(clv.errors.BadSettings, match="pareto"):
        clv.score(transactions, AS_OF, model="oracle")


def test_channels_are_looked_at_where_they_matter() -> None:
    often, seldom = (
        clv.simulate(
            clv.ParetoNBD(r=1.0, alpha=alpha, s=0.6, beta=60.0),
            500,
            start=date(2024, 1, 1),
            days=731,
            seed=int(alpha),
        )
        for alpha in (30.0, 150.0)
    )
    seldom = seldom.assign(customer_id=seldom.customer_id + 1000, channel="ads")
    both = pd.concat([often.assign(channel="web"), seldom])
    scores = clv.score(both, AS_OF, model="pareto-covariates")
    coefficients = scores.attrs["card"]["models"]["Pareto/NBD with covariates"]["coefficients"]
    assert coefficients
    once = scores[scores.orders == 1].expected_purchases
    assert once[once.index <= 1000].mean() > 1.3 * once[once.index > 1000].mean()


MODELS: list[Callable[[pd.DataFrame], object]] = [
    model.fit
    for model in (
        clv.BetaGeoNBD,
        clv.ModifiedBetaGeoNBD,
        clv.ParetoNBD,
        clv.MBGCNBDk,
        clv.NBD,
    )
]


@pytest.mark.parametrize("fit", MODELS)
@pytest.mark.parametrize("unit_days", [7.0, 30.4375])
def test_days_weeks_and_months_give_the_same_forecast(
    transactions: pd.DataFrame, fit: Callable[[pd.DataFrame], clv.NBD], unit_days: float
) -> None:
    by_day = clv.summarise(transactions, AS_OF)
    by_unit = by_day.assign(recency=by_day.recency / unit_days, T=by_day["T"] / unit_days)
    ours = fit(by_day).conditional_expected_purchases(365, by_day)
    theirs = fit(by_unit).conditional_expected_purchases(365 / unit_days, by_unit)
    np.testing.assert_allclose(theirs, ours, rtol=1e-6)


def test_the_engine_is_imported_without_what_it_seldom_needs() -> None:
    heavy = "scipy.stats", "scipy.optimize", "sklearn", "ibis", "duckdb"
    told = f"import sys, clv; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "late",
    [
        {"currency": "USD"},
        {"net_value": float("inf")},
        {"customer_id": "a text"},
        {"net_value": None},
    ],
)
def test_whatever_comes_later_changes_nothing(
    transactions: pd.DataFrame, late: dict[str, object]
) -> None:
    known = transactions.assign(currency="EUR").astype(object)
    row = {"customer_id": 1, "ordered_at": "2026-05-05T00:00:00Z", "net_value": 5.0}
    more = pd.concat([known, pd.DataFrame([row | {"currency": "EUR"} | late], dtype=object)])
    pd.testing.assert_frame_equal(clv.summarise(more, AS_OF), clv.summarise(known, AS_OF))


def test_the_currency_is_that_of_the_rows_that_are_known(transactions: pd.DataFrame) -> None:
    row = {"customer_id": 1, "ordered_at": pd.Timestamp("2026-05-05", tz="UTC"), "net_value": 5.0}
    late = pd.DataFrame([row | {"currency": "USD"}])
    shop = pd.concat([late, transactions.assign(currency="EUR")])
    assert clv.score(shop, AS_OF, model="bg").currency.unique().tolist() == ["EUR"]


def test_before_the_first_order_there_is_nobody_to_score(transactions: pd.DataFrame) -> None:
    scores = clv.score(transactions, "1990-01-01")
    assert scores.empty
    assert {tier["customers"] for tier in scores.attrs["card"]["tiers"].values()} == {0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency": -1.0},
        {"frequency": 1.5},
        {"frequency": np.nan},
        {"recency": 0.0},
        {"recency": 99.0},
        {"T": np.inf},
    ],
)
@pytest.mark.parametrize("fit", MODELS)
def test_histories_that_cannot_be_are_refused_by_every_model(
    fit: Callable[[pd.DataFrame], clv.NBD], wrong: dict[str, float]
) -> None:
    fine = pd.DataFrame({"frequency": [2.0] * 30, "recency": [20.0] * 30, "T": [50.0] * 30})
    for name, value in wrong.items():
        fine.loc[3, name] = value
    with pytest.raises(clv.errors.BadSummary, match="rows=1"):
        fit(fine)


@pytest.mark.parametrize("t", [-1.0, np.nan, np.inf])
def test_a_horizon_that_is_no_length_of_time_is_refused(
    transactions: pd.DataFrame, t: float
) -> None:
    summary = clv.summarise(transactions, AS_OF)
    model = clv.BetaGeoNBD.fit(summary)
    with pytest.raises(clv.errors.BadSettings, match="horizon"):
        model.conditional_expected_purchases(t, summary)


def test_a_small_shop_at_a_wall_forecasts_the_same_in_any_unit(cdnow: pd.DataFrame) -> None:
    few = cdnow.sample(30, random_state=4)
    weeks = few.assign(recency=few.recency / 7, T=few["T"] / 7)
    model = clv.BetaGeoNBD.fit(few)
    assert model.at_wall
    by_week = clv.BetaGeoNBD.fit(weeks).conditional_expected_purchases(52, weeks)
    np.testing.assert_allclose(by_week, model.conditional_expected_purchases(364, few), rtol=1e-6)


def test_a_rule_has_bounds_too_where_the_backtest_looked_as_far(
    transactions: pd.DataFrame,
) -> None:
    tested = clv.backtest(transactions, AS_OF, 180, candidates=[clv.CANDIDATES["repeat-rate"]])
    past = tested.origins[0].past
    choice = choose(tested, past)
    assert choice.empirical(181, 0.8) is None
    settings = clv.ScoreSettings(horizon_days=180)
    scorer = clv.Scorer.of(choice, past.summary, past.as_of, settings)
    assert scorer.intervals is None
    assert scorer.empirical is not None
    people = past.summary.reset_index(drop=True).assign(
        shop="", person_key="", customer_id=None, currency="EUR", margin=None
    )
    people["days_since_last_order"] = people["T"] - people.recency
    scores = scorer.score(people).to_pandas()
    assert (scores.clv_low <= scores.predicted_clv).all()
    assert (scores.clv_high >= scores.predicted_clv).all()
    assert (scores.purchases_high > scores.expected_purchases - 1).all()


def test_a_mean_looks_at_what_either_of_its_two_looks_at(transactions: pd.DataFrame) -> None:
    channel = np.where(transactions.customer_id % 2, "web", "ads")
    shop = transactions.assign(channel=channel)
    traits = shop.groupby("customer_id").channel.first().to_frame()
    days = shop.assign(day=shop.ordered_at.dt.tz_localize(None).dt.normalize())
    days = days.groupby(["customer_id", "day"], as_index=False).net_value.sum()
    past = clv.past_of(days.rename(columns={"net_value": "value"}), date(2025, 12, 31), traits)
    plain, told = (clv.CANDIDATES[key].fit(past, 180) for key in ("bg", "bg-covariates"))
    assert clv.looks_at_traits(told)
    assert not clv.looks_at_traits(plain)
    assert clv.looks_at_traits(Averaged("mean", (plain, told), (0.5, 0.5)))
    assert not clv.looks_at_traits(Averaged("mean", (plain, plain), (0.5, 0.5)))
