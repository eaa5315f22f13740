"""Lists as GraphQL connections: which part was asked for, and the cursors around it.

https://shopify.dev/docs/api/usage/pagination-graphql (2026-11-21).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from connectors.sandbox.books import Row
from connectors.sandbox.shopify.money import Json

#: The largest `first` or `last`; a bulk operation knows no such limit.
LARGEST_PAGE: ContextVar[int] = ContextVar("LARGEST_PAGE", default=250)
MakeNodes = Callable[[Sequence[Row]], list[Json]]


@dataclass(frozen=True, slots=True)
class Slice:
    """`first`/`after`, or `last`/`before`."""

    size: int
    cursor: str | None
    backwards: bool


def sliced(arguments: Mapping[str, Any]) -> Slice:
    """Raises GraphQLError as the shop does for a list without a size, or with a wrong one."""
    given = {name: arguments[name] for name in ("first", "last") if arguments.get(name) is not None}
    if len(given) != 1:
        raise _bad("you must provide one of first or last")
    ((name, size),) = given.items()
    largest = LARGEST_PAGE.get()
    if not 0 <= size <= largest:
        raise _bad(f"{name} must be between 0 and {largest}")
    backwards = name == "last"
    return Slice(size, arguments.get("before" if backwards else "after"), backwards)


def cursor_at(last_id: int, last_value: Any) -> str:
    text = json.dumps({"last_id": last_id, "last_value": last_value}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def position(cursor: str) -> tuple[Any, int]:
    """The value and the id that a cursor stands at."""
    try:
        state = json.loads(base64.b64decode(cursor))
        return state["last_value"], int(state["last_id"])
    except (ValueError, KeyError, TypeError):
        raise _bad("Invalid cursor for current pagination sort.") from None


def connection(
    rows: list[Row], slice_: Slice, make: MakeNodes, cursor_of: Callable[[Row], str]
) -> Json:
    """`rows` hold one more than the page, where there is more."""
    more, rows = len(rows) > slice_.size, rows[: slice_.size]
    if slice_.backwards:
        rows.reverse()
    nodes = make(rows)
    cursors = [cursor_of(row) for row in rows]
    edges = [{"cursor": c, "node": n} for c, n in zip(cursors, nodes, strict=True)]
    before = slice_.cursor is not None
    info = {
        "hasNextPage": before if slice_.backwards else more,
        "hasPreviousPage": more if slice_.backwards else before,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
    return {"nodes": nodes, "edges": edges, "pageInfo": info}


def listed(nodes: Sequence[Json], arguments: Mapping[str, Any]) -> Json:
    """A connection over objects at hand in their order, each with its number as `_id`."""
    slice_ = sliced(arguments)
    found = list(nodes)
    if bool(arguments.get("reverse")) != slice_.backwards:
        found.reverse()
    if slice_.cursor:
        _, last = position(slice_.cursor)
        places = (place for place, node in enumerate(found) if node["_id"] == last)
        found = found[next(places, -1) + 1 :]
    return connection(
        found[: slice_.size + 1], slice_, list, lambda n: cursor_at(n["_id"], str(n["_id"]))
    )


def _bad(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})
