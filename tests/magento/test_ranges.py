from __future__ import annotations

import random
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.magento.ranges import (
    LEAST_PAGES,
    PIECES,
    Cutter,
    Range,
    as_text,
    parsed,
    remaining,
)
from connectors.magento.walk import Batch

PAGE = 100


class Shop:
    """An index over ids; a broken row can't be told."""

    def __init__(self, ids: list[int], broken: frozenset[int] = frozenset()) -> None:
        self.ids = sorted(ids)
        self.broken = broken
        self.asked = 0

    def highest(self) -> int | None:
        return self.ids[-1] if self.ids else None

    def count(self, after: int, to: int) -> int | None:
        return sum(after < one <= to for one in self.ids)

    def nth(self, number: int, after: int, to: int) -> int | None:
        self.asked += 1
        found = [one for one in self.ids if after < one <= to][number - 1 : number]
        return found[0] if found and found[0] not in self.broken else None


def cut(shop: Shop, ranges: list[Range] | None = None) -> list[Range]:
    ranges = ranges or [Range.fresh(0, shop.ids[-1])]
    rows = sum(shop.count(one.after, one.to) or 0 for one in ranges)
    cutter = Cutter(shop, ranges, rows, PAGE)
    found = []
    while (one := cutter.next()) is not None:
        found.append(one)
    return found


def test_ranges_are_of_equal_count_however_sparse_the_ids_are_until_the_end_is_near() -> None:
    """21,590 orders over 840,254 ids, most of them in one tenth of it, as a real shop had."""
    chance = random.Random(11)  # noqa: S311  # no secret
    dense = chance.sample(range(700_000, 784_000), 17_000)
    shop = Shop(list({*dense, *chance.sample(range(1, 840_254), 4_589), 840_254}))
    ranges = cut(shop)
    counts = [shop.count(one.begin, one.to) or 0 for one in ranges]
    assert sum(counts) == len(shop.ids)
    assert len(ranges) <= 1.5 * PIECES
    assert max(counts) == PAGE * ceil(len(shop.ids) / PIECES / PAGE)
    early = counts[: PIECES // 2]
    assert len(set(early)) == 1
    assert {count % PAGE for count in counts[:-1]} == {0}


def test_the_last_ranges_are_small_so_that_all_workers_are_done_at_about_one_time() -> None:
    shop = Shop(list(range(1, 50_001)))
    counts = [shop.count(one.begin, one.to) or 0 for one in cut(shop)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-5:] == [LEAST_PAGES * PAGE] * 4 + [counts[-1]]


def test_ranges_follow_one_another_without_a_gap() -> None:
    ranges = cut(Shop(list(range(1, 100_000, 3))))
    assert ranges[0].begin == 0
    assert all(one.to == following.begin for one, following in pairwise(ranges))
    assert ranges[-1].to == 99_997


def test_a_small_shop_is_one_range() -> None:
    shop = Shop(list(range(1, LEAST_PAGES * PAGE)))
    assert len(cut(shop)) == 1
    assert shop.asked == 0


def test_a_range_that_was_begun_stays_whole_and_keeps_its_count() -> None:
    begun = Range(0, 50_000, 20_000, rows=20_000)
    ranges = cut(Shop(list(range(1, 90_001))), [begun, Range.fresh(50_000, 90_000)])
    assert ranges[0] == begun
    assert len(ranges) > 10


def test_without_a_count_nothing_is_cut() -> None:
    shop = Shop(list(range(1, 90_001)))
    assert Cutter(shop, [Range.fresh(0, 90_000)], None, PAGE).next() == Range.fresh(0, 90_000)
    assert shop.asked == 0


def test_a_row_that_can_not_be_told_leaves_its_range_whole() -> None:
    shop = Shop(list(range(1, 32_001)), broken=frozenset({1000}))
    assert cut(shop) == [Range.fresh(0, 32_000)]


def test_a_shop_that_ignores_the_row_number_is_not_asked_for_ever() -> None:
    shop = Shop(list(range(1, 90_001)))
    shop.nth = lambda number, after, to: after + 1  # type: ignore[method-assign]
    ranges = cut(shop)
    assert len(ranges) < 2 * PIECES
    assert ranges[-1].to == 90_000


# ------------------------------------------------------------------------------------- remaining


def test_a_part_in_work_is_carved_out_of_what_remains() -> None:
    part = Range(300, 500, after=420, rows=9)
    assert remaining([Range.fresh(0, 1000)], part, done=False) == [
        Range.fresh(0, 300),
        part,
        Range.fresh(500, 1000),
    ]


def test_a_part_that_is_done_is_gone() -> None:
    left = remaining([Range.fresh(0, 1000)], Range(300, 500, 500), done=True)
    assert left == [Range.fresh(0, 300), Range.fresh(500, 1000)]
    assert remaining(left, Range(500, 1000, 900), done=True) == [Range.fresh(0, 300)]


def test_a_range_goes_on_where_it_stood_or_begins_anew() -> None:
    ranges = [Range(0, 100, 40, 7), Range.fresh(100, 200)]
    assert remaining(ranges, Range(0, 100, 60, 9), done=False)[0] == Range(0, 100, 60, 9)
    assert remaining(ranges, Range(0, 100, 10, 2), done=False)[0] == Range(0, 100, 10, 2)


def test_a_batch_moves_its_range_on_and_a_broken_row_counts() -> None:
    begun = Range.fresh(0, 100).behind(Batch(rows=[{}, {}], last=17))
    assert begun == Range(0, 100, 17, 2)
    assert begun.behind(Batch(rows=(), last=18, broken="18")) == Range(0, 100, 18, 3)


@given(st.randoms(use_true_random=False))
def test_in_whatever_order_parts_move_nothing_is_lost_and_nothing_remains_at_the_end(
    chance: random.Random,
) -> None:
    """Each id is read once; what remains is always what was not read, through its own text."""
    top = chance.randint(1, 60)
    cuts = sorted({0, top, *(chance.randint(0, top) for _ in range(chance.randint(0, 6)))})
    parts = [Range.fresh(*ends) for ends in pairwise(cuts)]
    left, unread = [Range.fresh(0, top)], set(range(1, top + 1))
    while parts:
        at = parts.pop(chance.randrange(len(parts)))
        last = min(at.to, at.after + chance.randint(1, 9))
        unread -= set(range(at.after + 1, last + 1))
        at = at.behind(Batch(rows=[{}] * (last - at.after), last=last))
        if last < at.to:
            parts.append(at)
        left = parsed(as_text(remaining(left, at, done=last == at.to)))
        assert {i for one in left for i in range(one.after + 1, one.to + 1)} == unread
        assert all(one.to <= following.begin for one, following in pairwise(left))
    assert left == []


@pytest.mark.parametrize("text", ["1", "1:2", "a:b:c:d", "1:2:3:4:5", "1:2:3:4 x"])
def test_another_text_is_no_ranges(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(text)
