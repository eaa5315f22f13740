"""Bulk operations of the sandbox: what they refuse, how they end, what their files hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.sandbox.books import Books
from connectors.sandbox.shopify.setup import configure
from tests.sandbox.conftest import NOW
from tests.sandbox.shopify_door import Door, Reply

RUN = """mutation($q: String!, $g: Boolean! = false) {
  bulkOperationRunQuery(query: $q, groupObjects: $g) {
    bulkOperation { id status objectCount url } userErrors { field message code } } }"""
POLL = """query($id: ID!) { bulkOperation(id: $id) {
  id status errorCode objectCount rootObjectCount fileSize url partialDataUrl completedAt } }"""
CANCEL = """mutation($id: ID!) { bulkOperationCancel(id: $id) {
  bulkOperation { status } userErrors { field message } } }"""
CUSTOMERS = """{ customers(query: "id:>0") { edges { node {
  id orders { edges { node { id name } } } metafields { edges { node { id key } } } } } } }"""


@pytest.fixture
def door(books: Books) -> Door:
    return Door(books)


def begun(door: Door, query: str = CUSTOMERS, **more: Any) -> str:
    answer = door.gql(RUN, q=query, **more)["data"]["bulkOperationRunQuery"]
    assert answer["userErrors"] == []
    assert answer["bulkOperation"]["status"] == "CREATED"
    return str(answer["bulkOperation"]["id"])


def refused(door: Door, query: str) -> list[dict[str, Any]]:
    answer = door.gql(RUN, q=query)["data"]["bulkOperationRunQuery"]
    assert answer["bulkOperation"] is None
    return list(answer["userErrors"])


def polled(door: Door, operation: str) -> dict[str, Any]:
    found: dict[str, Any] = door.gql(POLL, id=operation)["data"]["bulkOperation"]
    return found


def fetched(door: Door, url: str) -> Reply:
    """As anybody would fetch it: without the shop's token."""
    parts, token = urlsplit(url), door.token
    door.token = ""
    try:
        return door.send("GET", parts.path, parts.query)
    finally:
        door.token = token


def rows(reply: Reply) -> list[dict[str, Any]]:
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/jsonl")
    return [json.loads(line) for line in reply.body.decode().splitlines()]


def test_a_result_holds_every_object_once_and_children_name_their_parent(door: Door) -> None:
    done = polled(door, begun(door))
    assert (done["status"], done["errorCode"], done["partialDataUrl"]) == ("COMPLETED", None, None)
    reply = fetched(door, done["url"])
    found = rows(reply)
    assert int(done["fileSize"]) == len(reply.body)
    roots = [row for row in found if "__parentId" not in row]
    children = [row for row in found if "__parentId" in row]
    assert (int(done["rootObjectCount"]), int(done["objectCount"])) == (len(roots), len(found))
    count = "SELECT count(*) FROM customers WHERE shop = 'us'"
    assert len(roots) == door.books.scalar(count) > 0
    owned = "SELECT count(*) FROM orders WHERE shop = 'us' AND customer_id IS NOT NULL"
    assert sum("/Order/" in row["id"] for row in children) == door.books.scalar(owned) > 0
    assert {row["__parentId"] for row in children} <= {row["id"] for row in roots}
    assert all(set(row) == {"id"} for row in roots)


def test_any_number_of_roots_and_children_comes_along(door: Door) -> None:
    """More of both than a page of an ordinary query may hold."""
    door.books.execute(
        "INSERT INTO orders SELECT shop, id + 1000000, number || '-2', customer_id, created_at, "
        "updated_at, body FROM orders WHERE shop = 'us'"
    )
    who = door.books.scalar("SELECT min(id) FROM customers WHERE shop = 'us'")
    door.books.execute("UPDATE orders SET customer_id = ? WHERE shop = 'us'", (who,))
    every = door.books.scalar("SELECT count(*) FROM orders WHERE shop = 'us'")
    for query in (CUSTOMERS, "{ orders(sortKey: UPDATED_AT) { edges { node { id } } } }"):
        found = rows(fetched(door, polled(door, begun(door, query))["url"]))
        ids = {row["id"] for row in found if "/Order/" in row["id"]}
        assert len(ids) == every > 250


