"""A 200 that carries errors is a failure; one that may pass is asked again, a few times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import AuthenticationError, RequestRefused, ShopUnavailable
from connectors.shopify import ShopifyShop
from connectors.shopify.graphql import WAITS, _tell_version

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GRAPHQL = "https://toys.myshopify.com/admin/api/2026-10/graphql.json"
EMPTY = {"customers": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}}
GOOD = {"data": EMPTY}


def error(code: str, data: Any = None) -> dict[str, Any]:
    return {"errors": [{"message": "m", "extensions": {"code": code}}], "data": data}


def answering(web: Any, answers: Sequence[dict[str, Any]]) -> list[int]:
    """The shop gives these answers, the last one for ever; how often it was asked."""
    asked: list[int] = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        asked.append(1)
        return 200, {}, json.dumps(answers[min(len(asked), len(answers)) - 1])

    web.add_callback("POST", GRAPHQL, callback=answer)
    return asked


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "TIMEOUT"])
@pytest.mark.parametrize("data", [None, {"customers": None}])
def test_the_servers_own_trouble_passes(
    shop: ShopifyShop, web: Any, waits: list[float], code: str, data: Any
) -> None:
    asked = answering(web, [error(code, data), error(code, data), GOOD])
    assert list(shop.pull_customers(None, NOW))
    assert (len(asked), waits) == (3, list(WAITS))


def test_trouble_that_stays_is_told_once_the_tries_are_spent(
    shop: ShopifyShop, web: Any, waits: list[float]
) -> None:
    asked = answering(web, [error("INTERNAL_SERVER_ERROR")])
    with pytest.raises(ShopUnavailable, match="INTERNAL_SERVER_ERROR"):
        list(shop.pull_customers(None, NOW))
    assert (len(asked), waits) == (3, list(WAITS))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ACCESS_DENIED", AuthenticationError),
        ("MAX_COST_EXCEEDED", RequestRefused),
        ("undefinedField", RequestRefused),
        ("SHOP_INACTIVE", RequestRefused),
    ],
)
def test_what_can_not_pass_is_told_at_once(
    shop: ShopifyShop, web: Any, waits: list[float], code: str, kind: type[Exception]
) -> None:
    asked = answering(web, [error(code), GOOD])
    with pytest.raises(kind, match=code):
        list(shop.pull_customers(None, NOW))
    assert (len(asked), waits) == (1, [])


def test_errors_without_a_code_are_a_failure_too(shop: ShopifyShop, web: Any) -> None:
    answering(web, [{"errors": [{"message": "m"}], "data": EMPTY}])
    with pytest.raises(RequestRefused):
        list(shop.pull_customers(None, NOW))


def test_a_warning_about_a_search_is_an_error_and_not_tried_again(
    shop: ShopifyShop, web: Any, waits: list[float]
) -> None:
    ignored = {"search": [{"warnings": [{"field": "updatd_at", "code": "invalid_field"}]}]}
    asked = answering(web, [{**GOOD, "extensions": ignored}])
    with pytest.raises(RequestRefused, match="ignored"):
        list(shop.pull_customers(None, NOW))
    assert (len(asked), waits) == (1, [])


@pytest.mark.parametrize(
    ("served", "level"), [("2026-10", "INFO"), ("2026-01", "WARNING"), (None, "WARNING")]
)
def test_the_version_that_was_served_is_logged_once_and_compared(
    shop: ShopifyShop,
    web: Any,
    caplog: pytest.LogCaptureFixture,
    served: str | None,
    level: str,
) -> None:
    _tell_version.cache_clear()
    headers = {"X-Shopify-API-Version": served} if served else {}
    web.post(GRAPHQL, json=GOOD, headers=headers)
    with caplog.at_level("INFO"):
        for _ in range(2):
            list(shop.pull_customers(None, NOW))
    (told,) = [one for one in caplog.records if "api_version" in one.getMessage()]
    assert told.levelname == level
    assert f"served={served or 'none named'}" in told.getMessage()


def test_only_addresses_may_be_denied_without_an_end(shop: ShopifyShop, web: Any) -> None:
    """A denied e-mail beside a denied address is an error still."""
    denied = error("ACCESS_DENIED")["errors"][0]
    path = ["orders", "nodes", 0]
    errors = [{**denied, "path": [*path, name]} for name in ("shipping_address", "email")]
    answering(web, [{**GOOD, "errors": errors}])
    with pytest.raises(AuthenticationError):
        list(shop.pull_customers(None, NOW))
