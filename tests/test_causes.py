"""From the shop's own figures to net value: each cause with its orders and money, nothing left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from made_rows import NOW, guest, line, order, page

from connectors.causes import (
    GUESTS,
    NET,
    SHOWN,
    UNEXPLAINED,
    Cause,
    Theirs,
    causes,
    edges,
    known_zone,
    summed,
)
from connectors.platform import Placed, Window
from connectors.schema import RULES, Order, Rule, net_value
from connectors.store import Store

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
ASKED = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
NEW_YEAR = datetime(2026, 2, 1, tzinfo=UTC)


def keep(store: Store, *orders: Order) -> None:
    store.commit("eu", "orders", page(*orders, *(line(one.order_id) for one in orders)), at=NOW)


def told(
    store: Store,
    zone: str | None = None,
    theirs: dict[date, Theirs] | None = None,
    rule: Rule = "net",
) -> list[Cause]:
    months = store.months("eu", *ASKED, rule)
    moved = store.moved("eu", ASKED, edges(*ASKED, zone))
    return causes(months, moved, theirs or {})


def by_cause(rows: Iterable[Cause], month: date = JANUARY) -> dict[str, tuple[int, Decimal]]:
    return {one.cause: (one.orders, one.money) for one in rows if one.month == month}


def of_every_kind() -> list[Order]:
    at = datetime(2026, 1, 15, 12, tzinfo=UTC)
    back = {
        "refunded_value": Decimal(30),
        "refunded_shipping": Decimal(2),
        "refunded_total": Decimal("38.40"),
    }
    return [
        order("1", ordered_at=at, tax_value=Decimal("18.03"), shipping_value=Decimal("4.99")),
        order("2", ordered_at=at, **back),
        order("3", ordered_at=at, state="cancelled"),
        order("4", ordered_at=at, state="open"),
        order("5", ordered_at=at, is_test=True),
        guest("6", None, ordered_at=at),
        guest("7", "guest-1", ordered_at=at),
    ]


@pytest.mark.parametrize("rule", RULES)
def test_every_cause_is_named_with_its_orders_and_money_and_nothing_is_left(
    store: Store, rule: Rule
) -> None:
    orders = of_every_kind()
    keep(store, *orders)
    found = by_cause(told(store, rule=rule))
    shown, net = found.pop(SHOWN), found.pop(NET)
    assert shown == (7, sum((one.total_value for one in orders), Decimal(0)))
    counting = [one for one in orders if one.person_key is not None]
    assert net == (3, sum((net_value(one, rule) for one in counting), Decimal(0)))
    assert found.pop(GUESTS) == (1, net_value(orders[-1], rule))
    assert UNEXPLAINED not in found
    assert shown[1] + sum(money for _, money in found.values()) == net[1]
    apart = {name: found[name] for name in ("cancelled", "pending", "test", "of nobody")}
    assert apart == dict.fromkeys(apart, (1, Decimal(-113)))
    assert found["refunded"] == (1, Decimal("-38.40"))


def test_tax_and_shipping_are_told_apart_less_what_went_back_of_them(store: Store) -> None:
    keep(store, *of_every_kind())
    found = by_cause(told(store))
    assert found["tax"] == (3, -(Decimal("18.03") + 18 - Decimal("6.40") + 18))
    assert found["shipping"] == (3, -(Decimal("4.99") + 5 - 2 + 5))


@pytest.mark.parametrize(
    ("zone", "at", "by_the_shop", "by_utc"),
    [
        ("Europe/Berlin", NEW_YEAR - timedelta(minutes=30), FEBRUARY, JANUARY),
        ("Europe/Berlin", NEW_YEAR - timedelta(minutes=61), JANUARY, JANUARY),
        ("America/New_York", NEW_YEAR + timedelta(hours=4, minutes=59), JANUARY, FEBRUARY),
        ("America/New_York", NEW_YEAR + timedelta(hours=5), FEBRUARY, FEBRUARY),
        (None, NEW_YEAR, FEBRUARY, FEBRUARY),
        ("UTC", NEW_YEAR, FEBRUARY, FEBRUARY),
    ],
)
def test_an_order_counts_in_the_shops_month_there_and_in_the_month_of_utc_here(
    store: Store, zone: str | None, at: datetime, by_the_shop: date, by_utc: date
) -> None:
    keep(store, order("1", ordered_at=at))
    found = told(store, zone)
    assert [one.month for one in found if one.cause == SHOWN and one.orders] == [by_the_shop]
    assert [one.month for one in found if one.cause == NET and one.orders] == [by_utc]
    zoned = {one.month: (one.orders, one.money) for one in found if one.cause == "time zone"}
    if by_the_shop == by_utc:
        assert zoned == {}
    else:
        assert zoned == {by_the_shop: (-1, Decimal(-113)), by_utc: (1, Decimal(113))}
    assert UNEXPLAINED not in {one.cause for one in found}


@pytest.mark.parametrize("odd", [None, "", "Middle/Earth", "../etc/passwd", "Europe/Berlin\0"])
def test_a_zone_that_nobody_knows_is_none(odd: str | None) -> None:
    assert known_zone(odd) is None
    assert known_zone("Europe/Berlin") == "Europe/Berlin"


def test_what_the_shop_has_beyond_ours_is_unexplained_unless_it_was_put_aside(
    store: Store,
) -> None:
    keep(store, order("1", ordered_at=datetime(2026, 1, 15, tzinfo=UTC)))
    more = Placed(2, Decimal(150))
    found = by_cause(told(store, theirs={JANUARY: Theirs(more, put_aside=0)}))
    assert found[SHOWN] == (2, Decimal(150))
    assert found[UNEXPLAINED] == (1, Decimal(-37))
    found = by_cause(told(store, theirs={JANUARY: Theirs(more, put_aside=1)}))
    assert (found["put aside"], UNEXPLAINED in found) == ((1, Decimal(-37)), False)
    counted = Placed(2)
    found = by_cause(told(store, theirs={JANUARY: Theirs(counted, put_aside=0)}))
    assert found[UNEXPLAINED] == (1, Decimal(0))
    same = Placed(1, Decimal(113))
    assert UNEXPLAINED not in by_cause(told(store, theirs={JANUARY: Theirs(same, 0)}))


def test_a_sum_that_does_not_follow_from_the_orders_is_unexplained(store: Store) -> None:
    keep(store, order("1", ordered_at=datetime(2026, 1, 15, tzinfo=UTC)))
    store.connection.execute("update orders set total_value = total_value + 0.01")
    found = by_cause(told(store))
    assert found[UNEXPLAINED] == (0, Decimal("-0.01"))


def test_currencies_stand_apart_and_months_add_up(store: Store) -> None:
    at = datetime(2026, 1, 15, tzinfo=UTC)
    keep(
        store,
        order("1", ordered_at=at),
        order("2", ordered_at=at, currency="USD", state="open"),
        order("3", ordered_at=at + timedelta(days=31)),
    )
    rows = [(one.currency, one.cause, one.orders, one.money) for one in summed(told(store))]
    assert rows == [
        ("EUR", SHOWN, 2, Decimal(226)),
        ("EUR", "tax", 2, Decimal(-36)),
        ("EUR", "shipping", 2, Decimal(-10)),
        ("EUR", NET, 2, Decimal(180)),
        ("USD", SHOWN, 1, Decimal(113)),
        ("USD", "pending", 1, Decimal(-113)),
        ("USD", NET, 0, Decimal(0)),
    ]
