from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from clv.errors import BadSummary
from clv.summary import NEEDED, checked

People = Callable[[list[tuple[int, int, int, float]]], pd.DataFrame]


@pytest.fixture
def good(people: People) -> pd.DataFrame:
    return people([(0, 0, 10, 5.0), (2, 30, 40, 90.0), (1, 7, 7, 12.5)])


@pytest.mark.parametrize("column", NEEDED)
def test_a_missing_column_is_named(good: pd.DataFrame, column: str) -> None:
    with pytest.raises(BadSummary, match=rf"lacks columns \(column={column} rows=3"):
        checked(good.drop(columns=column))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("T", -1),
        ("T", None),
        ("T", float("inf")),
        ("frequency", 1.5),
        ("frequency", -2),
        ("recency", 41),
        ("recency", 0),
        ("days_since_last_order", -3),
        ("orders", -1),
        ("orders", 1.5),
        ("net", None),
        ("net", float("nan")),
        ("net", 1e13),
        ("person_key", None),
        ("person_key", "00000000"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_count(
    good: pd.DataFrame, column: str, value: object
) -> None:
    good[column] = good[column].astype(object)
    good.loc[1, column] = value
    with pytest.raises(BadSummary) as refused:
        checked(good)
    assert refused.value.column == column
    assert refused.value.rows == 1
    assert "\n" not in str(refused.value)


def test_a_recency_without_repeat_is_refused(good: pd.DataFrame) -> None:
    good.loc[0, "recency"] = 4
    with pytest.raises(BadSummary, match="no repeat"):
        checked(good)


def test_text_among_the_numbers_is_named(good: pd.DataFrame) -> None:
    with pytest.raises(BadSummary, match=r"not numbers \(column=T"):
        checked(good.assign(T="old"))


@pytest.mark.parametrize("column", ["shop", "currency"])
def test_two_shops_or_currencies_in_one_call_are_refused(good: pd.DataFrame, column: str) -> None:
    good.loc[2, column] = "XXX"
    with pytest.raises(BadSummary, match=rf"one shop in one currency \(column={column}"):
        checked(good)


def test_the_rows_come_in_order_of_their_key_and_the_input_is_left_alone(
    good: pd.DataFrame,
) -> None:
    shuffled = good.sample(frac=1, random_state=2)
    before = shuffled.copy()
    assert checked(shuffled).person_key.tolist() == ["00000000", "00000001", "00000002"]
    pd.testing.assert_frame_equal(shuffled, before)
