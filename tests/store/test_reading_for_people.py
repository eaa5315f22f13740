"""What report, segments and explain read: purchases one by one, and scores of earlier days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from made_rows import NOW, customer, guest, line, order, page

from connectors.store import Store

TODAY = NOW.date()
KNOWN: dict[str, Any] = {"as_of": TODAY, "currency": "EUR"}


@pytest.fixture
def filled(store: Store) -> Store:
    rows = [
        order("1", channel="web", coupon="HI", store_view="sv"),
        order("2", ordered_at=NOW - timedelta(days=3)),
        order("cancelled", state="cancelled"),
        order("open", state="open"),
        order("test", is_test=True),
        order("back", state="refunded", refunded_value=Decimal(85)),
        order(
            "kept", customer_id="8", person_key="8", state="refunded", refunded_value=Decimal(85)
        ),
        order("later", ordered_at=NOW + timedelta(days=2)),
        order("dear", currency="SEK"),
        guest("nobody", None),
        guest("g1", "guest-7"),
        customer("7"),
        line("1"),
        line("1", 2, sku=None, product_id="12", category=None, net_value=Decimal(1)),
        line("cancelled"),
    ]
    store.commit("eu", "orders", page(*rows), at=NOW)
    return store


def test_purchases_are_paid_kept_known_and_in_time(filled: Store) -> None:
    found = filled.purchases("eu", **KNOWN).set_index("order_id")
    assert set(found.index) == {"1", "2", "g1"}
    assert set(found["customer_id"]) == {"7"}  # the guest has registered since
    assert found.loc["1", ["channel", "coupon", "store_view"]].tolist() == ["web", "HI", "sv"]
    assert found["net_value"].tolist() == [90.0] * 3
    assert found["ordered_at"].dt.tz is not None
    every = filled.purchases("eu", as_of=TODAY)
    assert set(every["order_id"]) == {"1", "2", "g1", "dear"}


def test_purchases_are_worth_what_the_rule_says(filled: Store) -> None:
    found = filled.purchases("eu", **KNOWN, rule="gross")
    assert found["net_value"].tolist() == [113.0] * 3


def test_lines_are_those_of_the_purchases_with_product_and_category(filled: Store) -> None:
    found = filled.purchase_lines("eu", **KNOWN)
    told = found[["customer_id", "order_id", "product", "net_value"]].to_dict("records")
    assert told == [
        {"customer_id": "7", "order_id": "1", "product": "MUG", "net_value": 90.0},
        {"customer_id": "7", "order_id": "1", "product": "12", "net_value": 1.0},
    ]
    assert found["category"].notna().tolist() == [True, False]


def test_what_the_unscored_left_behind_is_told_to_the_cent(filled: Store) -> None:
    scores = {"shop": ["eu"], "person_key": ["7"], "customer_id": ["7"], "tier": ["high"]}
    filled.save_scores("r1", [pa.table(scores | {"as_of": [TODAY]})])
    assert filled.net_of_unscored("eu", as_of=TODAY, currency="EUR") == Decimal("5.00")
    assert filled.net_of_unscored("eu", as_of=TODAY, currency="SEK") == Decimal("0.00")


def test_one_persons_summary_is_the_row_of_the_summary(filled: Store) -> None:
    whole = filled.summary("eu", **KNOWN).set_index("person_key")
    alone = filled.summary_of("eu", "7", **KNOWN)
    assert alone["net"] == whole.loc["7", "net"]
    assert alone["frequency"] == whole.loc["7", "frequency"]
    assert filled.summary_of("eu", "no such", **KNOWN) == {}


def test_scores_of_an_earlier_day_are_the_newest_up_to_it(store: Store) -> None:
    for run, day in (("r1", 1), ("r2", 9), ("r3", 5), ("r4", 5)):
        scores = {"shop": ["eu"], "person_key": [run], "customer_id": [None], "tier": ["low"]}
        store.save_scores(run, [pa.table(scores | {"as_of": [date(2026, 11, day)]})])
    told = {
        day: store.scores_until("eu", date(2026, 11, day))["run_id"].tolist()
        for day in (4, 5, 8, 9)
    }
    assert told == {4: ["r1"], 5: ["r4"], 8: ["r4"], 9: ["r2"]}
    assert store.scores_until("eu", date(2026, 10, 31)).empty
    assert store.scores_until("us", date(2026, 11, 30)).empty
