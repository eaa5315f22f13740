from __future__ import annotations

import gzip
import json
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from urllib3.exceptions import MaxRetryError, NameResolutionError

import connectors.http.wire
from connectors.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    RequestRefused,
    ShopUnavailable,
)
from connectors.http import (
    Answer,
    AnswerDenied,
    AnswerRefused,
    AuthBase,
    Http,
    PreparedRequest,
    Retry,
)
from connectors.http.patience import Pace

SHOP = "https://shop.example"
CANARY = "token-canary-4711"


@pytest.fixture
def shop() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def http(naps: list[float]) -> Http:
    return Http(SHOP, shop="eu", headers={"X-Token": CANARY}, sleep=naps.append)


class Counting(AuthBase):
    """Signs every request with another number, as a nonce would."""

    def __init__(self) -> None:
        self.signed = 0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        number = self.signed + 1
        time.sleep(0)  # another thread's turn, were it allowed in
        self.signed = number
        request.headers["Authorization"] = f"nonce-{number}"
        return request


# ------------------------------------------------------------------------- what is asked and told


def test_numbers_are_exact(http: Http, shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", body='{"amount": 104.78, "count": 3}')
    assert http.get("/x").data == {"amount": Decimal("104.78"), "count": 3}


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"[0.10, -0.0, 1e5]", [Decimal("0.10"), Decimal("-0.0"), Decimal("1E+5")]),
        (b"[123456789012345678901, -0]", [123456789012345678901, 0]),
        (b'["\\ud83d\\ude00", "\\ud800"]', ["\U0001f600", "\ud800"]),
        (b'\xef\xbb\xbf{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": 0.1}'.encode("utf-16"), {"a": Decimal("0.1")}),
    ],
)
def test_whatever_json_can_say_is_read(
    body: bytes, data: object, http: Http, shop: responses.RequestsMock
) -> None:
    shop.get(f"{SHOP}/x", body=body)
    told = http.get("/x").data
    assert (repr(told), type(told)) == (repr(data), type(data))


