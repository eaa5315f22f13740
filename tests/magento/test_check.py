from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses

from connectors.config import ShopSettings
from connectors.doctor import examine
from connectors.errors import ConfigurationError
from connectors.http import Answer, AnswerDenied, Retry
from connectors.identity import EmailHasher
from connectors.magento import MagentoShop
from connectors.magento.api import api_of
from connectors.magento.auth import open_http
from connectors.magento.check import check
from connectors.magento.checks.denials import is_recognised
from connectors.magento.push import chosen
from connectors.platform import Finding
from connectors.sandbox import (
    ACCS_CLIENT_ID,
    ACCS_CLIENT_SECRET,
    ACCS_ORG,
    MAGENTO_ACCESS_TOKEN,
    MAGENTO_ACCESS_TOKEN_SECRET,
    MAGENTO_CONSUMER_KEY,
    MAGENTO_CONSUMER_SECRET,
    MAGENTO_TOKEN,
)
from connectors.sandbox.books import Books
from connectors.sandbox.magento.scenes import drop_attribute
from connectors.sandbox.magento.setup import configure
from connectors.sandbox.server import Sandbox, open_books, serve
from connectors.schema import FIELDS
from connectors.store import Store

HASHER = EmailHasher(b"k" * 32)
OURS = "k" * 32
LINES = [
    "credentials",
    "clock",
    "orders",
    "credit memos",
    "customers",
    "attributes",
    "store views",
    "currencies",
    "time zone",
    "page size",
    "module",
    "write-back",
]

# ------------------------------------------------------------------------- through the sandbox


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doctor") / "books.sqlite"
    open_books(path, today=date(2026, 11, 20), limit=40).close()
    return path


@dataclass(frozen=True)
class Practice:
    """The practice shop, to be broken; `settings` are those that fit it as it is."""

    sandbox: Sandbox
    settings: ShopSettings

    def broken(self, **setup: Any) -> None:
        configure(self.sandbox.books, "eu", **setup)

    def looked_at(self, **changed: Any) -> dict[str, Finding]:
        settings = replace(self.settings, **changed)
        http = open_http(settings, sleep=lambda seconds: None)
        found = check(http, settings, HASHER.fingerprint, datetime.now(UTC))
        return {finding.name: finding for finding in found}


@pytest.fixture
def practice(filled: Path, tmp_path: Path) -> Iterator[Practice]:
    copy = tmp_path / "books.sqlite"
    shutil.copy(filled, copy)
    books = Books(copy)
    configure(books, "eu", module=True, email_key=OURS)
    with serve(books) as running:
        url = f"{running.url}/eu"
        yield Practice(running, ShopSettings("eu", "magento", url, token=MAGENTO_TOKEN))
    books.close()


OAUTH = {
    "consumer_key": MAGENTO_CONSUMER_KEY,
    "consumer_secret": MAGENTO_CONSUMER_SECRET,
    "access_token": MAGENTO_ACCESS_TOKEN,
    "access_token_secret": MAGENTO_ACCESS_TOKEN_SECRET,
}


@pytest.mark.end_to_end
def test_a_sound_shop_is_fine_in_every_line_and_nothing_is_written(practice: Practice) -> None:
    findings = practice.looked_at()
    assert list(findings) == LINES
    assert {one.status for one in findings.values()} == {"ok"}
    assert findings["credentials"].detail == "integration token as Bearer"
    assert findings["store views"].detail == "4 store views in 2 websites"
    assert findings["currencies"].detail == "base currency EUR"
    assert "Europe/Berlin" in findings["time zone"].detail
    assert "1.1.0" in findings["module"].detail
    assert "1,000 customers" in findings["write-back"].detail
    assert (
        practice.sandbox.books.query("SELECT * FROM customer_values WHERE name LIKE 'clv%'") == []
    )


def _as_it_is(practice: Practice) -> None:
    """Nothing of the shop is broken: a setting of ours is."""


def _without_an_attribute(practice: Practice) -> None:
    drop_attribute(practice.sandbox.books, "eu", "clv_tier")


def _set(**setup: Any) -> Callable[[Practice], None]:
    return lambda practice: practice.broken(**setup)


