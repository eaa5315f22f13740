from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.customers.purchase_gaps import WinBack, next_order_on, purchase_gaps, win_back
from clv.errors import BadSettings
from clv.transactions import purchase_days

AS_OF = date(2026, 1, 31)
Histories = dict[str, list[int]]


def days_of(histories: Histories) -> pd.DataFrame:
    """Purchase days from each customer's days before AS_OF."""
    rows = [
        (who, AS_OF - timedelta(days=ago), 10.0) for who, agos in histories.items() for ago in agos
    ]
    columns = ["customer_id", "ordered_at", "net_value"]
    return purchase_days(pd.DataFrame(rows, columns=columns), AS_OF)


def gaps_of(histories: Histories) -> pd.DataFrame:
    return purchase_gaps(days_of(histories), AS_OF)


histories = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.integers(0, 900), min_size=1, max_size=8, unique=True)
)


@given(histories)
@settings(max_examples=70, deadline=None)
def test_the_gaps_are_their_definition(shop: Histories) -> None:
    gaps = gaps_of(shop)
    assert gaps.index.tolist() == sorted(shop)
    for who, agos in shop.items():
        own = np.diff(sorted(-ago for ago in agos))
        row = gaps.loc[who]
        assert (row.gaps, row.days_since_last_order) == (len(own), min(agos))
        assert row.last_order_on == pd.Timestamp(AS_OF) - pd.Timedelta(days=min(agos))
        said = [row.mean_gap_days, row.median_gap_days, row.last_gap_days]
        if len(own):
            assert said == pytest.approx([own.mean(), np.median(own), own[-1]])
        else:
            assert np.isnan(said).all()


@given(histories)
@settings(max_examples=50, deadline=None)
def test_an_expected_gap_lies_between_the_own_and_the_shops_mean(shop: Histories) -> None:
    gaps = gaps_of({**shop, "once": [5]})  # of whom only the shop's mean is known
    if not gaps.gaps.sum():
        assert gaps.expected_gap_days.isna().all()
        return
    shops = gaps.expected_gap_days["once"]
    assert gaps.mean_gap_days.min() - 1e-9 <= shops <= gaps.mean_gap_days.max() + 1e-9
    own = gaps.mean_gap_days.fillna(shops)
    low, high = np.minimum(own, shops) - 1e-9, np.maximum(own, shops) + 1e-9
    assert gaps.expected_gap_days.between(low, high).all()
    np.testing.assert_allclose(
        gaps.overdue_factor * gaps.expected_gap_days, gaps.days_since_last_order, atol=1e-9
    )


@given(histories)
@settings(max_examples=50, deadline=None)
def test_a_next_order_is_never_in_the_past(shop: Histories) -> None:
    gaps = gaps_of(shop)
    due = next_order_on(gaps, AS_OF)
    today = pd.Timestamp(AS_OF)
    assert (due.dropna() >= today).all()
    overdue = gaps.overdue_factor >= 1
    assert (due[overdue] == today).all()
    assert (due[~overdue].dropna() > today).all()


def test_few_gaps_lean_on_the_shop_and_many_on_themselves() -> None:
    shop = {"often": list(range(0, 300, 10)), "rare": [0, 100, 200, 300], "once": [50]}
    shop["two"] = [0, 10]
    gaps = gaps_of(shop).expected_gap_days
    assert 10 < gaps["often"] < gaps["two"] < gaps["once"] < gaps["rare"] < 100


def test_the_weight_of_the_shop_is_buhlmann_and_straubs() -> None:
    # Gaps 8, 12 and 10, 30, 20: means 10 and 20, the shop's 16.
    gaps = gaps_of({"a": [0, 12, 20], "b": [0, 20, 50, 60]})
    within = (4 + 4 + 100 + 100) / 3
    between = (2 * 36 + 3 * 16 - within) / (5 - 13 / 5)
    k = within / between
    assert 0.5 < k < 20
    mean = (20 / (2 + k) + 60 / (3 + k)) / (2 / (2 + k) + 3 / (3 + k))
    assert gaps.expected_gap_days.tolist() == pytest.approx(
        [(20 + k * mean) / (2 + k), (60 + k * mean) / (3 + k)]
    )


def test_a_next_order_rolls_on_to_today_and_is_none_when_never() -> None:
    gaps = gaps_of({"soon": [3, 13, 23], "late": [40, 50, 60], "far": [0, 3000]})
    gaps["expected_gap_days"] = [3000.0, 10.0, 10.5]  # far, late, soon
    due = next_order_on(gaps, AS_OF)
    assert due["late"] == pd.Timestamp(AS_OF)
    assert due["soon"] == pd.Timestamp("2026-02-08")
    assert pd.isna(due["far"])
    assert next_order_on(gaps_of({"a": [5], "b": [9]}), AS_OF).isna().all()


def test_who_is_surely_gone_has_no_next_order_and_an_unknown_one_keeps_it() -> None:
    gaps = gaps_of({"a": [3, 13], "b": [3, 13], "c": [3, 13]})
    p_alive = pd.Series({"c": 0.9, "b": np.nan, "a": 0.05})
    assert next_order_on(gaps, AS_OF, p_alive).notna().to_dict() == {
        "a": False,
        "b": True,
        "c": True,
    }


def test_a_valuable_customer_who_is_overdue_is_worth_a_letter() -> None:
    agos = {"vip": [60, 70, 80, 90], "fine": [5, 15, 25], "once": [80], "lost": [900, 910]}
    agos["cheap"] = [60, 70, 80]
    gaps = gaps_of(agos)
    value = pd.Series({"vip": 900.0, "fine": 800.0, "once": 1000.0, "lost": 700.0, "cheap": 1.0})
    flags = win_back(gaps, value, WinBack(top_share=0.8))
    assert flags[flags].index.tolist() == ["vip"]
    assert win_back(gaps, -value).sum() == 0


def test_a_low_p_alive_is_enough_to_be_slipping() -> None:
    gaps = gaps_of({"a": [5, 15, 25], "b": [5, 15, 25]})
    value = pd.Series({"a": 10.0, "b": 10.0})
    flags = win_back(gaps, value, p_alive=pd.Series({"a": 0.3, "b": np.nan}))
    assert flags.to_dict() == {"a": True, "b": False}


@pytest.mark.parametrize(
    "rule", [{"top_share": 0.0}, {"p_alive": 2.0}, {"overdue": 0.0}, {"lost": 1.0}]
)
def test_a_rule_that_cannot_be_meant_is_refused(rule: dict[str, float]) -> None:
    with pytest.raises(BadSettings):
        WinBack(**rule)  # type: ignore[arg-type]


def test_purchases_after_the_day_are_refused() -> None:
    with pytest.raises(BadSettings, match="after as_of"):
        purchase_gaps(days_of({"a": [3]}), AS_OF - timedelta(days=10))


def test_no_purchases_have_no_gaps() -> None:
    gaps = gaps_of({})
    assert gaps.empty
    assert next_order_on(gaps, AS_OF).empty
    assert win_back(gaps, pd.Series(dtype=float)).empty
