from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from clv.customers.segments import concentration
from clv.customers.spread import POINTS, concentration_curve, value_classes

VALUES = st.lists(st.floats(-50, 1e6, allow_nan=False), min_size=1, max_size=300).map(pd.Series)


@given(VALUES)
def test_everybody_is_in_one_class_whose_ends_hold_them(value: pd.Series) -> None:
    classes = value_classes(value)
    assert classes["customers"].sum() == len(value)
    worth = value.clip(lower=0)
    inside = [
        ((worth > low) & (worth <= high)).sum()
        for low, high in zip(classes.above, classes.up_to, strict=True)
    ]
    assert inside == classes["customers"].tolist()


def test_classes_grow_as_1_2_5() -> None:
    classes = value_classes(pd.Series([0, 0.4, 3, 7, 30, 120.0]))
    assert classes["up_to"].tolist() == [0, 0.5, 1, 2, 5, 10, 20, 50, 100, np.inf]
    assert classes["customers"].tolist() == [1, 1, 0, 0, 1, 1, 0, 1, 0, 1]


@given(VALUES)
def test_the_curve_rises_from_nothing_to_all(value: pd.Series) -> None:
    curve = concentration_curve(value)
    assert curve.iloc[0].tolist() == [0, 0]
    assert (curve.diff().dropna() >= -1e-12).all().all()
    assert len(curve) <= POINTS + 1
    if (value > 0).any():
        assert np.allclose(curve.iloc[-1], 1)


def test_the_curve_passes_through_the_share_of_the_best_fifth() -> None:
    value = pd.Series(np.arange(1.0, 101))
    curve = concentration_curve(value).set_index("customers")["value"]
    assert np.isclose(curve[0.2], concentration(value)["top_20_share"])
