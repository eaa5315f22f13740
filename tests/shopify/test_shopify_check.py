from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.config import ShopSettings
from connectors.platform import Finding
from connectors.shopify import ShopifyShop

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
