"""Walks through a collection by rising id, page by page, round the rows that break a page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from connectors.errors import RequestRefused, ShopUnavailable
from connectors.http import AnswerRefused

log = logging.getLogger(__name__)

HASTY = 2  # attempts while looking for the row that breaks a page
MOST_BROKEN = 20  # broken rows in a row: more than that is no broken row but a broken shop
HIGHEST_ID = 2**62


class Served(NamedTuple):
    """Rows as they came. `more`: whether any may follow; `total`: these and all that follow."""

    rows: Sequence[Any]
    more: bool
    total: int | None = None


class Route(Protocol):
    """One collection of the shop, filtered. `id_field` is what its rows call their id.

    `size` is how many rows to ask for at once: it shrinks where the shop can't serve as many.
    """

    path: str
    id_field: str
    size: int

    def page(self, after: int, to: int, size: int, attempts: int | None = None) -> Served:
        """The first `size` rows with an id above `after` and up to `to`, ids ascending."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as they came, and the id behind them. `broken` is a row that the shop can't serve."""

    rows: Sequence[Any]
    last: int
    total: int | None = None
    broken: str | None = None


def again(route: Route, row_id: int) -> Batch:
    """One row that broke its page before: perhaps it can be served now, perhaps it is gone."""
    rows = _Walk(route).attempt(row_id - 1, row_id)
    return Batch(rows or (), row_id, broken=str(row_id) if rows is None else None)


def batches(route: Route, after: int = 0, to: int = HIGHEST_ID) -> Iterator[Batch]:
    """All rows with an id above `after` and up to `to`, in batches; none where there are none.

    A page that the shop can't serve (one order of a deleted product is enough) is asked for in
    smaller and smaller pieces, down to the broken row, which is named and stepped over. Where all
    pieces come well, it was the page's size: smaller ones are asked for from then on.
    """
    walk = _Walk(route)
    while after < to and (batch := walk.step(after, to)) is not None:
        yield batch
        if not walk.more:
            return
        after = batch.last


class _Walk:
    """A walker's memory: how large a step it dares, and what it stumbled over."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._size = route.size
        self._failed: int | None = None  # the page size that the shop failed on
        self._rows_since = 0
        self._broken = 0
        self.more = True

    def step(self, after: int, to: int) -> Batch | None:
        """The next batch; None at the end."""
        while True:
            try:
                served = self._page(after, to)
            except AnswerRefused as refused:
                self._size = self._route.size = _smaller_limit(refused, self._size)
            except ShopUnavailable as failure:
                if not _breaks_one_page(failure) or self._broken == MOST_BROKEN:
                    raise
                if self._size == 1:
                    return self._came(self._isolated(after, to))
                if not self._failed:
                    self._failed, self._rows_since = self._size, 0
                self._size //= 2
            else:
                self.more = served.more
                batch = Batch(served.rows, self._last(served.rows, after, to), served.total)
                return self._came(batch) if served.rows else None

    def _page(self, after: int, to: int) -> Served:
        attempts = HASTY if self._size < self._route.size else None
        return self._route.page(after, to, self._size, attempts)

    def _came(self, batch: Batch) -> Batch:
        """After a broken row steps may grow again; after a whole page in pieces, pages shrink."""
        self._broken = self._broken + 1 if batch.broken else 0
        self._rows_since += len(batch.rows)
        if self._failed and not batch.broken:
            if self._rows_since < self._failed:
                return batch
            self._route.size = min(self._route.size, self._failed // 2)
            log.warning("smaller_pages path=%s size=%d", self._route.path, self._route.size)
        self._failed, self._rows_since = None, 0
        self._size = min(self._size * 2, self._route.size)
        return batch

    def _last(self, rows: Sequence[Any], after: int, to: int) -> int:
        """The last id, if ids ascend from `after` on: else something ignores what we asked."""
        last = after
        for row in rows:
            row_id = row.get(self._route.id_field) if isinstance(row, dict) else None
            if type(row_id) is not int:
                continue  # parsing will name this row
            if not last < row_id <= to:
                raise _ignored(self._route.path, row_id, last)
            last = row_id
        if rows and last == after:
            raise _ignored(self._route.path, None, last)
        return last

    def _isolated(self, after: int, to: int) -> Batch:
        """The first row behind `after`, which the shop failed on even alone: its id, or itself.

        The id isn't known, so it is enclosed: the ranges of ids below it can be served, and are
        empty. Where not even an empty range can be served, the shop is down: nothing is skipped.
        """
        self._serves(after, after)
        low, high, enclosed = after, after + 1, False
        while not enclosed or high - low > 1:
            probe = (low + high) // 2 if enclosed else high
            rows = self.attempt(low, probe)
            if rows:
                return Batch(rows, self._last(rows, after, to))  # the shop has recovered
            if rows is None:
                high, enclosed = probe, True
            elif probe == to:
                return Batch((), to)  # the shop has recovered, and nothing is there
            else:
                low, high = probe, high if enclosed else min(probe + 2 * (probe - low), to)
        rows = self.attempt(high - 1, high, attempts=None)  # with all patience, to be sure
        if rows is not None:
            return Batch(rows, high)
        log.warning("broken path=%s id=%d", self._route.path, high)
        return Batch((), high, broken=str(high))

    def attempt(self, low: int, high: int, attempts: int | None = HASTY) -> Sequence[Any] | None:
        """Up to one row with an id above `low` up to `high`; None where the shop fails on it."""
        try:
            return self._serves(low, high, attempts)
        except ShopUnavailable as failure:
            if not _breaks_one_page(failure):
                raise
            return None

    def _serves(self, low: int, high: int, attempts: int | None = HASTY) -> Sequence[Any]:
        return self._route.page(low, high, 1, attempts).rows


def _breaks_one_page(failure: ShopUnavailable) -> bool:
    """One row may have broken this answer; no answer, 429 and 503 (maintenance) are the shop's."""
    return failure.evidence.get("status") not in (None, 429, 503)


def _smaller_limit(refused: AnswerRefused, size: int) -> int:
    """The page size that the shop allows, where that was the reason; else the refusal goes on."""
    data = refused.data if isinstance(refused.data, dict) else {}
    parameters = data.get("parameters")
    limit = parameters.get("max") if isinstance(parameters, dict) else None
    if type(limit) is not int or not 0 < limit < size:
        raise refused
    return limit


def _ignored(path: str, found: int | None, after: int) -> RequestRefused:
    return RequestRefused(
        "the shop repeats a page or ignores the order of ids; nothing of it was taken",
        mend="Does a cache or a firewall before Magento drop the query?",
        path=path,
        found=found,
        after=after,
    )
