"""Ranges of ids: a backfill cut into pieces of about equal count, and what remains of each.

Ids may be very sparse (21,590 orders over 840,254 ids were seen), so ranges are sized by the rows
that the shop counts in them, never by their width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from threading import Lock
from typing import NamedTuple, Protocol

from connectors.magento.walk import Batch

PIECES = 32  # a range holds no more than this part of all rows: it is what may be read twice
TAIL = 8  # nor more than this part of what is left, so that all workers are done at about one time
LEAST_PAGES = 3  # below that a range costs more than it gains
MOST_CUTS = 2 * PIECES  # for a shop whose answers cut nothing off


@dataclass(frozen=True, slots=True)
class Range:
    """Ids above `begin` and up to `to`. Those up to `after` were read and gave `rows` rows."""

    begin: int
    to: int
    after: int
    rows: int = 0

    @classmethod
    def fresh(cls, begin: int, to: int) -> Range:
        return cls(begin, to, begin)

    @property
    def is_fresh(self) -> bool:
        return self.after == self.begin

    def behind(self, batch: Batch) -> Range:
        """After a batch; a row that the shop can't serve is one that it counts."""
        rows = self.rows + len(batch.rows) + bool(batch.broken)
        return replace(self, after=batch.last, rows=rows)


def remaining(ranges: Iterable[Range], at: Range, *, done: bool) -> list[Range]:
    """What is left of the ranges with one of them, or a part of one, standing `at`; or `done`."""
    left = [] if done else [at]
    for one in ranges:
        if one.to <= at.begin or at.to <= one.begin:
            left.append(one)
        else:
            cuts = sorted({one.begin, at.begin, at.to, one.to})
            parts = (Range.fresh(*ends) for ends in pairwise(cuts))
            left += [part for part in parts if part.begin != at.begin]
    return sorted(left, key=lambda one: one.begin)


def as_text(ranges: Iterable[Range]) -> str:
    return " ".join(f"{one.begin}:{one.after}:{one.to}:{one.rows}" for one in ranges)


def parsed(text: str) -> list[Range]:
    """The ranges of `as_text`. Raises ValueError where it is another text."""
    found = []
    for part in text.split():
        begin, after, to, rows = map(int, part.split(":"))
        found.append(Range(begin, to, after, rows))
    return found


class Extent(NamedTuple):
    highest: int | None
    rows: int | None


class Index(Protocol):
    """What can be asked about ids without reading their rows; None where it can't be told."""

    def extent(self) -> Extent:
        """The highest id there is, and how many rows."""

    def count(self, after: int, to: int) -> int | None:
        """How many rows a range holds."""

    def nth(self, number: int, after: int, to: int) -> int | None:
        """The id of the row with this number (from 1) in a range."""


class Cutter:
    """Hands out ranges to whoever is free, in any thread; fresh ones are cut on the way.

    A row number tells where to cut. It is an offset, so rows that come or go meanwhile make a range
    a little longer or shorter; none is lost, because the next range begins where it ends.
    """

    def __init__(
        self, index: Index, ranges: Sequence[Range], rows: int | None, page_size: int
    ) -> None:
        """`rows` are those of all ranges together; None leaves them whole."""
        self._index = index
        self._ranges = deque(ranges)
        self._left = rows or 0
        self._most = self._left / PIECES
        self._page_size = page_size
        self._cuts = MOST_CUTS if self._left > self._share() else 0
        self._lock = Lock()

    def next(self) -> Range | None:
        """The next range; None where all are handed out."""
        with self._lock:
            if not self._ranges:
                return None
            whole = self._ranges.popleft()
            end = self._end(whole) if whole.is_fresh and self._cuts else None
            if end is None:
                return whole
            self._ranges.appendleft(Range.fresh(end, whole.to))
            return Range.fresh(whole.begin, end)

    def _end(self, whole: Range) -> int | None:
        """Where the first share ends; None where the range holds no more, or it can't be told."""
        share = self._share()
        self._cuts -= 1
        self._left -= share
        if self._left <= 0:
            return None
        end = self._index.nth(share, whole.begin, whole.to)
        return end if end and whole.begin < end < whole.to else None

    def _share(self) -> int:
        """How many rows the next range is to have, in whole pages."""
        pages = ceil(min(self._most, self._left / TAIL) / self._page_size)
        return max(LEAST_PAGES, pages) * self._page_size
