"""Reads a Magento collection from end to end by keyset: ids ascending, always the first page.

Page numbers (`currentPage`) lose and repeat rows while data moves, so none is ever sent.
https://developer.adobe.com/commerce/webapi/rest/use-rest/performing-searches/ (read 2026-11-21)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.errors import RequestRefused, ShopUnavailable
from connectors.http import AnswerRefused, Http

log = logging.getLogger(__name__)

PAGE_SIZE = 100
HASTY = 2  # attempts while looking for the row that breaks a page
MOST_BROKEN = 20  # broken rows in a row: more than that is no broken row but a broken shop
HIGHEST_ID = 2**62


class Filter(NamedTuple):
    field: str
    condition: str
    value: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as they came, and the id behind them. `broken` is a row that the shop can't serve."""

    rows: Sequence[Any]
    last: int
    total: int | None = None
    broken: str | None = None


def criteria(filters: Sequence[Filter], size: int) -> list[tuple[str, str]]:
    """Filters that must all hold, ids ascending, as Magento's flattened search criteria.

    Each filter has a group of its own (groups are AND); at most ten groups, because two-digit
    indices break Magento's OAuth signature.
    """
    head = "searchCriteria[filter_groups][{}][filters][0][{}]"
    pairs = [
        (head.format(group, key), text)
        for group, one in enumerate(filters)
        for key, text in (
            ("field", one.field),
            ("value", one.value),
            ("condition_type", one.condition),
        )
    ]
    return [
        *pairs,
        ("searchCriteria[sortOrders][0][field]", "entity_id"),
        ("searchCriteria[sortOrders][0][direction]", "ASC"),
        ("searchCriteria[pageSize]", str(size)),
    ]


class Keyset:
    """One collection, filtered. `id_field` is what its rows call their `entity_id`.

    A page that the shop can't serve (one order of a deleted product is enough) is asked for in
    smaller and smaller pieces, down to the broken row, which is named and stepped over.
    """

    def __init__(
        self,
        http: Http,
        path: str,
        *,
        filters: Sequence[Filter] = (),
        id_field: str = "entity_id",
        size: int = PAGE_SIZE,
    ) -> None:
        self._http = http
        self._path = path
        self._filters = tuple(filters)
        self._id_field = id_field
        self._size = size

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """All rows with a higher id than `after`, in batches; none where there are none."""
        size, broken = self._size, 0
        while True:
            try:
                batch = self._batch(after, size)
            except AnswerRefused as refused:
                size = self._size = _smaller_limit(refused, size)
                continue
            except ShopUnavailable as failure:
                if not _breaks_one_page(failure) or broken == MOST_BROKEN:
                    raise
                if size > 1:
                    size //= 2
                    continue
                batch = self._isolated(after, failure)
            if batch.last == after:
                return
            yield batch
            if batch.total is not None and batch.total <= len(batch.rows):
                return
            after, size = batch.last, min(size * 2, self._size)
            broken = broken + 1 if batch.broken else 0

    def _batch(self, after: int, size: int) -> Batch:
        attempts = HASTY if size < self._size else None
        rows, total = self._page([Filter("entity_id", "gt", str(after))], size, attempts)
        return Batch(rows, self._last(rows, after), total)

    def _page(
        self, filters: Sequence[Filter], size: int, attempts: int | None
    ) -> tuple[list[Any], int | None]:
        params = criteria([*self._filters, *filters], size)
        answer = self._http.get(self._path, params=params, attempts=attempts)
        data = answer.data if isinstance(answer.data, dict) else {}
        rows, total = data.get("items", 0), data.get("total_count")
        if rows is not None and not isinstance(rows, list):
            raise RequestRefused(
                "the answer is no search result",
                mend="Is something between us and Magento changing its answers?",
                path=self._path,
            )
        return rows or [], total if type(total) is int else None

    def _last(self, rows: Sequence[Any], after: int) -> int:
        """The last id, if ids ascend from `after` on: else something ignores what we asked."""
        last = after
        for row in rows:
            row_id = row.get(self._id_field) if isinstance(row, dict) else None
            if type(row_id) is not int:
                continue  # parsing will name this row
            if row_id <= last:
                raise _ignored(self._path, row_id, last)
            last = row_id
        if rows and last == after:
            raise _ignored(self._path, None, last)
        return last

    def _isolated(self, after: int, failure: ShopUnavailable) -> Batch:
        """The first row behind `after`, which the shop failed on even alone: its id, or itself.

        The id isn't known, so it is enclosed: the ranges of ids below it can be served, and are
        empty. Where not even an empty range can be served, the shop is down: nothing is skipped.
        """
        self._serves(after, after)
        low, high, enclosed = after, after + 1, False
        while not enclosed or high - low > 1:
            probe = (low + high) // 2 if enclosed else high
            rows = self._try(low, probe)
            if rows:
                return Batch(rows, self._last(rows, after))  # the shop has recovered
            if rows is None:
                high, enclosed = probe, True
            else:
                low, high = probe, high if enclosed else probe + 2 * (probe - low)
            if low > HIGHEST_ID:
                raise failure
        rows = self._try(high - 1, high, attempts=None)  # with all patience, to be sure
        if rows is not None:
            return Batch(rows, high)
        log.warning("broken path=%s id=%d", self._path, high)
        return Batch((), high, broken=str(high))

    def _try(self, low: int, high: int, attempts: int | None = HASTY) -> list[Any] | None:
        """Up to one row with an id above `low` up to `high`; None where the shop fails on it."""
        try:
            return self._serves(low, high, attempts)
        except ShopUnavailable as failure:
            if not _breaks_one_page(failure):
                raise
            return None

    def _serves(self, low: int, high: int, attempts: int | None = HASTY) -> list[Any]:
        bounds = [Filter("entity_id", "gt", str(low)), Filter("entity_id", "lteq", str(high))]
        return self._page(bounds, 1, attempts)[0]


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