@dataclass(frozen=True)
class Broken:
    """A set-up that is broken in one way: the line that tells, the cause, and the mend."""

    breaks: Callable[[Practice], None]
    line: str
    status: str
    cause: str
    mend: str
    settings: Mapping[str, Any]


BROKEN = {
    "wrong token": Broken(
        _as_it_is,
        "credentials",
        "fail",
        "most probably a wrong token",
        "Copy the Access Token from System > Integrations into CLV_EU_TOKEN",
        {"token": "mistyped"},
    ),
    "narrow role": Broken(
        _set(resources=["Magento_Sales::actions_view", "Magento_Backend::store"]),
        "credentials",
        "fail",
        "too narrow for: credit memos, customers, attributes",
        "API: Customers; Sales > Operations > Credit Memos",
        {},
    ),
    "bearer off": Broken(
        _set(bearer=False),
        "credentials",
        "fail",
        "most probably Bearer tokens are switched off",
        "Stores > Configuration > Services > OAuth > Consumer Settings",
        {},
    ),
    "missing attribute": Broken(
        _without_an_attribute,
        "attributes",
        "fail",
        "missing: clv_tier",
        "bin/magento setup:upgrade",
        {},
    ),
    "missing module": Broken(
        _set(module=False),
        "module",
        "warn",
        "not installed",
        "magento-module/README.md",
        {},
    ),
    "page limit 20": Broken(
        _set(page_limit={"on": True, "max": 20, "default": 20}),
        "page size",
        "warn",
        "at most 20 rows a page",
        "Web Api Input Limits",
        {},
    ),
    "wrong store code": Broken(
        _as_it_is,
        "store view",
        "fail",
        "no store view with the code 'fr'",
        "CLV_EU_STORE_CODE to one of: all, default, de, us, ws",
        {"store_code": "fr"},
    ),
    "maintenance page": Broken(
        _set(maintenance=True),
        "shop",
        "fail",
        "maintenance mode",
        "maintenance:status",
        {},
    ),
    "clock off by an hour": Broken(
        _set(clock_offset_seconds=3600),
        "clock",
        "fail",
        "seconds behind the shop",
        "NTP",
        {},
    ),
}


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", BROKEN)
def test_the_cause_of_each_broken_set_up_is_named_with_its_mend(
    name: str, practice: Practice
) -> None:
    broken = BROKEN[name]
    broken.breaks(practice)
    findings = practice.looked_at(**broken.settings)
    found = findings[broken.line]
    assert found.status == broken.status
    assert broken.cause in found.detail
    assert broken.mend in found.mend
    wrong = {one.name for one in findings.values() if one.status != "ok"}
    assert wrong == {broken.line} or name == "narrow role"
    assert all(one.mend for one in findings.values() if one.status != "ok")


def test_the_tenth_broken_set_up_is_http_without_loopback(tmp_path: Path) -> None:
    settings = ShopSettings("eu", "magento", "http://shop.example", token="t")
    now = datetime(2026, 11, 22, tzinfo=UTC)
    with Store.open(tmp_path / "store.duckdb", now=now) as store:
        found = list(examine([settings], lambda one: MagentoShop(one, HASHER), store, now))
    name, finding = found[0]
    assert (name, finding.status) == ("eu", "fail")
    assert "plain http" in finding.detail
    assert "CLV_EU_URL" in finding.mend
    assert "https" in finding.mend


@pytest.mark.end_to_end
def test_a_narrow_role_is_told_line_by_line(practice: Practice) -> None:
    practice.broken(resources=["Magento_Sales::actions_view", "Magento_Customer::customer"])
    findings = practice.looked_at(write="put")
    failed = {name for name, one in findings.items() if one.status == "fail"}
    assert failed == {"credentials", "credit memos", "store views", "currencies", "write-back"}
    assert "Stores > Settings > All Stores" in findings["store views"].mend
    assert "Customers > All Customers" in findings["write-back"].mend


@pytest.mark.end_to_end
@pytest.mark.parametrize("bearer", [True, False])
def test_both_ways_in_are_tried_where_both_are_set(bearer: bool, practice: Practice) -> None:
    practice.broken(bearer=bearer)
    both = practice.looked_at(**OAUTH)["credentials"]
    signed = practice.looked_at(**OAUTH, token="")["credentials"]
    assert signed.status == "ok"
    if bearer:
        assert both.detail.endswith("OAuth 1.0a is taken as well")
    else:
        assert "OAuth 1.0a is taken" in both.detail
        assert "Leave CLV_EU_TOKEN out" in both.mend
        assert both.status == "fail"


