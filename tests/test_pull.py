"""Orders that moved from one customer to another without a change of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from made_rows import NOW, customer, guest, order, page

from connectors.hints import Hint
from connectors.platform import Page, Platform, Reject
from connectors.pull import Watch, pull_customers, pull_hinted, pull_moved
from connectors.store import Store


class Shop:
    """A shop that can be asked for orders by their ids."""

    shop = "eu"

    def __init__(self, *orders: Any) -> None:
        self.orders = {one.order_id: one for one in orders}
        self.asked: list[Sequence[str]] = []

    def pull_named(self, order_ids: Sequence[str], cursor: Any = None) -> Iterator[Page]:
        self.asked.append(order_ids)
        yield page(*(self.orders[one] for one in order_ids if one in self.orders))


@pytest.fixture
def store(store: Store) -> Store:
    rows = (order("1", customer_id="7"), order("2", customer_id="8", person_key="8"))
    store.commit("eu", "orders", page(*rows, guest("3", "guest-a")), at=NOW)
    return store


def moved(shop: Any, store: Store, customers: Sequence[str]) -> int:
    return pull_moved(cast(Platform, shop), store, customers, NOW, Watch()).changed


def test_orders_of_a_customer_who_is_gone_are_asked_for_again(store: Store) -> None:
    merged = replace(order("1"), customer_id="8", person_key="8")  # `updated_at` stays
    shop = Shop(merged, order("2"))
    assert moved(shop, store, ["8"]) == 1
    assert shop.asked == [["1"]]
    assert store.orders_of_others("eu", ["8"]) == []


def test_nothing_is_asked_for_where_everybody_is_there(store: Store) -> None:
    shop = Shop()
    assert moved(shop, store, ["7", "8"]) == 0
    assert shop.asked == [[]]


def test_an_order_that_is_gone_with_its_customer_is_left_to_reconcile(store: Store) -> None:
    assert moved(Shop(), store, ["8"]) == 0
    assert store.orders_of_others("eu", ["8"]) == ["1"]


def test_a_platform_that_knows_no_single_orders_is_asked_nothing(store: Store) -> None:
    assert moved(object(), store, []) == 0


class Scanned:
    """A shop whose customers are these."""

    shop = "eu"

    def __init__(self, *ids: str, rejects: Sequence[Reject] = ()) -> None:
        self.ids = ids
        self.rejects = rejects

    def pull_customers(self, cursor: Any, now: Any) -> Iterator[Page]:
        rows = [customer(one) for one in self.ids]
        yield page(*rows, shown={one: {} for one in self.ids}, rejects=self.rejects)


def scan(shop: Scanned, store: Store) -> int:
    pull_customers(cast(Platform, shop), store, NOW, Watch())
    return store.counts("eu")["customers"]


def test_who_is_gone_from_the_shop_leaves_and_their_guest_orders_are_a_guests(
    store: Store,
) -> None:
    assert scan(Scanned("7", "a"), store) == 2
    assert scan(Scanned("7"), store) == 1


def test_nobody_leaves_where_a_row_could_not_be_read_or_none_came(store: Store) -> None:
    assert scan(Scanned("7", "a"), store) == 2
    unread = Reject("eu", "customers", "?", "id", "odd")
    assert scan(Scanned("7", rejects=[unread]), store) == 2
    assert scan(Scanned(), store) == 2


@pytest.mark.parametrize("late", [timedelta(days=-3), None])
def test_an_event_that_is_delivered_late_does_not_hide_a_newer_one(
    store: Store, late: timedelta | None
) -> None:
    changed = order("1").updated_at
    newer = Hint("eu", "b", "orders/updated", "order", ("1",), triggered_at=changed + HOUR)
    older = replace(newer, event="a", triggered_at=changed + late if late else None)
    shop = Shop(order("1"))
    for told in ([newer, older], [older, newer]):
        pull_hinted(cast(Platform, shop), store, told, ["7", "8"], NOW, Watch())
    assert shop.asked == [["1"], ["1"]]


HOUR = timedelta(hours=1)
