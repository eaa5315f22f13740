"""Recordings of a running 2.4.7-p3 replayed against the sandbox: status, keys, types, messages."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.magento.setup import configure

#: Same status and the same body, word for word.
EXACT = (
    "err_404_store", "err_404_order", "err_404_customer", "err_404_route", "err_405_method",
    "err_401_no_token", "err_401_bad_token", "err_400_no_searchcriteria", "err_bad_sort_dir",
    "customerGroups", "async_bulk_bad_body", "async_bulk_one_item_unknown_field",
    "async_bulk_wrong_route",
    "async_get_not_allowed", "async_unauth", "bulk_bad_uuid", "bulk_unknown_uuid",
    "err_unknown_criteria_key", "err_bad_filter_field_customers", "err_pagesize_str",
    "customers_filter_id_gt", "http_options", "http_patch", "put_customer_nonexistent",
    "put_customer_me_with_admin", "auth_token_scheme", "auth_query_token", "err_bad_condition",
    "err_bad_condition_customers", "err_filter_no_value", "orders_empty_result",
)  # fmt: skip

#: Same status, same keys and types; figures differ, as the shops do.
SHAPED = (
    "err_bad_filter_field", "err_bad_filter_field_creditmemos", "err_bad_sort",
    "auth_lower_bearer", "snake_inside", "encoded_brackets", "orders_multi_sort",
    "orders_past_end_1000", "customers_past_end", "creditmemos_past_end", "orders_pagesize_neg",
    "orders_currentpage_neg", "orders_updated_gteq_garbage", "customers_updated_gteq_garbage",
    "orders_scope_de", "orders_scope_all", "customers_scope_ws",
    "limit_default_pagesize_301", "limit_default_pagesize_100000", "websites", "storeViews",
    "storeConfigs", "currency", "http_head", "async_bulk_empty", "async_bulk_put_customers",
    "async_bulk_put_customers_full", "async_bulk_variants", "limit_on_async_bulk_6",
)  # fmt: skip


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Path:
    return shared / "payloads/magento/live-2.4.7-p3"


def recorded(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


def replay(ask: Any, recording: dict[str, Any]) -> Any:
    request = recording["request"]
    headers = {"content-type": "application/json", **request["headers"]}
    if request["auth"]:
        ours = "integration" in request["auth"]
        headers["authorization"] = f"Bearer {MAGENTO_TOKEN if ours else 'other'}"
    for name, value in headers.items():
        headers[name] = value.replace("<token>", MAGENTO_TOKEN)
    path = "/eu" + request["path"].replace("<token>", MAGENTO_TOKEN)
    return ask(path, request["method"], headers, request["body"])


def shape(value: Any) -> Any:
    """Keys and types; numbers are one type, and a list is what all its elements have."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return kind(value)


@pytest.mark.parametrize("name", EXACT)
def test_says_word_for_word_what_magento_said(name: str, ask: Any, recordings: Path) -> None:
    expected = recorded(recordings, name)
    answer = replay(ask, expected)
    said = answer.text if isinstance(expected["body"], str) else answer.json()
    assert (answer.status, said) == (expected["status"], expected["body"])


@pytest.mark.parametrize("name", SHAPED)
def test_answers_with_the_same_keys_and_types(name: str, ask: Any, recordings: Path) -> None:
    expected = recorded(recordings, name)
    answer = replay(ask, expected)
    assert answer.status == expected["status"]
    assert shape(answer.json() if answer.body else "") == shape(expected["body"])


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("limit_on_default_pagesize_301", {"on": True, "max": 300, "default": 20}),
        ("limit_on_20_pagesize_21", {"on": True, "max": 20, "default": 20}),
        ("limit_on_20_pagesize_20", {"on": True, "max": 20, "default": 20}),
        ("limit_on_default5", {"on": True, "max": 300, "default": 5}),
        ("limit_on_nopagesize", {"on": True, "max": 300, "default": 999_999}),
    ],
)
def test_input_limiting_answers_as_magento_does(
    name: str, limits: dict[str, Any], ask: Any, books: Books, recordings: Path
) -> None:
    settings = {**books.shop("eu")["settings"], "page_limit": limits}
    books.execute("UPDATE shops SET settings = ? WHERE shop = 'eu'", (json.dumps(settings),))
    expected = recorded(recordings, name)
    answer = replay(ask, expected)
    assert answer.status == expected["status"]
    if answer.status == 400:
        assert answer.json() == expected["body"]
    else:
        assert answer.json().get("search_criteria") == expected["body"].get("search_criteria")
        assert shape(answer.json()) == shape(expected["body"])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("look", ["status", "detailed"])
