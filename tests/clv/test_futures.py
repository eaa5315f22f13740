from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.futures import Table, Wanted


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 6) | st.integers(0, 1000), min_size=1, max_size=40),
    st.floats(0, 1),
    st.floats(0.02, 0.98),
    st.floats(0, 1),
)
def test_bounds_are_what_their_definition_says(
    draws: list[int], active: float, level: float, tightness: float
) -> None:
    """Against the distribution written out, value by value."""
    table = Table.of(np.array([draws], dtype=float))
    rows, alive = np.zeros(1, dtype=np.intp), np.array([active])
    wanted = Wanted(level, tightness, 0.0)
    (low,), (high,) = table.bounds(rows, alive, wanted)
    chance = {value: active * draws.count(value) / len(draws) for value in draws}
    chance[0] = chance.get(0, 0.0) + 1 - active

    def upto(limit: float) -> float:
        return sum(share for value, share in chance.items() if value <= limit)

    def below(limit: float) -> float:
        return sum(share for value, share in chance.items() if value < limit)

    inside = upto(high) - below(low)
    assert table.probability(rows, alive, np.array([low]), np.array([high]))[0] == pytest.approx(
        inside, abs=1e-9
    )
    assert below(low) <= (1 - level) / 2 + 1e-9
    assert low <= high or inside <= 0
    if tightness == 0:
        assert inside >= level - 1e-9
        above_low = below(high) - below(low)
        assert high in (0, low) or above_low <= level + 1e-9


def test_tighter_intervals_stop_short_of_the_value_that_exceeds_the_level() -> None:
    table = Table.of(np.array([[0.0] * 6 + [1.0] * 3 + [2.0]]))
    rows, alive = np.zeros(1, dtype=np.intp), np.ones(1)

    def high(level: float, tightness: float, least: float = 0.0) -> float:
        return float(table.bounds(rows, alive, Wanted(level, tightness, least))[1][0])

    assert high(0.8, 0.0) == 1
    assert high(0.8, 0.5) == 1  # 0.6 + half of 0.3 is below 0.8
    assert high(0.8, 0.7) == 0
    assert high(0.8, 0.7, least=0.65) == 1
    assert high(0.95, 1.0) == 1
    assert high(0.5, 0.0) == 0