@pytest.mark.end_to_end
@pytest.mark.parametrize("key", ["consumer_secret", "access_token_secret"])
def test_a_wrong_secret_is_told_by_the_signature(key: str, practice: Practice) -> None:
    found = practice.looked_at(**{**OAUTH, "token": "", key: "mistyped"})["credentials"]
    assert "wrong secret" in found.detail
    assert f"CLV_EU_{key.upper()}" in found.mend


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("write", "module", "prefix"),
    [
        ("auto", True, "clv_"),
        ("auto", False, "clv_"),
        ("put", True, "clv_"),
        ("auto", True, "acme_"),
    ],
)
def test_the_way_that_is_told_is_the_way_that_is_taken(
    write: str, module: bool, prefix: str, practice: Practice
) -> None:
    practice.broken(module=module)
    settings = replace(practice.settings, write=write, attribute_prefix=prefix)
    way = chosen(open_http(settings), api_of(settings), settings)
    told = {"module": "by the module", "put": "by single PUTs"}
    assert (way == "module") == (write == "auto" and module and prefix == "clv_")
    seen = practice.looked_at(write=write, attribute_prefix=prefix)
    assert seen["write-back"].detail.startswith(told[way])


@pytest.mark.end_to_end
def test_a_module_that_has_other_codes_than_ours_is_told(practice: Practice) -> None:
    practice.broken(module=True)
    found = practice.looked_at(attribute_prefix="acme_")["module"]
    assert (found.status, "has no attributes acme_*" in found.detail) == ("warn", True)
    assert "CLV_EU_ATTRIBUTE_PREFIX" in found.mend
    asked_for = practice.looked_at(attribute_prefix="acme_", write="module")["write-back"]
    assert asked_for.status == "fail"
    settings = replace(practice.settings, attribute_prefix="acme_", write="module")
    with pytest.raises(ConfigurationError, match=r"no attributes acme_\*"):
        chosen(open_http(settings), api_of(settings), settings)


@pytest.mark.end_to_end
def test_a_way_that_is_asked_for_and_is_not_there_is_a_failure(practice: Practice) -> None:
    practice.broken(module=False)
    found = practice.looked_at(write="module")["write-back"]
    assert found.status == "fail"
    assert "CLV_EU_WRITE=auto" in found.mend
    queue = practice.looked_at(write="async")["write-back"]
    assert (queue.status, "birthdays" in queue.detail) == ("warn", True)


@pytest.mark.end_to_end
def test_the_modules_own_right_is_looked_at(practice: Practice) -> None:
    rights = ["Magento_Sales::actions_view", "Magento_Sales::sales_creditmemo"]
    rights += ["Magento_Customer::customer", "Magento_Customer::manage", "Magento_Backend::store"]
    practice.broken(resources=rights)
    findings = practice.looked_at()
    assert findings["credentials"].status == "ok"
    assert findings["write-back"].status == "fail"
    assert "Customers > Write Customer Values" in findings["write-back"].mend


@pytest.mark.end_to_end
def test_another_e_mail_key_in_the_module_names_both_mends(practice: Practice) -> None:
    practice.broken(email_key="another key than ours")
    found = practice.looked_at()["module"]
    assert found.status == "fail"
    assert "CLV_EMAIL_KEY" in found.mend
    assert "Stores > Configuration" in found.mend


@pytest.mark.end_to_end
def test_groups_are_moved_only_with_a_warning_and_must_be_there(practice: Practice) -> None:
    found = practice.looked_at(groups={"high": "2"})["customer groups"]
    assert (found.status, "high to Wholesale" in found.detail) == ("warn", True)
    gone = practice.looked_at(groups={"high": "2", "low": "77"})["customer groups"]
    assert (gone.status, gone.detail) == ("fail", "the shop has no group 77")


@pytest.mark.end_to_end
def test_a_segment_that_is_to_be_written_needs_its_attribute(practice: Practice) -> None:
    drop_attribute(practice.sandbox.books, "eu", "clv_segment")
    assert practice.looked_at()["attributes"].status == "ok"
    found = practice.looked_at(segment_tags=True)["attributes"]
    assert (found.status, found.detail) == ("fail", "missing: clv_segment")
    assert "module of this version" in found.mend


