from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConfigurationError
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.shopify import ShopifyShop
from connectors.shopify.auth import ClientCredentials

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://toys.myshopify.com"
GRAPHQL = f"{URL}/admin/api/2026-10/graphql.json"
GRANT = f"{URL}/admin/oauth/access_token"
APP = ShopSettings("toys", "shopify", url=URL, client_id="app", client_secret="shpss_canary")
EMPTY = {"customers": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}}


def open_shop(settings: ShopSettings, hasher: EmailHasher) -> ShopifyShop:
    return ShopifyShop(settings, hasher)


@pytest.mark.parametrize(
    "url",
    [
        "https://toys.myshopify.com",
        "https://toys-2.myshopify.com/",
        "http://127.0.0.1:8123/us",
        "http://localhost:8123",
        "http://[::1]:8123/us",
    ],
)
def test_a_shopify_address_or_this_machine_is_taken(url: str, hasher: EmailHasher) -> None:
    assert open_shop(ShopSettings("toys", "shopify", url=url, token="t"), hasher).shop == "toys"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://toys.myshopify.com",
        "https://toys.myshopify.com.evil.example",
        "https://evil.example/toys.myshopify.com",
        "https://toys.myshopify.com@evil.example",
        "https://evil.example#.myshopify.com",
        "https://a.b.myshopify.com",
        "https://toys.myshopify.com\n",
        "https://myshopify.com",
        "https://169.254.169.254",
        "https://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:8123/us?x=https://toys.myshopify.com",
    ],
)
def test_any_other_address_is_refused(url: str, hasher: EmailHasher) -> None:
    with pytest.raises(ConfigurationError, match="CLV_TOYS_URL"):
        open_shop(ShopSettings("toys", "shopify", url=url, token="t"), hasher)


def test_a_token_is_sent_as_the_header(web: responses.RequestsMock, hasher: EmailHasher) -> None:
    header = responses.matchers.header_matcher({"X-Shopify-Access-Token": "shpat_1"})
    web.post(GRAPHQL, json={"data": EMPTY}, match=[header])
    shop = open_shop(ShopSettings("toys", "shopify", url=URL, token="shpat_1"), hasher)
    assert list(shop.pull_customers(None, NOW))


class Grants:
    """Gives tokens t1, t2, ... and takes only those in `valid`."""

    def __init__(self, web: responses.RequestsMock) -> None:
        self.given = 0
        self.asked: list[Any] = []
        self.used: list[str] = []
        self.revoked: set[str] = set()
        web.add_callback(responses.POST, GRANT, callback=self.grant)
        web.add_callback(responses.POST, GRAPHQL, callback=self.graphql)

    def grant(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.asked.append(json.loads(request.body or "{}"))
        self.given += 1
        token = {"access_token": f"t{self.given}", "scope": "x", "expires_in": 86399}
        return 200, {}, json.dumps(token)

    def graphql(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        token = request.headers["X-Shopify-Access-Token"]
        self.used.append(token)
        if token in self.revoked:
            return 401, {}, json.dumps({"errors": "[API] Invalid API key or access token"})
        return 200, {}, json.dumps({"data": EMPTY})


def test_an_apps_secret_becomes_a_token_once(
    web: responses.RequestsMock, hasher: EmailHasher
) -> None:
    grants = Grants(web)
    shop = open_shop(APP, hasher)
    assert grants.given == 0  # nothing is asked before a verb is called
    for _ in range(3):
        list(shop.pull_customers(None, NOW))
    assert (grants.given, grants.used) == (1, ["t1", "t1", "t1"])
    assert grants.asked == [
        {
            "grant_type": "client_credentials",
            "client_id": "app",
            "client_secret": "shpss_canary",
        }
    ]


def test_a_token_that_is_refused_is_renewed_once(
    web: responses.RequestsMock, hasher: EmailHasher
) -> None:
    grants = Grants(web)
    grants.revoked = {"t1"}
    list(open_shop(APP, hasher).pull_customers(None, NOW))
    assert grants.used == ["t1", "t2"]
    grants.revoked = {"t3", "t4"}
    grants.given = 2
    with pytest.raises(AuthenticationError):
        list(open_shop(APP, hasher).pull_customers(None, NOW))
    assert grants.used == ["t1", "t2", "t3", "t4"]


def test_a_token_is_renewed_before_it_ends(web: responses.RequestsMock) -> None:
    grants, clock = Grants(web), [0.0]
    credentials = ClientCredentials(APP, Http(URL, shop="toys"), clock=lambda: clock[0])
    for now, given in ((0, 1), (86_000, 1), (86_100, 2), (90_000, 2)):
        clock[0] = now
        request = PreparedRequest()
        request.prepare("GET", URL)
        assert credentials(request).headers["X-Shopify-Access-Token"] == f"t{given}"
    assert grants.given == 2


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": {"error": "invalid_client"}},
        {"status": 401, "json": {"error": "shpss_canary"}},
        {"status": 200, "json": {"error": "shpss_canary"}},
    ],
)
def test_a_wrong_secret_names_the_variables_and_never_the_secret(
    web: responses.RequestsMock, hasher: EmailHasher, answer: Any
) -> None:
    web.post(GRANT, **answer)
    with pytest.raises(AuthenticationError) as caught:
        list(open_shop(APP, hasher).pull_customers(None, NOW))
    assert "CLV_TOYS" in str(caught.value)
    assert "shpss_canary" not in str(caught.value)
