from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import BadSettings
from clv.tiers import Cuts, Tiers, cuts


def cut(predicted: list[int], new: list[bool] | None = None, tiers: Tiers | None = None) -> Cuts:
    is_new = np.array(new or [False] * len(predicted), dtype=bool)
    return cuts(np.array(predicted, dtype=np.int64), is_new, tiers or Tiers())


def tiers_of(
    predicted: list[int], new: list[bool] | None = None, tiers: Tiers | None = None
) -> list[str]:
    is_new = np.array(new or [False] * len(predicted), dtype=bool)
    placed = cut(predicted, new, tiers)
    return placed.assign(np.array(predicted, dtype=np.int64), is_new).tolist()


def test_tiers_share_the_value_not_the_customers() -> None:
    assert tiers_of([10, 50, 5, 30, 5]) == ["low", "high", "low", "medium", "low"]


def test_the_customer_in_whom_a_tier_ends_belongs_to_it() -> None:
    assert tiers_of([45, 35, 20]) == ["high", "high", "low"]


def test_a_single_customer_is_high() -> None:
    assert tiers_of([1]) == ["high"]


def test_customers_of_equal_value_share_a_tier() -> None:
    assert tiers_of([50, 50]) == ["high", "high"]
    assert tiers_of([60, 20, 20, 20]) == ["high", "medium", "medium", "medium"]


def test_new_customers_are_new_whatever_their_value_and_take_no_share() -> None:
    assert tiers_of([900, 60, 40], new=[True, False, False]) == ["new", "high", "medium"]


def test_without_a_name_for_new_customers_they_are_ranked_as_all_are() -> None:
    own = Tiers(by_value_share=(("gold", 0.6), ("tin", 1.0)), new=None)
    assert tiers_of([6, 4], new=[False, True], tiers=own) == ["gold", "tin"]


def test_without_any_value_everybody_is_low() -> None:
    assert tiers_of([0, 0, 0]) == ["low", "low", "low"]


def test_nobody_without_value_is_above_low() -> None:
    assert tiers_of([7, 0, 0]) == ["high", "low", "low"]


def test_no_customers_make_no_tiers() -> None:
    assert tiers_of([]) == []
    assert cut([]).cents == (None, None, None)


def test_the_lowest_value_of_each_tier_is_told() -> None:
    placed = cut([10, 50, 5, 30, 5])
    assert placed.cents == (50, 30, 5)
    assert placed.lowest("medium") == 30
    assert placed.lowest("new") is None


def test_a_tier_without_anybody_begins_nowhere_and_gets_nobody() -> None:
    placed = cut([80, 10, 10])
    assert placed.cents == (80, None, 10)
    others = np.array([500, 79, 9, 0])
    assert placed.assign(others, others < 0).tolist() == ["high", "low", "low", "low"]


def test_customers_between_the_tiers_of_a_shop_belong_to_the_lower_one() -> None:
    placed = cut([50, 30, 10, 5, 5])
    others = np.array([49, 29, 1])
    assert placed.assign(others, others < 0).tolist() == ["medium", "low", "low"]


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


SHOPS = st.lists(st.tuples(st.integers(0, 200) | st.integers(0, 10**9), st.booleans()), max_size=60)
RANK = {"high": 0, "medium": 1, "low": 2}


@given(SHOPS)
def test_worth_more_is_never_in_a_lower_tier_and_worth_the_same_in_the_same(
    people: list[tuple[int, bool]],
) -> None:
    value, new = [worth for worth, _ in people], [is_new for _, is_new in people]
    ranked = sorted(
        (-worth, RANK[tier])
        for worth, tier in zip(value, tiers_of(value, new), strict=True)
        if tier != "new"
    )
    places = [place for _, place in ranked]
    assert places == sorted(places)
    assert len(set(ranked)) == len({worth for worth, _ in ranked})


@given(SHOPS)
def test_each_tier_ends_where_its_share_of_the_value_is_reached(
    people: list[tuple[int, bool]],
) -> None:
    value = [worth for worth, _ in people]
    tiers, total = tiers_of(value), sum(value)
    for name, share in (("high", 0.5), ("medium", 0.8)):
        inside = [
            worth for worth, tier in zip(value, tiers, strict=True) if RANK[tier] <= RANK[name]
        ]
        assert sum(inside) >= share * total - 1e-6 * total
        lowest = min(inside, default=0)
        assert sum(worth for worth in inside if worth > lowest) <= share * total + 1e-6 * total


@given(SHOPS)
def test_a_tier_depends_on_the_customer_alone_not_on_the_batch_or_its_order(
    people: list[tuple[int, bool]],
) -> None:
    value = np.array([worth for worth, _ in people], dtype=np.int64)
    new = np.array([is_new for _, is_new in people], dtype=bool)
    placed = cuts(value, new, Tiers())
    order = np.random.default_rng(len(people)).permutation(len(people))
    assert cuts(value[order], new[order], Tiers()) == placed
    whole = placed.assign(value, new).tolist()
    one_by_one = [
        placed.assign(value[row : row + 1], new[row : row + 1])[0] for row in range(len(people))
    ]
    assert one_by_one == whole
