"""Orders over GraphQL, found by its search and listed page by page.

A search finds orders of any status. A term that it doesn't know is ignored with a warning, which
`graphql.py` takes for the error it is. An order was placed when it was processed: one that was
imported from elsewhere was created later (https://shopify.dev/docs/api/admin-graphql/2026-10/
queries/orders, 2026-11-23).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.errors import ShopUnavailable
from connectors.http import Http
from connectors.platform import Placed, Window
from connectors.shopify.children import by_id, whole_orders
from connectors.shopify.documents import (
    LARGEST_COST,
    ORDERS,
    ORDERS_A_PAGE,
    ORDERS_BY_ID,
    ORDERS_COUNT,
    counting,
)
from connectors.shopify.graphql import ask, ask_counted
from connectors.shopify.history import ALL_ORDERS, scopes_in
from connectors.shopify.nodes import Node, following
from connectors.shopify.orders import Listed, changed_at, risen

LARGEST_PAGE = 100
SMALLEST_PAGE = 5

#: Shopify pages through 25,000 rows of a search at most, then it has to begin anew
#: (https://shopify.dev/docs/api/usage/limits#pagination-limits, 2026-11-23).
DEEPEST = 20_000


class GraphQLOrders:
    """The orders of one shop as GraphQL lists them.

    Pages grow by what the shop itself counts them as (their cost rises with their size, or less),
    and are halved where it fails over them.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self._size = ORDERS_A_PAGE
        self._largest = LARGEST_PAGE
        self._sees_all = True

    def sees_all(self) -> bool:
        """Whether the last page was one of all orders, or of those of the last sixty days alone."""
        return self._sees_all

    def count(self, since: datetime | None) -> int:
        return self.counted(_placed(since))

    def behind(self, last_id: int, since: datetime | None) -> Iterator[Listed]:
        return self._by_id(last_id, _placed(since))

    def changed(self, start: datetime) -> Iterator[Listed]:
        after, read = "", 0
        while True:
            search = f"updated_at:>='{_stamp(start)}'"
            nodes, after = self._page(search, "UPDATED_AT", after)
            yield whole_orders(self._http, nodes), bool(after)
            if not after:
                return
            instants = changed_at(nodes)
            read += len(nodes)
            if read >= DEEPEST and len(set(instants)) > 1:
                start, after, read = max(instants), "", 0

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        """How many orders the shop counts in each window; it adds up no sums."""
        return (Placed(self.counted(_placed(*window))) for window in windows)

    def placed_in(self, window: Window) -> Iterator[Listed]:
        return self._by_id(0, _placed(*window))

    def matching(self, search: str) -> Iterator[Listed]:
        """All that a search finds, by rising id."""
        return self._by_id(0, search)

    def named(self, order_ids: Sequence[str]) -> Iterator[Listed]:
        """The orders of these ids as they stand now, but for those that the shop no longer has."""
        ids = [f"gid://shopify/Order/{order_id}" for order_id in order_ids]
        for start in range(0, len(ids), ORDERS_A_PAGE):
            some = ids[start : start + ORDERS_A_PAGE]
            nodes = [node for node in by_id(self._http, ORDERS_BY_ID, {"ids": some}) if node]
            yield whole_orders(self._http, nodes), start + ORDERS_A_PAGE < len(ids)

    def _by_id(self, last_id: int, terms: str) -> Iterator[Listed]:
        more = True
        while more:
            nodes, after = self._page(f"id:>={last_id + 1} {terms}".strip(), "ID", "")
            more = bool(after)
            yield whole_orders(self._http, nodes), more
            last_id = risen(self._http.shop, nodes, last_id)

    def _page(self, search: str, sort: str, after: str) -> tuple[list[Node], str]:
        """A page of orders, and the cursor behind it, empty on the last."""
        asked = {"search": search, "sort": sort, "after": after or None}
        answer = self._fetched(asked)
        self._sees_all = ALL_ORDERS in scopes_in(answer)
        found = answer.get("orders")
        ahead = following(found)
        nodes = found.get("nodes") if isinstance(found, dict) else None
        if ahead is None or not isinstance(nodes, list):
            raise ShopUnavailable("the answer holds no page of orders", shop=self._http.shop)
        if ahead and (ahead == after or not nodes):
            raise ShopUnavailable("the pages of orders go round", shop=self._http.shop)
        return nodes, ahead

    def _fetched(self, asked: dict[str, Any]) -> dict[str, Any]:
        while True:
            try:
                data, cost = ask_counted(self._http, ORDERS, {**asked, "first": self._size})
            except ShopUnavailable as error:
                if not _is_too_much(error) or self._size // 2 < SMALLEST_PAGE:
                    raise
                self._size = self._largest = self._size // 2
                continue
            if cost > 0:
                affordable = int(self._size * LARGEST_COST / cost)
                self._size = max(min(affordable, self._largest), 1)
            return data

    def counted(self, search: str) -> int:
        """How many orders a search finds."""
        return self._count(ask(self._http, ORDERS_COUNT, {"search": search}).get("ordersCount"))

    def counted_each(self, searches: Sequence[str]) -> Sequence[int]:
        """How many orders each search finds, asked for at once: `COUNTS_AT_ONCE` at most."""
        asked = {f"s{n}": search for n, search in enumerate(searches)}
        found = ask(self._http, counting(len(searches)), asked)
        return [self._count(found.get(f"c{n}")) for n in range(len(searches))]

    def _count(self, found: object) -> int:
        if not isinstance(found, dict) or found.get("precision") != "EXACT":
            raise ShopUnavailable("the shop doesn't count its orders", shop=self._http.shop)
        return int(found["count"])


def _is_too_much(error: ShopUnavailable) -> bool:
    """Whether the shop gave up over this page; a 5xx was tried again before."""
    return "codes" in error.evidence or error.evidence.get("status") in (500, 502, 504)


def _placed(begin: datetime | None, end: datetime | None = None) -> str:
    """The search for orders placed from `begin` until before `end`."""
    since = f"processed_at:>='{_stamp(begin)}'" if begin else ""
    until = f" processed_at:<'{_stamp(end)}'" if end else ""
    return since + until


def _stamp(instant: datetime) -> str:
    """The instant's second, or the next: orders lie on whole seconds, so none changes sides."""
    second = (instant + timedelta(microseconds=999_999)).astimezone(UTC)
    return second.strftime("%Y-%m-%dT%H:%M:%SZ")
