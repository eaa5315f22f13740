"""The `fields=` filter: `items[entity_id,items[sku]],total_count` after rendering.

Any character outside \\w[], makes the whole answer `[]`, a space for one (2.4.7-p3).
"""

from __future__ import annotations

import re
from typing import Any

_ALLOWED = re.compile(r"[\w\[\],]*")
_TOKEN = re.compile(r"\w+|[\[\],]")

Tree = dict[str, "Tree"]


def keep(answer: Any, wanted: str) -> Any:
    """`answer` with only the wanted fields; everything for an empty filter."""
    if not wanted:
        return answer
    if not _ALLOWED.fullmatch(wanted):
        return []
    return _pruned(answer, _parsed(wanted))


def _parsed(wanted: str) -> Tree:
    root: Tree = {}
    open_: list[Tree] = [root]
    last: Tree = root
    for token in _TOKEN.findall(wanted):
        if token == "[":  # noqa: S105  a bracket
            open_.append(last)
        elif token == "]":  # noqa: S105
            open_.pop()
        elif token != ",":  # noqa: S105
            last = open_[-1].setdefault(token, {})
    return root


def _pruned(value: Any, tree: Tree) -> Any:
    if not tree:
        return value
    if isinstance(value, list):
        return [_pruned(one, tree) for one in value]
    if isinstance(value, dict):
        return {key: _pruned(one, tree[key]) for key, one in value.items() if key in tree}
    return value
