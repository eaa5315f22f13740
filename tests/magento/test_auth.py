from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

import pytest
import responses

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.http import Http
from connectors.magento.auth import Bearer, OAuth1, way_in
from connectors.magento.search import Filter, criteria

KEYS = ShopSettings(
    "eu",
    "magento",
    consumer_key="ck",
    consumer_secret="cs&",
    access_token="at",
    access_token_secret="as=",
)


@pytest.fixture
def shop() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def escaped(text: str) -> str:
    return quote(text, safe="-._~")


def oauth_fields(header: str) -> dict[str, str]:
    assert header.startswith("OAuth ")
    return {key: unquote(value) for key, value in re.findall(r'(\w+)="([^"]*)"', header)}


def signature(method: str, url: str, query: list[tuple[str, str]], oauth: dict[str, str]) -> str:
    """RFC 5849, 3.4, with HMAC-SHA256, by hand."""
    pairs = [*query, *((k, v) for k, v in oauth.items() if k != "oauth_signature")]
    joined = "&".join(f"{k}={v}" for k, v in sorted((escaped(k), escaped(v)) for k, v in pairs))
    base = "&".join(escaped(part) for part in (method, url, joined))
    key = f"{escaped('cs&')}&{escaped('as=')}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize("port", ["", ":8443"])
def test_oauth_signs_the_encoded_query_and_the_url_without_its_port(
    port: str, shop: responses.RequestsMock
) -> None:
    query = criteria([Filter("updated_at", "gteq", "2026-11-21 19:40:00 ä+,[x]")], 100)
    shop.get(f"https://shop.example{port}/rest/all/V1/orders", json={})
    http = Http(f"https://shop.example{port}", shop="eu", auth=way_in(KEYS))
    http.get("/rest/all/V1/orders", params=query)
    oauth = oauth_fields(shop.calls[0].request.headers["Authorization"])
    url = "https://shop.example/rest/all/V1/orders"
    assert oauth["oauth_signature_method"] == "HMAC-SHA256"
    assert oauth["oauth_signature"] == signature("GET", url, query, oauth)


def test_a_json_body_is_not_signed(shop: responses.RequestsMock) -> None:
    shop.put("https://shop.example/rest/all/V1/customers/1", json={})
    http = Http("https://shop.example", shop="eu", auth=way_in(KEYS))
    http.request("PUT", "/rest/all/V1/customers/1", json={"customer": {"id": 1}})
    request = shop.calls[0].request
    oauth = oauth_fields(request.headers["Authorization"])
    url = "https://shop.example/rest/all/V1/customers/1"
    assert oauth["oauth_signature"] == signature("PUT", url, [], oauth)
    assert "oauth_body_hash" not in oauth
    assert request.headers["Content-Type"] == "application/json"


def test_every_attempt_has_a_nonce_of_its_own(shop: responses.RequestsMock) -> None:
    shop.get("https://shop.example/x", status=500)
    shop.get("https://shop.example/x", json={})
    http = Http("https://shop.example", shop="eu", auth=way_in(KEYS), sleep=lambda _: None)
    http.get("/x")
    nonces = {
        oauth_fields(call.request.headers["Authorization"])["oauth_nonce"] for call in shop.calls
    }
    assert len(nonces) == 2


def test_a_token_goes_as_bearer(shop: responses.RequestsMock) -> None:
    shop.get("https://shop.example/x", json={})
    auth = way_in(ShopSettings("eu", "magento", token="t0ken"))
    Http("https://shop.example", shop="eu", auth=auth).get("/x")
    assert shop.calls[0].request.headers["Authorization"] == "Bearer t0ken"


def test_the_settings_choose_the_way_in() -> None:
    assert isinstance(way_in(KEYS), OAuth1)
    assert isinstance(way_in(ShopSettings("eu", "magento", token="t")), Bearer)


def test_all_that_is_missing_for_a_way_in_is_named_at_once() -> None:
    half = ShopSettings("eu", "magento", consumer_key="secret-key", access_token="secret-token")
    with pytest.raises(ConfigurationError) as caught:
        way_in(half)
    told = str(caught.value)
    for name in ("CLV_EU_TOKEN", "CLV_EU_CONSUMER_SECRET", "CLV_EU_ACCESS_TOKEN_SECRET"):
        assert name in told
    assert "CLV_EU_CONSUMER_KEY" not in told
    assert "secret-" not in told
