from __future__ import annotations

from datetime import date
from decimal import Decimal

from connectors.material import latest_choice
from connectors.report.quality import bridge, honest
from connectors.store.mending import MonthTotals


def month(number: int, currency: str = "EUR") -> MonthTotals:
    """1000 ordered; 100 cancelled, 50 test, 30 refunded, 220 tax and shipping: 600 net."""
    amounts = (1000, 30, 100, 0, 50, 0, 30, 220, 600)
    return MonthTotals(date(2026, number, 1), currency, 10, 2, *map(Decimal, amounts))


def test_the_bridge_goes_from_all_orders_to_the_scored_customers() -> None:
    lines = bridge(
        [month(1), month(2), month(3, "SEK")], "EUR", Decimal("12.34"), Decimal("1187.66")
    )
    assert dict(lines) == {
        "total": Decimal(2000),
        "cancelled": Decimal(-200),
        "test": Decimal(-100),
        "refunded": Decimal(-60),
        "tax_and_shipping": Decimal(-440),
        "net": Decimal(1200),
        "unscored": Decimal("-12.34"),
        "scored": Decimal("1187.66"),
    }
    names = [name for name, _ in lines]
    first, net = names.index("total"), names.index("net")
    amounts = [amount for _, amount in lines]
    assert sum(amounts[first:net]) == amounts[net]
    assert sum(amounts[net:-1]) == amounts[-1]


def test_what_came_since_the_scoring_has_a_line_of_its_own() -> None:
    lines = bridge([month(1)], "EUR", Decimal(0), Decimal(550))
    assert ("later", Decimal(-50)) in lines
    amounts = [amount for _, amount in lines]
    assert sum(amounts[[name for name, _ in lines].index("net") : -1]) == amounts[-1]


def test_the_last_backtest_stands_until_there_is_another() -> None:
    cards = [{"choice": {"chosen": "bg"}}, {"choice": {"chosen": "nbd"}}, {"choice": None}, {}]
    assert latest_choice(cards) == {"chosen": "nbd"}
    assert latest_choice([{}]) is None


def test_how_honest_ranges_were_is_the_mean_of_the_origins() -> None:
    seen = [{"randomised": {"clv_80": share, "purchases_80": 0.8}} for share in (0.7, 0.9)]
    told = honest({"coverage": seen})
    assert told is not None
    assert (round(told["clv"], 6), told["purchases"]) == (0.8, 0.8)
    assert honest({"coverage": []}) is None
