"""Magento's own search over a collection: `searchCriteria` with filters, ids ascending.

Page numbers (`currentPage`) lose and repeat rows while data moves, so no rows are ever paged by
them: they only tell where a range of ids may be cut.
https://developer.adobe.com/commerce/webapi/rest/use-rest/performing-searches/ (read 2026-11-21)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from connectors.errors import RequestRefused, ShopUnavailable
from connectors.http import Http
from connectors.magento import walk
from connectors.magento.ranges import Extent
from connectors.magento.walk import HASTY, HIGHEST_ID, Batch, Served

PAGE_SIZE = 200
PAST_THE_END = 10**9  # a page that holds no row, only the count


class Filter(NamedTuple):
    field: str
    condition: str
    value: str


def criteria(
    filters: Sequence[Filter], size: int, *, page: int = 1, direction: str = "ASC"
) -> list[tuple[str, str]]:
    """Filters that must all hold, sorted by id, as Magento's flattened search criteria.

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
    turn = [("searchCriteria[currentPage]", str(page))] if page > 1 else []
    return [
        *pairs,
        ("searchCriteria[sortOrders][0][field]", "entity_id"),
        ("searchCriteria[sortOrders][0][direction]", direction),
        ("searchCriteria[pageSize]", str(size)),
        *turn,
    ]


class Keyset:
    """One collection, filtered: a `walk.Route`. `id_field` is what its rows call their `entity_id`.

    `fields` names what is wanted of a row; the rest, personal data above all, never leaves the
    shop. Magento filters it out after it has loaded it: that saves bytes, no time.
    """

    def __init__(
        self,
        http: Http,
        path: str,
        *,
        filters: Sequence[Filter] = (),
        id_field: str = "entity_id",
        fields: str = "",
        size: int | None = None,
    ) -> None:
        self._http = http
        self._filters = tuple(filters)
        self._fields = fields
        self.path = path
        self.id_field = id_field
        self.size = size or PAGE_SIZE

    def batches(self, after: int = 0, to: int = HIGHEST_ID) -> Iterator[Batch]:
        return walk.batches(self, after, to)

    def page(self, after: int, to: int, size: int, attempts: int | None = None) -> Served:
        rows, total = self._found(criteria(self._within(after, to), size), self._fields, attempts)
        return Served(rows, more=total is None or total > len(rows), total=total)

    def count(self, after: int, to: int) -> int | None:
        """How many rows the shop has in a range of ids; None where it doesn't say."""
        asked = criteria(self._within(after, to), 1, page=PAST_THE_END)
        return self._found(asked, self.id_field)[1]

    def nth(self, number: int, after: int, to: int) -> int | None:
        """The id of the row with this number (from 1) in a range; None where it can't be told."""
        asked = criteria(self._within(after, to), 1, page=number)
        return self._one_id(asked).highest

    def extent(self) -> Extent:
        """The highest id there is and how many rows, each None where it can't be told."""
        return self._one_id(criteria(self._filters, 1, direction="DESC"))

    def _within(self, after: int, to: int) -> list[Filter]:
        bounds = [Filter("entity_id", "gt", str(after))]
        if to < HIGHEST_ID:
            bounds.append(Filter("entity_id", "lteq", str(to)))
        return [*self._filters, *bounds]

    def _one_id(self, asked: list[tuple[str, str]]) -> Extent:
        """The id of the one row asked for. That row may be broken, and it isn't worth a wait."""
        try:
            rows, total = self._found(asked, self.id_field, HASTY)
        except ShopUnavailable:
            return Extent(None, None)
        row_id = rows[0].get(self.id_field) if rows and isinstance(rows[0], dict) else None
        return Extent(row_id if type(row_id) is int else None, total)

    def _found(
        self, asked: list[tuple[str, str]], fields: str, attempts: int | None = None
    ) -> tuple[list[Any], int | None]:
        wanted = [("fields", f"items[{fields}],total_count")] if fields else []
        answer = self._http.get(self.path, params=[*asked, *wanted], attempts=attempts)
        data = answer.data if isinstance(answer.data, dict) else {}
        rows, total = data.get("items", 0), data.get("total_count")
        if rows is not None and not isinstance(rows, list):
            raise RequestRefused(
                "the answer is no search result",
                mend="Is something between us and Magento changing its answers?",
                path=self.path,
            )
        return rows or [], total if type(total) is int else None
