"""Our orders against the shop's own: what differs is named and mended, and nothing else moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from made_rows import NOW, guest, line, order, page, refund

from connectors.errors import ConfigurationError, GuardStopped, ShopUnavailable
from connectors.platform import Page, Placed, Reject, Window
from connectors.pull import Watch
from connectors.reconcile import Month, Terms, begins, reconcile, windows
from connectors.schema import Order
from connectors.store import Store

JANUARY = datetime(2026, 1, 15, 12, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
ASKED = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))


class Shop:
    """A shop of a few orders that can be asked what was placed when."""

    shop = "eu"

    def __init__(self, *orders: Order, tells_totals: bool = True) -> None:
        self.orders = list(orders)
        self.tells_totals = tells_totals
        self.rejects: list[Reject] = []
        self.loses = 0
        self.read: list[Window] = []

    def placed(self, asked: Sequence[Window]) -> Iterator[Placed]:
        for window in asked:
            found = self.within(window)
            total = sum((one.total_value for one in found), Decimal(0))
            yield Placed(len(found), total if self.tells_totals else None)

    def within(self, window: Window) -> list[Order]:
        return [one for one in self.orders if window.begin <= one.ordered_at < window.end]

    def pull_placed(self, window: Window) -> Iterator[Page]:
        self.read.append(window)
        for one in self.within(window)[self.loses :]:
            refunds = [refund(f"r{one.order_id}", order_id=one.order_id)]
            yield page(one, line(one.order_id), *(refunds if one.refunded_total else []))
        yield page(rejects=self.rejects)


Keep = Callable[..., None]


@pytest.fixture
def keep(store: Store) -> Keep:
    def kept(*orders: Order) -> None:
        rows = [row for one in orders for row in (one, line(one.order_id))]
        store.commit("eu", "orders", page(*rows), at=NOW)

    return kept


def compared(shop: Shop, store: Store, **terms: bool) -> list[Month]:
    return list(reconcile(shop, store, ASKED, Terms(NOW, "net", **terms), Watch()))  # type: ignore[arg-type]


def told(months: Sequence[Month]) -> list[tuple[str, str, str]]:
    return [tuple(one) for month in months for one in month.differences]


def test_months_that_agree_are_not_read_again(store: Store, keep: Keep) -> None:
    orders = [order("1", ordered_at=JANUARY), order("2", ordered_at=FEBRUARY)]
    keep(*orders)
    shop = Shop(*orders)
    months = compared(shop, store)
    assert [month.ours for month in months] == [Placed(1, Decimal(113)), Placed(1, Decimal(113))]
    assert not told(months)
    assert not shop.read


def test_an_order_that_was_missed_comes_in_with_its_lines_and_refunds(
    store: Store, keep: Keep
) -> None:
    keep(order("1", ordered_at=JANUARY))
    missed = order("2", ordered_at=FEBRUARY, refunded_total=Decimal(36))
    months = compared(Shop(order("1", ordered_at=JANUARY), missed), store)
    assert told(months) == [("missing", "#2", "")]
    assert store.counts("eu") == {"orders": 2, "order_lines": 2, "refunds": 1, "customers": 0}
    assert not told(compared(Shop(order("1", ordered_at=JANUARY), missed), store))


def test_an_order_that_the_shop_deleted_leaves_with_its_lines(store: Store, keep: Keep) -> None:
    keep(order("1", ordered_at=JANUARY), order("2", ordered_at=JANUARY))
    months = compared(Shop(order("1", ordered_at=JANUARY)), store)
    assert told(months) == [("gone", "#2", "")]
    assert store.counts("eu") == {"orders": 1, "order_lines": 1, "refunds": 0, "customers": 0}


def test_a_total_that_changed_unnoticed_is_named_from_what_to_what(
    store: Store, keep: Keep
) -> None:
    keep(order("1", ordered_at=JANUARY))
    changed = order("1", ordered_at=JANUARY, shipping_value=Decimal(7), updated_at=NOW)
    months = compared(Shop(changed), store)
    assert told(months) == [("changed", "#1", "total 113.00 > 115.00")]
    assert store.months("eu", *ASKED)[0].total == Decimal(115)


def test_without_sums_a_change_shows_only_where_every_order_is_read(
    store: Store, keep: Keep
) -> None:
    keep(order("1", ordered_at=JANUARY, state="open"))
    shop = Shop(order("1", ordered_at=JANUARY, updated_at=NOW), tells_totals=False)
    assert not told(compared(shop, store))
    assert told(compared(shop, store, every_order=True)) == [
        ("changed", "#1", "state open > complete")
    ]


def test_what_cant_be_read_is_named_and_takes_nothing_away(store: Store, keep: Keep) -> None:
    keep(order("1", ordered_at=JANUARY), order("2", ordered_at=JANUARY))
    shop = Shop(order("1", ordered_at=JANUARY))
    shop.rejects = [Reject("eu", "orders", "2", "state", "is odd")]
    assert ("put aside", "2", "is odd") in told(compared(shop, store))
    assert store.counts("eu")["orders"] == 2


def test_a_reading_that_is_cut_short_takes_nothing_away(store: Store, keep: Keep) -> None:
    orders = [order(str(n), ordered_at=JANUARY) for n in range(5)]
    keep(*orders, order("9", ordered_at=JANUARY))
    shop = Shop(*orders)
    shop.loses = 2
    with pytest.raises(ShopUnavailable, match="counts 5 orders in 2026-01 and served 3"):
        compared(shop, store)
    assert store.counts("eu")["orders"] == 6


def test_many_orders_gone_at_once_need_the_owners_word(store: Store, keep: Keep) -> None:
    keep(*(order(str(n), ordered_at=JANUARY) for n in range(11)))
    with pytest.raises(GuardStopped, match="11 of 11 orders of 2026-01"):
        compared(Shop(), store)
    assert store.counts("eu")["orders"] == 11
    assert len(told(compared(Shop(), store, forget=True))) == 11
    assert store.counts("eu")["orders"] == 0


def test_months_are_cut_at_their_first_instant_in_utc() -> None:
    begin = datetime(2025, 11, 3, 4, tzinfo=UTC)
    cut = windows(begin, datetime(2026, 2, 10, tzinfo=UTC))
    assert [(f"{one.begin:%m-%d}", f"{one.end:%m-%d}") for one in cut] == [
        ("11-03", "12-01"),
        ("12-01", "01-01"),
        ("01-01", "02-01"),
        ("02-01", "02-10"),
    ]
    assert all(one.end == next_one.begin for one, next_one in pairwise(cut))


def test_the_comparison_begins_at_the_first_order_known(store: Store, keep: Keep) -> None:
    with pytest.raises(ConfigurationError, match="no order of eu"):
        begins(store, "eu", None)
    keep(order("1", ordered_at=FEBRUARY), order("2", ordered_at=JANUARY))
    assert begins(store, "eu", None) == JANUARY
    assert begins(store, "eu", FEBRUARY) == FEBRUARY


def test_a_month_goes_from_what_was_ordered_to_its_net_value_to_the_cent(
    store: Store, keep: Keep
) -> None:
    cents = {"shipping_value": Decimal("4.99"), "tax_value": Decimal("18.03")}
    later = JANUARY + timedelta(hours=1)
    keep(
        order("1", ordered_at=JANUARY, **cents),
        order("2", ordered_at=later, refunded_total=Decimal("36"), refunded_value=Decimal(30)),
        order("3", ordered_at=later, state="cancelled"),
        order("4", ordered_at=later, state="open"),
        order("5", ordered_at=later, is_test=True, state="open"),
        guest("6", None, ordered_at=later),
        guest("7", "guest-1", ordered_at=later),
        order("8", ordered_at=FEBRUARY, currency="USD"),
    )
    january, february = store.months("eu", *ASKED)
    parts = ("cancelled", "open", "test", "nobodys", "refunded", "tax_and_shipping")
    assert january.total - sum(getattr(january, part) for part in parts) == january.net
    assert [getattr(january, part) for part in parts] == [
        *(Decimal(113),) * 4, Decimal(36), Decimal("23.02") + 23 - 6 + 23,
    ]  # fmt: skip
    assert (january.net, january.orders, january.guest_orders) == (Decimal(90 + 60 + 90), 7, 2)
    assert (february.currency, february.net) == ("USD", Decimal(90))