@pytest.mark.end_to_end
def test_attributes_are_looked_for_under_the_shops_own_prefix(practice: Practice) -> None:
    found = practice.looked_at(attribute_prefix="acme_")["attributes"]
    assert found.status == "fail"
    assert found.detail.startswith("missing: acme_tier, ")


@pytest.mark.end_to_end
def test_adobes_cloud_is_looked_at_in_the_same_lines(practice: Practice) -> None:
    practice.broken(accs=True, module=False)
    cloud = {
        "token": "",
        "client_id": ACCS_CLIENT_ID,
        "client_secret": ACCS_CLIENT_SECRET,
        "ims_org": ACCS_ORG,
        "ims_url": practice.settings.url,
    }
    findings = practice.looked_at(**cloud)
    assert list(findings) == LINES
    assert {one.status for one in findings.values()} == {"ok"}
    wrong = practice.looked_at(**{**cloud, "client_secret": "mistyped"})
    assert list(wrong) == ["credentials"]
    assert "CLV_EU_CLIENT_SECRET" in wrong["credentials"].mend
    other = practice.looked_at(**{**cloud, "ims_org": "OTHER@AdobeOrg"})["credentials"]
    assert "CLV_EU_IMS_ORG" in other.mend


# -------------------------------------------------------------------- what no sandbox shows us

BASE = "https://shop.example"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETTINGS = ShopSettings("eu", "magento", BASE, token="a" * 32)
STAMP = {"Date": "Sun, 22 Nov 2026 12:00:00 GMT"}


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def looked_at(
    settings: ShopSettings = SETTINGS, late: timedelta = timedelta(0)
) -> dict[str, Finding]:
    http = open_http(settings, retry=Retry(attempts=1), sleep=lambda seconds: None)
    found = check(http, settings, HASHER.fingerprint, NOW + late)
    return {finding.name: finding for finding in found}


