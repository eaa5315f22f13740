"""The served schema is a true part of Shopify's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
    validate_schema,
)

from connectors.sandbox.shopify.graphql import schema
from connectors.shopify import documents
from tests.shopify.excerpt import whole_schema

OURS = sorted(name for name in schema().type_map if not name.startswith("__"))
BUILT_IN = {"Boolean", "Float", "ID", "Int", "String"}


@pytest.fixture(scope="module")
def real(shared: Path) -> GraphQLSchema:
    return whole_schema((shared / "schema/shopify/admin_2026-10.graphql.gz").read_bytes())


def facts(field: Any) -> tuple[Any, ...]:
    """A field's or an input's type, arguments and defaults, as text."""
    arguments = getattr(field, "args", {})
    default = getattr(field, "default", None)
    return (
        str(field.type),
        {name: facts(argument) for name, argument in arguments.items()},
        default and default.literal and default.literal.value,
    )


def test_the_served_schema_is_valid() -> None:
    assert validate_schema(schema()) == []


@pytest.mark.parametrize("name", [name for name in OURS if name not in BUILT_IN])
def test_every_served_type_is_as_in_the_real_schema(name: str, real: GraphQLSchema) -> None:
    ours, theirs = schema().type_map[name], real.type_map[name]
    assert type(ours) is type(theirs)
    if isinstance(ours, GraphQLEnumType):
        assert list(ours.values) == list(theirs.values)  # type: ignore[attr-defined]
    for field_name, field in getattr(ours, "fields", {}).items():
        assert facts(field) == facts(theirs.fields[field_name]), field_name  # type: ignore[attr-defined]
    interfaces = {i.name for i in getattr(ours, "interfaces", ())}
    assert interfaces <= {i.name for i in getattr(theirs, "interfaces", ())}


@pytest.mark.parametrize(
    "document",
    [
        documents.SHOP,
        documents.CUSTOMERS,
        documents.SHOWN,
        documents.writing(["set0", "delete0", "remove0", "add0", "set1", "add1"]),
    ],
    ids=["shop", "customers", "shown", "writing"],
)
def test_what_the_connector_sends_is_served(document: str) -> None:
    assert validate(schema(), parse(document)) == []


@pytest.mark.parametrize(
    "name",
    [
        "SetClv", "TagAdd", "TagRemove", "SwapTags", "RunBulk", "PollBulk", "Stage",
        "RunBulkMutation", "Define", "Seg", "Filters",
    ],
)  # fmt: skip
def test_the_example_operations_are_served(name: str, shared: Path) -> None:
    text = (shared / "schema/shopify/example_operations.graphql").read_text(encoding="utf-8")
    wanted = [
        d
        for d in parse(text).definitions
        if isinstance(d, OperationDefinitionNode) and d.name and d.name.value == name
    ]
    assert len(wanted) == 1
    assert validate(schema(), DocumentNode(definitions=tuple(wanted))) == []
