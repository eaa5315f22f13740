"""Bulk mutations of the sandbox: uploads to a staged target, and writes line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.sandbox.app import mutating
from connectors.sandbox.books import Books
from connectors.sandbox.shopify.setup import configure
from tests.sandbox.shopify_door import API, Door, Reply
from tests.sandbox.test_shopify_bulk import fetched, polled, rows

STAGE = """mutation($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
  stagedTargets { url resourceUrl parameters { name value } } userErrors { field message } } }"""
RUN = """mutation($m: String!, $p: String!) {
  bulkOperationRunMutation(mutation: $m, stagedUploadPath: $p) {
    bulkOperation { id status } userErrors { field message code } } }"""
SET = """mutation call($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { key value } userErrors { field message code } } }"""
TAG = """mutation call($id: ID!, $gone: [String!]!, $new: [String!]!) {
  tagsRemove(id: $id, tags: $gone) { userErrors { message } }
  tagsAdd(id: $id, tags: $new) { userErrors { message } } }"""
RECORDED = "payloads/shopify/draft-proxy_graphql_recordings"


def staged(door: Door, method: str = "POST") -> dict[str, Any]:
    item = {
        "filename": "clv.jsonl", "mimeType": "text/jsonl", "httpMethod": method,
        "resource": "BULK_MUTATION_VARIABLES",
    }  # fmt: skip
    (target,) = door.gql(STAGE, input=[item])["data"]["stagedUploadsCreate"]["stagedTargets"]
    return dict(target)


def multipart(fields: list[tuple[str, str]]) -> bytes:
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"'
        f"{'; filename=a.jsonl' if name == 'file' else ''}\r\n\r\n{value}\r\n"
        for name, value in fields
    ]
    return ("".join(parts) + "--edge--\r\n").encode()


def fields_of(target: dict[str, Any], content: str) -> list[tuple[str, str]]:
    return [*((p["name"], p["value"]) for p in target["parameters"]), ("file", content)]


def posted(door: Door, target: dict[str, Any], fields: list[tuple[str, str]]) -> Reply:
    own, door.token = door.token, ""
    path, kind = urlsplit(target["url"]).path, "multipart/form-data; boundary=edge"
    reply = door.send("POST", path, "", multipart(fields), content_type=kind)
    door.token = own
    return reply


def uploaded(door: Door, lines: list[dict[str, Any]]) -> str:
    """The path of a file with these variables."""
    target = staged(door)
    content = "".join(json.dumps(line) + "\n" for line in lines)
    reply = posted(door, target, fields_of(target, content))
    assert reply.status == 201
    (path,) = (p["value"] for p in target["parameters"] if p["name"] == "key")
    assert f"<Key>{path}</Key>" in reply.body.decode()
    return str(path)


def run(door: Door, mutation: str, path: str) -> dict[str, Any]:
    answer = door.gql(RUN, m=mutation, p=path)["data"]["bulkOperationRunMutation"]
    return dict(answer)


def done(door: Door, mutation: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    answer = run(door, mutation, uploaded(door, lines))
    assert answer["userErrors"] == []
    return polled(door, answer["bulkOperation"]["id"])


def value(who: str, text: str, **more: Any) -> dict[str, Any]:
    item = {"ownerId": who, "namespace": "clv", "key": "tier", "value": text}
    return {"metafields": [{**item, "type": "single_line_text_field", **more}]}


ADA, BO, NOBODY = (f"gid://shopify/Customer/{n}" for n in (11, 12, 99))


@pytest.fixture
def door(tiny: Books) -> Door:
    return Door(tiny)


def test_a_staged_target_is_as_recorded(door: Door, shared: Path) -> None:
    name = "bulk-operation-run-mutation-created-status__2026-04.json"
    recorded = json.loads((shared / RECORDED / name).read_text(encoding="utf-8"))
    told = recorded["setup"]["stagedUpload"]["response"]["data"]["stagedUploadsCreate"]
    (theirs,), ours = told["stagedTargets"], staged(door)
    assert [p["name"] for p in ours["parameters"]] == [p["name"] for p in theirs["parameters"]]
    assert ours["url"] == ours["resourceUrl"]


def test_every_line_is_written_and_answered_by_its_number(door: Door, tiny: Books) -> None:
    lines = [value(ADA, "high"), value(NOBODY, "low"), value(BO, "low", compareDigest="stale")]
    operation = done(door, SET, lines)
    assert (operation["status"], operation["objectCount"]) == ("COMPLETED", "3")
    answers = {row["__lineNumber"]: row for row in rows(fetched(door, operation["url"]))}
    errors = {n: a["data"]["metafieldsSet"]["userErrors"] for n, a in answers.items()}
    assert {n: [e["code"] for e in found] for n, found in errors.items()} == {
        0: [], 1: ["INVALID"], 2: ["STALE_OBJECT"]
    }  # fmt: skip
    kept = {
        n: {v["name"]: v["value"] for v in vs} for n, vs in tiny.values_of("us", [11, 12]).items()
    }
    assert kept == {11: {"custom.erp_number": "E-11", "clv.tier": "high"}, 12: {}}


def test_tags_are_swapped_and_nobody_elses_touched(door: Door, tiny: Books) -> None:
    tiny.add_tag("us", 11, "clv-low")
    done(door, TAG, [{"id": ADA, "gone": ["clv-low"], "new": ["clv-high"]}])
    assert tiny.tags_of("us", [11]) == {11: ["VIP", "clv-high"]}


def test_bad_variables_are_an_error_of_their_line_only(door: Door) -> None:
    operation = done(door, SET, [{"metafields": [{"key": "tier"}]}, value(ADA, "high")])
    first, second = rows(fetched(door, operation["url"]))
    assert (first["__lineNumber"], "data" in first, bool(first["errors"])) == (0, False, True)
    assert second["data"]["metafieldsSet"]["metafields"] == [{"key": "tier", "value": "high"}]


def test_one_that_fails_midway_has_written_half(door: Door, tiny: Books) -> None:
    configure(tiny, "us", bulk_ends=["FAILED"])
    operation = done(door, SET, [value(ADA, "high"), value(BO, "low")])
    assert (operation["status"], operation["url"]) == ("FAILED", None)
    assert [len(found) for found in tiny.values_of("us", [11, 12]).values()] == [2, 0]
    (row,) = rows(fetched(door, operation["partialDataUrl"]))
    assert row["__lineNumber"] == 0


def test_uploads_go_by_put_too(door: Door) -> None:
    url = urlsplit(staged(door, "PUT")["url"])
    own, door.token = door.token, ""
    body = json.dumps(value(ADA, "high")).encode()
    assert door.send("PUT", url.path, url.query, body).status == 200
    door.token = own
    answer = run(door, SET, url.path.removeprefix("/us/storage/staged-uploads/"))
    assert polled(door, answer["bulkOperation"]["id"])["objectCount"] == "1"


def test_a_form_has_to_be_as_asked_for(door: Door) -> None:
    target = staged(door)
    good = fields_of(target, "{}")
    assert posted(door, target, [good[1], good[0], *good[2:]]).status == 403
    assert posted(door, target, [good[-1], *good[:-1]]).status == 400
    assert posted(door, target, good[1:]).status == 403
    assert posted(door, target, good).status == 201
    path = urlsplit(target["url"]).path
    with_token = door.send("POST", path, "", multipart(good), content_type="multipart/form-data")
    assert with_token.status == 400


def test_what_cannot_be_run_is_refused_in_recorded_words(
    door: Door, tiny: Books, shared: Path
) -> None:
    name = "bulk-operation-run-mutation-user-errors__2026-04.json"
    cases = json.loads((shared / RECORDED / name).read_text(encoding="utf-8"))["validations"]
    told = {
        case: recorded["response"]["data"]["bulkOperationRunMutation"]["userErrors"]
        for case, recorded in cases.items()
    }
    missing = "tmp/1/bulk/00000000-0000-0000-0000-000000000000/clv.jsonl"
    assert run(door, SET, missing)["userErrors"] == told["noSuchFile"]
    (target,) = (p["value"] for p in staged(door)["parameters"] if p["name"] == "key")
    assert run(door, SET, target)["userErrors"] == told["noSuchFile"]
    inner = RUN.replace("mutation(", "mutation Inner(")
    assert run(door, inner, missing)["userErrors"] == told["disallowedRoot"]
    (broken,) = run(door, "mutation { not real syntax", missing)["userErrors"]
    assert (broken["field"], broken["code"]) == (None, "INVALID_MUTATION")
    configure(tiny, "us", upload_largest=10)
    (large,) = run(door, SET, uploaded(door, [value(ADA, "high")]))["userErrors"]
    assert large["code"] == "INVALID_STAGED_UPLOAD_FILE"


def test_only_what_changes_the_shop_counts_as_a_change(ask: Any, books: Books) -> None:
    bulk = 'mutation { bulkOperationRunQuery(query: "{}") { userErrors { field } } }'
    for query in ("{ shop { id } }", bulk, SET, RUN):
        ask(f"/us{API}/graphql.json", "POST", {}, {"query": query})
    ask("/us/storage/staged-uploads/", "POST", {}, b"")
    assert mutating(books)["us"] == 2