def everywhere(web: responses.RequestsMock, status: int, body: Any, **headers: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    for method in ("GET", "POST"):
        web.add(method, re.compile(BASE), status=status, body=text, headers={**STAMP, **headers})


UNAUTHORISED = {
    "message": "The consumer isn't authorized to access %resources.",
    "parameters": {"resources": "Magento_Sales::actions_view"},
}
OAUTH_SETTINGS = replace(SETTINGS, token="", **OAUTH)


@pytest.mark.parametrize(
    ("message", "cause", "mend"),
    [
        ("The signature is invalid. Verify and try again.", "secret", "X-Forwarded-Proto"),
        ("A consumer having the specified key does not exist", "key", "CLV_EU_CONSUMER_KEY"),
        ("Consumer key is not the correct length", "key", "CLV_EU_CONSUMER_KEY"),
        ("Specified token does not exist", "token", "CLV_EU_ACCESS_TOKEN"),
        ("Access token has been revoked", "revoked", "CLV_EU_ACCESS_TOKEN"),
        ("Incorrect timestamp value in the oauth_timestamp parameter", "clock", "NTP"),
        ("The nonce is already being used by the consumer", "twice", "proxy"),
        ("Die Signatur passt nicht", "one of the four OAuth keys", "_ACCESS_TOKEN_SECRET"),
    ],
)
def test_with_oauth_magento_says_what_it_does_not_like(
    message: str, cause: str, mend: str, web: responses.RequestsMock
) -> None:
    everywhere(web, 401, {"message": message})
    found = looked_at(OAUTH_SETTINGS)["credentials"]
    assert cause in found.detail
    assert mend in found.mend


def test_with_oauth_a_missing_right_means_an_integration_that_is_off_or_has_none(
    web: responses.RequestsMock,
) -> None:
    everywhere(web, 401, UNAUTHORISED)
    found = looked_at(OAUTH_SETTINGS)["credentials"]
    assert "switched off or its role" in found.detail
    assert "activate the integration" in found.mend


def test_a_token_of_the_wrong_length_is_a_400_with_oauth(web: responses.RequestsMock) -> None:
    message = "The token length is invalid. Check the length and try again."
    everywhere(web, 400, {"message": message})
    assert "CLV_EU_ACCESS_TOKEN" in looked_at(OAUTH_SETTINGS)["credentials"].mend


@pytest.mark.parametrize(
    ("token", "cause"),
    [
        ("a" * 31, "wrong token; CLV_EU_TOKEN has 31 characters"),
        ("A" * 32, "wrong token"),
        ("eyJraWQ.eyJ1aWQ.c2ln", "person's session token"),
        ("a1" * 16, "Bearer tokens are switched off"),
    ],
)
def test_the_form_of_a_token_tells_two_causes_apart(
    token: str, cause: str, web: responses.RequestsMock
) -> None:
    everywhere(web, 401, UNAUTHORISED)
    found = looked_at(replace(SETTINGS, token=token))
    assert list(found) == ["credentials", "clock"]
    assert cause in found["credentials"].detail
    assert token not in f"{found['credentials']}"


def test_a_token_that_the_shop_knows_and_that_opens_nothing_is_a_role_without_rights(
    web: responses.RequestsMock,
) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        stranger = "Authorization" not in request.headers
        cookie = {"Set-Cookie": "PHPSESSID=x; path=/"} if stranger else {}
        return 401, cookie, json.dumps(UNAUTHORISED)

    web.add_callback("GET", re.compile(BASE), answer)
    found = looked_at()["credentials"]
    assert "the shop knows us" in found.detail
    assert "activate the integration" in found.mend


@pytest.mark.parametrize(
    ("recording", "recognised"),
    [
        ("err_401_bad_token", False),
        ("err_401_admin_token_expired", False),
        ("bearer_disabled_integration", False),
        ("err_401_narrow_token", True),
        ("customer_token_on_orders", True),
    ],
)
def test_a_session_cookie_tells_who_was_not_recognised(
    recording: str, recognised: bool, shared: Path
) -> None:
    """On recordings of 2.4.7-p3."""
    folder = shared / "payloads" / "magento" / "live-2.4.7-p3"
    denied, stranger = (
        AnswerDenied(
            Answer(
                401,
                {key.lower(): value for key, value in one["response_headers"].items()},
                one["body"],
            )
        )
        for one in (
            json.loads((folder / f"{name}.json").read_text())
            for name in (recording, "err_401_no_token")
        )
    )
    assert is_recognised(denied, stranger) is recognised


def test_where_cookies_are_stripped_nothing_is_claimed(web: responses.RequestsMock) -> None:
    denied = AnswerDenied(Answer(401, {}, UNAUTHORISED))
    assert is_recognised(denied, denied) is None


def test_a_firewall_is_no_matter_of_credentials(web: responses.RequestsMock) -> None:
    everywhere(web, 403, "<html>Request blocked</html>")
    found = looked_at()["credentials"]
    assert "firewall" in found.detail
    assert "CLV_EU_URL" in found.mend


@pytest.mark.parametrize("body", ["<html>Not Found</html>", {"message": "no"}])
def test_an_address_without_a_web_api_is_one_line(body: Any, web: responses.RequestsMock) -> None:
    everywhere(web, 404, body)
    found = looked_at()
    assert list(found) == ["shop"]
    assert "CLV_EU_URL" in found["shop"].mend


def test_a_shop_that_redirects_is_one_line_with_the_variable(web: responses.RequestsMock) -> None:
    everywhere(web, 301, "", Location="https://www.shop.example/x")
    found = looked_at()
    assert list(found) == ["shop"]
    assert "CLV_EU_URL" in found["shop"].mend


def test_an_answer_of_another_shape_is_a_finding_and_no_crash(web: responses.RequestsMock) -> None:
    everywhere(web, 200, ["what?"])
    findings = looked_at()
    failed = [one.name for one in findings.values() if one.status == "fail"]
    assert failed == [*LINES[2:8], "module"]
    assert all(findings[name].mend for name in failed)


@pytest.mark.parametrize(
    ("late", "status"), [(0, "ok"), (30, "ok"), (-120, "warn"), (300, "warn"), (3600, "fail")]
)
def test_the_clocks_are_compared_even_where_we_are_refused(
    late: int, status: str, web: responses.RequestsMock
) -> None:
    everywhere(web, 401, UNAUTHORISED)
    assert looked_at(late=timedelta(seconds=late))["clock"].status == status


CONFIGS = [
    {"base_currency_code": "EUR", "timezone": "Europe/Berlin"},
    {"base_currency_code": "USD", "timezone": "America/New_York"},
]


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({}, "warn", "kept apart: EUR, USD"),
        ({"currency": "EUR"}, "warn", "kept apart"),
        ({"currency": "EUR", "rates": "rates.csv"}, "ok", "converted into EUR"),
        ({"currency": "GBP"}, "fail", "CLV_EU_CURRENCY is GBP"),
    ],
)
def test_several_base_currencies_are_pointed_out(
    changed: dict[str, str], status: str, words: str, web: responses.RequestsMock
) -> None:
    web.get(f"{BASE}/rest/all/V1/store/storeConfigs", json=CONFIGS)
    everywhere(web, 200, {"items": [], "total_count": 0})
    findings = looked_at(replace(SETTINGS, **changed))  # type: ignore[arg-type]
    assert (findings["currencies"].status, words in findings["currencies"].detail) == (status, True)
    assert "America/New_York, Europe/Berlin" in findings["time zone"].detail


