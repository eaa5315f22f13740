from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cmp_to_key
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConfigurationError
from connectors.http import Http, PreparedRequest, Retry
from connectors.magento.auth import Bearer, OAuth1, open_http, way_in
from connectors.magento.search import Filter, criteria

from .verifiers import magento, oauth_fields, standard, strnatcmp

SECRETS = ("cs&", "as=")
KEYS = ShopSettings(
    "eu",
    "magento",
    url="https://shop.example",
    consumer_key="ck",
    consumer_secret=SECRETS[0],
    access_token="at",
    access_token_secret=SECRETS[1],
)
INVALID = {"message": "The signature is invalid. Verify and try again."}


@pytest.fixture
def shop() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def signed(url: str, method: str = "GET", *, with_port: bool = False, **body: Any) -> str:
    """The Authorization header that a request leaves with."""
    auth = way_in(KEYS)
    if with_port:
        assert isinstance(auth, OAuth1)
        auth.other_form()
    request = PreparedRequest()
    request.prepare(method, url, auth=auth, **body)
    assert request.url == url, "what is signed is what is sent"
    return request.headers["Authorization"]


def asked(path: str, pairs: list[tuple[str, str]], base: str = "https://shop.example") -> str:
    """The URL as `Http` makes it."""
    return f"{base}{path}?{urlencode(pairs, quote_via=quote)}"


# ------------------------------------------------------------- what the independent verifiers say

VALUES = [
    "2026-11-21 19:40:00",
    "a+b@example.com",
    "50%",
    "ä€漢😀",
    "~._-",
    "a,b[c]",
    "x=y&z=1",
    "'quoted' (too)!*",
    '"',
    "/?#",
    "",
]
PATHS = [
    "/rest/all/V1/orders",
    "/rest/de/V1/customers/search",
    "/index.php/rest/V1/store/storeViews",
]
BASES = [
    "https://shop.example",
    "https://shop.example/sub",
    "http://127.0.0.1:8247",
    "https://shop.example:8443",
    "https://[::1]:8443",
    "https://shop.example:443",
]
QUERIES = [
    *([("fields", "items[id,code],total_count"), ("q", value)] for value in VALUES),
    *(criteria([Filter("customer_email", "in", value)] * 3, 100) for value in VALUES),
    criteria([Filter(f"field_{n}", "gteq", str(n)) for n in range(10)], 100),
]
CASES = list(itertools.product(BASES, PATHS, QUERIES))


def test_magento_reckons_the_same_signature_for_hundreds_of_addresses() -> None:
    for (base, path, query), method in zip(CASES, itertools.cycle(("GET", "PUT", "POST"))):
        url = asked(path, query, base)
        header = signed(url, method, **({} if method == "GET" else {"json": {"customer": {}}}))
        theirs = oauth_fields(header)["oauth_signature"]
        assert magento(method, url, header, SECRETS) == theirs, url
        assert magento(method, url, header, SECRETS, decode="urldecode") == theirs, url
    assert len(CASES) > 400


@pytest.mark.parametrize("base", ["http://127.0.0.1:8247", "https://shop.example:443"])
def test_with_its_port_the_signature_is_the_standards(base: str) -> None:
    for path, query in itertools.product(PATHS, QUERIES):
        url = asked(path, query, base)
        header = signed(url, with_port=True)
        theirs = oauth_fields(header)["oauth_signature"]
        assert standard("GET", url, header, SECRETS) == theirs, url
        assert magento("GET", url, header, SECRETS, port=True) == theirs, url


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["eq", "in", "gteq", "like"]), st.text(max_size=12)), max_size=10
    )
)
def test_whatever_is_searched_for_both_verifiers_agree(filters: list[tuple[str, str]]) -> None:
    wanted = [Filter("name", condition, value) for condition, value in filters]
    url = asked("/rest/all/V1/orders", criteria(wanted, 100))
    header = signed(url)
    theirs = oauth_fields(header)["oauth_signature"]
    assert magento("GET", url, header, SECRETS) == theirs
    assert standard("GET", url, header, SECRETS) == theirs


def test_a_space_as_plus_is_what_magento_would_refuse() -> None:
    """The verifier is worth something: it refuses what real shops refused."""
    url = "https://shop.example/rest/V1/orders?q=2026-11-21+19%3A40"
    header = signed(url)
    theirs = oauth_fields(header)["oauth_signature"]
    assert standard("GET", url, header, SECRETS) == theirs
    assert magento("GET", url, header, SECRETS) != theirs


def test_two_digit_indices_are_sorted_differently_and_refused_here() -> None:
    assert strnatcmp("f%5B2%5D", "f%5B10%5D") < 0
    assert "f%5B2%5D" > "f%5B10%5D"
    eleven = criteria([Filter("entity_id", "gt", str(n)) for n in range(11)], 100)
    with pytest.raises(ValueError, match="at most 10"):
        signed(asked("/rest/all/V1/orders", eleven))
    with pytest.raises(ValueError, match="once"):
        signed(asked("/rest/all/V1/orders", [("a", "1"), ("a", "2")]))


