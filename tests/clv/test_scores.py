# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv import (
    BetaGeoNBD,
    Calibration,
    Needs,
    Scored,
    Scorer,
    ScoreSettings,
    Tiers,
    Totals,
    columns,
    fitted,
    kept,
    model_card,
    score_summary,
)
from clv.choice.hindsight import calibration_of
from clv.errors import BadSettings, BadSummary, NamedModelFails
from clv.forecast import by_models, predictor
from clv.past import Past
from clv.summary import checked

People = Callable[[list[tuple[int, int, int, float]]], pd.DataFrame]

AS_OF = date(1997, 9, 30)
MONEY = ("historic_net", "formula_clv", "predicted_clv", "expected_spend", "max_cac")


@pytest.fixture(scope="module")
def scored(stored: pd.DataFrame) -> Scored:
    return score_summary(stored, ScoreSettings(), as_of=AS_OF)


def assert_sound(frame: pd.DataFrame) -> None:
    """No NaN, nothing negative that can't be, money in whole cents."""
    assert tuple(frame.columns) == columns.SCORES
    for name in frame.columns:
        assert not any(value != value for value in frame[name]), name
    for name in MONEY:
        assert all(isinstance(value, Decimal) for value in frame[name])
        assert all(value == round(value, 2) for value in frame[name])
    for name in ("formula_clv", "predicted_clv", "expected_spend", "max_cac"):
        assert all(value >= 0 for value in frame[name])
    assert np.isfinite(frame.expected_purchases.to_numpy(dtype=float)).all()
    assert (frame.expected_purchases >= 0).all()
    assert all(p is None or 0 <= p <= 1 for p in frame.p_alive)
    assert all(len(reason) <= 255 and reason.isascii() for reason in frame.reason)


def test_a_shop_is_scored_by_the_models(scored: Scored) -> None:
    assert_sound(scored.frame)
    assert len(scored.frame) == 2357
    assert set(scored.frame.model) == {"BG/NBD + Gamma-Gamma"}
    assert scored.warnings == ()


@pytest.mark.parametrize("rows", [300])
def test_batches_are_scored_as_the_whole_is(stored: pd.DataFrame, rows: int) -> None:
    people = checked(stored.assign(previous_tier=["high", None, "low", "new"] * 589 + ["low"]))
    chosen = ScoreSettings()
    fitted = predictor(Past(people, AS_OF), 365, chosen.needs, by_models(BetaGeoNBD.fit))
    scorer = Scorer.of(fitted, people, AS_OF, chosen)
    whole = scorer.score(people)
    starts = range(0, len(people), rows)
    parts = [scorer.score(people.iloc[start : start + rows]) for start in starts]
    together = pa.concat_tables(parts)
    last_digits = "expected_purchases"
    assert together.drop_columns(last_digits).equals(whole.drop_columns(last_digits))
    np.testing.assert_allclose(
        together[last_digits].to_numpy(), whole[last_digits].to_numpy(), rtol=1e-13
    )
    totals = sum((Totals.of(part, chosen) for part in parts), Totals())
    assert totals == Totals.of(whole, chosen)


def test_our_own_total_is_pinned(scored: Scored) -> None:
    assert sum(scored.frame.predicted_clv) == Decimal("71291.60")
    assert sum(scored.frame.historic_net) == Decimal("173115.55")


def test_tiers_take_half_and_four_fifths_of_the_value(scored: Scored) -> None:
    value = scored.frame.predicted_clv.astype(float)
    shares = value.groupby(scored.frame.tier).sum() / value.sum()
    assert shares["high"] == pytest.approx(0.5, abs=0.005)
    assert shares["high"] + shares["medium"] == pytest.approx(0.8, abs=0.005)


def test_one_time_buyers_get_no_probability_and_a_sentence_that_says_why(scored: Scored) -> None:
    once = scored.frame[scored.frame.orders == 1]
    assert set(once.p_alive) == {None}
    assert all("judged by one order only" in reason for reason in once.reason)
    assert all(p is not None for p in scored.frame[scored.frame.orders > 1].p_alive)


