"""An order and what belongs to it, out of a share's lines, as JSON has them: the careful way."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from connectors.shopify.bulk.jsonl import PARENT, Unsound, order_of
from connectors.shopify.nodes import Node

#: An order, its lines and shippings as they came.
Family = tuple[dict[str, Any], list[Node]]


def families(share: bytes, only: Container[str] | None = None) -> Iterator[Family]:
    """The orders of a share (`only` those of these numbers), put together. Raises Unsound."""
    roots: dict[bytes, bytes] = {}
    children: dict[bytes, list[bytes]] = {}
    for line in share.split(b"\n") if share else ():
        order = order_of(line)
        if only is not None and order.decode() not in only:
            continue
        if PARENT in line:
            children.setdefault(order, []).append(line)
        elif order in roots:
            raise Unsound("an order is there twice")
        else:
            roots[order] = line
    if not children.keys() <= roots.keys():
        raise Unsound("an order is missing")
    for order, line in roots.items():
        yield _family([line, *children.get(order, ())])


def _family(lines: Sequence[bytes]) -> Family:
    """The children by their ids: that is the order in which they stand in an order."""
    try:
        root, *children = _decode(f"[{b','.join(lines).decode()}]")
        by_id = {child["id"]: child for child in children}
        numbered = sorted(by_id, key=lambda row_id: int(row_id.rpartition("/")[2]))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise Unsound("a line can't be read") from None
    if len(by_id) < len(children) or not isinstance(root, dict):
        raise Unsound("a row is there twice")
    return root, [by_id[row_id] for row_id in numbered]


def by_kind(children: Iterable[Node]) -> tuple[list[Node], list[Node]]:
    """An order's lines and its shippings. Raises Unsound for anything else."""
    kinds: dict[str, list[Node]] = {"LineItem": [], "ShippingLine": []}
    for child in children:
        kind = child.get("__typename")
        if not isinstance(kind, str) or kind not in kinds:
            raise Unsound("a row is of an unknown kind")
        kinds[kind].append(child)
    return kinds["LineItem"], kinds["ShippingLine"]


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number).decode
