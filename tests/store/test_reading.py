"""What a scoring reads, in the steps that keep a large shop's memory small."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from made_rows import NOW, customer, guest, line, order, page

from connectors.store import Store, reading, staging
from connectors.store.summary import TRAITS

KNOWN: dict[str, Any] = {"as_of": date(2026, 11, 22), "rule": "net", "currency": None}


@pytest.fixture
def filled(store: Store) -> Store:
    rows = [
        *(order(f"{number}", customer_id=f"{number % 40}") for number in range(100)),
        *(guest(f"g{number}", f"guest-{number % 60}") for number in range(90)),
        *(customer(f"{number}") for number in range(30)),
        *(line(f"{number}", category=f"c{number % 3}") for number in range(100)),
    ]
    store.commit("eu", "orders", page(*rows), at=NOW)
    return store


def test_those_to_score_are_told_as_the_summary_tells_them(filled: Store) -> None:
    given = filled.to_score("eu", **KNOWN, with_traits=True).read_pandas()
    whole = filled.summary("eu", **KNOWN)
    pd.testing.assert_frame_equal(given[list(whole.columns)], whole)
    assert given["category"].notna().any()


def test_what_they_came_by_can_be_left_out(filled: Store) -> None:
    short = filled.to_score("eu", **KNOWN).read_pandas()
    long = filled.to_score("eu", **KNOWN, with_traits=True).read_pandas()
    pd.testing.assert_frame_equal(short, long.drop(columns=[*TRAITS]), check_like=True)


def test_numbers_take_four_bytes_where_they_fit(filled: Store) -> None:
    for with_traits in (False, True):
        numbers = filled.numbers("eu", **KNOWN, with_traits=with_traits)
        assert {str(numbers[name].dtype) for name in reading.COUNTS} == {"int32"}
        assert str(numbers["net"].dtype) == "float64"


def test_the_sample_has_all_purchase_days_of_its_persons(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = filled.purchase_days("eu", **KNOWN)
    monkeypatch.setattr(staging, "SAMPLE", 20)
    some = filled.purchase_days("eu", **KNOWN)
    assert 0 < some["customer_id"].nunique() < every["customer_id"].nunique()
    theirs = every[every["customer_id"].isin(some["customer_id"])]
    pd.testing.assert_frame_equal(some, theirs.reset_index(drop=True))
    assert set(filled.traits("eu", **KNOWN).index) == set(some["customer_id"])
