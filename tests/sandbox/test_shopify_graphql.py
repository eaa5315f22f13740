"""GraphQL: lists, single ones, searches, refusals, costs and throttling."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    print_ast,
    validate,
    visit,
)
from graphql.language import REMOVE
from shopify_door import Door

from connectors.sandbox.books import Books
from connectors.sandbox.shopify.cost import size_weight
from connectors.sandbox.shopify.graphql import schema

ADA, BO = "gid://shopify/Customer/11", "gid://shopify/Customer/12"
RECORDINGS = "payloads/shopify/draft-proxy_graphql_recordings"


@pytest.fixture
def door(tiny: Books) -> Door:
    return Door(tiny)


@pytest.fixture
def crowd(tiny: Books) -> Door:
    """Ten customers, 11 to 20, each created and changed a day after the one before."""
    row = tiny.customer("us", 12)
    for n in range(13, 21):
        at = {"created_at": f"2026-03-{n} 08:00:00", "updated_at": f"2026-04-{n} 20:00:00"}
        tiny.insert("customers", [{**(row or {}), **at, "id": n, "email": f"c{n}@example.com"}])
    return Door(tiny)


def numbers(connection: dict[str, Any]) -> list[int]:
    return [int(node["id"].rpartition("/")[2]) for node in connection["nodes"]]


# ------------------------------------------------------------------ the shop


def test_the_shop_and_its_scopes_can_be_asked_for(door: Door) -> None:
    data = door.gql(
        "{ shop { name currencyCode ianaTimezone plan { shopifyPlus } }"
        " currentAppInstallation { accessScopes { handle } } }"
    )["data"]
    assert data["shop"]["currencyCode"] == "USD"
    assert data["shop"]["ianaTimezone"] == "UTC"
    handles = [scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]]
    assert handles == ["read_orders", "read_all_orders", "read_customers", "write_customers"]


def test_a_missing_scope_denies_the_field_alone(door: Door) -> None:
    door.settings(scopes=["read_orders"])
    body = door.gql("{ shop { name } order(id: 101) { id } customers(first: 1) { nodes { id } } }")
    assert body["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert body["errors"][0]["path"] == ["customers"]
    body = door.gql(f'mutation {{ tagsAdd(id: "{ADA}", tags: ["x"]) {{ node {{ id }} }} }}')
    assert body["errors"][0]["extensions"]["requiredAccess"] == "`write_customers` access scope."
    assert door.books.tags_of("us", [11])[11] == ["VIP"]


def test_the_right_to_write_implies_the_right_to_read(door: Door) -> None:
    door.settings(scopes=["write_customers"])
    assert "errors" not in door.gql("{ customers(first: 1) { nodes { id } } }")


# ------------------------------------------------------------------ customers


def test_a_customer_shows_what_the_books_know(door: Door) -> None:
    customer = door.gql(
        """query ($id: ID!) { customer(id: $id) {
            legacyResourceId email defaultEmailAddress { emailAddress } tags createdAt updatedAt
            numberOfOrders amountSpent { amount currencyCode }
            erp: metafield(namespace: "custom", key: "erp_number") { value type namespace key }
            none: metafield(namespace: "clv", key: "tier") { value }
            metafields(first: 5, namespace: "custom") { nodes { key } }
            orders(first: 5) { nodes { name } }
        } }""",
        id=ADA,
    )["data"]["customer"]
    assert customer == {
        "legacyResourceId": "11",
        "email": "ada@example.com",
        "defaultEmailAddress": {"emailAddress": "ada@example.com"},
        "tags": ["VIP"],
        "createdAt": "2026-01-01T10:00:00Z",
        "updatedAt": "2026-01-02T10:00:00Z",
        "numberOfOrders": "1",
        "amountSpent": {"amount": "27.5", "currencyCode": "USD"},
        "erp": {
            "value": "E-11",
            "type": "single_line_text_field",
            "namespace": "custom",
            "key": "erp_number",
        },
        "none": None,
        "metafields": {"nodes": [{"key": "erp_number"}]},
        "orders": {"nodes": [{"name": "#1001"}]},
    }


def test_nodes_come_in_the_order_asked_for_and_unknown_ones_are_null(door: Door) -> None:
    ids = [BO, "gid://shopify/Customer/999", ADA, "gid://shopify/Product/11"]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { id tags } } }"
    nodes = door.gql(query, ids=ids)["data"]["nodes"]
    assert nodes == [{"id": BO, "tags": []}, None, {"id": ADA, "tags": ["VIP"]}, None]


def test_more_than_250_ids_are_refused(door: Door) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    errors = door.gql(query, ids=[ADA] * 251)["errors"]
    assert errors[0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


def test_an_id_that_is_none_is_refused(door: Door) -> None:
    errors = door.gql('{ customer(id: "11") { id } }')["errors"]
    assert errors[0]["message"] == "Invalid global id '11'"


@pytest.mark.parametrize("way", ["first: 3, after: $at", "last: 3, before: $at"])
@pytest.mark.parametrize("sorting", ["ID", "UPDATED_AT", "CREATED_AT"])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_pages_hold_every_customer_once_in_both_directions(
    crowd: Door, way: str, sorting: str, reverse: bool
) -> None:
    query = f"""query ($at: String) {{
        customers({way}, sortKey: {sorting}, reverse: {json.dumps(reverse)}) {{
            nodes {{ id }} edges {{ cursor }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
        }} }}"""
    backwards = way.startswith("last")
    at, pages = None, []
    while len(pages) < 9:
        page = crowd.gql(query, at=at)["data"]["customers"]
        info = page["pageInfo"]
        assert [info["startCursor"], info["endCursor"]] == [
            page["edges"][0]["cursor"],
            page["edges"][-1]["cursor"],
        ]
        pages.append(numbers(page))
        at = info["startCursor" if backwards else "endCursor"]
        if not info["hasPreviousPage" if backwards else "hasNextPage"]:
            break
    found = [n for page in (reversed(pages) if backwards else pages) for n in page]
    assert found == list(range(11, 21))[:: -1 if reverse else 1]


def test_a_list_without_a_size_or_with_too_large_a_one_is_refused(door: Door) -> None:
    told = door.gql("{ customers { nodes { id } } }")["errors"][0]
    assert told["message"] == "you must provide one of first or last"
    assert door.gql("{ customers(first: 251) { nodes { id } } }")["errors"]
    forged = door.gql('{ customers(first: 1, after: "x") { nodes { id } } }')["errors"][0]
    assert forged["extensions"] == {"code": "BAD_REQUEST"}


# ------------------------------------------------------------------ searches


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("id:>=18", [18, 19, 20]),
        ("id:12", [12]),
        ("tag:vip", [11]),
        ("tag_not:VIP id:<13", [12]),
        ("email:'c15@example.com'", [15]),
        ("first_name:Bo AND id:>18", [19, 20]),
        ("state:DISABLED id:>19", [20]),
        ("state:ENABLED", []),
        ("customer_date:>='2026-03-19T09:00:00Z'", [20]),
        ("updated_at:>='2026-04-19T23:00:00Z'", [19, 20]),
        ("updated_at:<='2026-04-13T00:00:00Z' id:>12", [13]),
        ("Møller", list(range(11, 21))),
    ],
)
def test_a_search_finds(crowd: Door, query: str, found: list[int]) -> None:
    body = crowd.gql(
        "query ($q: String) { customers(first: 20, query: $q) { nodes { id } } }", q=query
    )
    assert numbers(body["data"]["customers"]) == found
    assert "search" not in body["extensions"]


def test_an_unknown_search_field_is_ignored_with_a_warning_and_all_are_found(crowd: Door) -> None:
    query = "{ them: customers(first: 20, query: \"created_at:>'2026-06-01'\") { nodes { id } } }"
    body = crowd.gql(query)
    assert numbers(body["data"]["them"]) == list(range(11, 21))
    warning = {"field": "created_at", "message": "Invalid search field for this query."}
    (told,) = body["extensions"]["search"]
    assert told["path"] == ["them"]
    assert told["warnings"] == [{**warning, "code": "invalid_field"}]


@pytest.mark.parametrize("query", ["total_spent:>5", "tag:a OR tag:b", "-tag:a", "id:x"])
def test_a_search_that_the_sandbox_lacks_is_an_error(door: Door, query: str) -> None:
    body = door.gql(
        "query ($q: String) { customers(first: 1, query: $q) { nodes { id } } }", q=query
    )
    assert body["data"] is None
    assert body["errors"]


def test_the_recorded_warning_comes_word_for_word(door: Door, shared: Path) -> None:
    recording = _recording(shared, "customer-order-summary-read-effects__2026-04")
    recorded = recording["beforeSet"]["response"]["extensions"]["search"]
    query = "query ($q: String) { customersCount(query: $q) { count precision } }"
    body = door.gql(query, q=recorded[0]["query"])
    assert body["extensions"]["search"] == recorded
    assert body["data"]["customersCount"] == {"count": 2, "precision": "EXACT"}


# ------------------------------------------------------------------ orders


def test_orders_have_their_money_in_both_currencies(door: Door) -> None:
    query = """{ orders(first: 9, sortKey: CREATED_AT, query: "customer_id:11") { nodes {
        name displayFinancialStatus test customer { id }
        totalPriceSet { shopMoney { amount currencyCode } }
        currentTotalPriceSet { presentmentMoney { amount } }
        totalRefundedSet { shopMoney { amount } }
    } } }"""
    assert door.gql(query)["data"]["orders"]["nodes"] == [
        {
            "name": "#1001",
            "displayFinancialStatus": "PARTIALLY_REFUNDED",
            "test": False,
            "customer": {"id": ADA},
            "totalPriceSet": {"shopMoney": {"amount": "37.4", "currencyCode": "USD"}},
            "currentTotalPriceSet": {"presentmentMoney": {"amount": "27.5"}},
            "totalRefundedSet": {"shopMoney": {"amount": "9.9"}},
        }
    ]


# ------------------------------------------------------------------ refusals


def test_an_unknown_field_is_refused_as_recorded(door: Door, shared: Path) -> None:
    recording = _recording(shared, "bulk-operation-run-mutation-allowed-roots__2026-04")
    recorded = recording["cases"]["metafieldsSet"]["cleanup"]["primary"]
    assert door.gql(recorded["query"], **recorded["variables"]) == recorded["response"]


def test_unknown_and_missing_arguments_are_named(door: Door) -> None:
    told = door.gql("query Q { customer { id } }")["errors"][0]
    assert told["message"] == "Field 'customer' is missing required arguments: id"
    assert told["path"] == ["query Q", "customer"]
    told = door.gql('{ customer(id: "x", name: "y") { id } }')["errors"][0]
    assert told["extensions"]["code"] == "argumentNotAccepted"


@pytest.mark.parametrize(
    "query", ["", "{ shop {", "query A { shop { id } } query B { shop { id } }"]
)
def test_what_is_no_single_document_is_an_error_in_a_200(door: Door, query: str) -> None:
    body = door.gql(query)
    assert list(body) == ["errors"]
    assert body["errors"][0]["message"]


def test_a_variable_of_the_wrong_type_is_refused(door: Door) -> None:
    body = door.gql("query ($n: Int!) { customers(first: $n) { nodes { id } } }", n="ten")
    assert body["errors"][0]["extensions"] == {"code": "INVALID_VARIABLE"}
    assert "data" not in body


# ------------------------------------------------------------------ costs


@pytest.mark.parametrize(("size", "weight"), [(1, 1), (5, 3), (10, 4), (50, 7), (250, 11)])
def test_a_connection_weighs_what_recorded_costs_say(size: int, weight: int) -> None:
    assert size_weight(size) == weight


def _recording(shared: Path, name: str) -> Any:
    return json.loads((shared / RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


def _asked(value: Any) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every recorded query with its variables and the body of its answer."""
    if isinstance(value, dict):
        query, response = value.get("query"), value.get("response")
        if isinstance(query, str) and "query " in query and isinstance(response, dict):
            body = response.get("body", response)
            if "data" in body:
                yield query, value.get("variables") or {}, body
        for inner in value.values():
            yield from _asked(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _asked(inner)


class _Cutter(Visitor):
    """Takes out of a document what the sandbox's schema lacks."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.cut: list[str] = []

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        if self.types.get_field_def() is None:
            self.cut.append(node.name.value)
            return REMOVE
        return None


#: Recordings, and how many of their reads the sandbox serves at least in part.
RECORDED_READS = {
    "customer-detail__2025-01": 1,
    "customer-tag-note-limits-parity__2025-01": 4,
    "customers-search__2025-01": 1,
    "customer-merge-parity__2025-01": 5,
    "customer-order-summary-read-effects__2026-04": 6,
    "metafields-set-input-validation__2025-01": 1,
}


def _cut(query: str) -> tuple[str, list[str]]:
    """What of a recorded query the sandbox serves, and the fields that it lacks."""
    types = TypeInfo(schema())
    cutter = _Cutter(types)
    return print_ast(visit(parse(query), TypeInfoVisitor(types, cutter))), cutter.cut


def _served(document: str) -> bool:
    try:
        return not validate(schema(), parse(document))
    except GraphQLError:
        return False


@pytest.mark.parametrize("name", RECORDED_READS)
def test_recorded_reads_come_back_in_the_same_shape(door: Door, shared: Path, name: str) -> None:
    replayed = 0
    for query, variables, recorded in _asked(_recording(shared, name)):
        served, cut = _cut(query)
        if not _served(served):
            continue
        replayed += 1
        body = door.gql(served, **_ours(variables))
        assert "errors" not in body
        _same_shape(body["data"], recorded["data"], name)
        if not cut and "extensions" in recorded:
            cost = recorded["extensions"]["cost"]["requestedQueryCost"]
            assert body["extensions"]["cost"]["requestedQueryCost"] == cost, query
    assert replayed >= RECORDED_READS[name]


def _ours(variables: dict[str, Any]) -> dict[str, Any]:
    """The recorded variables, about our own customer."""
    ids = [ADA for _ in variables.get("ids", ())]
    return {"emailQuery": "email:ada", **variables, "id": ADA, "ids": ids}


def _same_shape(ours: Any, theirs: Any, path: str) -> None:
    """The same kinds of value wherever both have one."""
    if ours is None or theirs is None:
        return
    assert type(ours) is type(theirs), path
    if isinstance(ours, dict):
        for key in ours:
            _same_shape(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and ours and theirs:
        _same_shape(ours[0], theirs[0], f"{path}[]")


def test_a_document_that_costs_more_than_1000_is_refused_before_it_runs(door: Door) -> None:
    calls = " ".join(
        f'a{n}: tagsAdd(id: "{ADA}", tags: "x") {{ node {{ id }} }}' for n in range(101)
    )
    (error,) = door.gql(f"mutation {{ {calls} }}")["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert (error["extensions"]["cost"], error["extensions"]["maxCost"]) == (1010, 1000)
    assert error["message"].startswith("Query cost is 1010, which exceeds the single query max")
    assert door.books.tags_of("us", [11])[11] == ["VIP"]


def test_an_empty_bucket_throttles_inside_a_200_and_fills_again(door: Door) -> None:
    door.settings(graphql_bucket=25, graphql_restore=10)
    write = f'mutation {{ tagsAdd(id: "{ADA}", tags: "x") {{ userErrors {{ message }} }} }}'
    for left in (15, 5):
        status = door.gql(write)["extensions"]["cost"]["throttleStatus"]
        assert status == {"maximumAvailable": 25, "currentlyAvailable": left, "restoreRate": 10}
    refused = door.gql(write)
    assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert refused["extensions"]["cost"]["requestedQueryCost"] == 10
    assert refused["extensions"]["cost"]["actualQueryCost"] is None
    assert "data" not in refused
    door.seconds += 0.5
    assert "data" in door.gql(write)


def test_what_a_list_did_not_hold_is_not_charged(door: Door) -> None:
    cost = door.gql("{ customers(first: 250) { nodes { id } } }")["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 + math.floor(2 * math.log(250))
    assert cost["actualQueryCost"] == 4
