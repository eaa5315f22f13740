"""A bulk query's result, object by object: parents and children, told apart by `__parentId`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from graphql import (
    ArgumentNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    IntValueNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_named_type,
    parse,
    visit,
)

from connectors.sandbox.shopify.bulk.shape import Walk
from connectors.sandbox.shopify.money import Json
from connectors.sandbox.shopify.pages import LARGEST_PAGE
from connectors.sandbox.shopify.schema import schema

Run = Callable[[DocumentNode, Json], ExecutionResult]
ROOTS_A_PAGE = 250
EVERYTHING = 1_000_000
_AFTER = "bulkAfter"


class Denied(Exception):
    """The app lacks a scope that the query needs."""


class Broken(Exception):
    """The query failed while it ran."""


@dataclass(frozen=True, slots=True)
class Family:
    """A root object and what hangs on it, each as its line of the result."""

    root: Json
    children: list[Json]


def families(document: DocumentNode, operation: OperationDefinitionNode, run: Run) -> list[Family]:
    """Every root object of a bulk query with its children. Raises Denied or Broken."""
    paged = _paged(document)
    names = [(f.alias or f.name).value for f in Walk(document).fields(operation.selection_set)]
    found: list[Family] = []
    after: str | None = None
    token = LARGEST_PAGE.set(EVERYTHING)
    try:
        while True:
            data = _data(run(paged, {_AFTER: after}))
            (page,) = [data[name] for name in names]
            found += [_family(edge["node"]) for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]
    finally:
        LARGEST_PAGE.reset(token)


def _data(result: ExecutionResult) -> Json:
    for error in result.errors or ():
        if (error.extensions or {}).get("code") == "ACCESS_DENIED":
            raise Denied(error.message)
        raise Broken(error.message)
    return dict(result.data or {})


def _family(node: Json) -> Family:
    root, *children = _lines(node, None)
    return Family(root, children)


def _lines(node: Json, parent: str | None) -> Iterator[Json]:
    own, lists = _parted(node)
    yield own if parent is None else {**own, "__parentId": parent}
    for edges in lists:
        for edge in edges:
            yield from _lines(edge["node"], node["id"])


def _parted(value: Json) -> tuple[Json, list[list[Json]]]:
    """An object without its connections, and their edges."""
    own, lists = {}, []
    for name, part in value.items():
        if isinstance(part, dict) and "edges" in part:
            lists.append(part["edges"])
        elif isinstance(part, dict):
            own[name], below = _parted(part)
            lists += below
        else:
            own[name] = part
    return own, lists


# ------------------------------------------------------------------ the query as it is run


def _paged(document: DocumentNode) -> DocumentNode:
    """The same query with sizes: pages of roots, and all children of each."""
    types = TypeInfo(schema())
    whole: DocumentNode = visit(document, TypeInfoVisitor(types, _Sizes(types)))
    return whole


class _Sizes(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        type_ = get_named_type(self._types.get_type())
        if type_ is None or not type_.name.endswith("Connection"):
            return None
        parent = self._types.get_parent_type()
        return _root(node) if parent is schema().query_type else _sized(node, EVERYTHING)

    def leave_operation_definition(
        self, node: OperationDefinitionNode, *_: Any
    ) -> OperationDefinitionNode:
        declared = _operation(f"query (${_AFTER}: String) {{ x }}").variable_definitions
        return replace(node, variable_definitions=declared)


def _root(node: FieldNode) -> FieldNode:
    """With a page's size and place, and asked whether there is more."""
    info = _operation("{ pageInfo { hasNextPage endCursor } }").selection_set.selections
    sized = _sized(node, ROOTS_A_PAGE)
    after = ArgumentNode(
        name=NameNode(value="after"), value=VariableNode(name=NameNode(value=_AFTER))
    )
    return replace(
        sized,
        arguments=(*(sized.arguments or ()), after),
        selection_set=SelectionSetNode(selections=(*_selections(node), *info)),
    )


def _sized(node: FieldNode, size: int) -> FieldNode:
    own = ("first", "last", "after", "before")
    kept = (a for a in node.arguments or () if a.name.value not in own)
    first = ArgumentNode(name=NameNode(value="first"), value=IntValueNode(value=str(size)))
    return replace(node, arguments=(*kept, first))


def _selections(node: FieldNode) -> Sequence[SelectionNode]:
    return node.selection_set.selections if node.selection_set else ()


def _operation(text: str) -> OperationDefinitionNode:
    return cast(OperationDefinitionNode, parse(text).definitions[0])
