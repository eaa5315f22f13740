from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import ShopUnavailable
from connectors.identity import EmailHasher
from connectors.schema import LEFT_ALONE
from connectors.shopify import ShopifyShop
from connectors.shopify.customers import parse_customer, shown_by
from connectors.shopify.parse import parse_orders

OURS = frozenset({"clv-high", "clv-medium", "clv-low", "clv-new"})

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_all_customers_come_with_what_they_show(shop: ShopifyShop, toys: Any) -> None:
    for number in range(1, 201):
        toys.add(number)
    toys.add(7, tags=("VIP", "CLV-High", "clv-friends"), tier="high", predicted_12m="77.2500")
    pages = list(shop.pull_customers(None, NOW))
    shown = {one: fields for page in pages for one, fields in page.shown.items()}
    assert [len(page.customers) for page in pages] == [80, 80, 40]
    assert len(shown) == 200
    assert shown["7"] == {"tier": "high", "predicted_12m": "77.25", "tag": "clv-high"}
    assert shown["8"] == {}


def test_the_email_is_hashed_as_guests_are_and_kept_nowhere(
    shop: ShopifyShop, toys: Any, hasher: EmailHasher
) -> None:
    toys.add(5)
    (page,) = shop.pull_customers(None, NOW)
    assert page.customers[0].email_key == hasher.person_key("5@example.org")
    assert "example.org" not in repr(page).lower()


def test_a_scan_goes_on_behind_any_cursor_and_starts_anew_when_done(
    shop: ShopifyShop, toys: Any
) -> None:
    for number in range(1, 171):
        toys.add(number)
    whole = list(shop.pull_customers(None, NOW))
    rest = list(shop.pull_customers(whole[0].cursor, NOW))
    assert [len(page.customers) for page in rest] == [80, 10]
    again = list(shop.pull_customers(whole[-1].cursor, NOW))
    assert sum(len(page.customers) for page in again) == 170


def test_pages_that_go_round_are_noticed(shop: ShopifyShop, toys: Any, web: Any) -> None:
    page = {"customers": {"pageInfo": {"hasNextPage": True, "endCursor": "same"}, "nodes": []}}
    web.reset()
    web.post("https://toys.myshopify.com/admin/api/2026-10/graphql.json", json={"data": page})
    with pytest.raises(ShopUnavailable):
        list(shop.pull_customers(None, NOW))


@pytest.mark.parametrize("broken", [None, [], {"nodes": []}, {"pageInfo": {}, "nodes": []}])
def test_an_answer_without_customers_is_no_empty_shop(
    shop: ShopifyShop, web: Any, broken: Any
) -> None:
    url = "https://toys.myshopify.com/admin/api/2026-10/graphql.json"
    web.post(url, json={"data": {"customers": broken}})
    with pytest.raises(ShopUnavailable):
        list(shop.pull_customers(None, NOW))


def test_a_customer_who_cant_be_read_is_put_aside(
    shop: ShopifyShop, toys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.add(1)
    toys.add(2)
    node = toys._node
    monkeypatch.setattr(
        toys, "_node", lambda gid: node(gid) | ({"createdAt": "soon"} if gid[-1] == "1" else {})
    )
    (page,) = shop.pull_customers(None, NOW)
    assert [customer.customer_id for customer in page.customers] == ["2"]
    assert [(reject.row_id, reject.field) for reject in page.rejects] == [("1", "createdAt")]


@pytest.mark.parametrize(
    ("tag", "ours"),
    [
        ("clv-high", True),
        ("CLV-New", True),
        ("clv-ignore", False),
        ("clv-friends", False),
        ("clv", False),
        ("my-clv-high", False),
    ],
)
def test_only_the_tags_of_tiers_are_ours_in_any_case(tag: str, ours: bool) -> None:
    shown = shown_by({"tags": [tag, "VIP"]}, OURS)
    assert shown == ({"tag": tag.lower()} if ours else {})


def test_a_value_that_somebody_made_unreadable_is_shown_as_it_is() -> None:
    node = {"tags": [], "predicted_12m": {"value": "a lot"}, "scored_at": {"value": "2026-11-22"}}
    assert shown_by(node, OURS) == {"predicted_12m": "a lot", "scored_at": "2026-11-22"}


def test_whom_the_owner_excepts_shows_only_that(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("clv-low", "CLV-Ignore"), tier="low")
    toys.add(2, tags=("clv-low",))
    (page,) = shop.pull_customers(None, NOW)
    assert page.shown == {"1": {LEFT_ALONE: "clv-ignore"}, "2": {"tag": "clv-low"}}
    assert [customer.customer_id for customer in page.customers] == ["1", "2"]


def test_a_customer_whom_the_shop_has_redacted_is_known_by_id_alone(
    hasher: EmailHasher, make: Any
) -> None:
    node = {
        "id": "gid://shopify/Customer/7",
        "createdAt": "2025-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "tags": [],
        "defaultEmailAddress": None,
    }
    assert parse_customer("toys", node, hasher).email_key is None
    order = make.order(customer={"id": 7}, email="", name="#1001")
    (parsed,) = parse_orders("toys", [order], hasher).orders
    assert (parsed.customer_id, parsed.person_key) == ("7", "7")
