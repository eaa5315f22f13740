from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.customers.segments import (
    RULES,
    abc_classes,
    concentration,
    quintiles,
    rfm_scores,
    rfm_segments,
)
from clv.errors import BadSettings

values = st.lists(st.integers(-100, 10_000), min_size=1, max_size=60)


def test_class_a_brings_the_first_four_fifths() -> None:
    value = pd.Series([10, 70, 15, 5, 0, -4], index=list("abcdef"))
    assert abc_classes(value).to_dict() == dict(zip("abcdef", "BAACCC", strict=True))


def test_money_may_be_decimal_and_missing_value_is_none() -> None:
    assert abc_classes(pd.Series([Decimal("9.5"), None, Decimal("90")])).tolist() == list("BCA")


@given(values)
def test_classes_hold_as_many_as_needed_and_no_more(cents: list[int]) -> None:
    worth = pd.Series(cents).clip(lower=0)
    classes = abc_classes(pd.Series(cents))
    assert classes.isin(["A", "B", "C"]).all()
    total = int(worth.sum())
    if not total:
        assert (classes == "C").all()
        return
    in_a = worth[classes == "A"]
    assert in_a.sum() * 10 >= total * 8
    assert (in_a.sum() - in_a.min()) * 10 < total * 8
    to_b = worth[classes != "C"]
    assert to_b.sum() * 100 >= total * 95
    assert in_a.min() >= worth[classes != "A"].max() or (classes == "A").all()


@pytest.mark.parametrize(
    "shares", [{}, {"A": 0.5}, {"A": 0.9, "B": 0.8, "C": 1.0}, {"A": 0, "B": 1}]
)
def test_shares_that_do_not_rise_to_1_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(BadSettings, match="rise"):
        abc_classes(pd.Series([1.0]), shares)


def test_eighty_twenty_is_seen() -> None:
    found = concentration(pd.Series([40.0, 40.0, *[2.5] * 8]))
    assert found["top_20_share"] == 0.8
    assert found["customers_for_80"] == 0.2
    assert found["gini"] == pytest.approx(0.6)


@given(values, st.integers(1, 1000))
def test_concentration_lies_between_0_and_1_and_knows_no_unit(cents: list[int], unit: int) -> None:
    found = concentration(pd.Series(cents))
    assert all(0 <= share <= 1 for share in found.values())
    assert concentration(pd.Series(cents) * unit) == pytest.approx(found)


def test_equal_customers_bring_equally_much() -> None:
    found = concentration(pd.Series([0.1] * 10))
    assert found["gini"] == pytest.approx(0)
    assert found["customers_for_80"] == pytest.approx(0.8)
    assert concentration(pd.Series([-1.0, 0.0]))["gini"] == 0
    assert concentration(pd.Series([], dtype=float))["top_20_share"] == 0


def test_quintiles_have_a_fifth_each_where_all_differ() -> None:
    scores = quintiles(np.random.default_rng(1).permutation(100).astype(float))
    assert np.bincount(scores).tolist() == [0, 20, 20, 20, 20, 20]


@given(st.lists(st.integers(0, 9), min_size=1))
def test_quintiles_keep_the_order_and_treat_equals_alike(numbers: list[int]) -> None:
    frame = pd.DataFrame({"value": numbers, "score": quintiles(np.array(numbers, dtype=float))})
    assert frame.score.between(1, 5).all()
    each = frame.groupby("value").score
    assert (each.nunique() == 1).all()
    assert each.first().is_monotonic_increasing


def test_silence_and_not_the_models_recency_is_marketings_recency() -> None:
    summary = pd.DataFrame(
        {
            "frequency": [0, 3, 0, 9, 1],
            "recency": [0, 390, 0, 10, 300],
            "T": [1, 400, 300, 400, 900],
            "net": [Decimal(5), Decimal(80), Decimal(1), Decimal(90), Decimal(20)],
        },
        index=list("abcde"),
    )
    scores = rfm_scores(summary)
    assert scores.r.tolist() == [5, 4, 3, 2, 1]
    assert scores.f.tolist() == [1, 4, 1, 5, 3]
    assert scores.m.tolist() == [2, 4, 1, 5, 3]
    assert rfm_segments(scores).tolist() == [
        "potential loyalists",
        "champions",
        "about to sleep",
        "at risk",
        "hibernating",
    ]


def test_each_pair_of_scores_has_exactly_one_rule() -> None:
    for r in range(1, 6):
        for fm in range(1, 6):
            fits = [
                rule.name
                for rule in RULES
                if rule.recency[0] <= r <= rule.recency[1]
                and rule.frequency_and_value[0] <= fm <= rule.frequency_and_value[1]
            ]
            assert len(fits) == 1, (r, fm, fits)
            alone = rfm_segments(pd.DataFrame({"r": [r], "f": [fm], "m": [fm]}))
            assert alone.tolist() == fits


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 3), min_size=1))
def test_every_customer_has_a_segment(rows: list[tuple[int, int, int]]) -> None:
    summary = pd.DataFrame(rows, columns=["frequency", "recency", "net"]).assign(T=30)
    segments = rfm_segments(rfm_scores(summary))
    assert segments.isin({rule.name for rule in RULES}).all()
    assert len(segments) == len(rows)


def test_an_empty_shop_has_no_segments() -> None:
    none = pd.DataFrame({"frequency": [], "recency": [], "T": [], "net": []}, dtype=float)
    assert rfm_segments(rfm_scores(none)).empty
    assert abc_classes(none.net).empty
