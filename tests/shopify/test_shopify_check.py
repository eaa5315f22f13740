from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.config import ShopSettings
from connectors.errors import ShopUnavailable
from connectors.platform import Finding
from connectors.sandbox import SHOPIFY_CLIENT_ID, SHOPIFY_CLIENT_SECRET, SHOPIFY_TOKEN
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify.setup import configure
from connectors.shopify import ShopifyShop
from connectors.shopify.auth import open_http
from connectors.shopify.check import SCOPES, findings
from connectors.shopify.definitions import define
from connectors.shopify.graphql import pause, throttled
from tests.shopify.bare_shop import OURS, bare_sandbox, refilled

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GRAPHQL = "https://toys.myshopify.com/admin/api/2026-10/graphql.json"


def looked_at(shop: ShopifyShop, now: datetime = NOW) -> dict[str, Finding]:
    return {finding.name: finding for finding in shop.check(now)}


def test_a_shop_with_all_rights_is_ok(shop: ShopifyShop, toys: Any) -> None:
    assert {finding.status for finding in looked_at(shop).values()} == {"ok"}


def test_without_read_all_orders_the_check_fails_with_the_mend(
    shop: ShopifyShop, toys: Any
) -> None:
    toys.scopes = ("read_orders", "read_customers", "write_customers")
    found = looked_at(shop)["scope read_all_orders"]
    assert found.status == "fail"
    assert "60 days" in found.detail
    assert "Grant read_all_orders" in found.mend


def test_a_right_to_write_is_a_right_to_read(shop: ShopifyShop, toys: Any) -> None:
    toys.scopes = ("read_orders", "read_all_orders", "write_customers")
    assert looked_at(shop)["scope read_customers"].status == "ok"


def test_a_wrong_token_is_one_finding_with_the_variable_to_mend(
    shop: ShopifyShop, web: Any
) -> None:
    web.post(GRAPHQL, status=401, json={"errors": "[API] Invalid API key or access token"})
    (found,) = shop.check(NOW)
    assert (found.name, found.status) == ("credentials", "fail")
    assert "CLV_TOYS" in found.mend
    assert "shpat_canary" not in repr(found)


def test_another_api_version_than_asked_for_is_told(shop: ShopifyShop, toys: Any, web: Any) -> None:
    answer = toys.answer
    web.reset()
    newer = {"X-Shopify-API-Version": "2027-01"}
    web.add_callback("POST", GRAPHQL, lambda request: _with(answer(request), newer))
    found = looked_at(shop)["API version"]
    assert (found.status, found.detail) == ("warn", "asked for 2026-10, got 2027-01")


def _with(answer: Any, headers: dict[str, str]) -> Any:
    status, given, body = answer
    return status, {**given, **headers}, body


def test_a_clock_that_is_wrong_is_told(shop: ShopifyShop, toys: Any) -> None:
    assert looked_at(shop, NOW + timedelta(minutes=4))["clock"].status == "ok"
    assert looked_at(shop, NOW - timedelta(minutes=6))["clock"].status == "fail"


def test_a_shop_in_another_currency_than_set_is_told(toys: Any, shop: ShopifyShop) -> None:
    shop._settings = ShopSettings("toys", "shopify", currency="USD")
    found = looked_at(shop)["currency, time zone"]
    assert found.status == "fail"
    assert "EUR" in found.mend


@pytest.mark.parametrize("data", [None, [], "x"])
def test_an_answer_without_data_is_a_finding_not_a_crash(
    shop: ShopifyShop, web: Any, data: Any
) -> None:
    web.post(GRAPHQL, json={"data": data})
    (found,) = shop.check(NOW)
    assert found.status == "fail"


# ------------------------------------------------------ set-ups broken in one way, at the sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with bare_sandbox() as running:
        yield running


@dataclass(frozen=True)
class Practice:
    """The practice shop, to be broken; `settings` are those that fit it as it is."""

    sandbox: Sandbox
    settings: ShopSettings

    def looked_at(self, **changed: Any) -> dict[str, Finding]:
        settings = replace(self.settings, **changed)
        found = findings(open_http(settings, throttled, pause), settings, datetime.now(UTC))
        return {finding.name: finding for finding in found}


@pytest.fixture
def practice(sandbox: Sandbox, tmp_path: Path) -> Practice:
    refilled(sandbox, {1: ()})
    url = f"{sandbox.url}/us"
    settings = ShopSettings(
        "us",
        "shopify",
        url=url,
        token=SHOPIFY_TOKEN,
        tags=OURS,
        tiers=OURS,
        state=tmp_path / "state",
    )
    define(open_http(settings, throttled, pause))
    return Practice(sandbox, settings)


LINES = [
    "credentials",
    "API version",
    *(f"scope {scope}" for scope in SCOPES),
    "plan",
    "currency, time zone",
    "clock",
    "metafields",
    "definitions",
    "segments",
]
GRANTED = {
    "token": "",
    "client_id": SHOPIFY_CLIENT_ID,
    "client_secret": SHOPIFY_CLIENT_SECRET,
}


@pytest.mark.end_to_end
def test_a_sound_shop_is_fine_in_every_line_and_nothing_is_written(practice: Practice) -> None:
    before = practice.sandbox.mutations()["us"]
    found = practice.looked_at()
    assert list(found) == LINES, found
    assert {one.status for one in found.values()} == {"ok"}
    assert found["plan"].detail == "shopify_plus: 1,000 points a second, 20,000 at once"
    assert "CLV: high" in found["segments"].detail
    assert practice.sandbox.mutations()["us"] == before


