"""What a page of orders leaves open: whole refunds, and the rest of long orders.

Refunds are fetched by their ids, because neither a page of orders (it would cost too much) nor a
bulk operation (it takes no connection inside a list) brings what is in them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from connectors.errors import ShopUnavailable
from connectors.http import Http
from connectors.shopify.documents import (
    LARGEST_COST,
    LARGEST_INPUT,
    MORE_OF_ORDERS,
    MORE_ROWS,
    REFUNDS,
    REFUNDS_AT_ONCE,
    ROWS_AT_ONCE,
)
from connectors.shopify.graphql import ask, ask_counted
from connectors.shopify.nodes import (
    ORDER_LISTS,
    REFUND_LISTS,
    Children,
    Node,
    following,
    listed,
    order_payload,
    refund_ids,
    refund_payload,
    refunds_of,
)


def whole_orders(http: Http, nodes: Sequence[Node]) -> list[Node]:
    """A page of orders as REST has them, each with all that belongs to it."""
    refunds = whole_refunds(http, [one for node in nodes for one in refund_ids(node)])
    return [_whole_order(http, node, refunds) if isinstance(node, dict) else node for node in nodes]


def _whole_order(http: Http, node: Node, refunds: Mapping[str, Node]) -> Node:
    node = _completed(http, node, ORDER_LISTS, (MORE_OF_ORDERS, {}))
    lines, shipping_lines = (listed(node.get(name)) for name in ORDER_LISTS)
    return order_payload(node, Children(lines, shipping_lines, refunds_of(node, refunds)))


def whole_refunds(http: Http, ids: Sequence[str]) -> dict[str, Node]:
    """Refunds as REST has them, by GraphQL id. One that is gone by now is missing.

    As many at once as the shop's own count of their cost allows.
    """
    found: dict[str, Node] = {}
    size, left = REFUNDS_AT_ONCE, list(ids)
    while left:
        some, left = left[:size], left[size:]
        data, cost = ask_counted(http, REFUNDS, {"ids": some, "first": ROWS_AT_ONCE})
        for refund_id, node in zip(some, _nodes(http, data, len(some)), strict=True):
            if isinstance(node, dict):
                more = (REFUNDS, {"first": MORE_ROWS})
                found[refund_id] = refund_payload(_completed(http, node, REFUND_LISTS, more))
        if cost > 0:
            size = min(max(int(len(some) * LARGEST_COST / cost), 1), LARGEST_INPUT)
    return found


def by_id(http: Http, document: str, variables: Mapping[str, Any]) -> list[Node]:
    """The nodes of the variable `ids` in their order, None for each that isn't there."""
    return _nodes(http, ask(http, document, variables), len(variables["ids"]))


def _nodes(http: Http, data: Mapping[str, Any], asked_for: int) -> list[Node]:
    nodes = data.get("nodes")
    if not isinstance(nodes, list) or len(nodes) != asked_for:
        raise ShopUnavailable("the answer doesn't hold what was asked for by id", shop=http.shop)
    return nodes


def _completed(
    http: Http, node: Node, names: Collection[str], more: tuple[str, Mapping[str, Any]]
) -> Node:
    """The node, its connections `names` read to their ends by the document `more`."""
    document, variables = more
    while cursors := {name: after for name in names if (after := following(node.get(name)))}:
        (rest,) = by_id(http, document, {"ids": [node.get("id")], **variables, **cursors})
        if not isinstance(rest, dict):
            return node  # gone by now; what isn't whole is refused
        node = {**node, **{name: _joined(http, node[name], rest.get(name)) for name in cursors}}
    return node


def _joined(http: Http, begun: Node, rest: Node) -> Node:
    if following(rest) == following(begun):
        raise ShopUnavailable("the pages of an order's rows go round", shop=http.shop)
    if not isinstance(rest, dict) or not isinstance(rest.get("nodes"), list):
        return rest  # refused later, by name
    return {**rest, "nodes": [*begun["nodes"], *rest["nodes"]]}
