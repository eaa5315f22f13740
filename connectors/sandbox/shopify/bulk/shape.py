"""What a bulk query may look like, and the words that refuse it (recorded 2026-04).

https://shopify.dev/docs/api/usage/bulk-operations/queries (2026-11-21)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    get_operation_ast,
    is_list_type,
    parse,
    validate,
)

from connectors.sandbox.shopify.rules import RULES
from connectors.sandbox.shopify.schema import schema

MOST_CONNECTIONS = 5
DEEPEST = 2

_NODES = (
    "All connection fields in a bulk query must select their contents using 'edges' > 'node', "
    "e.g: '{0} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. "
    "Invalid connection fields: '{1}'."
)
_WITHOUT_ID = (
    "The parent 'node' field for a nested connection must select the 'id' field without an alias "
    "and must be of 'ID' return type. Connection fields without 'id': {}."
)
_IN_A_LIST = (
    "Queries that contain a connection field within a list field are not currently supported."
)


class NotBulk(Exception):
    """A query that can't be run in bulk: `reasons` are the messages, in Shopify's words."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(slots=True)
class Shape:
    """What was seen of a query's connections."""

    count: int = 0
    deepest: int = 0
    by_nodes: list[str] = field(default_factory=list)
    without_id: list[str] = field(default_factory=list)
    in_a_list: bool = False

    def reasons(self, roots: list[str]) -> Iterator[str]:
        for name in ("node", "nodes"):
            if name in roots:
                yield f"Bulk queries cannot contain a top level `{name}` field."
        if not self.count:
            yield "Bulk queries must contain at least one connection."
        if self.by_nodes:
            yield _NODES.format(self.by_nodes[0], ", ".join(self.by_nodes))
        if self.in_a_list:
            yield _IN_A_LIST
        if self.count > MOST_CONNECTIONS:
            yield f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
        if self.deepest > DEEPEST:
            yield (
                "Bulk queries cannot contain connections with a nesting depth greater than "
                f"{DEEPEST}."
            )
        if self.without_id:
            yield _WITHOUT_ID.format(", ".join(self.without_id))


@lru_cache(maxsize=64)
def bulk_query(text: str) -> tuple[DocumentNode, OperationDefinitionNode]:
    """A query that may run in bulk. Raises NotBulk with all reasons against it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        raise NotBulk(f"Invalid bulk query: {error.message}") from None
    operation = get_operation_ast(document)
    if operation is None:
        raise NotBulk("Invalid bulk query: it must hold exactly one operation.")
    if operation.operation is not OperationType.QUERY:
        raise NotBulk("Invalid operation type. Only `query` operations are supported.")
    errors = validate(schema(), document, RULES)
    if errors:
        raise NotBulk(*(f"Invalid bulk query: {error.message}" for error in errors))
    shape, walk = Shape(), Walk(document)
    roots = [name.name.value for name in walk.fields(operation.selection_set)]
    walk.into(operation.selection_set, schema().query_type, Place(), shape)
    if reasons := list(shape.reasons(roots)):
        raise NotBulk(*reasons)
    return document, operation


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a query: how many connections deep, below a list or not."""

    depth: int = -1
    in_a_list: bool = False


class Walk:
    """Goes through a document's fields, fragments included."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }

    def fields(self, selection: SelectionSetNode | None) -> Iterator[FieldNode]:
        """The fields of a selection; those of fragments stand in their place."""
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                yield from self.fields(self._fragments[node.name.value].selection_set)
            else:
                yield from self.fields(getattr(node, "selection_set", None))

    def into(
        self, selection: SelectionSetNode | None, type_: Any, place: Place, shape: Shape
    ) -> None:
        for node in self.fields(selection):
            found = getattr(type_, "fields", {}).get(node.name.value)
            if found is None or node.selection_set is None:
                continue
            named: GraphQLNamedType = get_named_type(found.type)
            if named.name.endswith("Connection"):
                self._connection(node, named, place, shape)
            else:
                inside = place.in_a_list or is_list_type(get_nullable_type(found.type))
                self.into(node.selection_set, named, Place(place.depth, inside), shape)

    def _connection(self, node: FieldNode, type_: Any, place: Place, shape: Shape) -> None:
        depth = place.depth + 1
        shape.count += 1
        shape.deepest = max(shape.deepest, depth)
        shape.in_a_list |= place.in_a_list
        parts = {part.name.value: part for part in self.fields(node.selection_set)}
        if "nodes" in parts:
            shape.by_nodes.append(node.name.value)
            return
        edges = parts.get("edges")
        inner = {p.name.value: p for p in self.fields(edges.selection_set)} if edges else {}
        if "node" not in inner:
            return
        kind = get_named_type(get_named_type(type_.fields["edges"].type).fields["node"].type)
        before = shape.count
        self.into(inner["node"].selection_set, kind, Place(depth), shape)
        if shape.count > before and not self._has_id(inner["node"]):
            shape.without_id.append(node.name.value)

    def _has_id(self, node: FieldNode) -> bool:
        return any(
            one.name.value == "id" and one.alias is None for one in self.fields(node.selection_set)
        )
