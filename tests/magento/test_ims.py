from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConfigurationError, ShopUnavailable
from connectors.http import Http, PreparedRequest, Retry
from connectors.magento.auth import open_http, way_in
from connectors.magento.ims import ImsToken

SHOP = "https://na1.api.commerce.adobe.com/tenant-1"
GRANT = "https://ims-na1.adobelogin.com/ims/token/v3"
SETTINGS = ShopSettings(
    "eu",
    "magento",
    url=SHOP,
    client_id="id-canary",
    client_secret="secret-canary",
    ims_org="1234@AdobeOrg",
)


class Adobe:
    """Adobe's sign-in and one shop behind it, which takes the newest token for `lasts` requests."""

    def __init__(self, mock: responses.RequestsMock, lasts: int = 10**9) -> None:
        self.lasts = lasts
        self.granted: list[dict[str, list[str]]] = []
        self.asked: list[PreparedRequest] = []
        self._left = 0
        self._lock = threading.Lock()
        mock.add_callback("POST", GRANT, self.grant)
        mock.add_callback("GET", f"{SHOP}/V1/orders", self.orders)

    def grant(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.granted.append(parse_qs(str(request.body)))
        self._left = self.lasts
        token = f'"t{len(self.granted)}"'
        return 200, {}, f'{{"access_token": {token}, "token_type": "bearer", "expires_in": 86399}}'

    def orders(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        with self._lock:
            self.asked.append(request)
            newest = request.headers["Authorization"] == f"Bearer t{len(self.granted)}"
            if not newest or self._left <= 0:
                return 401, {}, '{"error_code": "401013", "message": "Oauth token is not valid"}'
            self._left -= 1
            return 200, {}, "{}"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_the_projects_secret_becomes_a_token_that_signs_with_key_organization_and_store(
    web: responses.RequestsMock,
) -> None:
    adobe = Adobe(web)
    http = open_http(SETTINGS)
    for _ in range(3):
        http.get("/V1/orders")
    assert adobe.granted == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["id-canary"],
            "client_secret": ["secret-canary"],
            "scope": [
                "openid,AdobeID,email,profile,additional_info.roles,"
                "additional_info.projectedProductContext,commerce.accs"
            ],
        }
    ]
    sent = adobe.asked[-1].headers
    assert sent["Authorization"] == "Bearer t1"
    assert sent["x-api-key"] == "id-canary"
    assert sent["x-gw-ims-org-id"] == "1234@AdobeOrg"
    assert sent["Store"] == "all"


def test_nothing_is_asked_before_a_request_is_made(web: responses.RequestsMock) -> None:
    adobe = Adobe(web)
    open_http(SETTINGS)
    assert adobe.granted == []


def test_the_secret_goes_to_the_sign_in_and_the_token_to_the_shop_alone(
    web: responses.RequestsMock,
) -> None:
    Adobe(web, lasts=2)
    http = open_http(SETTINGS)
    for _ in range(5):
        http.get("/V1/orders")
    for call in web.calls:
        whole = f"{call.request.url} {dict(call.request.headers)} {call.request.body!r}"
        to_adobe = call.request.url == GRANT
        assert ("secret-canary" in whole) is to_adobe
        assert ("Bearer" in whole) is not to_adobe
        assert str(call.request.url).startswith((GRANT, SHOP))


def test_a_token_is_renewed_before_it_ends(web: responses.RequestsMock) -> None:
    adobe, clock = Adobe(web), [0.0]
    token = ImsToken(SETTINGS, clock=lambda: clock[0])
    for now, given in ((0, 1), (86_000, 1), (86_100, 2), (90_000, 2)):
        clock[0] = now
        request = PreparedRequest()
        request.prepare("GET", SHOP)
        assert token(request).headers["Authorization"] == f"Bearer t{given}"
    assert len(adobe.granted) == 2