def test_natural_order_is_phps() -> None:
    """The examples of PHP's own tests and manual."""
    assert sorted(["img12", "img10", "img2", "img1"], key=_natural) == [
        "img1",
        "img2",
        "img10",
        "img12",
    ]
    assert strnatcmp("a", "a") == 0
    assert strnatcmp("a", "ab") < 0
    assert strnatcmp("0.5", "0.24") < 0
    assert strnatcmp("x09", "x1") < 0


_natural = cmp_to_key(strnatcmp)


# ------------------------------------------------------------------------------- what is signed


@pytest.mark.parametrize("port", ["", ":8443"])
def test_the_address_is_signed_without_its_port(port: str, shop: responses.RequestsMock) -> None:
    query = criteria([Filter("updated_at", "gteq", "2026-11-21 19:40:00 ä+,[x]")], 100)
    shop.get(f"https://shop.example{port}/rest/all/V1/orders", json={})
    http = Http(f"https://shop.example{port}", shop="eu", auth=way_in(KEYS))
    http.get("/rest/all/V1/orders", params=query)
    sent = shop.calls[0].request
    oauth = oauth_fields(sent.headers["Authorization"])
    assert oauth["oauth_signature_method"] == "HMAC-SHA256"
    expected = magento("GET", sent.url or "", sent.headers["Authorization"], SECRETS)
    assert oauth["oauth_signature"] == expected


def test_a_json_body_is_not_signed(shop: responses.RequestsMock) -> None:
    shop.put("https://shop.example/rest/all/V1/customers/1", json={})
    http = open_http(KEYS)
    http.request("PUT", "/rest/all/V1/customers/1", json={"customer": {"id": 1}})
    sent = shop.calls[0].request
    header = sent.headers["Authorization"]
    assert (
        magento("PUT", sent.url or "", header, SECRETS) == oauth_fields(header)["oauth_signature"]
    )
    assert "oauth_body_hash" not in header
    assert sent.headers["Content-Type"] == "application/json"


def test_every_attempt_has_a_nonce_of_its_own(shop: responses.RequestsMock) -> None:
    shop.get("https://shop.example/x", status=500)
    shop.get("https://shop.example/x", json={})
    open_http(KEYS, sleep=lambda _: None).get("/x")
    sent = [oauth_fields(call.request.headers["Authorization"]) for call in shop.calls]
    assert len({one["oauth_nonce"] for one in sent}) == 2
    assert all(one["oauth_timestamp"].isdigit() for one in sent)


# ------------------------------------------------------------------------ ports of a server's own


class Ported:
    """A shop on a port of its own whose web server passes the port on."""

    def __init__(self, mock: responses.RequestsMock, *, secret: str = SECRETS[0]) -> None:
        self._secrets = (secret, SECRETS[1])
        self.refused = 0
        mock.add_callback("GET", "https://shop.example:8443/x", self.answer)

    def answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        header = request.headers["Authorization"]
        expected = magento("GET", request.url or "", header, self._secrets, port=True)
        if oauth_fields(header)["oauth_signature"] == expected:
            return 200, {}, "{}"
        self.refused += 1
        return 401, {}, f'{{"message": "{INVALID["message"]}"}}'


def ported(**patience: Any) -> Http:
    return open_http(replace(KEYS, url="https://shop.example:8443"), **patience)


def test_a_shop_that_counts_the_port_gets_it_after_one_refusal(
    shop: responses.RequestsMock,
) -> None:
    theirs, http = Ported(shop), ported()
    for _ in range(3):
        assert http.get("/x").status == 200
    assert theirs.refused == 1


def test_a_wrong_secret_is_refused_in_both_forms_and_told(shop: responses.RequestsMock) -> None:
    theirs = Ported(shop, secret="another")
    with pytest.raises(AuthenticationError):
        ported().get("/x")
    assert theirs.refused == 2


def test_a_narrow_role_has_nothing_to_do_with_the_port(shop: responses.RequestsMock) -> None:
    message = "The consumer isn't authorized to access %resources."
    body = {"message": message, "parameters": {"resources": "Magento_Sales::actions_view"}}
    shop.get("https://shop.example:8443/x", status=401, json=body)
    with pytest.raises(AuthenticationError):
        ported(retry=Retry(attempts=1)).get("/x")
    assert len(shop.calls) == 1


# ------------------------------------------------------------------------------- the ways in


def test_a_token_goes_as_bearer(shop: responses.RequestsMock) -> None:
    shop.get("https://shop.example/x", json={})
    open_http(ShopSettings("eu", "magento", url="https://shop.example", token="t0ken")).get("/x")
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


def test_a_refusal_points_to_the_doctor(shop: responses.RequestsMock) -> None:
    shop.get("https://shop.example/x", status=401, json={})
    with pytest.raises(AuthenticationError, match="doctor"):
        open_http(KEYS).get("/x")