def test_a_bulk_s_operations_are_told_as_magento_tells_them(
    when: str, look: str, ask: Any, books: Books, recordings: Path
) -> None:
    books.execute("UPDATE customers SET email = 'kunde000@example.com' WHERE shop='eu' AND id = 1")
    uuid = replay(ask, recorded(recordings, "async_bulk_put_customers")).json()["bulk_uuid"]
    for seen in ("before", "after")[: 1 if when == "before" else 2]:
        expected = recorded(recordings, f"bulk_bulk_{look}_{seen}")
        old = expected["body"]["bulk_id"]
        path = expected["request"]["path"].replace(old, uuid)
        answer = replay(ask, {**expected, "request": {**expected["request"], "path": path}})
    assert shape(answer.json()) == shape(expected["body"])
    statuses = [{one["id"]: one["status"] for one in body["operations_list"]}
                for body in (answer.json(), expected["body"])]  # fmt: skip
    assert statuses[0] == statuses[1]


def test_with_bearer_off_it_says_what_magento_said(
    ask: Any, books: Books, recordings: Path
) -> None:
    configure(books, "eu", bearer=False)
    expected = recorded(recordings, "bearer_disabled_integration")
    answer = replay(ask, expected)
    assert (answer.status, answer.json()) == (expected["status"], expected["body"])


def test_the_maintenance_page_is_magento_s(ask: Any, books: Books, recordings: Path) -> None:
    configure(books, "eu", maintenance=True)
    expected = recorded(recordings, "maintenance_503")
    answer = replay(ask, expected)
    assert answer.status == expected["status"]
    words = [text.split("<h1>")[1].split() for text in (answer.text, expected["body"])]
    assert words[0][:20] == words[1][:20]


# ----------------------------------------------------------------- orders, memos, customers


def keys(rows: Iterable[dict[str, Any]]) -> tuple[set[str], set[str]]:
    """Keys that all rows have, and keys that any of them has."""
    sets = [set(row) for row in rows]
    return set.intersection(*sets), set.union(*sets)


def assert_alike(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], extra: set[str]) -> None:
    """What every recorded row has ours have too; what ours have was seen (or is `extra`)."""
    always, ever = keys(theirs)
    ours_always, ours_ever = keys(ours)
    assert always - ours_always == set()
    assert ours_ever - ever - extra == set()
    types: dict[str, set[str]] = {}
    for row in theirs:
        for key, value in row.items():
            types.setdefault(key, set()).add(kind(value))
    for key in ever & ours_ever:
        assert {kind(row[key]) for row in ours if key in row} <= types[key], key


def kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) else type(value).__name__


def everything(told: Any, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told(f"/eu/rest/V1/{path}?searchCriteria[pageSize]=0")["items"]
    return found


@pytest.fixture(scope="module")
def their_orders(recordings: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        gzip.decompress((recordings / "all_orders.json.gz").read_bytes())
    )
    return found


@pytest.mark.parametrize("state", ["new", "complete", "canceled", "closed"])
def test_orders_have_the_recorded_keys_in_every_state(
    state: str, told: Any, their_orders: list[dict[str, Any]]
) -> None:
    ours = [o for o in everything(told, "orders") if o["state"] == state and not o["is_virtual"]]
    theirs = [o for o in their_orders if o["state"] == state]  # none of them is virtual alone
    assert_alike(ours, theirs, set())


@pytest.mark.parametrize("sort", ["simple", "configurable", "bundle", "virtual", "child"])
def test_items_have_the_recorded_keys(
    sort: str, told: Any, their_orders: list[dict[str, Any]]
) -> None:
    def of_kind(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        items = (item for order in orders for item in order["items"])
        if sort == "child":
            return [item for item in items if "parent_item_id" in item]
        return [i for i in items if i["product_type"] == sort and "parent_item_id" not in i]

    ours, theirs = of_kind(everything(told, "orders")), of_kind(their_orders)
    # The recorded shop kept no costs; Magento shows them as base_cost where a shop does.
    assert_alike(ours, theirs, {"base_cost"})


def test_credit_memos_have_the_recorded_keys(told: Any, recordings: Path) -> None:
    found = json.loads((recordings / "all_creditmemos.json").read_text(encoding="utf-8"))
    theirs = found if isinstance(found, list) else found["items"]
    ours = everything(told, "creditmemos")
    assert_alike(ours, theirs, set())
    assert_alike(
        [item for memo in ours for item in memo["items"]],
        [item for memo in theirs for item in memo["items"]],
        set(),
    )


def test_customers_have_the_recorded_keys(told: Any, recordings: Path) -> None:
    found = json.loads((recordings / "all_customers.json").read_text(encoding="utf-8"))
    theirs = found if isinstance(found, list) else found["items"]
    assert_alike(everything(told, "customers/search"), theirs, set())


def test_attribute_metadata_has_the_recorded_keys(ask: Any, recordings: Path) -> None:
    for name in ("attributes_customer", "attributes_customer_custom"):
        expected = recorded(recordings, name)
        assert_alike(replay(ask, expected).json(), expected["body"], set())