def test_the_next_order_is_ahead_and_given_only_where_it_can_be_expected(scored: Scored) -> None:
    days = [day for day in scored.frame.next_order_on if day is not None]
    assert days
    assert min(days) > AS_OF
    assert max(days) <= date(2000, 9, 29)
    gone = scored.frame[[p is not None and p < 0.1 for p in scored.frame.p_alive]]
    assert len(gone)
    assert set(gone.next_order_on) == {None}


def test_the_order_of_the_rows_does_not_change_a_score(
    stored: pd.DataFrame, scored: Scored
) -> None:
    shuffled = score_summary(stored.sample(frac=1, random_state=9), ScoreSettings(), as_of=AS_OF)
    pd.testing.assert_frame_equal(shuffled.frame, scored.frame)
    assert shuffled.card == scored.card


def test_money_in_another_unit_scales_the_scores(stored: pd.DataFrame, scored: Scored) -> None:
    hundredfold = stored.assign(net=[value * 100 for value in stored.net])
    other = score_summary(hundredfold, ScoreSettings(), as_of=AS_OF).frame
    assert other.tier.tolist() == scored.frame.tier.tolist()
    np.testing.assert_allclose(
        other.predicted_clv.astype(float),
        scored.frame.predicted_clv.astype(float) * 100,
        atol=0.51,
    )


def test_floats_and_decimals_of_money_give_the_same_scores(
    stored: pd.DataFrame, scored: Scored
) -> None:
    floats = stored.assign(net=stored.net.astype(float))
    pd.testing.assert_frame_equal(
        score_summary(floats, ScoreSettings(), as_of=AS_OF).frame, scored.frame
    )


def test_the_predicted_value_is_discounted(stored: pd.DataFrame, scored: Scored) -> None:
    plain = score_summary(stored, ScoreSettings(discount_per_year=0), as_of=AS_OF).frame
    full = (plain.expected_purchases * plain.expected_spend.astype(float)).to_numpy()
    np.testing.assert_allclose(plain.predicted_clv.astype(float), full, atol=0.02 + 0.006 * 40)
    ratio = float(sum(scored.frame.predicted_clv) / sum(plain.predicted_clv))
    assert 1 / 1.1 < ratio < 1
    assert ratio == pytest.approx(0.956, abs=0.003)


def test_the_model_card_is_plain_json_and_says_what_it_rests_on(scored: Scored) -> None:
    card = json.loads(json.dumps(scored.card, allow_nan=False))
    assert card["model"] == "BG/NBD + Gamma-Gamma"
    assert card["models"]["BG/NBD"]["r"] == pytest.approx(0.242595, abs=1e-6)
    assert card["models"]["BG/NBD"]["standard_errors"]["r"] == pytest.approx(0.0126, abs=1e-4)
    assert card["data"]["customers"] == 2357
    assert card["data"]["repeaters"] == 946
    assert card["data"]["first_order_on"] == "1997-01-01"
    assert card["data"]["last_order_on"] == "1997-09-30"
    assert sum(tier["customers"] for tier in card["tiers"].values()) == 2357
    lowest_high = scored.frame[scored.frame.tier == "high"].predicted_clv.min()
    assert card["tiers"]["high"]["from"] == str(lowest_high)
    assert card["warnings"] == []


def test_the_textbook_customer_is_worth_three_thousand(people: People) -> None:
    shop = people([(5, 700, 730, 3000.0)])
    textbook = ScoreSettings(lifespan_years=Decimal(2), margin=Decimal("0.4"))
    (row,) = score_summary(shop, textbook, as_of=AS_OF).frame.to_dict("records")
    assert row["formula_clv"] == Decimal("3000.00")
    assert row["margin_clv"] == Decimal("1200.00")
    assert row["max_cac"] == Decimal("400.00")


