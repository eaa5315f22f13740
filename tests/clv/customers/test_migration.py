from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.customers.migration import migration, moves
from clv.errors import BadSummary

TIERS = ("high", "medium", "low")


def scores(*rows: tuple[str, str | None, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["person_key", "tier", "predicted_clv"], dtype=object)
    frame["predicted_clv"] = frame.predicted_clv.map(Decimal)
    return frame


def test_who_moved_and_how_much_value_with_them() -> None:
    before = scores(("a", "high", "100.10"), ("b", "low", "1.00"), ("c", "low", "2.00"))
    after = scores(("b", "high", "90.00"), ("a", "high", "95.05"), ("d", "low", "3.30"))
    moved = migration(moves(before, after), TIERS)
    assert moved.customers.index.tolist() == [*TIERS, "entered"]
    assert moved.customers.columns.tolist() == [*TIERS, "left"]
    assert moved.customers.to_numpy().tolist() == [
        [1, 0, 0, 0],
        [0, 0, 0, 0],
        [1, 0, 0, 1],
        [0, 0, 1, 0],
    ]
    assert moved.value_before.loc["high", "high"] == Decimal("100.10")
    assert moved.value_after.loc["high", "high"] == Decimal("95.05")
    assert moved.value_before.loc["low", "left"] == Decimal("2.00")
    assert moved.value_after.loc["entered", "low"] == Decimal("3.30")


def test_each_move_is_told_by_customer() -> None:
    moved = moves(scores(("b", "low", "1")), scores(("a", "high", "5"), ("b", None, "2")))
    assert moved.to_dict("index") == {
        "a": {
            "tier_before": "entered",
            "tier_after": "high",
            "value_before": 0,
            "value_after": Decimal(5),
        },
        "b": {
            "tier_before": "low",
            "tier_after": "no tier",
            "value_before": Decimal(1),
            "value_after": Decimal(2),
        },
    }


frames = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.sampled_from([*TIERS, None]), st.decimals(0, 1000, places=2)),
)


@given(frames, frames)
@settings(max_examples=50, deadline=None)
def test_rows_add_up_to_before_columns_to_after_and_value_to_the_cent(
    old: dict[str, tuple[str | None, Decimal]], new: dict[str, tuple[str | None, Decimal]]
) -> None:
    before, after = (
        scores(*[(key, tier, str(value)) for key, (tier, value) in rows.items()])
        for rows in (old, new)
    )
    moved = migration(moves(before, after), TIERS)
    counts = moved.customers
    assert counts.drop(index="entered").to_numpy().sum() == len(before)
    assert counts.drop(columns="left").to_numpy().sum() == len(after)
    for tier in TIERS:
        assert counts.loc[tier].sum() == (before.tier == tier).sum()
        assert counts[tier].sum() == (after.tier == tier).sum()
    assert moved.value_before.to_numpy().sum() == sum(before.predicted_clv, Decimal(0))
    assert moved.value_after.to_numpy().sum() == sum(after.predicted_clv, Decimal(0))
    assert counts.loc["entered", "left"] == 0


def test_nobody_moves_between_a_date_and_itself() -> None:
    same = scores(("a", "high", "1"), ("b", "low", "2"))
    moved = migration(moves(same, same))
    assert moved.customers.loc["high", "high"] == 1
    assert moved.customers.to_numpy().trace() == len(same)


def test_a_missing_column_or_a_customer_twice_is_refused() -> None:
    good = scores(("a", "high", "1"))
    with pytest.raises(BadSummary, match="column=tier"):
        moves(good, good.drop(columns="tier"))
    with pytest.raises(BadSummary, match="come twice"):
        moves(pd.concat([good, good]), good)
