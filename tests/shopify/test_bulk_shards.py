"""How a history is cut into shards, and what a cursor keeps of that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.platform import Window
from connectors.shopify.bulk.shards import (
    BEGINNING,
    LARGEST,
    SMALLEST,
    Shard,
    Standing,
    beginning,
    cut,
    is_bulk,
    size_of,
    standing,
    without_bulk,
)
from connectors.shopify.documents import COUNTS_AT_ONCE

NOW = datetime(2026, 11, 22, 3, 4, 5, 678, tzinfo=UTC)
YEAR = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))

instants = st.lists(st.integers(0, 365 * 86_400 - 1), max_size=80).map(
    lambda seconds: [YEAR.begin + timedelta(seconds=one) for one in seconds]
)


def shards_of(orders: list[datetime], size: int, window: Window = YEAR) -> list[Shard]:
    def count(parts: Sequence[Window]) -> list[int]:
        return [sum(part.begin <= one < part.end for one in orders) for part in parts]

    return list(cut(window, size, count))


@given(instants, st.integers(1, 20))
def test_shards_leave_no_gap_and_have_no_more_than_asked(orders: list[datetime], size: int) -> None:
    shards = shards_of(orders, size)
    bounds = [shard.window for shard in shards]
    assert bounds[0].begin == YEAR.begin
    assert bounds[-1].end == YEAR.end
    assert all(one.end == other.begin for one, other in pairwise(bounds))
    assert all(bound.begin < bound.end for bound in bounds)
    assert sum(shard.orders for shard in shards) == len(orders)
    for shard in shards:
        found = [one for one in orders if shard.window.begin <= one < shard.window.end]
        assert len(found) == shard.orders
        assert len(found) <= size or len(set(found)) == 1  # a second can't be cut


def test_few_counts_are_asked_for() -> None:
    asked = []
    orders = [YEAR.begin + timedelta(minutes=30 * n) for n in range(10_000)]

    def count(parts: Sequence[Window]) -> list[int]:
        asked.append(parts)
        return [sum(part.begin <= one < part.end for one in orders) for part in parts]

    shards = list(cut(Window(BEGINNING, YEAR.end), 1_000, count))
    assert 10 <= len(shards) <= 15
    assert len(asked) <= 15
    assert all(len(parts) <= COUNTS_AT_ONCE for parts in asked)


def test_an_empty_history_is_one_shard_all_the_same() -> None:
    assert shards_of([], 10) == [Shard(YEAR, 0)]
    assert shards_of([], 10, Window(YEAR.begin, YEAR.begin)) == []


@pytest.mark.parametrize(
    ("orders", "size"), [(0, SMALLEST), (45_000, 3_000), (44_999, 3_000), (10**6, LARGEST)]
)
def test_the_size_gives_all_something_to_do(orders: int, size: int) -> None:
    assert size_of(orders, 5) == size


def test_a_shard_that_fails_is_asked_for_again_then_in_halves() -> None:
    shard = Shard(YEAR, 5_001, "gid://shopify/BulkOperation/7")
    (again,) = shard.again()
    assert again == Shard(YEAR, 5_001, "", 1)
    first, second = again.again()
    assert (first.window.begin, second.window.end) == YEAR
    assert first.window.end == second.window.begin
    assert (first.orders, second.orders) == (2_501, 2_501)
    assert not shard.is_spent
    assert not again.is_spent
    assert Shard(YEAR, SMALLEST, "", 1).is_spent
    second_long = Window(YEAR.begin, YEAR.begin + timedelta(seconds=1))
    assert Shard(second_long, 5_000, "", 1).is_spent


@pytest.mark.parametrize("since", [None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)])
def test_a_cursor_is_flat_and_leads_back(since: datetime | None) -> None:
    at = Standing(NOW, since, 12, BEGINNING)
    for n in range(12):
        begin = YEAR.begin + timedelta(days=n)
        window = Window(begin, begin + timedelta(days=1))
        at = at.with_shard(Shard(window, n, f"gid://shopify/BulkOperation/{n}" if n % 2 else ""))
    cursor = at.cursor()
    assert is_bulk(cursor)
    assert all(type(value) in (str, int) for value in cursor.values())
    assert standing(cursor) == at


def test_a_cursor_with_nothing_left_reads_what_changed_since_the_start() -> None:
    at = beginning(NOW, None, lambda search: 3)
    assert at.orders == 3
    whole = Shard(at.ahead, 3)
    assert is_bulk(at.with_shard(whole).cursor())
    done = at.with_shard(whole).instead(whole).cursor()
    assert done == {"changed_since": NOW.isoformat(), "since": ""}
    assert not is_bulk(done)


def test_who_reads_by_page_begins_anew_but_forgets_no_change() -> None:
    at = beginning(NOW, None, lambda search: 3)
    assert without_bulk(at.cursor()) == {"last_id": 0, "started": NOW.isoformat(), "since": ""}
    other = {"changed_since": NOW.isoformat(), "since": ""}
    assert without_bulk(other) is other
    assert without_bulk(None) is None


def test_a_search_tells_window_and_since_in_whole_seconds() -> None:
    at = Standing(NOW, datetime(2026, 1, 2, 3, 4, 5, 9, tzinfo=UTC), 0, BEGINNING)
    assert at.search(YEAR) == (
        "created_at:>='2025-01-01T00:00:00Z' created_at:<'2026-01-01T00:00:00Z'"
        " processed_at:>='2026-01-02T03:04:05Z'"
    )
