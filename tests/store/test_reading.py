"""What a scoring reads, in the steps that keep a large shop's memory small."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
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


def test_what_batches_tell_adds_up_to_what_the_whole_tells(filled: Store) -> None:
    numbers = filled.numbers("eu", **KNOWN)
    counted = filled.tally("eu", counted_orders, **KNOWN)
    assert counted == int(numbers["orders"].sum()) > 0
    assert filled.tally("nowhere", counted_orders, **KNOWN) is None


def counted_orders(batch: pa.RecordBatch) -> int:
    return int(pc.sum(batch["orders"]).as_py())


@pytest.mark.parametrize("many", [1, 7, 40, 10_000])
def test_some_of_the_numbers_are_evenly_spread(filled: Store, many: int) -> None:
    numbers = filled.numbers("eu", **KNOWN)
    step = max(1, -(-len(numbers) // many))
    wanted = numbers.iloc[::step].reset_index(drop=True)
    pd.testing.assert_frame_equal(filled.spread("eu", many, **KNOWN), wanted)


def test_what_is_scored_is_kept_as_it_was_told(filled: Store) -> None:
    scored = filled.score("run-1", "eu", scored_high, **KNOWN)
    kept = filled.latest_scores("eu")
    people = filled.summary("eu", **KNOWN)
    assert kept["person_key"].tolist() == people["person_key"].tolist()
    assert set(kept["tier"]) == {"high"}
    assert scored == len(people)


def scored_high(batch: pa.RecordBatch) -> tuple[pa.Table, int]:
    people = pa.table(batch.select(["shop", "person_key", "customer_id"]))
    tiers = pa.repeat(pa.scalar("high"), batch.num_rows)
    return people.append_column("tier", tiers), batch.num_rows
