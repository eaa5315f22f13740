"""Definitions of metafields and segments in the sandbox: made once, refused as recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.books import Books
from connectors.sandbox.shopify.setup import configure
from tests.sandbox.shopify_door import Door

RECORDED = "payloads/shopify/draft-proxy_graphql_recordings"
DEFINE = """mutation($d: MetafieldDefinitionInput!) { metafieldDefinitionCreate(definition: $d) {
  createdDefinition { id namespace key pinnedPosition type { name category } access { admin } }
  userErrors { field message code } } }"""
PIN = """mutation($id: ID!) { metafieldDefinitionPin(definitionId: $id) {
  pinnedDefinition { key pinnedPosition } userErrors { field message code } } }"""
DEFINED = """{ metafieldDefinitions(ownerType: CUSTOMER, namespace: "clv", first: 50) {
  nodes { key pinnedPosition metafieldsCount type { name } } } }"""
SET = """mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {
  metafields { type value } userErrors { field code } } }"""
SEGMENT = """mutation($n: String!, $q: String!) { segmentCreate(name: $n, query: $q) {
  segment { id name query } userErrors { field message } } }"""
SEGMENTS = "{ segments(first: 50) { nodes { name query } } segmentsCount { count precision } }"
FILTERS = "{ segmentFilters(first: 250) { nodes { __typename queryName localizedName } } }"
TIER = {
    "name": "CLV tier", "namespace": "clv", "key": "tier", "ownerType": "CUSTOMER",
    "type": "single_line_text_field",
}  # fmt: skip


@pytest.fixture
def door(tiny: Books) -> Door:
    return Door(tiny)


def defined(door: Door, **changed: Any) -> dict[str, Any]:
    answer = door.gql(DEFINE, d={**TIER, **changed})["data"]["metafieldDefinitionCreate"]
    return dict(answer)


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["code"] for error in answer["userErrors"]]


def segment(door: Door, query: str, name: str = "High value") -> dict[str, Any]:
    answer = door.gql(SEGMENT, n=name, q=query)["data"]["segmentCreate"]
    return dict(answer)


# ---------------------------------------------------------------------------- definitions


def test_a_definition_is_made_once_and_pinned(door: Door) -> None:
    made = defined(door, pin=True)
    assert made["userErrors"] == []
    assert made["createdDefinition"]["pinnedPosition"] == 1
    assert made["createdDefinition"]["type"]["category"] == "TEXT"
    again = defined(door)
    assert (again["createdDefinition"], again["userErrors"]) == (None, [{
        "field": ["definition", "key"], "code": "TAKEN",
        "message": "Key is in use for Customer metafields on the 'clv' namespace.",
    }])  # fmt: skip
    assert defined(door, ownerType="ORDER")["userErrors"] == []
    door.gql(SET, m=[{"ownerId": "gid://shopify/Customer/11", "namespace": "clv", "key": "tier",
                      "value": "high"}])  # fmt: skip
    assert door.gql(DEFINED)["data"]["metafieldDefinitions"]["nodes"] == [
        {"key": "tier", "pinnedPosition": 1, "metafieldsCount": 1,
         "type": {"name": "single_line_text_field"}}
    ]  # fmt: skip


def test_fifty_are_pinned_and_no_more(door: Door, shared: Path) -> None:
    name = "metafield-definition-pin-limit-and-constraint-guard__2025-01.json"
    recorded = json.loads((shared / RECORDED / name).read_text(encoding="utf-8"))
    data = recorded["primary"]["response"]["data"]
    for n in range(50):
        assert (
            defined(door, key=f"key_{n}", pin=True)["createdDefinition"]["pinnedPosition"] == n + 1
        )
    assert codes(defined(door, key="one_more", pin=True)) == ["PINNED_LIMIT_REACHED"]
    one = defined(door, key="one_more")["createdDefinition"]
    pinned = door.gql(PIN, id=one["id"])["data"]["metafieldDefinitionPin"]
    assert pinned == data["pin51"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key": "t"}, "TOO_SHORT"),
        ({"name": ""}, "BLANK"),
        ({"key": "tier one"}, "INVALID_CHARACTER"),
        ({"type": "number"}, "INCLUSION"),
        ({"access": {"admin": "MERCHANT_READ"}}, "ADMIN_ACCESS_INPUT_NOT_ALLOWED"),
        (
            {"namespace": "custom", "key": "erp_number", "type": "date"},
            "UNSTRUCTURED_ALREADY_EXISTS",
        ),
    ],
)
def test_what_a_definition_may_not_be(door: Door, changed: dict[str, Any], code: str) -> None:
    assert codes(defined(door, **changed)) == [code]


def test_the_apps_own_namespace_may_be_closed_to_the_merchant(door: Door) -> None:
    own = defined(door, namespace="$app:clv", access={"admin": "MERCHANT_READ"})
    assert own["createdDefinition"]["access"] == {"admin": "MERCHANT_READ"}
    assert own["createdDefinition"]["namespace"].startswith("app--")


def test_a_definition_has_the_last_word_on_a_values_type(door: Door) -> None:
    defined(door)
    item = {"ownerId": "gid://shopify/Customer/11", "namespace": "clv", "key": "tier"}
    (wrong,) = door.gql(SET, m=[{**item, "value": "1.5", "type": "number_decimal"}])["data"][
        "metafieldsSet"
    ]["userErrors"]
    assert wrong == {"field": ["metafields", "0", "type"], "code": "INVALID_TYPE"}
    right = door.gql(SET, m=[{**item, "value": "high"}])["data"]["metafieldsSet"]
    assert right["metafields"] == [{"type": "single_line_text_field", "value": "high"}]


# ---------------------------------------------------------------------------- segments


def test_a_segment_is_kept_and_nothing_stops_a_second_of_its_name(door: Door) -> None:
    query = "customer_tags CONTAINS 'clv-high'"
    assert segment(door, query)["segment"]["query"] == query
    assert segment(door, query)["userErrors"] == []
    found = door.gql(SEGMENTS)["data"]
    assert found["segments"]["nodes"] == [{"name": "High value", "query": query}] * 2
    assert found["segmentsCount"] == {"count": 2, "precision": "EXACT"}


def test_segments_are_refused_in_recorded_words(door: Door, shared: Path) -> None:
    seen = 0
    for name in (
        "segment-create-update-query-grammar__2025-01.json",
        "segment-lifecycle-validation__2025-01.json",
        "segment-query-grammar-not-contains__2025-01.json",
        "segments-create-update-validation-limits__2025-01.json",
    ):
        for case in json.loads((shared / RECORDED / name).read_text(encoding="utf-8"))["cases"]:
            told = case["response"]["payload"]["data"].get("segmentCreate")
            given = case.get("variables") or case.get("request", {}).get("variables")
            if told and given:
                answer = segment(door, given["query"], given["name"])
                assert answer["userErrors"] == told["userErrors"], case["name"]
                seen += 1
    assert seen >= 10


@pytest.mark.parametrize(
    "query",
    [
        "metafields.clv.tier = 'high'",
        "metafields.clv.predicted_12m BETWEEN 100 AND 250.5",
        "metafields.clv.predicted_12m IS NOT NULL AND (number_of_orders > 1 OR amount_spent >= 5)",
        "metafields.clv.next_order_date <= 2026-12-24 AND last_order_date > -30d",
    ],
)
def test_a_metafield_is_a_filter_once_it_is_defined(door: Door, query: str) -> None:
    assert "filter cannot be found." in segment(door, query)["userErrors"][0]["message"]
    defined(door)
    defined(door, key="predicted_12m", type="number_decimal")
    defined(door, key="next_order_date", type="date")
    assert segment(door, query)["userErrors"] == []


@pytest.mark.parametrize(
    "query",
    [
        "metafields.clv.tier CONTAINS 'high'",
        "metafields.clv.tier = high",
        "metafields.clv.tier > 'high'",
        "customer_tags = 'high'",
        "number_of_orders = 'three'",
        "number_of_orders >",
        "(number_of_orders > 3",
        " OR ".join(["number_of_orders > 1"] * 11),
    ],
)
def test_a_query_that_cannot_be_right_is_refused(door: Door, query: str) -> None:
    defined(door)
    assert segment(door, query)["userErrors"]


def test_filters_are_named_at_run_time(door: Door, tiny: Books) -> None:
    defined(door)
    defined(door, key="raw", type="json")
    configure(tiny, "us", segment_prefix="customer.metafields.")
    filters = door.gql(FILTERS)["data"]["segmentFilters"]["nodes"]
    assert filters[-1] == {
        "__typename": "SegmentStringFilter", "localizedName": "CLV tier",
        "queryName": "customer.metafields.clv.tier",
    }  # fmt: skip
    assert filters[0]["queryName"] == "customer_tags"
    assert segment(door, "customer.metafields.clv.tier = 'high'")["userErrors"] == []
    assert segment(door, "metafields.clv.tier = 'high'")["userErrors"]


def test_definitions_and_segments_need_the_scope(door: Door, tiny: Books) -> None:
    configure(tiny, "us", scopes=["read_customers"])
    assert "errors" not in door.gql(SEGMENTS)
    for document, variables in ((DEFINE, {"d": TIER}), (SEGMENT, {"n": "a", "q": "b"})):
        (error,) = door.gql(document, **variables)["errors"]
        assert error["extensions"]["code"] == "ACCESS_DENIED"