def test_lines_come_grouped_or_in_any_order(door: Door) -> None:
    grouped = rows(fetched(door, polled(door, begun(door, g=True))["url"]))
    parent = ""
    for row in grouped:
        assert row.get("__parentId", parent) in (parent, row["id"])
        parent = row.get("__parentId", row["id"])
    configure(door.books, "us", shuffle_seed=3)
    mixed = rows(fetched(door, polled(door, begun(door))["url"]))
    assert sorted(map(str, mixed)) == sorted(map(str, grouped)) != list(map(str, mixed))
    seen: set[str] = set()
    early = 0
    for row in mixed:
        early += "__parentId" in row and row["__parentId"] not in seen
        seen.add(row["id"])
    assert early > 0


def test_an_operation_runs_for_as_many_polls_as_told(door: Door) -> None:
    configure(door.books, "us", bulk_after_polls=3)
    operation = begun(door)
    assert [polled(door, operation)["status"] for _ in range(4)] == [
        "RUNNING", "RUNNING", "COMPLETED", "COMPLETED"
    ]  # fmt: skip
    node = "query($id: ID!) { node(id: $id) { ... on BulkOperation { status } } }"
    assert door.gql(node, id=operation)["data"]["node"] == {"status": "COMPLETED"}
    newest = door.gql("{ currentBulkOperation { id } }")["data"]["currentBulkOperation"]
    assert newest == {"id": operation}
    listed = '{ bulkOperations(first: 5, query: "status:completed") { nodes { id } } }'
    assert door.gql(listed)["data"]["bulkOperations"]["nodes"] == [{"id": operation}]


def test_nothing_found_leaves_no_file(door: Door) -> None:
    done = polled(door, begun(door, '{ orders(query: "id:<0") { edges { node { id } } } }'))
    assert (done["status"], done["objectCount"], done["url"]) == ("COMPLETED", "0", None)


def test_five_go_on_at_once_and_a_sixth_is_refused(door: Door) -> None:
    five = [begun(door) for _ in range(5)]
    (error,) = refused(door, CUSTOMERS)
    listed = ", ".join(five)
    told = "A bulk query operation for this app and shop is already in progress: "
    assert error == {"field": None, "message": f"{told}{listed}.", "code": "OPERATION_IN_PROGRESS"}
    polled(door, five[0])
    begun(door)


def test_operations_that_nobody_asks_about_end_by_themselves(books: Books) -> None:
    door = Door(books)
    for _ in range(5):
        begun(door)
    books.clock = lambda: NOW + timedelta(minutes=2)
    begun(door)


def test_a_cancelled_operation_stops(door: Door) -> None:
    configure(door.books, "us", bulk_after_polls=9)
    operation = begun(door)
    answer = door.gql(CANCEL, id=operation)["data"]["bulkOperationCancel"]
    assert answer == {"bulkOperation": {"status": "CANCELING"}, "userErrors": []}
    assert polled(door, operation)["status"] == "CANCELED"
    (error,) = door.gql(CANCEL, id=operation)["data"]["bulkOperationCancel"]["userErrors"]
    assert error["message"] == "A bulk operation cannot be canceled when it is canceled"
    (error,) = door.gql(CANCEL, id=operation[:-1] + "9")["data"]["bulkOperationCancel"][
        "userErrors"
    ]
    assert error["message"] == "Bulk operation does not exist"


# ---------------------------------------------------------------------------- how they end


@pytest.mark.parametrize(
    ("end", "status", "error", "partial"),
    [
        ("FAILED", "FAILED", "INTERNAL_SERVER_ERROR", True),
        ("TIMEOUT", "FAILED", "TIMEOUT", True),
        ("ACCESS_DENIED", "FAILED", "ACCESS_DENIED", False),
        ("CANCELED", "CANCELED", None, False),
        ("EXPIRED", "EXPIRED", None, False),
    ],
)
def test_operations_end_badly_in_the_order_told(
    door: Door, end: str, status: str, error: str | None, partial: bool
) -> None:
    configure(door.books, "us", bulk_ends=[end])
    bad, good = polled(door, begun(door)), polled(door, begun(door))
    assert (bad["status"], bad["errorCode"], bad["url"]) == (status, error, None)
    assert good["status"] == "COMPLETED"
    assert bool(bad["partialDataUrl"]) == partial
    if partial:
        half, whole = rows(fetched(door, bad["partialDataUrl"])), rows(fetched(door, good["url"]))
        assert int(bad["objectCount"]) == len(half) < len(whole)
        ids = {row["id"] for row in half}
        assert ids < {row["id"] for row in whole}


