"""Without `read_all_orders` older orders are hidden: nothing is begun, nothing lost, all told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.errors import AuthenticationError
from connectors.platform import HISTORY, Page, Window
from connectors.shopify import ShopifyShop
from tests.shopify.two_doors import NOW, Shop, instant

SIXTY = timedelta(days=60)
pytestmark = pytest.mark.parametrize("way", ["graphql", "rest"])


@pytest.fixture
def hidden(orders: Shop) -> Shop:
    orders.scopes.remove("read_all_orders")
    return orders


def caveats(pages: list[Page]) -> list[str]:
    return [one.reason for page in pages for one in page.rejects if one.row_id == HISTORY]


def test_a_history_is_refused_with_the_mend(shop: ShopifyShop, hidden: Shop) -> None:
    with pytest.raises(AuthenticationError, match="60 days") as caught:
        list(shop.pull_orders(None, NOW))
    assert "Grant read_all_orders" in caught.value.mend
    assert "backfill --since" in caught.value.mend
    assert not any("first" in asked or "limit" in asked for asked in hidden.asked)


@pytest.mark.parametrize(("days", "goes"), [(59, True), (60, True), (61, False)])
def test_the_days_that_are_shown_may_be_read_alone(
    shop: ShopifyShop, hidden: Shop, days: int, goes: bool
) -> None:
    since = NOW - timedelta(days=days)
    if goes:
        assert list(shop.pull_orders(None, NOW, since))
    else:
        with pytest.raises(AuthenticationError):
            list(shop.pull_orders(None, NOW, since))


def test_a_history_that_was_half_read_is_not_gone_on_with(shop: ShopifyShop, hidden: Shop) -> None:
    halfway = {"last_id": 5, "started": instant(100), "since": ""}
    with pytest.raises(AuthenticationError):
        list(shop.pull_orders(halfway, NOW))


def test_where_the_right_was_lost_since_changes_come_and_say_what_they_lack(
    shop: ShopifyShop, hidden: Shop
) -> None:
    cursor = {"changed_since": instant(6000), "since": ""}
    pages = list(shop.pull_orders(cursor, NOW))
    assert len([order for page in pages for order in page.orders]) == 10
    (told,) = caveats(pages)  # once, however many pages
    assert "read_all_orders" in told
    assert {page.cursor["hidden_since"] for page in pages} == {cursor["changed_since"]}


def test_as_long_as_it_lasts_the_first_instant_is_remembered(
    shop: ShopifyShop, hidden: Shop
) -> None:
    cursor = {"changed_since": instant(100), "since": "", "hidden_since": instant(6000)}
    pages = list(shop.pull_orders(cursor, NOW))
    assert pages[-1].cursor["hidden_since"] == instant(6000)
    assert len(caveats(pages)) == 1


def test_once_the_right_is_back_all_that_changed_meanwhile_is_read(
    shop: ShopifyShop, orders: Shop
) -> None:
    cursor = {"changed_since": instant(100), "since": "", "hidden_since": instant(6000)}
    pages = list(shop.pull_orders(cursor, NOW))
    assert len([order for page in pages for order in page.orders]) == 10
    assert all("hidden_since" not in page.cursor for page in pages)
    assert pages[0].settled == [("orders", HISTORY)]
    assert caveats(pages) == []


def test_a_comparison_is_refused_before_older_orders_seem_gone(
    shop: ShopifyShop, hidden: Shop, way: str
) -> None:
    months = [Window(NOW - 2 * SIXTY, NOW - SIXTY), Window(NOW - SIXTY, NOW)]
    with pytest.raises(AuthenticationError, match="60 days"):
        list(shop.placed(months))
    assert list(shop.placed(months[1:]))


def test_a_right_that_is_not_told_counts_as_missing(shop: ShopifyShop, orders: Shop) -> None:
    orders.scopes.clear()
    with pytest.raises(AuthenticationError):
        list(shop.pull_orders(None, NOW))
