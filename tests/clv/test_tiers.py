from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import BadSettings
from clv.tiers import Tiers, assign


def tiers_of(
    predicted: list[int], net: list[int] | None = None, new: list[bool] | None = None
) -> list[str]:
    value = np.array(predicted, dtype=np.int64)
    before = np.array(net or [0] * len(value), dtype=np.int64)
    return assign(value, before, np.array(new or [False] * len(value), dtype=bool), Tiers()).tiers


def test_tiers_share_the_value_not_the_customers() -> None:
    assert tiers_of([10, 50, 5, 30, 5]) == ["low", "high", "low", "medium", "low"]


def test_the_customer_in_whom_a_tier_ends_belongs_to_it() -> None:
    assert tiers_of([40, 40, 20]) == ["high", "high", "low"]


def test_a_single_customer_is_high() -> None:
    assert tiers_of([1]) == ["high"]


def test_ties_go_to_the_higher_net_then_to_the_earlier_row() -> None:
    assert tiers_of([50, 50], net=[1, 2]) == ["medium", "high"]
    assert tiers_of([50, 50], net=[2, 2]) == ["high", "medium"]


def test_new_customers_are_new_whatever_their_value_and_take_no_share() -> None:
    assert tiers_of([900, 50, 50], new=[True, False, False]) == ["new", "high", "medium"]


def test_without_any_value_everybody_is_low() -> None:
    assert tiers_of([0, 0, 0]) == ["low", "low", "low"]


def test_nobody_without_value_is_above_low() -> None:
    assert tiers_of([7, 0, 0]) == ["high", "low", "low"]


def test_no_customers_make_no_tiers() -> None:
    assert tiers_of([]) == []


def test_the_lowest_value_of_each_tier_is_told() -> None:
    value = np.array([10, 50, 5, 30, 5], dtype=np.int64)
    assigned = assign(value, value, np.zeros(5, dtype=bool), Tiers())
    assert assigned.lowest_cents == {"high": 50, "medium": 30, "low": 5}


def test_names_and_shares_can_be_the_owners() -> None:
    own = Tiers(by_value_share=(("gold", 0.6), ("tin", 1.0)), new=None)
    value = np.array([6, 4], dtype=np.int64)
    assert assign(value, value, np.array([False, True]), own).tiers == ["gold", "tin"]


@pytest.mark.parametrize(
    "shares",
    [
        (),
        (("high", 0.5),),
        (("high", 0.0), ("low", 1.0)),
        (("high", 0.8), ("medium", 0.5), ("low", 1.0)),
        (("high", 0.5), ("high", 1.0)),
        (("new", 0.5), ("low", 1.0)),
        (("höch", 0.5), ("low", 1.0)),
        (("", 0.5), ("low", 1.0)),
        (("x" * 41, 0.5), ("low", 1.0)),
        (("a\nb", 0.5), ("low", 1.0)),
    ],
)
def test_tiers_that_cannot_be_meant_are_refused(shares: tuple[tuple[str, float], ...]) -> None:
    with pytest.raises(BadSettings, match="tier"):
        Tiers(by_value_share=shares)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.booleans()), max_size=60))
def test_nobody_worth_less_is_in_a_higher_tier(people: list[tuple[int, bool]]) -> None:
    value = [worth for worth, _ in people]
    given_tiers = tiers_of(value, new=[is_new for _, is_new in people])
    rank = {"high": 0, "medium": 1, "low": 2}
    ranked = sorted(
        (-worth, rank[tier])
        for worth, tier in zip(value, given_tiers, strict=True)
        if tier != "new"
    )
    places = [place for _, place in ranked]
    assert places == sorted(places)
