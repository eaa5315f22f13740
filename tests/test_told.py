"""What people read of a run on a terminal of 80 columns, where only programs got it whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from connectors import news, reconciled, scored
from connectors.platform import Placed
from connectors.reconcile import Difference, Month
from connectors.store.mending import MonthTotals
from connectors.terminal import Terminal

MAY = date(2026, 5, 1)
NINE = Placed(9, Decimal("450.00"))
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_shop_that_tells_no_sums_agrees_by_its_counts(capsys: Capture) -> None:
    """Neither platform's stock routes tell a sum: such months were all said to differ."""
    counted = Month(MAY, NINE, Placed(9, None), False, ())
    reconciled.compared(Terminal(), "eu", [counted, Month(MAY, NINE, NINE, False, ())])
    told = capsys.readouterr().out
    assert "2 of 2 months agree" in told
    assert "differed" not in told


@pytest.mark.parametrize(
    "month",
    [
        Month(MAY, NINE, Placed(8, None), True, ()),
        Month(MAY, NINE, Placed(9, Decimal("450.01")), True, ()),
        Month(MAY, NINE, NINE, True, (Difference("changed", "100001", "state open > paid"),)),
    ],
)
def test_a_month_that_differs_is_told(month: Month, capsys: Capture) -> None:
    reconciled.compared(Terminal(), "eu", [month])
    told = capsys.readouterr().out
    assert "0 of 1 months agree" in told
    assert "2026-05" in told


def totals(month: int, currency: str = "EUR") -> MonthTotals:
    known = {"month": date(2026, month, 1), "currency": currency, "orders": 1234}
    large = {"guest_orders": 123, "total": Decimal("99999.99"), "net": Decimal("93827.19")}
    return MonthTotals(
        **{**dict.fromkeys(MonthTotals._fields, Decimal("1234.56")), **known, **large}
    )


def test_the_way_from_orders_to_net_value_fits_on_a_terminal(capsys: Capture) -> None:
    reconciled.bridged(Terminal(), "eu", [totals(1), totals(2)])
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert "…" not in told
    parts = ("ordered", "counted", "refunded", "shipping", "net")
    assert all(part in told for part in parts)


def test_money_of_two_currencies_is_never_added_up(capsys: Capture) -> None:
    reconciled.bridged(Terminal(), "eu", [totals(1), totals(1, "USD")])
    told = capsys.readouterr().out
    assert "net value, EUR" in told
    assert "net value, USD" in told
    assert "199,999.98" not in told


REJECTS = pd.DataFrame(
    {
        "stream": "orders",
        "row_id": [f"line {n}" for n in range(1, 13)],
        "field": "order_id",
        "reason": "stands in an earlier row already; a row is a whole order",
        "first_seen_at": pd.Timestamp("2026-11-29T16:13:27.414123Z"),
        "last_seen_at": pd.Timestamp("2026-11-29T16:13:27.414123Z"),
    }
)


def test_a_row_that_was_put_aside_is_named_with_its_line_field_and_reason(capsys: Capture) -> None:
    news.quarantined(Terminal(), "x", REJECTS)
    told = capsys.readouterr().out
    assert "12 rows" in told
    assert "the first 10 (--json: all)" in told
    assert "line 10 │ order_id │ stands in an earlier row already; a row is a whole" in told
    assert "line 11" not in told


def test_programs_get_every_row_that_was_put_aside(capsys: Capture) -> None:
    news.quarantined(Terminal(json=True), "x", REJECTS)
    assert capsys.readouterr().out.count('"event": "reject"') == 12


def test_a_shop_too_small_for_a_model_is_scored_by_its_average(capsys: Capture) -> None:
    card = {
        "data": {"customers": 2, "currency": "XXX"},
        "model": "too little data",
        "warnings": [],
        "tiers": {"high": {"customers": 2, "predicted_clv": "6.58", "historic_net": "33.10"}},
    }
    scored.scored(Terminal(), "x", card)
    told = capsys.readouterr().out
    assert "2 customers scored by the shop's average" in told
    assert "XXX" not in told
