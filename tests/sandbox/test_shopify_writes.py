"""GraphQL mutations: metafields and tags as recorded, atomic, side by side in one document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shopify_door import Door

from connectors.sandbox.books import Books
from connectors.sandbox.shopify.values import CATEGORIES

RECORDINGS = "payloads/shopify/draft-proxy_graphql_recordings"
ADA, BO = "gid://shopify/Customer/11", "gid://shopify/Customer/12"
BEFORE = "2026-01-02T10:00:00Z"
TODAY = "2026-11-20T12:00:00Z"

SET = """mutation ($metafields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $metafields) {
    metafields { id namespace key type value compareDigest }
    userErrors { field message code elementIndex } } }"""
DELETE = """mutation ($metafields: [MetafieldIdentifierInput!]!) {
    metafieldsDelete(metafields: $metafields) {
        deletedMetafields { ownerId namespace key } userErrors { field message } } }"""
READ = """query ($id: ID!) { customer(id: $id) { tags updatedAt
    metafields(first: 50) { nodes { namespace key type value compareDigest } } } }"""
TAGS = """mutation ($id: ID!, $tags: [String!]!) { %s(id: $id, tags: $tags) {
    node { id ... on Customer { tags } } userErrors { field message } } }"""


@pytest.fixture
def door(tiny: Books) -> Door:
    return Door(tiny)


def recording(shared: Path, name: str) -> Any:
    return json.loads((shared / RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


def item(key: str, value: str, type_: str | None = "single_line_text_field", **more: Any) -> Any:
    return {"ownerId": ADA, "namespace": "clv", "key": key, "type": type_, "value": value, **more}


def wrote(door: Door, *items: Any) -> dict[str, Any]:
    payload: dict[str, Any] = door.gql(SET, metafields=list(items))["data"]["metafieldsSet"]
    return payload


def read(door: Door, id_: str = ADA) -> dict[str, Any]:
    customer: dict[str, Any] = door.gql(READ, id=id_)["data"]["customer"]
    return customer


def shown(door: Door) -> dict[str, str]:
    nodes = read(door)["metafields"]["nodes"]
    return {node["key"]: node["value"] for node in nodes if node["namespace"] == "clv"}


def tagged(door: Door, verb: str, tags: list[str], id_: str = ADA) -> dict[str, Any]:
    payload: dict[str, Any] = door.gql(TAGS % verb, id=id_, tags=tags)["data"][verb]
    return payload


def about_ada(value: Any) -> Any:
    """A recording about a product, told about our customer."""
    text = json.dumps(value)
    for product in ("9257219064041", "10252752617778", "10252752421170"):
        text = text.replace(f"gid://shopify/Product/{product}", ADA)
    return json.loads(text)


# ------------------------------------------------------------------ recorded


def test_tags_add_answers_as_recorded(door: Door, shared: Path) -> None:
    recorded = about_ada(recording(shared, "tags-add-parity__2025-01")["mutation"])
    door.books.execute("DELETE FROM customer_tags")
    door.books.add_tag("us", 11, "existing")
    body = door.gql(TAGS % "tagsAdd", **recorded["variables"])
    assert body["data"] == recorded["response"]["data"]
    assert _cost(body) == _cost(recorded["response"])


def test_tags_remove_answers_as_recorded(door: Door, shared: Path) -> None:
    recorded = about_ada(recording(shared, "tags-remove-parity__2025-01")["mutation"])
    left = recorded["response"]["data"]["tagsRemove"]["node"]["tags"]
    door.books.execute("DELETE FROM customer_tags")
    for tag in [*left, recorded["variables"]["tags"][0]]:
        door.books.add_tag("us", 11, tag)
    body = door.gql(TAGS % "tagsRemove", **recorded["variables"])
    assert body["data"] == recorded["response"]["data"]


def _cost(body: dict[str, Any]) -> tuple[int, int]:
    cost = body["extensions"]["cost"]
    return cost["requestedQueryCost"], cost["actualQueryCost"]


@pytest.mark.parametrize(("name", "before"), [("cas-success", "Canvas"), ("stale-digest", "Wool")])
def test_compare_and_set_answers_as_recorded(
    door: Door, shared: Path, name: str, before: str
) -> None:
    recorded = about_ada(recording(shared, f"metafields-set-{name}-parity__2025-01")["mutation"])
    (asked,) = recorded["variables"]["metafields"]
    old = {**asked, "value": "Canvas"}
    del old["compareDigest"]
    digest = wrote(door, old)["metafields"][0]["compareDigest"]
    wrote(door, {**old, "value": before})
    ours = wrote(door, {**asked, "compareDigest": digest})
    theirs = recorded["response"]["data"]["metafieldsSet"]
    assert ours["userErrors"] == theirs["userErrors"]
    assert list(map(_plain, ours["metafields"])) == list(map(_plain, theirs["metafields"]))


def _plain(metafield: dict[str, Any]) -> dict[str, Any]:
    """Without what only the recorded shop can know."""
    assert len(metafield["compareDigest"]) == 64
    assert metafield["id"].startswith("gid://shopify/Metafield/")
    return {key: metafield[key] for key in ("namespace", "key", "type", "value")}


def test_26_metafields_are_refused_as_recorded(door: Door, shared: Path) -> None:
    recorded = about_ada(recording(shared, "metafields-set-over-limit-parity__2025-01")["mutation"])
    body = door.gql(SET, **recorded["variables"])
    assert body["data"] == recorded["response"]["data"]
    assert wrote(door, *[item(f"key_{n}", "x") for n in range(25)])["userErrors"] == []


def test_wrong_metafields_are_refused_as_recorded(door: Door, shared: Path) -> None:
    cases = recording(shared, "metafields-set-input-validation__2025-01")["cases"]
    replayed = []
    for name, case in about_ada(cases).items():
        asked = case["request"]["variables"]["metafields"]
        if all(one["type"] in CATEGORIES for one in asked):
            replayed.append(name)
            ours = wrote(door, *asked)
            theirs = case["response"]["data"]["metafieldsSet"]
            if name == "invalidValueJson":  # its parser's own words
                theirs["userErrors"][0]["message"] = ours["userErrors"][0]["message"]
            assert ours["userErrors"] == theirs["userErrors"], name
            assert len(ours["metafields"]) == len(theirs["metafields"]), name
    assert len(replayed) >= 17


# ------------------------------------------------------------------ metafields


def test_values_are_kept_and_read_back(door: Door) -> None:
    done = wrote(door, item("tier", "high"), item("scored_at", "2026-11-20", "date"))
    assert done["userErrors"] == []
    assert shown(door) == {"tier": "high", "scored_at": "2026-11-20"}
    assert read(door)["updatedAt"] == TODAY
    assert read(door, BO)["updatedAt"] == BEFORE


def test_one_wrong_value_keeps_all_of_the_call_out(door: Door) -> None:
    done = wrote(door, item("tier", "high"), item("scored_at", "20 Nov", "date"))
    assert done["metafields"] == []
    assert [error["field"] for error in done["userErrors"]] == [["metafields", "1", "value"]]
    assert shown(door) == {}
    assert read(door)["updatedAt"] == BEFORE


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("12.50", "12.5"),
        ("12", "12.0"),
        ("0.1234", "0.1234"),
        ("100.00", "100.0"),
        ("-0.50", "-0.5"),
    ],
)
def test_decimals_come_back_without_trailing_zeros(door: Door, sent: str, kept: str) -> None:
    wrote(door, item("predicted_12m", sent, "number_decimal"))
    assert shown(door) == {"predicted_12m": kept}


@pytest.mark.parametrize("value", ["abc", "NaN", "1,5", "99999999999999"])
def test_what_is_no_decimal_is_refused(door: Door, value: str) -> None:
    done = wrote(door, item("predicted_12m", value, "number_decimal"))
    assert done["userErrors"][0]["code"] == "INVALID_VALUE"


def test_a_null_digest_creates_only(door: Door) -> None:
    assert wrote(door, item("tier", "high", compareDigest=None))["userErrors"] == []
    refused = wrote(door, item("tier", "low", compareDigest=None))
    assert refused["userErrors"][0]["code"] == "STALE_OBJECT"
    assert shown(door) == {"tier": "high"}


def test_a_digest_changes_with_the_value_and_returns_with_it(door: Door) -> None:
    digests = [wrote(door, item("tier", v))["metafields"][0]["compareDigest"] for v in "aba"]
    assert digests[0] == digests[2] != digests[1]


def test_a_metafield_keeps_its_id_and_needs_its_type_only_once(door: Door) -> None:
    first = wrote(door, item("tier", "high"))["metafields"][0]
    second = wrote(door, item("tier", "low", None))["metafields"][0]
    assert first["id"] == second["id"]
    assert wrote(door, item("other", "x", None))["userErrors"][0]["code"] == "BLANK"


def test_an_owner_who_is_not_there_is_refused(door: Door) -> None:
    gone = {**item("tier", "high"), "ownerId": "gid://shopify/Customer/999"}
    (error,) = wrote(door, item("tier", "high"), gone)["userErrors"]
    assert error["field"] == ["metafields", "1", "ownerId"]
    assert shown(door) == {}


def test_the_apps_own_namespace_is_written_out(door: Door) -> None:
    ours = {**item("value", "1"), "namespace": "$app:clv"}
    assert wrote(door, ours)["metafields"][0]["namespace"] == "app--347082227713--clv"
    query = '{ customer(id: "%s") { metafield(namespace: "$app:clv", key: "value") { value } } }'
    assert door.gql(query % ADA)["data"]["customer"]["metafield"] == {"value": "1"}


def test_keys_select_metafields(door: Door) -> None:
    wrote(door, item("tier", "high"), item("reason", "why"))
    query = """{ customer(id: "%s") {
        metafields(first: 9, keys: ["clv.reason", "custom.erp_number"]) { nodes { key } } } }"""
    nodes = door.gql(query % ADA)["data"]["customer"]["metafields"]["nodes"]
    assert [node["key"] for node in nodes] == ["erp_number", "reason"]


def test_deleting_names_what_was_there_and_null_for_the_rest(door: Door) -> None:
    wrote(door, item("tier", "high"))
    keys = [{"ownerId": ADA, "namespace": "clv", "key": key} for key in ("tier", "reason")]
    payload = door.gql(DELETE, metafields=keys)["data"]["metafieldsDelete"]
    assert payload == {"deletedMetafields": [keys[0], None], "userErrors": []}
    assert shown(door) == {}
    assert len(read(door)["metafields"]["nodes"]) == 1


# ------------------------------------------------------------------ tags


def test_commas_split_tags_and_case_makes_no_other_tag(door: Door) -> None:
    done = tagged(door, "tagsAdd", ["vip", "clv-high, Blue ", "CLV-HIGH", " "])
    assert done == {"node": {"id": ADA, "tags": ["Blue", "VIP", "clv-high"]}, "userErrors": []}
    assert read(door)["updatedAt"] == TODAY
    done = tagged(door, "tagsRemove", ["CLV-high,blue", "unknown"])
    assert done["node"]["tags"] == ["VIP"]


def test_adding_what_is_there_changes_nothing(door: Door) -> None:
    tagged(door, "tagsAdd", ["VIP"])
    tagged(door, "tagsRemove", ["unknown"])
    assert read(door)["updatedAt"] == BEFORE


def test_more_than_250_tags_are_refused_in_the_recorded_words(door: Door, shared: Path) -> None:
    recorded = recording(shared, "customer-tag-note-limits-parity__2025-01")["tooManyTags"]
    done = tagged(door, "tagsAdd", recorded["variables"]["input"]["tags"])
    theirs = recorded["response"]["data"]["customerCreate"]["userErrors"]
    assert done == {"node": None, "userErrors": theirs}
    assert read(door)["tags"] == ["VIP"]
    assert tagged(door, "tagsAdd", [f"t{n}" for n in range(249)])["userErrors"] == []
    assert tagged(door, "tagsAdd", ["t250"])["userErrors"]


def test_a_tag_longer_than_255_is_refused(door: Door) -> None:
    assert tagged(door, "tagsAdd", ["x" * 256])["userErrors"][0]["field"] == ["tags"]


@pytest.mark.parametrize("verb", ["tagsAdd", "tagsRemove"])
def test_tags_of_nobody_are_refused(door: Door, verb: str) -> None:
    done = tagged(door, verb, ["x"], "gid://shopify/Customer/999")
    assert done["node"] is None
    assert done["userErrors"][0]["field"] == ["id"]


def test_tags_get_lost_in_silence_where_the_shop_is_told_to(door: Door) -> None:
    door.settings(drop_tags=0.5)
    done = tagged(door, "tagsAdd", [f"t{n}" for n in range(40)])
    assert done["userErrors"] == []
    assert 5 < len(done["node"]["tags"]) < 36


# ------------------------------------------------------------------ one document


def test_many_writes_stand_side_by_side_in_one_document(door: Door) -> None:
    document = """mutation Write($set0: [MetafieldsSetInput!]!, $set1: [MetafieldsSetInput!]!) {
        set0: metafieldsSet(metafields: $set0) { userErrors { code message } }
        set1: metafieldsSet(metafields: $set1) { userErrors { code message } }
        remove0: tagsRemove(id: "%s", tags: ["vip"]) { userErrors { message } }
        add0: tagsAdd(id: "%s", tags: ["clv-high"]) { userErrors { message } }
        lost: tagsAdd(id: "nonsense", tags: ["x"]) { userErrors { message } }
    }"""
    refused = [item("scored_at", "never", "date"), item("reason", "why")]
    body = door.gql(document % (ADA, ADA), set0=[item("tier", "high")], set1=refused)
    assert body["data"]["set0"]["userErrors"] == []
    assert body["data"]["set1"]["userErrors"][0]["code"] == "INVALID_VALUE"
    assert body["data"]["lost"] is None
    assert [error["path"] for error in body["errors"]] == [["lost"]]
    assert shown(door) == {"tier": "high"}
    assert read(door)["tags"] == ["clv-high"]
    assert body["extensions"]["cost"]["requestedQueryCost"] == 50
