from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clv.numerics.grouping import Floats, distinct, tallied

RNG = np.random.default_rng(3)
WHOLE = RNG.integers(-4, 9, (3, 5000)).astype(float)
#: Columns of whole numbers, of fractions, and of numbers too far apart for one code.
TABLES = {
    "whole": WHOLE,
    "one column": WHOLE[:1],
    "few rows of many kinds": WHOLE[:, :50] * 1000,
    "fractions": WHOLE / 7,
    "mixed": np.stack([WHOLE[0], WHOLE[1] / 7, WHOLE[2]]),
    "beyond one code": WHOLE * 1e14,
    "beyond whole numbers": WHOLE * 1e200,
}


@pytest.fixture(params=TABLES.values(), ids=TABLES.keys())
def table(request: pytest.FixtureRequest) -> NDArray[np.float64]:
    columns: NDArray[np.float64] = request.param
    return columns


def in_order(rows: tuple[Floats, ...], counts: Floats) -> NDArray[np.float64]:
    stacked = np.stack([*rows, counts])
    return stacked[:, np.lexsort(stacked[::-1])]


def test_each_row_finds_itself_among_the_distinct(table: NDArray[np.float64]) -> None:
    rows, places = distinct(*table)
    np.testing.assert_array_equal(np.stack(rows)[:, places], table)
    assert len(rows[0]) == np.unique(table, axis=1).shape[1]


def test_a_tally_counts_the_rows_of_each_kind(table: NDArray[np.float64]) -> None:
    kinds, counts = np.unique(table, axis=1, return_counts=True)
    expected = in_order(tuple(kinds), counts.astype(float))
    np.testing.assert_array_equal(in_order(*tallied(*table)), expected)


def test_tallies_of_batches_add_up(table: NDArray[np.float64]) -> None:
    batches = [tallied(*part) for part in np.array_split(table, 4, axis=1)]
    rows = np.concatenate([np.stack(rows) for rows, _ in batches], axis=1)
    added = tallied(*rows, weights=np.concatenate([counts for _, counts in batches]))
    np.testing.assert_array_equal(in_order(*added), in_order(*tallied(*table)))


def test_nothing_has_no_kinds() -> None:
    (kinds,), counts = tallied(np.array([]))
    assert len(kinds) == len(counts) == 0
    (kinds,), places = distinct(np.array([]))
    assert len(kinds) == len(places) == 0
