"""The summary per person, by hand and against a plain reckoning of the same orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_rows import NOW, customer, guest, line, order, page, refund

from connectors.schema import RULES, Order, OrderLine, Rule, amount, net_value
from connectors.store import Store

AS_OF = NOW.date()


def summarised(store: Store, *rows: Any, **how: Any) -> dict[str, dict[str, Any]]:
    """The summary of these rows, by person key."""
    store.commit("eu", "orders", page(*rows), at=NOW)
    frame = store.summary("eu", **{"as_of": AS_OF} | how)
    return {row["person_key"]: row for row in records(frame)}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(plain.columns, row, strict=True)) for row in plain.itertuples(index=False)]


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


# ----------------------------------------------------------------------------------------- by hand


def test_a_customer_with_three_purchase_days(store: Store) -> None:
    found = summarised(
        store,
        order("1", ordered_at=on(1)),
        order("2", ordered_at=on(1, 23), goods_value=Decimal(30)),
        order("3", ordered_at=on(11), goods_value=Decimal("60.10")),
        order("4", ordered_at=on(21), refunded_value=Decimal(40), refunded_total=Decimal("47.60")),
        line("1"), line("2"), line("3"), line("4", 1), line("4", 2, quantity=Decimal("0.5")),
        as_of=date(2026, 3, 31),
    )  # fmt: skip
    assert found == {
        "7": {
            "shop": "eu", "person_key": "7", "customer_id": "7", "currency": "EUR",
            "frequency": 2, "recency": 20, "T": 30, "monetary_value": (50.1 + 50) / 2,
            "days_since_last_order": 10,
            "first_order_on": date(2026, 3, 1), "last_order_on": date(2026, 3, 21),
            "orders": 4, "units": Decimal("8.5"),
            "gross": Decimal("250.10"), "refunds": Decimal(40), "net": Decimal("210.10"),
            "margin": Decimal("210.10") - Decimal("8.5") * Decimal("20.50"),
        }
    }  # fmt: skip


def test_one_purchase_has_no_repeat_value(store: Store) -> None:
    found = summarised(store, order("1", ordered_at=on(1)), order("2", ordered_at=on(1)))["7"]
    assert (found["frequency"], found["recency"], found["monetary_value"]) == (0, 0, None)


def test_days_are_days_in_utc(store: Store) -> None:
    late, early = on(1, 23) + timedelta(minutes=59), on(2, 0)
    found = summarised(store, order("1", ordered_at=late), order("2", ordered_at=early))["7"]
    assert (found["frequency"], found["recency"]) == (1, 1)


def test_orders_of_the_last_day_count_and_later_ones_do_not(store: Store) -> None:
    rows = [
        order("1", ordered_at=on(1)),
        order("2", ordered_at=on(5, 23)),
        order("3", ordered_at=on(6, 0)),
    ]
    found = summarised(store, *rows, as_of=date(2026, 3, 5))["7"]
    assert (found["frequency"], found["T"], found["days_since_last_order"]) == (1, 4, 0)


def test_a_refunded_order_is_money_that_came_and_went_but_no_purchase(store: Store) -> None:
    back = {"state": "refunded", "refunded_value": Decimal(90), "refunded_total": Decimal(113)}
    found = summarised(
        store,
        order("1", ordered_at=on(1), **back),
        order("2", ordered_at=on(3)),
        line("1"),
        line("2"),
    )["7"]
    assert (found["orders"], found["frequency"], found["first_order_on"]) == (
        1,
        0,
        date(2026, 3, 3),
    )
    assert (found["gross"], found["refunds"], found["net"]) == (
        Decimal(180),
        Decimal(90),
        Decimal(90),
    )
    assert (found["units"], found["margin"]) == (Decimal(2), Decimal(90) - Decimal(41))


def test_a_person_with_nothing_but_refunded_orders_is_left_out(store: Store) -> None:
    assert summarised(store, order("1", state="refunded", refunded_value=Decimal(90))) == {}


def test_a_free_order_is_a_purchase(store: Store) -> None:
    free = dict.fromkeys(("discount_value", "tax_value", "shipping_value"), Decimal(0))
    rows = [order(str(n), ordered_at=on(n), goods_value=Decimal(0), **free) for n in (1, 2)]
    found = summarised(store, *rows)["7"]
    assert (found["frequency"], found["monetary_value"]) == (1, 0.0)


@pytest.mark.parametrize("state", ["open", "cancelled"])
def test_what_was_not_paid_does_not_count(store: Store, state: str) -> None:
    found = summarised(store, order("1"), order("2", state=state), order("3", is_test=True))["7"]
    assert (found["orders"], found["gross"]) == (1, Decimal(90))


@pytest.mark.parametrize(
    "lines",
    [
        [line("1")],
        [line("1"), line("2", unit_cost=None)],
        [line("1"), line("2"), line("2", 2, unit_cost=None)],
    ],
    ids=["no lines", "no cost", "one cost unknown"],
)  # fmt: skip
def test_a_margin_needs_every_cost(store: Store, lines: Sequence[OrderLine]) -> None:
    found = summarised(
        store,
        order("1"),
        order("2"),
        order("3", person_key="8", customer_id="8"),
        line("3"),
        *lines,
    )
    assert found["7"]["margin"] is None
    assert found["8"]["margin"] == Decimal(49)


def test_lines_of_an_earlier_version_do_not_count(store: Store) -> None:
    store.commit(
        "eu", "orders", page(order("1"), line("1", 1), line("1", 2, unit_cost=None)), at=NOW
    )
    found = summarised(store, order("1", updated_at=NOW), line("1", 1))["7"]
    assert (found["orders"], found["units"], found["margin"]) == (1, Decimal(2), Decimal(49))


def test_currencies_are_never_added_up(store: Store) -> None:
    rows = [order("1"), order("2"), order("3", currency="USD")]
    store.commit("eu", "orders", page(*rows), at=NOW)
    both = store.summary("eu", as_of=AS_OF)
    assert dict(zip(both["currency"], both["orders"], strict=True)) == {"EUR": 2, "USD": 1}
    assert both["orders"].dtype == both["frequency"].dtype == "int64"
    one = store.summary("eu", as_of=AS_OF, currency="USD")
    assert one["orders"].tolist() == [1]
    assert store.currencies("eu") == {"EUR": 2, "USD": 1}


def test_what_is_left_out_is_counted_by_its_first_reason(store: Store) -> None:
    rows = [
        order("1"), order("2", is_test=True, state="cancelled"), order("3", state="cancelled"),
        order("4", state="open"), guest("5", None), order("6", currency="USD"),
        order("7", ordered_at=NOW + timedelta(days=1)), order("8", state="refunded"),
    ]  # fmt: skip
    store.commit("eu", "orders", page(*rows), at=NOW)
    assert store.excluded("eu", as_of=AS_OF, currency="EUR") == {
        "test": 1, "cancelled": 1, "open": 1, "no person": 1, "after as_of": 1, "other currency": 1,
    }  # fmt: skip
    assert "other currency" not in store.excluded("eu", as_of=AS_OF)


def test_amounts_near_the_limit_are_added_up_exactly(store: Store) -> None:
    large = {"goods_value": Decimal("99999999999999.9999"), "discount_value": Decimal(0)}
    large |= dict.fromkeys(("tax_value", "shipping_value"), Decimal(0))
    found = summarised(store, order("1", **large), order("2", **large))["7"]
    assert found["net"] == Decimal("199999999999999.9998")


# ----------------------------------------------------------------------------------------- persons


def test_a_guest_who_registered_later_is_that_customer(store: Store) -> None:
    store.commit("eu", "orders", page(guest("1", "guest-7", ordered_at=on(1))), at=NOW)
    assert list(summarised(store)) == ["guest-7"]
    found = summarised(store, customer("7"), order("2", ordered_at=on(5)))
    assert [(key, row["customer_id"], row["frequency"]) for key, row in found.items()] == [
        ("7", "7", 1)
    ]


def test_a_pure_guest_has_no_customer_id(store: Store) -> None:
    found = summarised(store, guest("1", "guest-x"), customer("7"), customer("8", email_key=None))
    assert {key: row["customer_id"] for key, row in found.items()} == {"guest-x": None}


def test_a_customer_of_another_shop_is_somebody_else(store: Store) -> None:
    store.commit("us", "customers", page(customer("7", shop="us")), at=NOW)
    assert list(summarised(store, guest("1", "guest-7"))) == ["guest-7"]


def test_of_two_customers_with_one_key_the_smaller_id_is_taken(store: Store) -> None:
    twins = [customer("8", email_key="guest-k"), customer("10", email_key="guest-k")]
    found = summarised(store, *twins, guest("1", "guest-k"), guest("2", "guest-k"))
    assert {key: row["orders"] for key, row in found.items()} == {"10": 2}  # as text: "10" < "8"


def test_orders_say_whose_they_are_and_what_they_are_worth(store: Store) -> None:
    store.commit(
        "eu", "o", page(customer("7"), guest("1", "guest-7"), order("2", state="open")), at=NOW
    )
    found = store.reader("orders", shops=["eu"], as_of=AS_OF).read_all().to_pylist()
    told = ("order_id", "person_key", "customer_id", "is_guest", "counts", "net_value")
    assert [tuple(row[name] for name in told) for row in found] == [
        ("1", "7", "7", True, True, Decimal(90)),
        ("2", "7", "7", False, False, Decimal(0)),
    ]
    assert store.orders_of("eu", "7")["order_number"].tolist() == ["#1", "#2"]


def test_hashed_emails_lead_to_the_person(store: Store) -> None:
    store.commit("eu", "customers", page(customer("7", website="2"), customer("8")), at=NOW)
    assert store.persons("eu", ["guest-7", "guest-unknown"]) == ["7", "guest-unknown"]
    assert store.websites("eu") == ["1", "2"]


# ------------------------------------------------------------------------ against a plain reckoning

cents = st.integers(-20_000, 200_000).map(lambda n: Decimal(n).scaleb(-4))
made_orders = st.builds(
    lambda person, hours, **money: dict(
        person_key=person, customer_id=person, ordered_at=NOW - timedelta(hours=hours), **money
    ),
    st.sampled_from(["1", "2", "3"]), st.integers(-24, 400),
    state=st.sampled_from(["open", "paid", "complete", "cancelled", "refunded"]),
    is_test=st.sampled_from([False, False, False, True]), currency=st.sampled_from(["EUR", "USD"]),
    goods_value=cents, discount_value=cents, tax_value=cents, shipping_value=cents,
    refunded_value=cents, refunded_shipping=cents, refunded_total=cents,
)  # fmt: skip
fresh_shops = (f"shop{number}" for number in count())


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("shared") / "store.duckdb", now=NOW) as store:
        yield store


def reckoned(orders: Sequence[Order], rule: Rule) -> dict[tuple[str, str], dict[str, Any]]:
    """The summary of orders by person and currency, in plain Python."""
    people: dict[tuple[str, str], list[Order]] = defaultdict(list)
    for row in orders:
        counts = row.state in ("paid", "complete", "refunded") and not row.is_test
        if counts and row.ordered_at.date() <= AS_OF:
            people[str(row.person_key), row.currency].append(row)
    return {key: facts for key, own in people.items() if (facts := reckoned_person(own, rule))}


def reckoned_person(own: Sequence[Order], rule: Rule) -> dict[str, Any] | None:
    days: dict[date, Decimal] = defaultdict(Decimal)
    bought = [row for row in own if row.state != "refunded"]
    for row in bought:
        days[row.ordered_at.date()] += net_value(row, rule)
    if not days:
        return None
    first, *repeats = sorted(days)
    untouched = dict.fromkeys(("refunded_value", "refunded_shipping", "refunded_total"), Decimal(0))
    gross = sum((amount(replace(row, **untouched), rule) for row in own), Decimal(0))
    net = sum((net_value(row, rule) for row in own), Decimal(0))
    mean = float(sum(days[day] for day in repeats)) / len(repeats) if repeats else None
    return {
        "frequency": len(repeats), "recency": (max(days) - first).days, "T": (AS_OF - first).days,
        "monetary_value": mean, "orders": len(bought), "gross": gross, "net": net,
        "refunds": gross - net, "first_order_on": first, "last_order_on": max(days),
    }  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=st.lists(made_orders, max_size=25))
def test_the_summary_is_what_a_plain_reckoning_says(
    shared_store: Store, rule: Rule, made: list[dict[str, Any]]
) -> None:
    shop = next(fresh_shops)
    orders = [order(str(n), shop=shop, **row) for n, row in enumerate(made)]
    shared_store.commit(shop, "orders", page(*orders), at=NOW)
    found = {
        (row["person_key"], row["currency"]): row
        for row in records(shared_store.summary(shop, as_of=AS_OF, rule=rule))
    }
    expected = reckoned(orders, rule)
    assert found.keys() == expected.keys()
    for key, facts in expected.items():
        assert {name: found[key][name] for name in facts} == facts


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=st.lists(made_orders, max_size=25))
def test_the_store_values_an_order_as_the_schema_does(
    shared_store: Store, rule: Rule, made: list[dict[str, Any]]
) -> None:
    shop = next(fresh_shops)
    orders = [order(str(n), shop=shop, **row) for n, row in enumerate(made)]
    shared_store.commit(shop, "orders", page(*orders), at=NOW)
    reader = shared_store.reader("orders", shops=[shop], as_of=AS_OF, rule=rule)
    found = {row["order_id"]: row["net_value"] for row in reader.read_all().to_pylist()}
    assert found == {row.order_id: net_value(row, rule) for row in orders}


# ------------------------------------------------------------------------------ what was known then


def test_a_refund_that_came_later_had_not_been_made(store: Store) -> None:
    back = {"refunded_value": Decimal(30), "refunded_total": Decimal(36)}
    rows = [order("1", ordered_at=on(1), **back), refund("r1", refunded_at=on(9, 0))]
    before = summarised(store, *rows, as_of=date(2026, 3, 8))["7"]
    after = summarised(store, as_of=date(2026, 3, 9))["7"]
    assert (before["gross"], before["refunds"], before["net"]) == (90, 0, 90)
    assert (after["gross"], after["refunds"], after["net"]) == (90, 30, 60)
    assert summarised(store, as_of=date(2026, 3, 8), rule="gross")["7"]["net"] == Decimal(113)


def test_an_order_that_was_wholly_refunded_later_was_a_purchase(store: Store) -> None:
    whole = {"refunded_value": Decimal(90), "refunded_total": Decimal(113)}
    rows = [
        order("1", ordered_at=on(1), state="refunded", **whole),
        refund("r1", refunded_at=on(9), refunded_total=Decimal(60), refunded_value=Decimal(50)),
        refund("r2", refunded_at=on(12), refunded_total=Decimal(53), refunded_value=Decimal(40)),
    ]
    then = summarised(store, *rows, as_of=date(2026, 3, 10))["7"]
    assert (then["orders"], then["net"]) == (1, 40)
    assert summarised(store, as_of=date(2026, 3, 12)) == {}


def test_purchase_days_are_those_of_the_summary(store: Store) -> None:
    rows = [
        order("1", ordered_at=on(1)),
        order("2", ordered_at=on(1, 23), goods_value=Decimal(30)),
        order("3", ordered_at=on(11), goods_value=Decimal("60.10")),
        order("4", ordered_at=on(12), state="refunded", refunded_value=Decimal(90)),
        guest("5", "guest-9", ordered_at=on(20)),
    ]
    found = summarised(store, *rows)
    days = store.purchase_days("eu", as_of=AS_OF)
    assert [tuple(row) for row in days.itertuples(index=False)] == [
        ("7", date(2026, 3, 1), 110.0),
        ("7", date(2026, 3, 11), 50.1),
        ("guest-9", date(2026, 3, 20), 90.0),
    ]
    assert days.customer_id.value_counts().to_dict() == {
        person: row["frequency"] + 1 for person, row in found.items()
    }


def test_what_is_to_be_scored_knows_the_tier_that_was(store: Store) -> None:
    summarised(store, order("1", ordered_at=on(1)), guest("2", "guest-9", ordered_at=on(2)))
    earlier = {"shop": ["eu"], "person_key": ["7"], "customer_id": ["7"], "tier": ["high"]}
    store.save_scores("r1", [pa.table(earlier)])
    people = store.to_score("eu", as_of=AS_OF).read_all()
    assert people["person_key"].to_pylist() == ["7", "guest-9"]
    assert people["previous_tier"].to_pylist() == ["high", None]
    told = store.summary("eu", as_of=AS_OF)
    pd.testing.assert_frame_equal(people.select(list(told)).to_pandas(), told)


def test_people_have_the_traits_of_their_first_order(store: Store) -> None:
    summarised(
        store,
        order("1", ordered_at=on(1), channel="web", coupon="WELCOME", country="SE"),
        order("2", ordered_at=on(2), channel="pos"),
        guest("3", "guest-9", ordered_at=on(3)),
        order("0", ordered_at=on(1, 1), state="cancelled", channel="phone"),
        line("1", 1, category="Kitchen", net_value=Decimal(10)),
        line("1", 2, category="Garden", net_value=Decimal(80)),
        line("2", 1, category="Office"),
    )
    traits = store.traits("eu", as_of=AS_OF)
    assert traits.loc["7"].tolist() == ["web", "Garden", "coupon", "SE"]
    assert traits.loc["guest-9"].fillna("-").tolist() == ["-", "-", "none", "-"]
    numbers = store.numbers("eu", as_of=AS_OF, with_traits=True)
    assert numbers.coupon.tolist() == ["coupon", "none"]
    assert numbers.net.tolist() == [180.0, 90.0]
    people = store.to_score("eu", as_of=AS_OF, with_traits=True).read_all()
    assert people["channel"].to_pylist() == ["web", None]


def test_a_day_in_the_past_knows_the_tier_that_was_shown_by_then(store: Store) -> None:
    summarised(store, order("1", ordered_at=on(1)))
    for day, tier in ((on(5).date(), "low"), (on(20).date(), "high")):
        told = {"shop": ["eu"], "person_key": ["7"], "customer_id": ["7"], "tier": [tier]}
        store.save_scores(f"on {day}", [pa.table({**told, "as_of": [day]})])
    found = {
        day: store.to_score("eu", as_of=on(day).date()).read_all()["previous_tier"].to_pylist()
        for day in (4, 5, 19, 20)
    }
    assert found == {4: [None], 5: ["low"], 19: ["low"], 20: ["high"]}
