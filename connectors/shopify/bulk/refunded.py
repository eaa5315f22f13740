"""What is in the refunds of a share's orders, which no bulk query reaches.

By REST where it answers: 250 orders a call, while GraphQL counts points for each refund, and those
of a shop on the smallest plan run out at a hundred a second
(https://shopify.dev/docs/api/usage/limits, 2026-11-29). By GraphQL all that REST doesn't tell:
where the app may not use it, and of orders paid in another currency, as REST names their payments.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from connectors.errors import AuthenticationError, RequestRefused, ShopUnavailable
from connectors.http import Http
from connectors.shopify.children import whole_refunds
from connectors.shopify.nodes import Node
from connectors.shopify.orders_rest import LARGEST_PAGE, PATH

log = logging.getLogger(__name__)

REFUND = "gid://shopify/Refund/"


class Wanted(NamedTuple):
    """An order's number, the ids of its refunds, and whether it was paid in the shop's currency."""

    order: str
    refunds: Sequence[str]
    in_shop_currency: bool


class Refunded:
    """The refunds of one shop. Once REST has refused, it isn't asked again."""

    def __init__(self, http: Http) -> None:
        self.shop = http.shop
        self._http = http
        self._by_rest = True

    def of(self, orders: Iterable[Wanted]) -> Mapping[str, Node]:
        """Refunds as REST has them, by GraphQL id. One that is gone by now is missing."""
        wanted = [order for order in orders if order.refunds]
        found = self._told([order.order for order in wanted if order.in_shop_currency])
        left = [one for order in wanted for one in order.refunds if one not in found]
        return {**found, **whole_refunds(self._http, left)}

    def _told(self, numbers: Sequence[str]) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for start in range(0, len(numbers), LARGEST_PAGE):
            if self._by_rest:
                found.update(self._page(numbers[start : start + LARGEST_PAGE]))
        return found

    def _page(self, numbers: Sequence[str]) -> Iterable[tuple[str, Node]]:
        asked = {"status": "any", "fields": "id,refunds", "limit": str(LARGEST_PAGE)}
        try:
            answer = self._http.get(
                PATH, params=[*asked.items(), ("ids", ",".join(numbers))], attempts=2
            )
        except (AuthenticationError, RequestRefused, ShopUnavailable) as error:
            log.info("refunds_by_graphql shop=%s reason=%s", self.shop, type(error).__name__)
            self._by_rest = False
            return ()
        return _refunds(answer.data)


def _refunds(data: object) -> Iterator[tuple[str, Node]]:
    """The refunds of an answer by their GraphQL ids; what can't be read is left to GraphQL."""
    orders = data.get("orders") if isinstance(data, dict) else None
    for order in orders if isinstance(orders, list) else ():
        refunds = order.get("refunds") if isinstance(order, dict) else None
        for refund in refunds if isinstance(refunds, list) else ():
            if isinstance(refund, dict) and type(refund.get("id")) is int:
                yield f"{REFUND}{refund['id']}", refund
