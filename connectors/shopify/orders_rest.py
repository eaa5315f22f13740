"""Orders over REST, for apps that can't ask GraphQL for them.

Inside a run the shop's own next-page links lead on. With a link only `limit` may be changed
(https://shopify.dev/docs/api/admin-rest/usage/pagination, 2026-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.errors import ShopUnavailable
from connectors.http import Answer, Http
from connectors.shopify.documents import API_VERSION
from connectors.shopify.graphql import compare_version
from connectors.shopify.orders import Listed
from connectors.shopify.parse import ORDER_FIELDS

PATH = f"/admin/api/{API_VERSION}/orders.json"
COUNT_PATH = f"/admin/api/{API_VERSION}/orders/count.json"
LARGEST_PAGE = 250
SMALLEST_PAGE = 15

Params = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RestOrders:
    """The orders of one shop as REST lists them."""

    http: Http

    def count(self, since: datetime | None) -> int | None:
        data = self.http.get(COUNT_PATH, params=[("status", "any"), *_placed(since)]).data
        count = data.get("count") if isinstance(data, dict) else None
        return count if isinstance(count, int) else None

    def behind(self, last_id: int, since: datetime | None) -> Iterator[Listed]:
        return self._listed([*_placed(since), ("since_id", str(last_id))])

    def changed(self, start: datetime) -> Iterator[Listed]:
        return self._listed([("updated_at_min", start.isoformat()), ("order", "updated_at asc")])

    def _listed(self, filters: Params) -> Iterator[Listed]:
        """Each page's rows, and whether another follows. ShopUnavailable where they go round."""
        params = [("status", "any"), *filters, ("fields", ORDER_FIELDS)]
        limit, link, seen = LARGEST_PAGE, "", set[str]()
        while True:
            answer, limit = self._fetched(params, link, limit)
            rows = self._rows(answer)
            link = _next_link(answer)
            if link in seen:
                raise ShopUnavailable("the pages of orders go round", shop=self.http.shop)
            seen.add(link)
            yield rows, bool(link)
            if not link:
                return

    def _fetched(self, params: Params, link: str, limit: int) -> tuple[Answer, int]:
        """A page, and the size that worked: the shop is known to fail over pages of fat orders."""
        while True:
            try:
                if link:
                    return self.http.follow(_with_limit(link, limit)), limit
                return self.http.get(PATH, params=[*params, ("limit", str(limit))]), limit
            except ShopUnavailable as error:
                if error.evidence.get("status") != 500 or limit // 2 < SMALLEST_PAGE:
                    raise
                limit //= 2

    def _rows(self, answer: Answer) -> list[Any]:
        compare_version(self.http.shop, answer)
        rows = answer.data.get("orders") if isinstance(answer.data, dict) else None
        if not isinstance(rows, list):
            raise ShopUnavailable("the answer holds no list of orders", shop=self.http.shop)
        return rows


def _placed(since: datetime | None) -> Params:
    """An order is created when it was placed, or later: where it was imported."""
    return [("created_at_min", since.isoformat())] if since else []


def _next_link(answer: Answer) -> str:
    """The address of the next page, empty on the last."""
    found = re.search(r'<([^<>]+)>\s*;\s*rel="?next"?', answer.headers.get("link", ""))
    return found[1] if found else ""


def _with_limit(link: str, limit: int) -> str:
    """The link with our own page size: the one thing that may be changed in it."""
    return re.sub(r"([?&]limit=)\d+", rf"\g<1>{limit}", link)
