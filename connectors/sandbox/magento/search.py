"""Magento's searchCriteria: read from a query string, turned into SQL over the books.

https://developer.adobe.com/commerce/webapi/rest/use-rest/performing-searches/ and what 2.4.7-p3
was seen to do beyond it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from connectors.sandbox.magento.errors import MagentoError, required, unsupported

_KEY = re.compile(r"\[([^\]]*)\]")
_SNAKE = re.compile(r"(?<!^)(?=[A-Z])")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?")
_NUMBER = re.compile(r"\s*[-+]?\d+")
_KNOWN = {"filter_groups", "sort_orders", "page_size", "current_page"}
_COMPARED = {
    "eq": "=", "neq": "<>", "gt": ">", "gteq": ">=", "moreq": ">=", "from": ">=", "lt": "<",
    "lteq": "<=", "to": "<=", "like": "LIKE",
}  # fmt: skip


class Column(NamedTuple):
    """A field that can be searched: its SQL, and how its values are read."""

    sql: str
    kind: str = "text"


class Filter(NamedTuple):
    field: str
    value: str | None
    condition: str


@dataclass(frozen=True, slots=True)
class Criteria:
    """What was asked for. `page_size` None or 0 means everything."""

    groups: list[list[Filter]] = field(default_factory=list)
    sorts: list[tuple[str, str]] = field(default_factory=list)
    page_size: int | None = None
    current_page: int | None = None

    def echo(self) -> dict[str, Any]:
        """As the answer repeats it: only what was given."""
        groups = [{"filters": [
            {"field": f.field, "value": f.value, "condition_type": f.condition} for f in group
        ]} for group in self.groups]  # fmt: skip
        echoed: dict[str, Any] = {"filter_groups": groups}
        if self.sorts:
            echoed["sort_orders"] = [{"field": f, "direction": d} for f, d in self.sorts]
        if self.page_size is not None:
            echoed["page_size"] = self.page_size
        if self.current_page is not None:
            echoed["current_page"] = self.current_page
        return echoed

    def window(self, total: int | None = None) -> tuple[int, int]:
        """LIMIT and OFFSET; pages below one are the first, a negative size is one row.

        `total` where no page lies behind the last: 2.3 shows that one again and again.
        """
        if not self.page_size:
            return -1, 0
        size, page = max(self.page_size, 1), max(self.current_page or 1, 1)
        if total is not None:
            page = min(page, max(-(-total // size), 1))
        return size, (page - 1) * size


def parse(query: str, limits: Mapping[str, Any]) -> Criteria:
    """Read the criteria of a raw query string. Raises MagentoError (400) as Magento does.

    `limits`: {"on": bool, "max": int, "default": int}, the input limiting of the web API.
    """
    tree = _tree(query)
    if tree is None:
        raise required("searchCriteria")
    for key in tree:
        if key not in _KNOWN:
            raise unsupported(key)
    criteria = Criteria(
        [_group(group) for group in _children(tree.get("filter_groups"))],
        [_sort(sort) for sort in _children(tree.get("sort_orders"))],
        _integer("pageSize", tree.get("page_size")),
        _integer("currentPage", tree.get("current_page")),
    )
    return _limited(criteria, limits)


def _tree(query: str) -> dict[str, Any] | None:
    """The nested criteria with snake_case keys; None where the query has none at all."""
    root: dict[str, Any] | None = None
    for name, value in parse_qsl(query, keep_blank_values=True):
        head, bracket, _ = name.partition("[")
        if _snake(head) != "search_criteria":
            continue
        root = {} if root is None else root
        node, path = root, [_snake(key) for key in _KEY.findall(name)]
        for key in path[:-1]:
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        if bracket and path:
            node[path[-1]] = value
    return root


def _snake(name: str) -> str:
    return _SNAKE.sub("_", name).lower()


def _children(node: Any) -> list[dict[str, Any]]:
    if not isinstance(node, dict):
        return []
    return [node[key] for key in sorted(node, key=lambda k: int(k) if k.isdigit() else 0)]


def _group(node: dict[str, Any]) -> list[Filter]:
    return [
        Filter(f.get("field", ""), f.get("value"), f.get("condition_type") or "eq")
        for f in _children(node.get("filters"))
    ]


def _sort(node: dict[str, Any]) -> tuple[str, str]:
    direction = str(node.get("direction") or "DESC").upper()
    if direction not in ("ASC", "DESC"):
        message = (
            "The sort order has to be specified as %1 for ascending order or %2 for "
            "descending order."
        )
        raise MagentoError(400, message, ["ASC", "DESC"])
    return str(node.get("field", "")), direction


def _integer(name: str, given: Any) -> int | None:
    if given is None:
        return None
    text = str(given)
    if not re.fullmatch(r"-?\d+", text):
        raise MagentoError(
            400,
            f'Error occurred during "{name}" processing. The "{text}" value\'s type is invalid. '
            'The "int" type was expected. Verify and try again.',
        )
    return int(text)


def _limited(criteria: Criteria, limits: Mapping[str, Any]) -> Criteria:
    if not limits["on"]:
        return criteria
    if criteria.page_size is None:
        return Criteria(criteria.groups, criteria.sorts, limits["default"], criteria.current_page)
    if criteria.page_size > limits["max"]:
        message = "Maximum SearchCriteria pageSize is %max"
        raise MagentoError(400, message, {"max": limits["max"]})
    return criteria


def where(criteria: Criteria, columns: Mapping[str, Column]) -> tuple[str, list[object]]:
    """The WHERE of the groups (ORs joined by AND) and its values. KeyError for unknown fields."""
    parts, values = [], []
    for group in criteria.groups:
        ors = []
        for one in group:
            sql, given = _condition(columns[one.field], one)
            ors.append(sql)
            values += given
        parts.append(f"({' OR '.join(ors) or '1'})")
    return " AND ".join(parts) or "1", values


def _condition(column: Column, one: Filter) -> tuple[str, list[object]]:
    if one.condition in ("null", "notnull"):
        return f"{column.sql} IS {'NOT ' if one.condition == 'notnull' else ''}NULL", []
    if one.value is None:
        return "0", []
    if one.condition in ("in", "nin"):
        options: list[object] = [_value(column, text) for text in one.value.split(",")]
        sign = "NOT IN" if one.condition == "nin" else "IN"
        return f"{column.sql} {sign} ({', '.join('?' * len(options))})", options
    sign = _COMPARED.get(one.condition, "=")
    text = one.value if sign == "LIKE" else _value(column, one.value)
    return f"{column.sql} {sign} ?", [text]


def _value(column: Column, text: str) -> object:
    """As MySQL would read it: garbage is 0, or the zero date; offsets of times are ignored."""
    if column.kind == "number":
        found = _NUMBER.match(text)
        return int(found.group()) if found else 0
    if column.kind == "date":
        date = _DATE.match(text.strip())
        return f"{date[1]} {date[2] or '00:00:00'}" if date else "0000-00-00 00:00:00"
    return text.lower() if column.kind == "lower" else text


def order_by(criteria: Criteria, columns: Mapping[str, Column], natural: str) -> str:
    """The ORDER BY; KeyError for unknown fields."""
    given = [f"{columns[name].sql} {direction}" for name, direction in criteria.sorts]
    return ", ".join([*given, natural])