def test_without_a_margin_the_largest_cac_rests_on_sales(people: People) -> None:
    settings = ScoreSettings(lifespan_years=Decimal(2))
    (row,) = score_summary(people([(5, 700, 730, 3000.0)]), settings, as_of=AS_OF).frame.to_dict(
        "records"
    )
    assert row["margin_clv"] is None
    assert row["max_cac"] == Decimal("1000.00")


def test_known_costs_give_the_margin_where_none_is_set(people: People) -> None:
    shop = people([(5, 700, 730, 3000.0), (0, 0, 10, 50.0)])
    shop["margin"] = [Decimal("1200.00"), None]
    settings = ScoreSettings(lifespan_years=Decimal(2))
    known, unknown = score_summary(shop, settings, as_of=AS_OF).frame.to_dict("records")
    assert known["margin_clv"] == Decimal("1200.00")
    assert known["max_cac"] == Decimal("400.00")
    assert unknown["margin_clv"] is None


def test_the_card_counts_the_customers_worth_what_they_cost(people: People) -> None:
    shop = people([(5, 700, 730, 3000.0), (0, 0, 10, 50.0)])
    card = score_summary(shop, ScoreSettings(cac=Decimal(100)), as_of=AS_OF).card
    assert card["cac"] == {"cac": "100", "clv_per_cac": 3, "customers_worth_it": 1}


def test_too_little_data_is_said_everywhere(stored: pd.DataFrame) -> None:
    few = score_summary(stored.head(120), ScoreSettings(), as_of=AS_OF)
    assert_sound(few.frame)
    assert set(few.frame.model) == {"too little data"}
    assert few.warnings[0].startswith("too little data for the models: 120 of 200 customers")
    assert few.card["warnings"] == list(few.warnings)
    assert few.card["models"]["NBD"]["customers"] == 0
    assert all("too little data" in reason for reason in few.frame.reason)
    assert set(few.frame.p_alive) == {None}
    assert set(few.frame.next_order_on) == {None}


def test_the_fallback_draws_each_customer_to_the_shops_average(people: People) -> None:
    """30 repeats in 3,650 days: 3 a year; the shop's mean is 20 a purchase."""
    shop = people([(30, 3000, 3000, 620.0), (0, 0, 650, 20.0)])
    often, once = score_summary(
        shop, ScoreSettings(discount_per_year=0), as_of=AS_OF
    ).frame.to_dict("records")
    rate = 30 / 3650
    assert often["expected_purchases"] == pytest.approx(365 * 31 / (3000 + 1 / rate))
    assert once["expected_purchases"] == pytest.approx(365 * 1 / (650 + 1 / rate))
    assert often["expected_spend"] == Decimal("20.00")
    assert once["expected_spend"] == Decimal("20.00")


def test_the_owner_can_ask_for_more_or_less_data(stored: pd.DataFrame) -> None:
    bold = ScoreSettings(needs=Needs(customers=50, repeaters=10, history_days=30))
    assert set(score_summary(stored.head(120), bold, as_of=AS_OF).frame.model) != {
        "too little data"
    }
    shy = ScoreSettings(needs=Needs(history_days=273))
    few = score_summary(stored, shy, as_of=AS_OF)
    assert few.warnings == ("too little data for the models: 272 of 273 days of history",)


def test_models_that_cannot_be_fitted_fall_back_visibly(people: People) -> None:
    shop = people([(0, 0, 100, 10.0)] * 300)
    settings = ScoreSettings(needs=Needs(repeaters=0))
    result = score_summary(shop, settings, as_of=AS_OF)
    assert_sound(result.frame)
    assert set(result.frame.model) == {"shop average"}
    assert "repeaters=0" in result.warnings[0]


def test_a_model_that_was_named_and_cannot_be_fitted_is_refused_with_the_reason(
    stored: pd.DataFrame,
) -> None:
    past = Past(checked(stored), AS_OF)
    with pytest.raises(NamedModelFails, match=r"seasonal-bg.*purchases of each day.*auto"):
        fitted(past, ScoreSettings(), "seasonal-bg")