def test_attributes_of_another_kind_than_ours_are_named(web: responses.RequestsMock) -> None:
    rows = [{"attribute_code": f"clv_{field}", "backend_type": "varchar"} for field in FIELDS]
    web.get(f"{BASE}/rest/all/V1/attributeMetadata/customer", json=rows)
    everywhere(web, 200, {"items": [], "total_count": 0})
    found = looked_at()["attributes"]
    assert found.status == "fail"
    assert "clv_predicted_12m is varchar instead of decimal" in found.detail
    assert "clv_tier" not in found.detail
    assert "CLV_EU_ATTRIBUTE_PREFIX" in found.mend


def test_pages_that_come_short_without_a_word_are_noticed(web: responses.RequestsMock) -> None:
    rows = [{"id": n} for n in range(20)]
    web.get(f"{BASE}/rest/all/V1/customers/search", json={"items": rows, "total_count": 63})
    everywhere(web, 200, {"items": [], "total_count": 0})
    found = looked_at()["customers"]
    assert (found.status, "asked for 63 of 63, got 20" in found.detail) == ("warn", True)
    assert "Web Api Input Limits" in found.mend


def test_a_limit_on_lists_is_told_with_the_module(web: responses.RequestsMock) -> None:
    limit = {"message": 'Maximum items of type "%type" is %max', "parameters": {"max": 20}}
    web.get(f"{BASE}/rest/all/V1/clv/module", json={"version": "1.0.0"})
    web.post(f"{BASE}/rest/all/V1/clv/customers", status=400, json=limit)
    everywhere(web, 200, {"items": [], "total_count": 0})
    found = looked_at()["write-back"]
    assert (found.status, "up to 20 customers a request" in found.detail) == ("warn", True)
    assert "Input List Limit" in found.mend


@pytest.mark.parametrize(
    ("version", "status"), [("1.0.0", "warn"), ("1.1.0", "ok"), ("1.10.2", "ok"), ("dev", "ok")]
)
def test_a_module_that_is_older_than_this_program_is_pointed_out(
    version: str, status: str, web: responses.RequestsMock
) -> None:
    """1.0 tells no countries and no sums: without a word the first would be missing for good."""
    web.get(f"{BASE}/rest/all/V1/clv/module", json={"version": version})
    everywhere(web, 200, {"items": [], "total_count": 0})
    found = looked_at()["module"]
    assert (found.status, f"version {version}" in found.detail) == (status, True)
    assert ("--full-refresh" in found.mend) == (status == "warn")


def test_what_is_sent_to_look_at_the_write_route_can_write_nothing(
    web: responses.RequestsMock,
) -> None:
    web.get(f"{BASE}/rest/all/V1/clv/module", json={"version": "1.0.0"})
    everywhere(web, 200, {"items": [], "total_count": 0})
    looked_at()
    posted = [call.request for call in web.calls if call.request.method != "GET"]
    assert len(posted) == 1
    rows = json.loads(posted[0].body or "")["rows"]
    assert len(rows) == 1001
    assert all(row == {"customer_id": 0, "values": []} for row in rows)
