"""Reads a collection range by range, several side by side, each held against the shop's count."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connectors.magento.ranges import Cutter, Index, Range
from connectors.magento.walk import HIGHEST_ID, Batch, Route, batches
from connectors.magento.workers import Crew
from connectors.platform import Page


class Piece(NamedTuple):
    """What was read of a range, and where the range stands behind it.

    batch    the rows as they came
    page     the same as the schema has them, without a cursor of its own
    total    how many rows the range still had with this page, where the shop says so
    broken   the one row that the shop could not serve
    done     nothing is left of the range
    counted  the shop's count of a range that is done, where fewer rows came, twice
    """

    at: Range
    batch: Batch | None = None
    page: Page | None = None
    total: int | None = None
    broken: str | None = None
    done: bool = False
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """One reading of a collection.

    index    counts, and knows where the ids are
    route    gives the rows
    read     a batch as a page; called in the workers' threads
    workers  how many read side by side at most
    """

    index: Index
    route: Route
    read: Callable[[Batch], Page]
    workers: int = 1

    def expected(self, ranges: Sequence[Range]) -> int | None:
        """How many rows the ranges will bring; None where the shop doesn't count."""
        counts = [self.index.count(one.after, one.to) for one in ranges]
        return None if None in counts else sum(count or 0 for count in counts)

    def backfill(self, ranges: Sequence[Range], expected: int | None) -> Iterator[Piece]:
        """The ranges side by side, cut and counted, in any order."""
        cutter = Cutter(self.index, ranges, expected, self.route.size)

        def take() -> Iterator[Piece] | None:
            found = cutter.next()
            return self._counted(found) if found else None

        return Crew(
            take, self.workers, self._read, timed=lambda one: one.batch is not None
        ).pieces()

    def plain(self, ranges: Sequence[Range]) -> Iterator[Piece]:
        """The ranges one after the other, as they are."""
        for one in ranges:
            yield from map(self._read, self._whole(one))

    def _whole(self, one: Range) -> Iterator[Piece]:
        at = yield from self._pieces(one)
        yield Piece(at, done=True)

    def _counted(self, whole: Range) -> Iterator[Piece]:
        """A range; once more where the shop counts more rows than came.

        Some may have been committed late, below where we were. Those that come or go behind the
        second reading are not missing, so the lower of the two counts is held against it.
        """
        at = yield from self._pieces(whole)
        counted = self._count(at)
        if counted > at.rows:
            at = yield from self._pieces(Range.fresh(whole.begin, whole.to))
            counted = min(counted, self._count(at))
        yield Piece(at, done=True, counted=counted if counted > at.rows else None)

    def _pieces(self, at: Range) -> Generator[Piece, None, Range]:
        for batch in batches(self.route, at.after, at.to):
            at = at.behind(batch)
            yield Piece(at, batch, total=batch.total, broken=batch.broken)
        return at

    def _read(self, piece: Piece) -> Piece:
        return piece._replace(batch=None, page=self.read(piece.batch)) if piece.batch else piece

    def _count(self, at: Range) -> int:
        """The shop's count; what came where it doesn't count.

        A range without an end is counted as far as it was read.
        """
        counted = self.index.count(at.begin, at.to if at.to < HIGHEST_ID else at.after)
        return at.rows if counted is None else counted
