from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from graphql import (
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_composite_type,
    parse,
    validate,
    visit,
)

from connectors.shopify.documents import (
    CHANGES_A_PUSH,
    CUSTOMER_COST,
    CUSTOMERS,
    CUSTOMERS_A_PAGE,
    LARGEST_COST,
    MUTATION_COST,
    SHOP,
    SHOWN,
    writing,
)

WRITES = writing(["set0", "delete0", "remove0", "add0", "set23", "add23"])


@pytest.fixture(scope="module")
def schema(shared: Path) -> GraphQLSchema:
    packed = (shared / "schema" / "shopify" / "admin_2026-10.graphql.gz").read_bytes()
    return build_schema(gzip.decompress(packed).decode(), assume_valid=True, no_location=True)


@pytest.mark.parametrize("document", [SHOP, CUSTOMERS, SHOWN, WRITES])
def test_every_document_is_valid_against_the_real_schema(
    schema: GraphQLSchema, document: str
) -> None:
    assert validate(schema, parse(document)) == []


def test_a_misspelt_field_would_be_found(schema: GraphQLSchema) -> None:
    assert validate(schema, parse(CUSTOMERS.replace("tags", "tagz")))


class Objects(Visitor):
    """Counts fields that are objects, deprecated ones apart."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.names: list[str] = []
        self.deprecated: list[str] = []

    def enter_field(self, node: object, *_: object) -> None:
        field = self.info.get_field_def()
        assert field
        if is_composite_type(get_named_type(field.type)):
            self.names.append(node.name.value)  # type: ignore[attr-defined]
        if field.deprecation_reason:
            self.deprecated.append(node.name.value)  # type: ignore[attr-defined]


def objects(schema: GraphQLSchema, document: str) -> Objects:
    info = TypeInfo(schema)
    seen = Objects(info)
    visit(parse(document), TypeInfoVisitor(info, seen))
    return seen


def test_a_page_of_customers_stays_within_the_cost_limit(schema: GraphQLSchema) -> None:
    names = objects(schema, CUSTOMERS).names
    a_customer = [name for name in names if name not in ("customers", "pageInfo")]
    assert len(a_customer) == CUSTOMER_COST  # the node itself and all objects below it
    assert 2 + CUSTOMERS_A_PAGE * CUSTOMER_COST <= LARGEST_COST


def test_a_push_stays_within_the_cost_limit() -> None:
    assert CHANGES_A_PUSH * 4 * MUTATION_COST <= LARGEST_COST
    assert CHANGES_A_PUSH * CUSTOMER_COST <= LARGEST_COST


def test_no_deprecated_field_is_asked_for(schema: GraphQLSchema) -> None:
    assert objects(schema, SHOP + CUSTOMERS + SHOWN).deprecated == []


def test_customer_update_which_overwrites_all_tags_is_never_used() -> None:
    assert "customerUpdate" not in SHOP + CUSTOMERS + SHOWN + WRITES
