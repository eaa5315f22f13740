"""What the shop says of bulk operations, word by word; and how long they are waited for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from connectors.errors import AuthenticationError, ShopUnavailable
from connectors.http import Http
from connectors.shopify.bulk.operation import (
    ORDERS_IN_BULK,
    BulkRefused,
    asked_about,
    begin,
    give_up,
)
from connectors.shopify.bulk.waiting import LONGEST_WAIT, STANDSTILL, Waiting

URL = "https://toys.myshopify.com"
GRAPHQL = f"{URL}/admin/api/2026-10/graphql.json"
ID = "gid://shopify/BulkOperation/7933223797042"
SEARCH = "created_at:>='2026-01-01T00:00:00Z'"

#: As recorded (2026-04).
COMPLETED: dict[str, Any] = {
    "id": ID,
    "query": ORDERS_IN_BULK.replace("SEARCH", SEARCH),
    "status": "COMPLETED",
    "errorCode": None,
    "objectCount": "1456",
    "rootObjectCount": "1400",
    "fileSize": "115969",
    "url": "https://storage.googleapis.com/result",
}


@pytest.fixture
def shop() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def http() -> Http:
    return Http(URL, shop="us", sleep=lambda seconds: None)


def begun(*codes: str | None, operation_id: str | None = ID) -> dict[str, Any]:
    operation = None if codes else {"id": operation_id}
    told = {"bulkOperation": operation, "userErrors": [{"code": code} for code in codes]}
    return {"data": {"bulkOperationRunQuery": told}}


def stands(**told: Any) -> dict[str, Any]:
    return {"data": {"bulkOperation": COMPLETED | told}}


def test_the_search_is_put_into_the_query(shop: responses.RequestsMock, http: Http) -> None:
    shop.post(GRAPHQL, json=begun())
    assert begin(http, SEARCH) == ID
    sent = json.loads(shop.calls[0].request.body or b"")
    assert f'orders(query: "{SEARCH}")' in sent["variables"]["query"]


@pytest.mark.parametrize("code", ["OPERATION_IN_PROGRESS", "LIMIT_REACHED"])
def test_a_shop_without_room_is_no_failure(
    code: str, shop: responses.RequestsMock, http: Http
) -> None:
    shop.post(GRAPHQL, json=begun(code))
    assert begin(http, SEARCH) is None


@pytest.mark.parametrize("code", ["INVALID", None])
def test_any_other_refusal_means_no_bulk(
    code: str | None, shop: responses.RequestsMock, http: Http
) -> None:
    shop.post(GRAPHQL, json=begun(code))
    with pytest.raises(BulkRefused):
        begin(http, SEARCH)


@pytest.mark.parametrize("code", ["ACCESS_DENIED", "undefinedField"])
def test_a_document_that_is_refused_means_no_bulk(
    code: str, shop: responses.RequestsMock, http: Http
) -> None:
    shop.post(GRAPHQL, json={"errors": [{"message": "No.", "extensions": {"code": code}}]})
    with pytest.raises(BulkRefused, match=code):
        begin(http, SEARCH)


def test_a_token_that_is_refused_is_not_taken_for_a_missing_right(
    shop: responses.RequestsMock, http: Http
) -> None:
    shop.post(GRAPHQL, status=401, json={"errors": "[API] Invalid API key or access token"})
    with pytest.raises(AuthenticationError):
        begin(http, SEARCH)


def test_counts_come_as_text(shop: responses.RequestsMock, http: Http) -> None:
    shop.post(GRAPHQL, json=stands())
    found = asked_about(http, ID)
    assert found is not None
    assert (found.objects, found.orders, found.size) == (1456, 1400, 115969)
    assert not found.goes_on
    assert found.asks_for(SEARCH)
    assert not found.asks_for("created_at:>='2025-01-01T00:00:00Z'")


def test_a_result_without_a_size_is_bounded_by_its_rows(
    shop: responses.RequestsMock, http: Http
) -> None:
    shop.post(GRAPHQL, json=stands(fileSize=None, objectCount="2"))
    found = asked_about(http, ID)
    assert found is not None
    assert 0 < found.largest < 10**6


@pytest.mark.parametrize("count", ["many", "-1", "1.5", "٣"])
def test_a_count_that_is_none_is_never_guessed(
    count: str, shop: responses.RequestsMock, http: Http
) -> None:
    shop.post(GRAPHQL, json=stands(rootObjectCount=count))
    with pytest.raises(ShopUnavailable, match="rootObjectCount"):
        asked_about(http, ID)


def test_an_operation_that_is_unknown_is_none(shop: responses.RequestsMock, http: Http) -> None:
    shop.post(GRAPHQL, json={"data": {"bulkOperation": None}})
    assert asked_about(http, ID) is None


def test_one_that_may_not_read_means_no_bulk(shop: responses.RequestsMock, http: Http) -> None:
    shop.post(GRAPHQL, json=stands(status="FAILED", errorCode="ACCESS_DENIED", url=None))
    with pytest.raises(BulkRefused, match="ACCESS_DENIED"):
        asked_about(http, ID)


def test_giving_up_one_that_has_ended_does_no_harm(
    shop: responses.RequestsMock, http: Http
) -> None:
    told = {"bulkOperationCancel": {"userErrors": [{"field": None}]}}
    shop.post(GRAPHQL, json={"data": told})
    give_up(http, ID)


# ----------------------------------------------------------------------------------------- waiting


def test_waits_grow_to_a_bound_and_begin_anew() -> None:
    naps: list[float] = []
    waiting = Waiting(naps.append)
    for _ in range(20):
        waiting.on()
    assert naps == sorted(naps)
    assert naps[-1] == LONGEST_WAIT
    waiting.over()
    waiting.on()
    assert naps[-1] == naps[0]


def test_what_moves_is_never_waited_for_in_vain_and_what_hangs_is() -> None:
    naps: list[float] = []
    waiting = Waiting(naps.append)
    hangs = False
    for n in range(1000):
        hangs = waiting.in_vain("hanging", "RUNNING")
        assert not waiting.in_vain("moving", n)
        if hangs:
            break
        waiting.on()
    assert hangs
    assert STANDSTILL <= sum(naps) < STANDSTILL + LONGEST_WAIT