def test_a_choice_that_no_longer_fits_is_made_anew(stored: pd.DataFrame) -> None:
    """Nobody asked for that model: it was only the best when the shop's past last chose."""
    past = Past(checked(stored), AS_OF)
    found = kept(past, ScoreSettings(), {"seasonal-bg": 1.0}, Calibration(clv=((0.8, 0.9),)))
    assert found.name == fitted(past, ScoreSettings()).name
    assert calibration_of(found) == Calibration()


def test_a_shop_too_small_for_models_gets_its_average_whatever_was_named(
    stored: pd.DataFrame,
) -> None:
    few = Past(checked(stored.head(20)), AS_OF)
    assert fitted(few, ScoreSettings(), "seasonal-bg").name == "too little data"


def test_a_first_order_of_this_month_is_new(people: People) -> None:
    shop = people([(0, 0, 30, 500.0), (0, 0, 31, 500.0), (1, 5, 20, 500.0)])
    result = score_summary(shop, ScoreSettings(), as_of=AS_OF)
    assert result.frame.tier.eq("new").tolist() == [True, False, False]
    other = ScoreSettings(tiers=Tiers(new="fresh", new_days=31))
    again = score_summary(shop, other, as_of=AS_OF)
    assert again.frame.tier.eq("fresh").tolist() == [True, True, False]


def test_previous_tiers_are_carried_along(people: People) -> None:
    shop = people([(0, 0, 100, 5.0), (2, 50, 80, 90.0)])
    before = {"00000001": "medium"}
    shop["previous_tier"] = shop.person_key.map(before)
    result = score_summary(shop, ScoreSettings(), as_of=AS_OF)
    assert result.frame.previous_tier.tolist() == [None, "medium"]


def test_guests_have_no_customer_id(people: People) -> None:
    shop = people([(0, 0, 100, 5.0), (2, 50, 80, 90.0)])
    shop["customer_id"] = [np.nan, "7"]
    assert score_summary(shop, ScoreSettings(), as_of=AS_OF).frame.customer_id.tolist() == [
        None,
        "7",
    ]


def test_an_empty_shop_is_scored_to_nothing(stored: pd.DataFrame) -> None:
    result = score_summary(stored.head(0), ScoreSettings(), as_of=AS_OF)
    assert tuple(result.frame.columns) == columns.SCORES
    assert result.frame.empty
    json.dumps(result.card, allow_nan=False)


def test_refunded_customers_are_worth_nothing_rather_than_less(stored: pd.DataFrame) -> None:
    refunded = stored.copy()
    refunded.loc[:99, "net"] = Decimal("-20.00")
    frame = score_summary(refunded, ScoreSettings(), as_of=AS_OF).frame
    assert_sound(frame)
    assert frame.historic_net[0] == Decimal("-20.00")
    assert frame.formula_clv[0] == 0
    assert (frame.predicted_clv[:100] < frame.predicted_clv[100:].mean()).all()


