"""Every GraphQL document against the part of Shopify's schema that we use, and against its limits.

`admin_2026-10.graphql` is cut out of the real schema by `excerpt.py`; where the whole schema lies
beside the checkout, the documents and the excerpt are held against it, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_composite_type,
    parse,
    validate,
    visit,
)

from connectors.shopify.documents import (
    CHANGES_A_PUSH,
    CUSTOMER_COST,
    CUSTOMERS_A_PAGE,
    LARGEST_COST,
    MORE_ROWS,
    MUTATION_COST,
    ORDERS,
    ORDERS_A_PAGE,
    REFUNDS_AT_ONCE,
    ROWS_AT_ONCE,
)
from tests.shopify.excerpt import documents, excerpt, whole_schema
from tests.shopify.two_doors import schema

DOCUMENTS = documents()

#: How large the variables of a document get, where it has any that say how much is asked for.
SIZES: Mapping[str, tuple[Mapping[str, int], ...]] = {
    "documents.CUSTOMERS": ({"first": CUSTOMERS_A_PAGE},),
    "documents.SHOWN": ({"ids": CUSTOMERS_A_PAGE},),
    "documents.ORDERS": ({"first": ORDERS_A_PAGE},),
    "documents.ORDERS_BY_ID": ({"ids": ORDERS_A_PAGE},),
    "documents.MORE_OF_ORDERS": ({"ids": 1},),
    "documents.REFUNDS": (
        {"ids": REFUNDS_AT_ONCE, "first": ROWS_AT_ONCE},
        {"ids": 1, "first": MORE_ROWS},
    ),
}


@pytest.fixture(scope="module")
def real(shared: Path) -> GraphQLSchema:
    packed = shared / "schema" / "shopify" / "admin_2026-10.graphql.gz"
    return whole_schema(packed.read_bytes())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_valid_against_our_excerpt(name: str) -> None:
    assert validate(schema(), parse(DOCUMENTS[name])) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_valid_against_the_real_schema(name: str, real: GraphQLSchema) -> None:
    assert validate(real, parse(DOCUMENTS[name])) == []


def test_the_excerpt_is_what_the_documents_use_of_the_real_schema(real: GraphQLSchema) -> None:
    """Else run excerpt.py again."""
    ours = Path(__file__).with_name("admin_2026-10.graphql").read_text(encoding="utf-8")
    assert ours == excerpt(real, list(DOCUMENTS.values()))


def test_the_documents_are_found_wherever_they_are() -> None:
    assert {"documents.ORDERS", "documents.CUSTOMERS", "documents.REFUNDS"} <= set(DOCUMENTS)


def test_a_misspelt_field_would_be_found() -> None:
    assert validate(schema(), parse(ORDERS.replace("sourceName", "source")))


def test_no_deprecated_field_is_asked_for(real: GraphQLSchema) -> None:
    found: list[str] = []
    info = TypeInfo(real)

    class Deprecated(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            field = info.get_field_def()
            if field and field.deprecation_reason:
                found.append(node.name.value)

    for document in DOCUMENTS.values():
        visit(parse(document), TypeInfoVisitor(info, Deprecated()))
    assert found == []


def test_customer_update_which_overwrites_all_tags_is_never_used() -> None:
    assert not [name for name, document in DOCUMENTS.items() if "customerUpdate" in document]


def test_no_name_address_phone_or_note_is_asked_for() -> None:
    personal = (
        r"\b(?:\w+Name|billingAddress|shippingAddress|default(?:Address|PhoneNumber)|addresses\w*"
        r"|phone|note|clientIp)\b(?<!sourceName)(?<!queryName)(?<!publicDisplayName)"
    )
    found = {name: re.findall(personal, document) for name, document in DOCUMENTS.items()}
    assert not any(found.values()), found


def test_of_an_address_nothing_but_the_country_is_asked_for() -> None:
    asked = [re.findall(r"displayAddress {([^}]*)}", document) for document in DOCUMENTS.values()]
    found = {fields.strip() for listed in asked for fields in listed}
    assert found == {"country_code: countryCodeV2"}


# ------------------------------------------------------------------------------------- cost

FREE = {"MoneyBag", "MoneyV2", "PageInfo"}  # so the recorded answers count them


class Cost:
    """Points as documented: 1 an object, 2 and its size a connection, 10 a mutation or a count."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes

    def of(self, document: str) -> int:
        operation = parse(document).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        if operation.operation.value == "mutation":
            return MUTATION_COST * len(operation.selection_set.selections)
        return self._selected(operation.selection_set, schema().query_type)

    def _selected(self, node: SelectionSetNode | None, parent: Any) -> int:
        return sum(self._one(selection, parent) for selection in node.selections) if node else 0

    def _one(self, node: Any, parent: Any) -> int:
        if isinstance(node, InlineFragmentNode):
            assert node.type_condition
            inner = schema().type_map[node.type_condition.name.value]
            return self._selected(node.selection_set, inner)
        assert not isinstance(node, FragmentSpreadNode)
        if node.name.value.startswith("__"):
            return 0
        type_ = get_named_type(parent.fields[node.name.value].type)
        return self._field(node, type_) if is_composite_type(type_) else 0

    def _field(self, node: FieldNode, type_: Any) -> int:
        below = self._selected(node.selection_set, type_)
        if type_.name == "Count":
            return MUTATION_COST
        if type_.name.endswith("Connection"):
            return 2 + self._size(node, "first") * below
        if node.name.value == "nodes" and node.arguments:
            return self._size(node, "ids") * (1 + below)
        return below + (type_.name not in FREE)

    def _size(self, node: FieldNode, name: str) -> int:
        value: Any = next(a.value for a in node.arguments or () if a.name.value == name)
        return int(value.value) if hasattr(value, "value") else self.sizes[value.name.value]


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if not name.startswith("bulk.")])
def test_no_document_costs_more_than_it_may(name: str) -> None:
    for sizes in SIZES.get(name, ({},)):
        assert Cost(sizes).of(DOCUMENTS[name]) <= LARGEST_COST


def test_pages_are_as_large_as_they_may_be() -> None:
    """The figures that documents.py gives beside the sizes."""
    orders = DOCUMENTS["documents.ORDERS"]
    assert Cost({"first": ORDERS_A_PAGE}).of(orders) == 972
    assert Cost({"first": ORDERS_A_PAGE + 1}).of(orders) > LARGEST_COST
    refunds = DOCUMENTS["documents.REFUNDS"]
    assert Cost({"ids": REFUNDS_AT_ONCE, "first": ROWS_AT_ONCE}).of(refunds) == 920
    assert Cost({"ids": 1, "first": MORE_ROWS}).of(refunds) == 970
    assert Cost({"ids": 1}).of(DOCUMENTS["documents.MORE_OF_ORDERS"]) == 905
    customers = DOCUMENTS["documents.CUSTOMERS"]
    assert Cost({"first": CUSTOMERS_A_PAGE}).of(customers) == 2 + CUSTOMERS_A_PAGE * CUSTOMER_COST


def test_a_push_stays_within_the_cost_limit() -> None:
    assert CHANGES_A_PUSH * 4 * MUTATION_COST <= LARGEST_COST
    assert CHANGES_A_PUSH * CUSTOMER_COST <= LARGEST_COST
