"""The sandbox's street: both shops, the journal, the controls, starting and stopping."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
import requests

from connectors.sandbox import MAGENTO_TOKEN, SHOPIFY_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.server import open_books, serve

MAGENTO = {"authorization": f"Bearer {MAGENTO_TOKEN}", "content-type": "application/json"}
SHOPIFY = {"x-shopify-access-token": SHOPIFY_TOKEN, "content-type": "application/json"}
GRAPHQL = "/us/admin/api/2026-10/graphql.json"


def test_every_request_to_a_shop_is_journaled(ask: Any) -> None:
    ask("/eu/rest/V1/orders?searchCriteria[pageSize]=1", headers=MAGENTO)
    ask("/eu/rest/V1/orders?searchCriteria[pageSize]=1")
    ask("/admin/eu")
    journal = ask("/_control/journal").json()
    lines = [(row["shop"], row["method"], row["status"]) for row in journal["requests"]]
    assert lines == [("eu", "GET", 200), ("eu", "GET", 401)]
    assert journal["requests"][0]["path"].endswith("?searchCriteria[pageSize]=1")


def test_only_requests_that_ask_for_a_change_count_as_mutating(ask: Any) -> None:
    ask("/eu/rest/V1/orders?searchCriteria=", headers=MAGENTO)
    ask("/eu/rest/V1/customers/1", "PUT", MAGENTO, {"customer": {}})
    ask(GRAPHQL, "POST", SHOPIFY, {"query": "{ shop { name } }"})
    ask(GRAPHQL, "POST", SHOPIFY, {"query": "query Mutation { shop { name } }"})
    ask("/us/admin/oauth/access_token", "POST", SHOPIFY, {"grant_type": "client_credentials"})
    assert ask("/_control/journal").json()["mutating"] == {"eu": 1, "us": 0}
    ask(
        GRAPHQL, "POST", SHOPIFY, {"query": "mutation { tagsAdd(id: 1, tags: []) { node { id } } }"}
    )
    assert ask("/_control/journal").json()["mutating"] == {"eu": 1, "us": 1}


@pytest.mark.parametrize(
    ("sent", "counted"),
    [
        ({"rows": [{"customer_id": 0, "values": []}] * 2}, 0),
        ({"rows": [{"customer_id": 0, "values": []},
                   {"customer_id": 1, "values": [{"code": "clv_tier", "value": ""}]}]}, 1),
        ({"rows": [{"customer_id": 1}]}, 1),
        ({"rows": 1}, 1),
        (b"{not json", 1),
    ],
)  # fmt: skip
def test_only_rows_without_any_value_ask_our_module_for_no_change(
    ask: Any, sent: Any, counted: int
) -> None:
    ask("/eu/rest/V1/clv/customers", "POST", MAGENTO, sent)
    assert ask("/_control/journal").json()["mutating"]["eu"] == counted


def test_reset_empties_the_journal(ask: Any) -> None:
    ask("/eu/rest/V1/orders?searchCriteria=", headers=MAGENTO)
    assert ask("/_control/reset", "POST").status == 200
    assert ask("/_control/journal").json()["requests"] == []


def test_a_bad_body_is_journaled_as_it_came(ask: Any) -> None:
    ask("/eu/rest/V1/customers/1", "PUT", MAGENTO, b"{not json \xff")
    assert ask("/_control/journal").json()["requests"][0]["sent"] == "{not json \ufffd"


def test_each_shop_speaks_its_own_dialect_only(ask: Any) -> None:
    assert ask("/eu/admin/api/2026-10/orders.json", headers=SHOPIFY).status == 404
    assert ask("/us/rest/V1/orders?searchCriteria=", headers=MAGENTO).status == 404


@pytest.mark.end_to_end
def test_it_starts_and_stops_again_and_leaves_no_thread(books: Books) -> None:
    for _ in range(2):
        with serve(books) as sandbox:
            assert requests.get(f"{sandbox.url}/", timeout=60).status_code == 200
        assert "sandbox" not in {thread.name for thread in threading.enumerate()}
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{sandbox.url}/", timeout=60)


@pytest.mark.end_to_end
def test_books_served_from_a_path_keep_what_was_written(populated: Any, tmp_path: Any) -> None:
    path = tmp_path / "kept.sqlite"
    path.write_bytes(populated.read_bytes())
    body = {"customer": {"custom_attributes": [{"attribute_code": "clv_tier", "value": "new"}]}}
    with serve(path) as sandbox:
        url = f"{sandbox.url}/eu/rest/V1/customers/1"
        assert requests.put(url, json=body, headers=MAGENTO, timeout=60).status_code == 200
    kept = open_books(path, today=date(2030, 1, 1))  # filled already: not filled again
    assert "new" in {row["value"] for row in kept.values_of("eu", [1])[1]}
    kept.close()
