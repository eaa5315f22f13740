"""What a GraphQL document costs, near enough to Shopify's own count.

An object costs 1, a mutation 10, a count 10, plain fields and money nothing; a connection of n
costs 2 + max(1, floor(2 ln n)) times what one node costs. Documented in part
(https://shopify.dev/docs/api/usage/limits, 2026-11-21); the logarithm fits recorded answers of
2025-01 to 2026-04 (first: 5, 10, 50 and 250). Fragments count by their dearest type.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

FREE = {"MoneyV2", "MoneyBag", "PageInfo"}
MUTATION = COUNT = 10
LARGEST = 1000


def size_weight(size: int) -> int:
    """How many nodes a connection of `size` is counted as."""
    return max(1, math.floor(2 * math.log(size))) if size > 1 else max(size, 0)


@dataclass(frozen=True, slots=True)
class Cost:
    """Counts one document: before it runs (without `data`), and by what it brought."""

    schema: GraphQLSchema
    document: DocumentNode
    variables: Mapping[str, Any]

    def of(self, operation: OperationDefinitionNode, data: Any = None) -> int:
        if operation.operation is OperationType.MUTATION:
            return MUTATION * len(operation.selection_set.selections)
        return self._selection(operation.selection_set, self._root(), data)

    def _root(self) -> GraphQLCompositeType:
        return cast(GraphQLCompositeType, self.schema.query_type)

    def _selection(self, node: SelectionSetNode, parent: GraphQLCompositeType, data: Any) -> int:
        """Plain fields add up; of fragments on different types the dearest counts."""
        plain, by_type = 0, defaultdict[str, int](int)
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                plain += self._field(selection, parent, data)
            else:
                type_, inner = self._fragment(selection, parent)
                by_type[type_.name] += self._selection(inner, type_, data)
        return plain + max(by_type.values(), default=0)

    def _fragment(
        self, node: Any, parent: GraphQLCompositeType
    ) -> tuple[GraphQLCompositeType, SelectionSetNode]:
        if isinstance(node, FragmentSpreadNode):
            node = next(d for d in self._fragments() if d.name.value == node.name.value)
        elif isinstance(node, InlineFragmentNode) and node.type_condition is None:
            return parent, node.selection_set
        found = self.schema.type_map[node.type_condition.name.value]
        return cast(GraphQLCompositeType, found), node.selection_set

    def _fragments(self) -> Iterator[FragmentDefinitionNode]:
        return (d for d in self.document.definitions if isinstance(d, FragmentDefinitionNode))

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, data: Any) -> int:
        field = self._definition(node, parent)
        type_ = get_named_type(field.type) if field else None
        if node.selection_set is None or not is_composite_type(type_):
            return 0
        if type_.name == "Count":
            return COUNT
        answer = (node.alias or node.name).value
        found = data.get(answer) if isinstance(data, dict) else None
        if type_.name.endswith("Connection"):
            return self._connection(node, type_, found)
        own = 0 if type_.name in FREE else 1
        return own + self._selection(node.selection_set, type_, found)

    def _definition(self, node: FieldNode, parent: GraphQLCompositeType) -> GraphQLField | None:
        fields: Mapping[str, GraphQLField] = getattr(parent, "fields", {})
        return fields.get(node.name.value)

    def _connection(self, node: FieldNode, type_: GraphQLCompositeType, found: Any) -> int:
        """`edges` and `nodes` are the list, whose objects count; the list's size is asked for."""
        weight = size_weight(self._size(node))
        held = _held(found)
        each = sum(
            self._edge(inner, type_)
            for inner in _fields(node.selection_set)
            if inner.name.value in ("edges", "nodes")
        )
        return 2 + each * (weight if held is None else min(weight, held))

    def _edge(self, node: FieldNode, type_: GraphQLCompositeType) -> int:
        if node.name.value == "nodes":
            return self._field(node, type_, None)
        definition = self._definition(node, type_)
        edge = get_named_type(definition.type) if definition else type_
        inner = (f for f in _fields(node.selection_set) if f.selection_set)
        return sum(self._field(f, cast(GraphQLCompositeType, edge), None) for f in inner)

    def _size(self, node: FieldNode) -> int:
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        sized = arguments.get("first") or arguments.get("last")
        size = value_from_ast_untyped(sized, dict(self.variables)) if sized else 0
        return size if isinstance(size, int) else 0


def _fields(node: SelectionSetNode | None) -> Sequence[FieldNode]:
    return [s for s in node.selections if isinstance(s, FieldNode)] if node else []


def _held(found: Any) -> int | None:
    """How many nodes an answered connection holds; None before it is answered."""
    if not isinstance(found, dict):
        return None
    lists = [value for value in found.values() if isinstance(value, list)]
    return max((len(value) for value in lists), default=0)
