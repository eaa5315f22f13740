from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.customers.retention import p_return, repeat_ladder, return_curve
from clv.errors import BadSettings
from clv.transactions import purchase_days

AS_OF = date(2026, 1, 31)


def days_of(*agos: list[int]) -> pd.DataFrame:
    """Purchase days of customers from their days before AS_OF."""
    rows = [(who, AS_OF - timedelta(days=ago), 10.0) for who, own in enumerate(agos) for ago in own]
    columns = ["customer_id", "ordered_at", "net_value"]
    return purchase_days(pd.DataFrame(rows, columns=columns), AS_OF)


def summary_of(*frequencies: int) -> pd.DataFrame:
    return pd.DataFrame({"frequency": frequencies, "T": 100})


def test_the_ladder_says_who_reached_each_order() -> None:
    ladder = repeat_ladder(summary_of(0, 0, 1, 3), up_to=5)
    assert ladder.customers.tolist() == [4, 2, 1, 1, 0]
    assert ladder.share.tolist() == [1, 0.5, 0.25, 0.25, 0]
    assert ladder.went_on.tolist() == [1, 0.5, 0.5, 1, 0]
    assert ((ladder.went_on_low < ladder.went_on) | (ladder.went_on == 0)).all()


def test_who_had_too_little_time_is_left_out_of_the_ladder() -> None:
    summary = pd.DataFrame({"frequency": [0, 1], "T": [10, 100]})
    assert repeat_ladder(summary, 2, least_age_days=50).share.tolist() == [1, 1]


def test_a_ladder_of_nobody_is_unknown_and_one_without_steps_refused() -> None:
    ladder = repeat_ladder(summary_of(), 2)
    assert ladder.customers.tolist() == [0, 0]
    assert ladder.share.isna().all()
    with pytest.raises(BadSettings, match="one step"):
        repeat_ladder(summary_of(1), 0)


@given(st.lists(st.integers(0, 6), min_size=1), st.integers(1, 8))
def test_the_steps_multiply_to_the_share(frequencies: list[int], up_to: int) -> None:
    ladder = repeat_ladder(summary_of(*frequencies), up_to)
    np.testing.assert_allclose(ladder.went_on.fillna(0).cumprod(), ladder.share)
    assert (ladder.share.diff().dropna() <= 0).all()


def test_the_return_curve_is_kaplan_and_meiers() -> None:
    # Waits 2, 3 (came back), and 1, 3, 5 (still silent): 5 at risk, 4 at day 2, 3 at day 3.
    days = days_of([5, 3, 0], [1], [3], [5])  # waits 2, 3, then silent 0, 1, 3, 5
    curve = return_curve(days, AS_OF)
    assert curve.waiting.tolist() == [6, 5, 4, 3, 1, 1]
    expected = [0, 0, 1 / 4, 1 - 3 / 4 * 2 / 3, 1 / 2, 1 / 2]
    np.testing.assert_allclose(curve.returned, expected)


def test_the_way_from_the_first_to_the_second_purchase_has_its_own_curve() -> None:
    days = days_of([10, 8, 1], [10])
    assert return_curve(days, AS_OF, after=1).returned.tolist() == [0, 0, *[0.5] * 9]
    assert return_curve(days, AS_OF, after=2).returned.tolist() == [0] * 7 + [1]
    assert return_curve(days, AS_OF, after=9).waiting.tolist() == [0]


agos = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=5, unique=True), max_size=8)


@given(agos)
@settings(max_examples=50, deadline=None)
def test_a_return_curve_rises_between_0_and_1(shop: list[list[int]]) -> None:
    curve = return_curve(days_of(*shop), AS_OF)
    assert curve.returned.between(0, 1).all()
    assert (curve.returned.diff().dropna() >= 0).all()


@given(agos)
@settings(max_examples=50, deadline=None)
def test_the_chance_to_return_falls_to_0_at_the_curves_end(shop: list[list[int]]) -> None:
    curve = return_curve(days_of(*shop), AS_OF)
    chance = p_return(pd.Series([0, 10, len(curve) - 1, 10_000]), curve)
    assert chance.between(0, 1).all()
    assert chance.iloc[2:].tolist() == [0, 0]
    assert chance.iloc[0] == pytest.approx(curve.returned.iloc[-1])


def test_without_censoring_the_curve_is_the_share_and_the_chance_bayes() -> None:
    curve = pd.DataFrame({"returned": [0.0, 0.25, 0.5, 0.5]})
    chance = p_return(pd.Series([0, 1, 2]), curve)
    assert chance.tolist() == pytest.approx([0.5, 1 / 3, 0])


def test_purchases_after_the_day_are_refused() -> None:
    with pytest.raises(BadSettings, match="after as_of"):
        return_curve(days_of([3]), AS_OF - timedelta(days=10))
