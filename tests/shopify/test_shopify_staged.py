"""A file on its way to the shop's storage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from requests import PreparedRequest

from connectors.errors import ShopUnavailable
from connectors.http import Http
from connectors.shopify.staged import laid_down

SHOP = "https://toys.myshopify.com"
STORAGE = "https://storage.example/"
PARAMETERS = [{"name": "acl", "value": "private"}, {"name": "key", "value": "tmp/1/clv.jsonl"}]
TARGET = {"url": STORAGE, "parameters": PARAMETERS}


def staging(web: Any, payload: Any) -> list[Any]:
    """The shop answers so; what it is asked is noted."""
    asked: list[Any] = []

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked.append(json.loads(request.body or "{}")["variables"])
        return 200, {}, json.dumps({"data": {"stagedUploadsCreate": payload}})

    web.add_callback("POST", f"{SHOP}/admin/api/2026-10/graphql.json", answer)
    return asked


@pytest.fixture
def http() -> Http:
    return Http(SHOP, shop="toys", headers={"X-Shopify-Access-Token": "shpat_canary"})


def test_a_file_goes_where_the_shop_says_and_is_known_by_its_key(web: Any, http: Http) -> None:
    asked = staging(web, {"stagedTargets": [TARGET], "userErrors": []})
    stored = web.post(STORAGE, status=201)
    assert laid_down(http, b'{"x":1}\n') == "tmp/1/clv.jsonl"
    assert asked[0]["input"][0]["resource"] == "BULK_MUTATION_VARIABLES"
    (call,) = stored.calls
    assert b'{"x":1}\n' in call.request.body
    assert "shpat_canary" not in str(call.request.headers) + str(call.request.body)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {"stagedTargets": None, "userErrors": [{"message": "no"}]},
        {"stagedTargets": []},
        {"stagedTargets": [{"url": STORAGE, "parameters": PARAMETERS[:1]}]},
        {"stagedTargets": [TARGET, TARGET]},
        {"stagedTargets": [{"url": STORAGE, "parameters": [None]}]},
    ],
)
def test_an_answer_without_a_place_for_the_file_is_told(web: Any, http: Http, payload: Any) -> None:
    staging(web, payload)
    with pytest.raises(ShopUnavailable, match="no place for a file"):
        laid_down(http, b"{}\n")