def test_a_summary_that_cannot_be_is_refused(stored: pd.DataFrame) -> None:
    with pytest.raises(BadSummary, match="column=recency rows=2357"):
        score_summary(stored.assign(recency=9999), ScoreSettings(), as_of=AS_OF)


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon_days": 0},
        {"horizon_days": 20_000},
        {"discount_per_year": -0.1},
        {"margin": Decimal("1.2")},
        {"margin": Decimal("-0.1")},
        {"cac": Decimal(-1)},
        {"lifespan_years": Decimal(0)},
    ],
)
def test_settings_that_cannot_be_meant_are_refused_by_name(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(BadSettings, match=name):
        ScoreSettings(**wrong)  # type: ignore[arg-type]


NASTY = {
    "one customer": [(0, 0, 0, 10.0)],
    "all today": [(0, 0, 0, 10.0)] * 300,
    "all once": [(0, 0, 200, 10.0)] * 300,
    "all daily": [(200, 200, 200, 2010.0)] * 300,
    "all alike": [(5, 100, 150, 60.0)] * 300,
    "nothing paid": [(k % 4, 30 * (k % 4), 200, 0.0) for k in range(300)],
    "all refunded": [(k % 4, 30 * (k % 4), 200, -5.0) for k in range(300)],
    "one order a decade": [(3, 10950, 12000, 40.0 + k) for k in range(300)],
    "one buys all": [(9999, 10000, 10001, 1e9), *[(k % 2, k % 2, 99, 1.0) for k in range(300)]],
    "tiny and huge": [(k % 3, 20 * (k % 3), 300, 10.0 ** (k % 13 - 2)) for k in range(300)],
}


@pytest.mark.parametrize("rows", NASTY.values(), ids=NASTY.keys())
@pytest.mark.parametrize("horizon_days", [1, pytest.param(365, marks=pytest.mark.thorough), 18250])
def test_a_nasty_shop_is_scored_soundly(
    people: People, rows: list[tuple[int, int, int, float]], horizon_days: int
) -> None:
    needs = Needs(customers=1, repeaters=0, history_days=0)
    for chosen in (ScoreSettings(horizon_days), ScoreSettings(horizon_days, needs=needs)):
        result = score_summary(people(rows), chosen, as_of=AS_OF)
        assert_sound(result.frame)
        json.dumps(result.card, allow_nan=False)


@st.composite
def customers(draw: st.DrawFn) -> tuple[int, int, int, float]:
    T = draw(st.integers(0, 4000))
    x = draw(st.integers(0, min(T, 400)))
    recency = draw(st.integers(x, T)) if x else 0
    return x, recency, T, draw(st.integers(-100_000, 10_000_000)) / 100


@settings(max_examples=30, deadline=None)
@given(st.lists(customers(), min_size=0, max_size=60), st.integers(1, 4000), st.randoms())
def test_any_shop_is_scored_soundly_in_any_order(
    people: People,
    rows: list[tuple[int, int, int, float]],
    horizon_days: int,
    random: object,
) -> None:
    chosen = ScoreSettings(horizon_days, needs=Needs(1, 0, 0))
    shop = people(rows)
    result = score_summary(shop, chosen, as_of=AS_OF)
    assert_sound(result.frame)
    order = list(range(len(shop)))
    random.shuffle(order)  # type: ignore[attr-defined]
    again = score_summary(shop.iloc[order], chosen, as_of=AS_OF)
    pd.testing.assert_frame_equal(again.frame, result.frame)


def test_levels_that_a_backtest_found_stay_with_the_model_that_it_chose(
    stored: pd.DataFrame,
) -> None:
    """A later day names the model and gives what is known; the card shows it, bounds are wider."""
    found = Calibration(purchases=((0.8, 0.9), (0.95, 0.98)), clv=((0.8, 0.9), (0.95, 0.98)))
    chosen, people = ScoreSettings(), checked(stored)
    widths = []
    for known in (Calibration(), found):
        by = kept(Past(people, AS_OF), chosen, {"bg": 1.0}, known)
        scorer = Scorer.of(by, people, AS_OF, chosen)
        table = scorer.score(people)
        card = json.loads(json.dumps(model_card(scorer, Totals.of(table, chosen))))
        assert Calibration.from_dict(card["calibration"]) == known
        widths.append(float(pc.sum(pc.cast(table["clv_high"], pa.float64())).as_py()))
    assert widths[1] > 1.1 * widths[0]


def test_a_shop_with_too_little_data_takes_no_levels_of_another_model(
    stored: pd.DataFrame,
) -> None:
    few = Past(checked(stored.head(20)), AS_OF)
    by = kept(few, ScoreSettings(), {"bg": 1.0}, Calibration(clv=((0.8, 0.9),)))
    assert calibration_of(by) == Calibration()
