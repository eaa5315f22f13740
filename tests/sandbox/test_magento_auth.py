"""Both ways in, and how each is missed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from oauthlib.oauth1 import Client

from connectors.sandbox import (
    MAGENTO_ACCESS_TOKEN,
    MAGENTO_ACCESS_TOKEN_SECRET,
    MAGENTO_CONSUMER_KEY,
    MAGENTO_CONSUMER_SECRET,
    MAGENTO_TOKEN,
)
from connectors.sandbox.books import Books

PATH = "/eu/rest/all/V1/orders"
CRITERIA = {
    "searchCriteria[filter_groups][0][filters][0][field]": "updated_at",
    "searchCriteria[filter_groups][0][filters][0][value]": "2026-01-01 10:00:00",
    "searchCriteria[filter_groups][0][filters][0][condition_type]": "gteq",
    "searchCriteria[pageSize]": "1",
    "fields": "items[entity_id],total_count",
}
QUERY = urlencode(CRITERIA, quote_via=quote)


def signed(query: str = QUERY, host: str = "127.0.0.1", **changed: str) -> dict[str, str]:
    keys = {
        "client_key": MAGENTO_CONSUMER_KEY,
        "client_secret": MAGENTO_CONSUMER_SECRET,
        "resource_owner_key": MAGENTO_ACCESS_TOKEN,
        "resource_owner_secret": MAGENTO_ACCESS_TOKEN_SECRET,
        "signature_method": "HMAC-SHA256",
    }
    _, headers, _ = Client(**{**keys, **changed}).sign(f"http://{host}{PATH}?{query}")
    return {"authorization": headers["Authorization"]}


def test_a_signature_made_without_the_port_opens(ask: Any) -> None:
    answer = ask(f"{PATH}?{QUERY}", headers=signed())
    assert answer.status == 200
    assert answer.json()["total_count"] > 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (signed(host="127.0.0.1:8123"), 401),
        (signed(client_secret="wrong"), 401),
        (signed(resource_owner_secret="wrong"), 401),
        (signed(client_key="someone"), 401),
        (signed(resource_owner_key="someone"), 401),
        (signed(signature_method="HMAC-SHA1"), 400),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Token {MAGENTO_TOKEN}"}, 401),
        ({}, 401),
    ],
)
def test_everything_else_is_refused(ask: Any, headers: dict[str, str], status: int) -> None:
    assert ask(f"{PATH}?{QUERY}", headers=headers).status == status


def test_a_space_sent_as_plus_breaks_the_signature(ask: Any) -> None:
    query = urlencode(CRITERIA)
    assert "+" in query
    assert ask(f"{PATH}?{query}", headers=signed(query)).status == 401


def test_more_than_ten_filters_in_a_group_break_the_signature(ask: Any) -> None:
    many = {
        f"searchCriteria[filter_groups][0][filters][{n}][{part}]": value
        for n in range(11)
        for part, value in (("field", "entity_id"), ("value", str(n)))
    }
    query = urlencode(many, quote_via=quote)
    assert ask(f"{PATH}?{query}", headers=signed(query)).status == 401
    ten = {key: value for key, value in many.items() if "[10]" not in key}
    query = urlencode(ten, quote_via=quote)
    assert ask(f"{PATH}?{query}", headers=signed(query)).status == 200


def test_a_nonce_counts_once(ask: Any) -> None:
    headers = signed()
    assert ask(f"{PATH}?{QUERY}", headers=headers).status == 200
    again = ask(f"{PATH}?{QUERY}", headers=headers)
    assert (again.status, "nonce" in again.json()["message"]) == (401, True)


def test_a_narrow_integration_gets_the_same_401_and_the_missing_right(
    ask: Any, books: Books
) -> None:
    sql = "UPDATE shops SET settings = json_set(settings, '$.resources', json(?)) WHERE shop = 'eu'"
    books.execute(sql, ('["Magento_Sales::actions_view"]',))
    bearer = {"authorization": f"Bearer {MAGENTO_TOKEN}"}
    assert ask(f"{PATH}?{QUERY}", headers=bearer).status == 200
    answer = ask("/eu/rest/V1/customers/search?searchCriteria=", headers=bearer)
    assert answer.status == 401
    assert answer.json()["parameters"] == {"resources": "Magento_Customer::customer"}


def test_currencies_are_open_to_everyone(ask: Any) -> None:
    assert ask("/eu/rest/V1/directory/currency").status == 200