def test_a_token_that_the_shop_no_longer_takes_is_renewed_once(web: responses.RequestsMock) -> None:
    adobe = Adobe(web, lasts=1)
    http = open_http(SETTINGS)
    http.get("/V1/orders")
    http.get("/V1/orders")
    assert [one.headers["Authorization"] for one in adobe.asked] == [
        "Bearer t1",
        "Bearer t1",
        "Bearer t2",
    ]
    adobe.lasts = 0
    adobe._left = 0
    with pytest.raises(AuthenticationError):
        http.get("/V1/orders")
    assert len(adobe.granted) == 3


def test_eight_threads_with_a_dead_token_sign_in_once(web: responses.RequestsMock) -> None:
    adobe = Adobe(web, lasts=1)
    http = open_http(SETTINGS)
    http.get("/V1/orders")
    adobe.lasts = 100
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        return http.get("/V1/orders").status

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [200] * 8
    assert len(adobe.granted) == 2


def test_a_shop_that_asks_to_wait_is_waited_for(web: responses.RequestsMock) -> None:
    naps: list[float] = []
    web.post(GRANT, status=429, headers={"Retry-After": "7"})
    web.post(GRANT, json={"access_token": "t1", "expires_in": 86399})
    web.get(f"{SHOP}/V1/orders", status=429, headers={"Retry-After": "42"})
    web.get(f"{SHOP}/V1/orders", json={})
    sign_in = Http("https://ims-na1.adobelogin.com", shop="eu", sleep=naps.append)
    http = Http(SHOP, shop="eu", auth=ImsToken(SETTINGS, sign_in), sleep=naps.append)
    http.get("/V1/orders")
    assert naps == [7, 42]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 400, "json": {"error": "invalid_client"}}, "CLV_EU_CLIENT_SECRET"),
        ({"status": 401, "json": {"error": "secret-canary!"}}, "CLV_EU_CLIENT_SECRET"),
        ({"status": 400, "json": {"error": "invalid_scope"}}, "Add the API"),
        ({"status": 200, "json": {"access_token": 7}}, "CLV_EU_CLIENT_ID"),
        ({"status": 200, "json": ["secret-canary"]}, "CLV_EU_CLIENT_ID"),
        ({"status": 200, "json": {"access_token": "t", "expires_in": "?"}}, "CLV_EU_CLIENT_ID"),
    ],
)
def test_a_refused_secret_names_the_variable_and_the_place_and_never_the_secret(
    web: responses.RequestsMock, answer: Any, words: str
) -> None:
    web.post(GRANT, **answer)
    with pytest.raises(AuthenticationError, match=words) as caught:
        open_http(SETTINGS).get("/V1/orders")
    assert "Adobe Developer Console" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_sign_in_that_is_down_names_its_own_variable(web: responses.RequestsMock) -> None:
    web.post(GRANT, body=requests.ConnectionError("reset"))
    sign_in = Http(
        "https://ims-na1.adobelogin.com",
        shop="eu",
        setting="CLV_EU_IMS_URL",
        retry=Retry(attempts=1),
    )
    with pytest.raises(ShopUnavailable, match="CLV_EU_IMS_URL"):
        Http(SHOP, shop="eu", auth=ImsToken(SETTINGS, sign_in)).get("/V1/orders")


@pytest.mark.parametrize(
    "url", ["https://evil.example", "https://adobelogin.com.evil.example", "http://10.0.0.1"]
)
def test_the_secret_never_goes_to_another_host(url: str) -> None:
    settings = ShopSettings("eu", "magento", url=SHOP, ims_org="1@AdobeOrg", ims_url=url)
    with pytest.raises(ConfigurationError, match="CLV_EU_IMS_URL"):
        way_in(settings)


def test_a_sign_in_on_loopback_is_for_tests() -> None:
    settings = ShopSettings(
        "eu", "magento", url=SHOP, ims_org="1@AdobeOrg", ims_url="http://127.0.0.1:8080/eu"
    )
    assert isinstance(way_in(settings), ImsToken)