def test_headers_are_found_in_any_case(http: Http, shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", json={}, headers={"X-Limit": "39/40"})
    assert http.get("/x").headers["x-limit"] == "39/40"


def test_a_space_in_the_query_is_percent_20_and_brackets_are_encoded(
    http: Http, shop: responses.RequestsMock
) -> None:
    shop.get(f"{SHOP}/x", json={})
    http.get("/x", params=[("a[b]", "2026-11-21 19:00:00")])
    assert shop.calls[0].request.url == f"{SHOP}/x?a%5Bb%5D=2026-11-21%2019%3A00%3A00"


def test_a_path_without_slash_can_not_become_another_host(http: Http) -> None:
    with pytest.raises(ValueError, match="slash"):
        http.get(".evil.example/x")


def test_an_answer_without_content_is_none(http: Http, shop: responses.RequestsMock) -> None:
    shop.put(f"{SHOP}/x", status=204)
    answer = http.request("PUT", "/x", json={"a": "b"})
    assert (answer.status, answer.data) == (204, None)


# ---------------------------------------------------------------------------- what is tried again


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500, "json": {"message": "Internal Error"}},
        {"status": 502, "body": "<html>Bad Gateway</html>"},
        {"status": 503, "body": "<html>maintenance</html>"},
        {"status": 429, "json": {}},
        {"status": 408, "body": "<html>Request Timeout</html>"},
        {"status": 200, "body": '{"items": [1, 2'},
        {"status": 200, "body": "<html>logged in?</html>"},
        {"status": 200, "body": ""},
        {"status": 200, "body": '{"amount": NaN}'},
        {"status": 200, "body": '{"amount": 1.0e9999999999999999999}'},
        {"body": requests.ConnectionError("reset")},
        {"body": requests.ReadTimeout("slow")},
        {"body": requests.exceptions.ChunkedEncodingError("cut")},
    ],
    ids=lambda failure: str(failure)[:40],
)
def test_a_failure_that_may_pass_is_tried_again(
    failure: dict[str, Any], http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", **failure)
    shop.get(f"{SHOP}/x", json={"ok": True})
    assert http.get("/x").data == {"ok": True}
    assert len(naps) == 1


def test_after_six_attempts_the_shop_counts_as_unavailable(
    http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", status=500, headers={"X-Request-Id": "abc-1"})
    with pytest.raises(ShopUnavailable) as caught:
        http.get("/x")
    assert caught.value.evidence == {"shop": "eu", "status": 500, "request_id": "abc-1"}
    assert (len(shop.calls), len(naps)) == (6, 5)
    assert len(set(naps)) == 5  # jitter: no two clients come back in step


def test_waits_never_exceed_the_longest_one(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    retry = Retry(attempts=12, longest_wait=2)
    shop.get(f"{SHOP}/x", status=500)
    with pytest.raises(ShopUnavailable):
        Http(SHOP, shop="eu", retry=retry, sleep=naps.append).get("/x")
    assert len(naps) == 11
    assert max(naps) <= 2


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_kept(
    status: int, http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", status=status, headers={"Retry-After": "97"})
    shop.get(f"{SHOP}/x", json={})
    http.get("/x")
    assert naps == [97]


def test_retry_after_as_a_date_is_measured_on_the_shops_own_clock(
    http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    headers = {
        "Date": "Sat, 21 Nov 2026 19:00:00 GMT",
        "Retry-After": "Sat, 21 Nov 2026 19:00:42 GMT",
    }
    shop.get(f"{SHOP}/x", status=429, headers=headers)
    shop.get(f"{SHOP}/x", json={})
    http.get("/x")
    assert naps == [42]


def test_a_wait_beyond_the_budget_ends_the_request_at_once(
    http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", status=429, headers={"Retry-After": "86400"})
    with pytest.raises(ShopUnavailable, match="slow down"):
        http.get("/x")
    assert naps == []


def test_the_waits_of_one_request_stay_within_its_budget(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", status=429, headers={"Retry-After": "4"})
    with pytest.raises(ShopUnavailable):
        Http(SHOP, shop="eu", retry=Retry(attempts=50, budget=10), sleep=naps.append).get("/x")
    assert naps == [4, 4]


def test_a_shop_that_is_only_busy_is_asked_for_as_long_as_the_budget_lasts(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    answers = iter([4.0] * 20 + [None])
    shop.get(f"{SHOP}/x", json={})
    http = Http(SHOP, shop="eu", sleep=naps.append, throttled=lambda answer: next(answers))
    assert http.get("/x").status == 200
    assert naps == [4.0] * 20


def test_busy_answers_do_not_use_up_the_attempts_for_failures(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    for _ in range(5):
        shop.get(f"{SHOP}/x", status=429, headers={"Retry-After": "4"})
        shop.get(f"{SHOP}/x", status=502)
    shop.get(f"{SHOP}/x", json={})
    http = Http(SHOP, shop="eu", retry=Retry(longest_wait=2), sleep=naps.append)
    assert http.get("/x").status == 200
    assert len(naps) == 10


def test_who_waits_keeps_what_others_are_told_meanwhile() -> None:
    now = 100.0
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds - 2
        if len(slept) == 1:
            pace.hold(7)
        now += 2

    pace = Pace(sleep, lambda: now)
    pace.hold(4)
    pace.hold(1)  # a shorter wait ends no longer one
    pace.keep(longest=300)
    assert slept == [4, 5]


def test_after_a_wait_that_was_given_up_the_shop_is_not_asked_early(
    http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", status=429, headers={"Retry-After": "86400"})
    for path in ("/x", "/y"):
        with pytest.raises(ShopUnavailable, match="slow down"):
            http.get(path)
    assert len(shop.calls) == 1
    assert naps == []


def test_who_gives_a_request_up_waits_before_the_next_one(
    http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", status=429, headers={"Retry-After": "7"})
    shop.get(f"{SHOP}/y", json={})
    with pytest.raises(ShopUnavailable):
        http.get("/x", attempts=1)
    http.get("/y")
    assert naps == pytest.approx([7], abs=0.5)


def test_a_wait_that_one_thread_was_told_is_kept_by_another(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    """The other asks while the first one still waits."""

    def sleep(seconds: float) -> None:
        naps.append(round(seconds))
        if len(naps) == 1:
            other = threading.Thread(target=http.get, args=("/y",))
            other.start()
            other.join()

    shop.get(f"{SHOP}/x", status=429, headers={"Retry-After": "97"})
    shop.get(f"{SHOP}/x", json={})
    shop.get(f"{SHOP}/y", json={})
    http = Http(SHOP, shop="eu", sleep=sleep)
    http.get("/x")
    assert naps == [97, 97]


@pytest.mark.parametrize(
    "asked",
    [
        *("soon", "-5", "nan", "Sat, 21 Nov 1970 19:00:42 GMT"),
        f"Sat, 21 Nov {10**20} 19:00:42 GMT",
    ],
)
def test_an_odd_retry_after_waits_a_little_all_the_same(
    asked: str, http: Http, shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", status=429, headers={"Retry-After": asked})
    shop.get(f"{SHOP}/x", json={})
    http.get("/x")
    assert len(naps) == 1
    assert 0 <= naps[0] <= 60


def test_the_waits_of_all_requests_stay_within_the_budget_of_the_run(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    http = Http(SHOP, shop="eu", retry=Retry(run_budget=10), sleep=naps.append)
    for page in range(3):
        shop.get(f"{SHOP}/{page}", status=429, headers={"Retry-After": "4"})
    for page in range(2):
        shop.get(f"{SHOP}/{page}", json={})
        http.get(f"/{page}")
    with pytest.raises(ShopUnavailable, match="slow down"):
        http.get("/2")
    assert naps == [4, 4]


def test_one_request_can_be_less_patient(http: Http, shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", status=500)
    with pytest.raises(ShopUnavailable):
        http.get("/x", attempts=2)
    assert len(shop.calls) == 2


def test_every_attempt_is_signed_anew(shop: responses.RequestsMock, naps: list[float]) -> None:
    shop.get(f"{SHOP}/x", status=500)
    shop.get(f"{SHOP}/x", body=requests.ConnectionError("reset"))
    shop.get(f"{SHOP}/x", json={})
    Http(SHOP, shop="eu", auth=Counting(), sleep=naps.append).get("/x")
    sent = [call.request.headers["Authorization"] for call in shop.calls]
    assert sent == ["nonce-1", "nonce-2", "nonce-3"]


def test_a_good_answer_that_says_too_fast_is_asked_for_again(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    def throttled(answer: Answer) -> float | None:
        return 3.0 if "errors" in answer.data else None

    shop.post(f"{SHOP}/x", json={"errors": ["THROTTLED"]})
    shop.post(f"{SHOP}/x", json={"data": 1})
    http = Http(SHOP, shop="eu", sleep=naps.append, throttled=throttled)
    assert http.request("POST", "/x", json={}).data == {"data": 1}
    assert naps == [3]


def test_an_answer_that_drips_too_slowly_is_given_up(
    shop: responses.RequestsMock, naps: list[float]
) -> None:
    shop.get(f"{SHOP}/x", json={})
    with pytest.raises(ShopUnavailable, match="too slowly"):
        Http(SHOP, shop="eu", retry=Retry(budget=0), sleep=naps.append).get("/x")


# -------------------------------------------------------------------------- what is told at once


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_is_told_at_once_and_keeps_what_the_shop_said(
    status: int, http: Http, shop: responses.RequestsMock
) -> None:
    body = {"message": "No such entity with %fieldName", "parameters": {"fieldName": "x"}}
    shop.get(f"{SHOP}/x", status=status, json=body)
    with pytest.raises(AnswerRefused, match="No such entity with %fieldName") as caught:
        http.get("/x")
    assert (caught.value.status, caught.value.data) == (status, body)
    assert isinstance(caught.value, RequestRefused)
    assert len(shop.calls) == 1


def test_a_refusal_repeats_nothing_personal(http: Http, shop: responses.RequestsMock) -> None:
    body = {
        "message": "anna@example.com of +49 221 1234567 is taken: %1",
        "parameters": ["Anna Canary"],
    }
    shop.get(f"{SHOP}/x", status=400, json=body)
    with pytest.raises(AnswerRefused) as caught:
        http.get("/x")
    told = str(caught.value)
    assert "is taken" in told
    for secret in ("anna@", "1234567", "Anna Canary", CANARY):
        assert secret not in told


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_at_once_with_the_mend(
    status: int, shop: responses.RequestsMock
) -> None:
    shop.get(f"{SHOP}/x", status=status, json={"message": "not allowed"})
    with pytest.raises(AuthenticationError, match=r"Look at the role\."):
        Http(SHOP, shop="eu", denied_mend="Look at the role.").get("/x")
    assert len(shop.calls) == 1


def test_credentials_are_renewed_once(shop: responses.RequestsMock) -> None:
    renewals: list[str] = []

    def renew() -> dict[str, str]:
        renewals.append("again")
        return {"X-Token": f"fresh-{len(renewals)}"}

    shop.get(f"{SHOP}/x", status=401)
    shop.get(
        f"{SHOP}/x", json={}, match=[responses.matchers.header_matcher({"X-Token": "fresh-1"})]
    )
    http = Http(SHOP, shop="eu", headers={"X-Token": "old"}, renew=renew)
    http.get("/x")
    assert len(renewals) == 1


def test_renewed_credentials_that_are_refused_too_end_it(shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", status=401)
    with pytest.raises(AuthenticationError):
        Http(SHOP, shop="eu", renew=lambda: {"X-Token": "fresh"}).get("/x")
    assert len(shop.calls) == 2


def test_a_refused_renewal_does_not_renew_itself(shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", status=401)
    shop.post(f"{SHOP}/token", status=401)
    http = Http(SHOP, shop="eu", renew=lambda: http.request("POST", "/token").data)
    with pytest.raises(AuthenticationError):
        http.get("/x")
    assert len(shop.calls) == 2


def test_denials_that_renewing_can_not_mend_are_told_at_once(shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", status=401, json={"message": "narrow"})
    http = Http(
        SHOP,
        shop="eu",
        renew=lambda: {"X-Token": "fresh"},
        renewable=lambda denied: denied.answer.data != {"message": "narrow"},
    )
    with pytest.raises(AnswerDenied) as caught:
        http.get("/x")
    assert caught.value.answer.data == {"message": "narrow"}
    assert len(shop.calls) == 1


# --------------------------------------------------------------------------------- several threads


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """`work` in so many threads that all begin at the same instant."""
    together = threading.Barrier(count)

    def one(_: int) -> Any:
        together.wait()
        return work()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_eight_threads_that_get_a_401_renew_once(shop: responses.RequestsMock) -> None:
    denied = threading.Barrier(8)
    renewals: list[int] = []

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        if request.headers["X-Token"] == "old":
            denied.wait()  # all eight are refused before the first of them renews
            return 401, {}, "{}"
        return 200, {}, f'"{request.headers["X-Token"]}"'

    def renew() -> dict[str, str]:
        renewals.append(threading.get_ident())
        return {"X-Token": f"fresh-{len(renewals)}"}

    shop.add_callback("GET", f"{SHOP}/x", answer)
    http = Http(SHOP, shop="eu", headers={"X-Token": "old"}, renew=renew)
    assert in_threads(8, lambda: http.get("/x").data) == ["fresh-1"] * 8
    assert len(renewals) == 1


def test_a_failed_renewal_is_told_and_tried_again_the_next_time(
    shop: responses.RequestsMock,
) -> None:
    def renew() -> dict[str, str]:
        raise ShopUnavailable("the sign-in is down")

    shop.get(f"{SHOP}/x", status=401)
    http = Http(SHOP, shop="eu", renew=renew)
    for _ in range(2):
        with pytest.raises(ShopUnavailable, match="sign-in"):
            http.get("/x")


def test_every_thread_has_a_session_of_its_own(shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", json={})
    http = Http(SHOP, shop="eu")

    def session() -> int:
        assert http.get("/x").status == http.get("/x").status == 200
        return id(http._wire._session)

    assert len(set(in_threads(16, session))) == 16


def test_no_request_of_many_threads_is_mixed_up_or_signed_like_another(
    shop: responses.RequestsMock,
) -> None:
    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps([request.url, request.headers["Authorization"]])

    shop.add_callback("GET", re.compile(f"{SHOP}/"), answer)
    http = Http(SHOP, shop="eu", auth=Counting())

    def work() -> list[str]:
        nonces = []
        for n in range(25):
            path = f"/{threading.get_ident()}/{n}"
            url, nonce = http.get(path).data
            assert url == f"{SHOP}{path}"
            nonces.append(nonce)
        return nonces

    nonces = [nonce for some in in_threads(16, work) for nonce in some]
    assert len(set(nonces)) == 16 * 25


def test_an_unknown_host_is_told_soon_with_the_variable_to_mend(
    http: Http, shop: responses.RequestsMock
) -> None:
    cause = NameResolutionError("shop.example", None, OSError("Name or service not known"))  # type: ignore[arg-type]
    failure = requests.ConnectionError(MaxRetryError(None, "/x", cause))  # type: ignore[arg-type]
    shop.get(f"{SHOP}/x", body=failure)
    with pytest.raises(ShopUnavailable, match=r"no host named shop\.example.*CLV_EU_URL"):
        http.get("/x")
    assert len(shop.calls) == 2


def test_a_bad_certificate_is_told_at_once(http: Http, shop: responses.RequestsMock) -> None:
    cause = ssl.SSLCertVerificationError("self-signed")
    shop.get(f"{SHOP}/x", body=requests.exceptions.SSLError(cause))
    with pytest.raises(ConfigurationError, match="certificate"):
        http.get("/x")
    assert len(shop.calls) == 1


def test_an_endless_answer_is_cut_off(
    http: Http, shop: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connectors.http.wire, "LARGEST_ANSWER", 1000)
    shop.get(f"{SHOP}/x", body="[" + " " * 1000 + "]")
    with pytest.raises(RequestRefused, match="larger"):
        http.get("/x")


# ----------------------------------------------------------------- where credentials do not go


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("https://evil.example/steal?who=anna", "https://evil.example:443"),
        ("http://shop.example/x", "http://shop.example:80"),
        ("//evil.example/x", "unreadable"),
        ("/customer/account/login", "https://shop.example:443"),
    ],
)
def test_a_redirect_is_never_followed(
    target: str, named: str, http: Http, shop: responses.RequestsMock
) -> None:
    shop.get(f"{SHOP}/x", status=302, headers={"Location": target})
    with pytest.raises(ConfigurationError) as caught:
        http.get("/x")
    assert str(caught.value.evidence["to"]) == named
    assert "anna" not in str(caught.value)
    assert len(shop.calls) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/page2",
        "http://shop.example/page2",
        "https://shop.example:8443/page2",
        "https://shop.example@evil.example/page2",
        "https://user:pw@shop.example/page2",
        "https://shop.example\\@evil.example/page2",
        "https://shop.example.evil.example/page2",
        "//shop.example/page2",
        "/page2",
        "",
        "ftp://shop.example/",
    ],
)
def test_a_next_page_link_that_leads_away_is_refused(
    link: str, http: Http, shop: responses.RequestsMock
) -> None:
    with pytest.raises(RequestRefused):
        http.follow(link)
    assert len(shop.calls) == 0


@pytest.mark.parametrize("base", [SHOP, "https://shop.example:443", "https://SHOP.example/"])
def test_a_next_page_link_of_the_shop_is_followed_as_it_is(
    base: str, shop: responses.RequestsMock
) -> None:
    shop.get(f"{SHOP}/page2?page_info=a%2Bb", json=[])
    assert Http(base, shop="eu").follow(f"{SHOP}/page2?page_info=a%2Bb").status == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "ftp://shop.example",
        "shop.example",
        "",
        "https://u:p@shop.example",
        "https://shop.example?x=1",
        "https://shop.example#x",
        "https://",
    ],
)
def test_an_address_in_clear_or_out_of_shape_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CLV_EU_URL"):
        Http(url, shop="eu")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080/m"]
)
def test_loopback_may_speak_in_clear(url: str) -> None:
    Http(url, shop="eu")


def test_certificates_are_verified_and_time_is_bounded(
    http: Http, shop: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    shop.get(f"{SHOP}/x", json={})
    http.get("/x")
    sent = shop.calls[0].request.req_kwargs  # type: ignore[attr-defined]
    assert sent["verify"] is True
    assert sent["timeout"] == connectors.http.wire.TIMEOUTS


def test_proxies_serve_https_but_never_loopback(
    monkeypatch: pytest.MonkeyPatch, shop: responses.RequestsMock
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for base in ("http://127.0.0.1:1", SHOP):
        shop.get(f"{base}/x", json={})
        Http(base, shop="eu").get("/x")
    proxied = [bool(call.request.req_kwargs["proxies"]) for call in shop.calls]  # type: ignore[attr-defined]
    assert proxied == [False, True]


def test_a_netrc_does_not_override_the_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shop: responses.RequestsMock
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine shop.example login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    shop.get(f"{SHOP}/x", json={})
    Http(SHOP, shop="eu", headers={"Authorization": "Bearer ours"}).get("/x")
    assert shop.calls[0].request.headers["Authorization"] == "Bearer ours"


def test_cookies_are_not_sent_back(http: Http, shop: responses.RequestsMock) -> None:
    shop.get(f"{SHOP}/x", json={}, headers={"Set-Cookie": "PHPSESSID=1; path=/"})
    http.get("/x")
    http.get("/x")
    assert "Cookie" not in shop.calls[1].request.headers


@pytest.mark.parametrize("token", [f"{CANARY}\n", f"{CANARY}\r\nX: 1", f"{CANARY}…", f" {CANARY}"])
def test_a_credential_that_no_header_can_carry_is_told_without_showing_it(token: str) -> None:
    http = Http(SHOP, shop="eu", headers={"X-Token": token})
    with pytest.raises(ConfigurationError, match="CLV_EU_") as caught:
        http.get("/x")
    assert CANARY not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_no_log_line_and_no_error_holds_a_secret(
    http: Http, shop: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop.get(f"{SHOP}/x", status=500, body="anna@example.com")
    with pytest.raises(ConnectorError) as caught:
        http.get("/x")
    assert "retry shop=eu attempt=1" in caplog.text
    for secret in (CANARY, "anna@example.com"):
        assert secret not in caplog.text + str(caught.value)


# ------------------------------------------------------------------------------ on a real socket

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


@pytest.fixture
def server() -> Iterator[Callable[[list[bytes]], str]]:
    """Answers each connection with the next of the given bytes, then closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(answers: list[bytes]) -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    threads: list[threading.Thread] = []

    def start(answers: list[bytes]) -> str:
        threads.append(threading.Thread(target=serve, args=(answers,), daemon=True))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    threads[0].join(timeout=5)
    listener.close()


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "failure",
    [b"", OK + b'{"ok":', CHUNKED + b'5\r\n{"ok"\r\n', CHUNKED + b"zz\r\n", b"HTTP/1.1 200"],
    ids=["no answer", "cut off", "cut in a chunk", "no chunk", "cut in the head"],
)
def test_a_broken_connection_is_tried_again(
    failure: bytes, server: Callable[[list[bytes]], str], naps: list[float]
) -> None:
    base = server([failure, OK + b'{"ok": 123}'])
    assert Http(base, shop="eu", sleep=naps.append).get("/x").data == {"ok": 123}
    assert len(naps) == 1


# ------------------------------------------------------------------- files that lie elsewhere

FILE = "https://storage.example/result?Expires=1&Signature=file-canary-4712"


def whole(pieces: Iterator[bytes]) -> bytes:
    return b"".join(pieces)


def test_a_file_is_fetched_without_any_credential(shop: responses.RequestsMock) -> None:
    asked = shop.get(FILE, body=b"abc", headers={"Set-Cookie": "a=b"})
    http = Http(SHOP, shop="eu", headers={"X-Token": CANARY}, auth=Counting())
    for _ in range(2):
        assert http.download(FILE, whole, largest=3) == b"abc"
    for call in asked.calls:
        assert not {"X-Token", "Authorization", "Cookie"} & set(call.request.headers)
        assert CANARY not in str(call.request.headers)


def test_a_file_may_be_packed(shop: responses.RequestsMock, http: Http) -> None:
    content = b"line\n" * 100_000
    shop.get(FILE, body=gzip.compress(content), headers={"Content-Encoding": "gzip"})
    assert http.download(FILE, whole, largest=len(content)) == content


def test_a_file_that_unpacks_to_more_than_was_told_is_cut_off(
    shop: responses.RequestsMock, http: Http
) -> None:
    shop.get(FILE, body=gzip.compress(b"0" * 10**6), headers={"Content-Encoding": "gzip"})
    with pytest.raises(RequestRefused, match="larger than 1,000 bytes"):
        http.download(FILE, whole, largest=1000)


def test_a_file_is_read_from_its_start_at_each_attempt(
    shop: responses.RequestsMock, http: Http, naps: list[float]
) -> None:
    shop.get(FILE, status=503)
    shop.get(FILE, body=requests.exceptions.ChunkedEncodingError("broken off"))
    shop.get(FILE, body=b"abc")
    starts = []

    def read(pieces: Iterator[bytes]) -> bytes:
        starts.append(len(naps))
        return whole(pieces)

    assert http.download(FILE, read, largest=3) == b"abc"
    assert starts == [2]


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    "failure",
    [b"", OK + b"ab", CHUNKED + b"2\r\nab\r\n"],
    ids=["no answer", "cut", "no last chunk"],
)
def test_a_file_that_breaks_off_is_no_shorter_file(
    failure: bytes, server: Callable[[list[bytes]], str], naps: list[float]
) -> None:
    base = server([failure, OK + b"abcdefghijk"])
    http = Http(base, shop="eu", sleep=naps.append)
    assert http.download(f"{base}/result", whole, largest=11) == b"abcdefghijk"
    assert len(naps) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_file_that_is_gone_is_told_at_once(
    status: int, shop: responses.RequestsMock, http: Http
) -> None:
    shop.get(FILE, status=status, body=b"<Error>ExpiredToken</Error>")
    with pytest.raises(AnswerRefused, match="gone") as caught:
        http.download(FILE, whole, largest=100)
    assert "canary" not in str(caught.value)
    assert len(shop.calls) == 1


def test_a_file_that_has_moved_is_not_followed(shop: responses.RequestsMock, http: Http) -> None:
    shop.get(FILE, status=302, headers={"Location": "https://evil.example/x"})
    with pytest.raises(AnswerRefused, match="moved"):
        http.download(FILE, whole, largest=100)
    assert len(shop.calls) == 1


UNSAFE = pytest.mark.parametrize(
    "url",
    [
        "http://storage.example/x",
        "http://127.0.0.1/x",
        "https://user:pw@storage.example/x",
        "ftp://storage.example/x",
        "/x",
        "",
    ],
)


@UNSAFE
def test_a_file_at_an_unsafe_address_is_not_fetched(
    url: str, shop: responses.RequestsMock, http: Http
) -> None:
    with pytest.raises(RequestRefused, match="not safe"):
        http.download(url, whole, largest=100)
    assert len(shop.calls) == 0


# ------------------------------------------------------------------- files laid down elsewhere

FORM = {"success_action_status": "201", "key": "tmp/clv.jsonl", "policy": "signed"}
STORAGE = "https://storage.example/"


def test_a_file_is_laid_down_behind_its_form_without_any_credential(
    shop: responses.RequestsMock,
) -> None:
    asked = shop.post(STORAGE, status=201, body=b"<PostResponse/>", headers={"Set-Cookie": "a=b"})
    http = Http(SHOP, shop="eu", headers={"X-Token": CANARY}, auth=Counting())
    for _ in range(2):
        http.upload(STORAGE, FORM, b'{"a": 1}\n')
    for call in asked.calls:
        assert not {"X-Token", "Authorization", "Cookie"} & set(call.request.headers)
        assert CANARY not in str(call.request.headers)
        body = call.request.body
        places = [body.index(f'name="{name}"'.encode()) for name in (*FORM, "file")]
        assert places == sorted(places)
        assert body.count(b'{"a": 1}\n') == 1


def test_a_storage_that_is_busy_gets_the_file_again(
    shop: responses.RequestsMock, http: Http, naps: list[float]
) -> None:
    shop.post(STORAGE, status=503)
    shop.post(STORAGE, body=requests.ConnectionError())
    shop.post(STORAGE, status=204)
    http.upload(STORAGE, FORM, b"x")
    assert len(naps) == 2


@pytest.mark.parametrize("status", [302, 400, 403])
def test_a_storage_that_refuses_a_file_is_told_at_once(
    status: int, shop: responses.RequestsMock, http: Http
) -> None:
    headers = {"Location": "https://evil.example/x"}
    shop.post(STORAGE, status=status, body=b"<Error>canary</Error>", headers=headers)
    with pytest.raises(AnswerRefused, match="refuses a file") as caught:
        http.upload(STORAGE, FORM, b"x")
    assert "canary" not in str(caught.value)
    assert len(shop.calls) == 1


@UNSAFE
def test_no_file_is_laid_down_at_an_unsafe_address(
    url: str, shop: responses.RequestsMock, http: Http
) -> None:
    with pytest.raises(RequestRefused, match="not safe"):
        http.upload(url, FORM, b"x")
    assert len(shop.calls) == 0
