from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv import money

AMOUNTS = st.lists(st.decimals(-(10**11), 10**11, places=2), min_size=1, max_size=20)


@given(AMOUNTS)
def test_cents_are_the_same_from_decimals_arrow_and_back(values: list[Decimal]) -> None:
    whole = [int(value * 100) for value in values]
    arrow = pd.Series(pa.array(values, pa.decimal128(38, 4)), dtype=pd.ArrowDtype(money.EXACT))
    assert money.cents(pd.Series(values, dtype=object)).tolist() == whole
    assert money.cents(arrow).tolist() == whole
    assert money.decimals(np.array(whole, dtype=np.int64)).to_pylist() == values


def test_floats_come_to_the_nearest_cent() -> None:
    assert money.cents(pd.Series([0.1, 19.99, -3.0, np.nan])).tolist() == [10, 1999, -300, 0]


def test_four_decimals_are_rounded_half_to_even() -> None:
    given = pd.Series([Decimal("0.0050"), Decimal("0.0150"), Decimal("-0.0251")], dtype=object)
    assert money.cents(given).tolist() == [0, 2, -3]


def test_a_part_of_an_arrow_array_keeps_its_place() -> None:
    values = pa.array([Decimal(n) for n in range(10)], pa.decimal128(18, 4))
    part = pd.Series(values[3:6], dtype=pd.ArrowDtype(values.type))
    assert money.cents(part).tolist() == [300, 400, 500]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_what_is_missing_has_no_cents(missing: object) -> None:
    given = pd.Series([Decimal("1.00"), missing], dtype=object)
    assert money.cents(given).tolist() == [100, 0]
    assert np.isnan(money.floats(given)[1])


def test_a_column_without_any_value_is_all_nothing() -> None:
    assert money.cents(pd.Series([None, None], dtype=object)).tolist() == [0, 0]


def test_unknown_amounts_are_null() -> None:
    assert money.decimals(np.array([5, 7]), np.array([True, False])).to_pylist() == [
        Decimal("0.05"),
        None,
    ]


def test_cents_as_text_have_two_decimals() -> None:
    assert [money.text(value) for value in (1230, 5, -7, 0)] == ["12.30", "0.05", "-0.07", "0.00"]
