"""GraphQL's orders in the form that REST gives them, for the parser that reads both.

The documents ask for every field under its REST name (`documents.py`); what is left is to join an
order with what belongs to it, which comes as connections, as lines of a bulk result, or by itself.
A connection that isn't known to be whole stays as it is: the parser refuses the order, by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: An object out of an answer, or whatever else stands in its place.
Node = Any

ORDER_LISTS = ("line_items", "shipping_lines")
REFUND_LISTS = (
    "refund_line_items",
    "refund_shipping_lines",
    "order_adjustments",
    "transactions",
)


class Children(NamedTuple):
    """What belongs to an order. `refunds` are whole: `refund_payload` made them."""

    lines: Sequence[Node]
    shipping_lines: Sequence[Node]
    refunds: Sequence[Node]


def order_payload(node: Mapping[str, Any], children: Children) -> dict[str, Any]:
    """An order as REST has it, for `parse.parse_orders`."""
    return {
        **node,
        "line_items": children.lines,
        "shipping_lines": children.shipping_lines,
        "refunds": children.refunds,
    }


def refund_payload(node: Mapping[str, Any]) -> dict[str, Any]:
    """A refund as REST has it."""
    return {**node, **{name: listed(node.get(name)) for name in REFUND_LISTS}}


def refund_ids(node: Node) -> list[str]:
    """Which refunds an order has; none where that can't be read."""
    refunds = node.get("refunds") if isinstance(node, dict) else None
    found = [_text(refund, "id") for refund in refunds] if isinstance(refunds, list) else []
    return [refund_id for refund_id in found if refund_id]


def refunds_of(node: Mapping[str, Any], found: Mapping[str, Node]) -> Node:
    """An order's refunds, each as it was found by its id. What can't be read stays as it is."""
    refunds, ids = node.get("refunds"), refund_ids(node)
    whole = isinstance(refunds, list) and len(ids) == len(refunds)
    return [found.get(refund_id) for refund_id in ids] if whole else refunds


def listed(connection: Node) -> Node:
    """The nodes of a connection that is known to be whole; anything else as it is."""
    if isinstance(connection, dict) and following(connection) == "":
        return connection.get("nodes")
    return connection


def following(connection: Node) -> str | None:
    """The cursor behind a connection's nodes: empty at its end, None where it can't be told."""
    info = connection.get("pageInfo") if isinstance(connection, dict) else None
    if isinstance(info, dict) and info.get("hasNextPage") is False:
        return ""
    return _text(info, "endCursor") or None


def _text(value: object, key: str) -> str:
    text = value.get(key) if isinstance(value, dict) else None
    return text if isinstance(text, str) else ""