@pytest.mark.end_to_end
def test_before_the_first_write_missing_definitions_are_named_but_no_fault(
    practice: Practice,
) -> None:
    practice.sandbox.books.execute("DELETE FROM definitions")
    found = practice.looked_at()["definitions"]
    assert (found.status, found.detail.partition(":")[0]) == ("ok", "missing as yet")


@dataclass(frozen=True)
class Broken:
    """A set-up that is broken in one way: the line that tells, its status, the cause, the mend."""

    line: str
    status: str
    cause: str
    mend: str
    setup: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    breaks: Callable[[Practice], None] = lambda practice: None


def without(scope: str) -> dict[str, Any]:
    return {"scopes": [one for one in SCOPES if one != scope]}


def undefined(practice: Practice) -> None:
    sql = "DELETE FROM definitions WHERE name = 'CUSTOMER:clv.tier'"
    practice.sandbox.books.execute(sql)


def of_another_type(practice: Practice) -> None:
    sql = "UPDATE definitions SET type = 'boolean' WHERE name = 'CUSTOMER:clv.tier'"
    practice.sandbox.books.execute(sql)


BROKEN = {
    "wrong token": Broken(
        "credentials",
        "fail",
        "doesn't know this token (401)",
        "into CLV_US_TOKEN",
        settings={"token": "shpat_of_nobody"},
    ),
    "missing scope": Broken(
        "scope read_orders",
        "fail",
        "missing: no order can be read",
        "Grant read_orders to the app",
        without("read_orders"),
    ),
    "60-day trap": Broken(
        "scope read_all_orders",
        "fail",
        "hides every order older than 60 days",
        "Grant read_all_orders to the app",
        without("read_all_orders"),
    ),
    "wrong domain": Broken(
        "shop",
        "fail",
        "no Shopify shop answers at this address (404)",
        "CLV_US_URL to https://<name>.myshopify.com",
        settings={"url": "/nobody"},
    ),
    "expired client secret": Broken(
        "credentials",
        "fail",
        "takes this client secret no more: it was rotated, has expired",
        "CLV_US_CLIENT_SECRET",
        {"secret_expired": True},
        GRANTED,
    ),
    "wrong client id": Broken(
        "credentials",
        "fail",
        "knows no app by this client id",
        "CLV_US_CLIENT_ID",
        settings={**GRANTED, "client_id": "of_nobody"},
    ),
    "dead refresh token": Broken(
        "credentials",
        "fail",
        "the refresh token is good no more",
        "CLV_US_REFRESH_TOKEN",
        settings={**GRANTED, "refresh_token": "dead"},
    ),
    "old API version served": Broken(
        "API version",
        "fail",
        "asked for 2026-10, got 2026-01: an older one",
        "change addresses",
        {"served_version": "2026-01"},
    ),
    "definitions missing": Broken(
        "definitions",
        "warn",
        "missing: clv.tier",
        "next `apply` creates and pins them",
        breaks=undefined,
    ),
    "definition of another type": Broken(
        "definitions",
        "fail",
        "clv.tier is of another type",
        "Settings > Custom data > Customers > clv.tier",
        breaks=of_another_type,
    ),
    "clock off": Broken(
        "clock",
        "fail",
        " s against the shop's",
        "NTP",
        {"clock_offset_seconds": 3600},
    ),
}


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", BROKEN)
def test_the_cause_of_each_broken_set_up_is_named_with_its_mend(
    name: str, practice: Practice
) -> None:
    broken = BROKEN[name]
    configure(practice.sandbox.books, "us", **broken.setup)
    broken.breaks(practice)
    settings = dict(broken.settings)
    if "url" in settings:
        settings["url"] = practice.sandbox.url + settings["url"]
    findings = practice.looked_at(**settings)
    found = findings[broken.line]
    assert found.status == broken.status
    assert broken.cause in found.detail
    assert broken.mend in found.mend
    assert {one.name for one in findings.values() if one.status != "ok"} == {broken.line}
    assert not any(secret in repr(findings) for secret in ("of_nobody", "shpat_", "dead"))


@pytest.mark.parametrize(
    ("status", "line", "cause"),
    [
        (402, "shop", "frozen"),
        (423, "shop", "locked"),
        (403, "credentials", "has to expire"),
        (301, "credentials", "redirects"),
    ],
)
def test_other_closed_doors_are_told_apart(
    shop: ShopifyShop, web: Any, status: int, line: str, cause: str
) -> None:
    web.post(GRAPHQL, status=status, json={"errors": "no"})
    (found,) = shop.check(NOW)
    assert (found.name, found.status) == (line, "fail")
    assert cause in found.detail
    assert found.mend


def test_a_shop_under_another_name_is_told(shop: ShopifyShop, toys: Any) -> None:
    shop._settings = replace(shop._settings, url="https://old-name.myshopify.com")
    found = looked_at(shop)["domain"]
    assert (found.status, "toys.myshopify.com" in found.mend) == ("warn", True)


def test_one_look_that_fails_hides_no_other(
    shop: ShopifyShop, toys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ShopUnavailable("the shop fails", shop="toys")

    monkeypatch.setattr("connectors.shopify.check.missing_definitions", broken)
    monkeypatch.setattr("connectors.shopify.check.missing_segments", broken)
    found = looked_at(shop)
    assert [found[name].status for name in ("metafields", "definitions", "segments")] == [
        "ok",
        "fail",
        "warn",
    ]
    assert "CLV_TOYS_SEGMENTS=no" in found["segments"].mend