def test_large_operations_time_out(door: Door) -> None:
    configure(door.books, "us", bulk_largest=10)
    assert polled(door, begun(door))["errorCode"] == "TIMEOUT"
    few = '{ customers(query: "id:<0") { edges { node { id } } } }'
    assert polled(door, begun(door, few))["status"] == "COMPLETED"


def test_a_file_can_be_cut_short_or_the_count_be_wrong(door: Door) -> None:
    configure(door.books, "us", bulk_ends=["CUT", "SHORT", "MISCOUNTED"])
    cut, short, wrong = (polled(door, begun(door)) for _ in range(3))
    body = fetched(door, cut["url"]).body.decode()
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(body.splitlines()[-1])
    assert len(rows(fetched(door, short["url"]))) < int(short["objectCount"])
    assert len(rows(fetched(door, wrong["url"]))) == int(wrong["objectCount"]) - 1


def test_one_can_go_on_for_ever(door: Door) -> None:
    configure(door.books, "us", bulk_ends=["STUCK"])
    operation = begun(door)
    assert {polled(door, operation)["status"] for _ in range(5)} == {"RUNNING"}


def test_without_the_scope_an_operation_fails(door: Door) -> None:
    configure(door.books, "us", scopes=["read_customers"])
    done = polled(door, begun(door, "{ orders { edges { node { id } } } }"))
    assert (done["status"], done["errorCode"]) == ("FAILED", "ACCESS_DENIED")


# ---------------------------------------------------------------------------- addresses


def test_addresses_expire(books: Books) -> None:
    door = Door(books)
    configure(books, "us", bulk_ends=["GONE"])
    gone = fetched(door, polled(door, begun(door))["url"])
    assert (gone.status, b"<Code>ExpiredToken</Code>" in gone.body) == (400, True)
    operation = begun(door)
    url = polled(door, operation)["url"]
    assert fetched(door, url).status == 200
    books.clock = lambda: NOW + timedelta(days=8)
    assert fetched(door, url).status == 400
    assert polled(door, operation)["status"] == "EXPIRED"


def test_the_storage_wants_no_credentials_and_no_changed_address(door: Door) -> None:
    parts = urlsplit(polled(door, begun(door))["url"])
    assert door.send("GET", parts.path, parts.query).status == 400
    changed = parts.query.replace("Expires=1", "Expires=2")
    assert fetched(door, f"http://x{parts.path}?{changed}").status == 403


# ---------------------------------------------------------------------------- what is refused


def test_queries_are_refused_in_recorded_words(door: Door, shared: Path) -> None:
    path = "payloads/shopify/draft-proxy_graphql_recordings"
    text = (shared / path / "bulk-operation-run-query-validators__2026-04.json").read_text("utf-8")
    cases = json.loads(text)["validations"]
    for name, query in {
        "ordersNodesInsteadOfEdges": "{ orders { nodes { id } } }",
        "topLevelNode": '{ node(id: "gid://shopify/Customer/0") { id } }',
        "invalidOperationType": 'mutation { tagsAdd(id: "1", tags: []) { node { id } } }',
        "nestedWithoutParentId": CUSTOMERS.replace("id orders", "email orders"),
    }.items():
        payload = cases[name]["response"]["data"]["bulkOperationRunQuery"]
        expected = [
            error | {"message": error["message"].replace("products", "customers")}
            for error in payload["userErrors"]
        ]
        assert refused(door, query) == expected, name


def deep(levels: int) -> str:
    inner = "id"
    for _ in range(levels):
        inner = f"id orders {{ edges {{ node {{ id customer {{ {inner} }} }} }} }}"
    return f"{{ customers {{ edges {{ node {{ {inner} }} }} }} }}"


def wide(lists: int) -> str:
    inner = " ".join(f"m{n}: metafields {{ edges {{ node {{ id }} }} }}" for n in range(lists))
    return f"{{ customers {{ edges {{ node {{ id {inner} }} }} }} }}"


def messages(door: Door, query: str) -> Iterator[str]:
    return (error["message"] for error in refused(door, query))


def test_connections_are_few_and_not_deep(door: Door) -> None:
    begun(door, deep(2))
    assert "Bulk queries cannot contain connections with a nesting depth greater than 2." in (
        messages(door, deep(3))
    )
    begun(door, wide(4))
    assert list(messages(door, wide(5))) == ["Bulk queries cannot contain more than 5 connections."]
    (told,) = messages(door, "{ orders { edges { node { id nonsense } } } }")
    assert told == "Invalid bulk query: Field 'nonsense' doesn't exist on type 'Order'"
