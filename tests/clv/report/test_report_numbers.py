from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from reported import AS_OF, cdnow, known_of, order_rows

import clv
from clv import columns as c
from clv.report import Known, report
from clv.report.actions import WIN_BACK
from clv.report.movement import ORDERED, OTHERS, SILENT, movement
from clv.report.slipping import slipping_people


@pytest.fixture(scope="module")
def known() -> Known:
    settings = clv.ScoreSettings(margin=Decimal("0.4"), cac=Decimal(20))
    before = {"run": date(1998, 6, 23), "quarter": date(1998, 3, 31)}
    return known_of(cdnow(), settings=settings, before=before)


@pytest.fixture(scope="module")
def told(known: Known) -> dict[str, object]:
    return report(known)


def test_headline_tiers_and_classes_add_up_to_the_scores_to_the_cent(known: Known, told) -> None:
    total = sum(known.scores[c.HISTORIC_NET], Decimal(0))
    assert told["headline"]["net"] == total
    assert sum(tier["net"] for tier in told["tiers"]) == total
    assert sum(one["net"] for one in told["concentration"]["classes"]) == total
    assert sum(tier["customers"] for tier in told["tiers"]) == len(known.scores)
    predicted = sum(known.scores[c.PREDICTED_CLV], Decimal(0))
    assert sum(tier["predicted"] for tier in told["tiers"]) == predicted


def test_each_customer_stands_in_one_class_of_value_and_in_one_row(known: Known, told) -> None:
    assert sum(row["customers"] for row in told["distribution"]) == len(known.scores)
    columns = told["customers"]["columns"]
    assert sorted(columns["customer"]) == sorted(known.people.index)
    assert {len(column) for column in columns.values()} == {len(known.scores)}
    assert columns[c.PREDICTED_CLV] == sorted(columns[c.PREDICTED_CLV], reverse=True)


def test_months_bring_what_the_orders_brought(known: Known, told) -> None:
    value = sum(row["new_value"] + row["returning_value"] for row in told["months"])
    assert value == pytest.approx(known.orders[c.NET_VALUE].sum())
    new = sum(row["new_customers"] for row in told["months"])
    assert new == known.orders[c.CUSTOMER_ID].nunique()


def test_cohorts_hold_every_customer_once(known: Known, told) -> None:
    rows = told["cohorts"]["rows"]
    assert sum(row["customers"] for row in rows) == len(known.scores)
    assert {row["active"][0] for row in rows} == {1.0}


def test_the_curve_by_age_is_at_margin_and_pays_back_where_it_crosses_the_cac(told) -> None:
    ages = told["ages"]
    assert ages["at_margin"]
    day, curve = ages["payback_days"], dict(ages["curve"])
    assert 0 < day < 200
    assert min(value for age, value in curve.items() if age >= day) >= 20
    assert max(value for age, value in curve.items() if age < day) < 20


def test_the_tier_matrix_holds_everybody_of_both_days(known: Known, told) -> None:
    for name, before in known.before.items():
        cells = told["movement"][name]["customers"]
        assert sum(map(sum, cells.values())) == len(
            set(known.people.index) | set(before.person_key)
        )


def test_a_mover_is_told_why() -> None:
    quiet = [("silent", f"2026-0{n}-05", 50.0) for n in range(1, 6)]
    busy = [("busy", f"2026-0{n}-05", 50.0) for n in (1, 2)]
    late = [("busy", "2026-09-30", 400.0)]
    rest = [(f"c{n}", f"2026-01-{1 + n % 28:02}", 10.0) for n in range(60)]
    known = known_of(order_rows(*quiet, *busy, *late, *rest), date(2026, 10, 1))
    before = known.scores.assign(
        **{
            c.TIER: np.where(known.scores[c.PERSON_KEY] == "busy", "low", known.scores[c.TIER]),
            c.ORDERS: known.scores[c.ORDERS] - (known.scores[c.PERSON_KEY] == "busy"),
            c.P_ALIVE: 0.9,
            c.AS_OF: date(2026, 9, 1),
        }
    )
    now = known.scores.assign(
        **{
            c.P_ALIVE: 0.2,
            c.TIER: known.scores[c.PERSON_KEY].map({"busy": "high", "silent": "low"}).fillna("low"),
        }
    )
    before[c.TIER] = before[c.PERSON_KEY].map({"busy": "low", "silent": "high"}).fillna("low")
    moved = movement(replace(known, scores=now), before)
    assert [(one["customer"], one["why"], one["orders"]) for one in moved["up"]] == [
        ("busy", ORDERED, 1)
    ]
    assert [(one["customer"], one["why"]) for one in moved["down"]] == [("silent", SILENT)]
    assert (moved["rose"], moved["fell"]) == (1, 1)


def test_a_valuable_customer_who_went_quiet_is_named_with_rhythm_and_day() -> None:
    vip = [("vip", day, 300.0) for day in pd.date_range("2026-01-01", "2026-06-30", freq="20D")]
    steady = [
        (f"s{n}", day, 20.0)
        for n in range(30)
        for day in pd.date_range(f"2026-01-{1 + n % 28:02}", "2026-09-25", freq="30D")
    ]
    known = known_of(order_rows(*vip, *steady), date(2026, 10, 1))
    told = report(known)["slipping"]
    assert [one["customer"] for one in told["named"]] == ["vip"]
    one = told["named"][0]
    assert one["gap_days"] == pytest.approx(20, abs=2)
    assert one["last_on"] == date(2026, 6, 30)
    assert date(2026, 7, 20) <= one["due_on"] <= date(2026, 7, 22)
    assert one["overdue_factor"] > 4


def test_money_at_risk_is_the_value_if_they_stayed_times_the_chance_that_they_left(
    known: Known, told
) -> None:
    people = slipping_people(known)
    alive, worth = known.column(c.P_ALIVE), known.column(c.PREDICTED_CLV)
    by_hand = sum(
        worth[key] / alive[key] * (1 - alive[key]) for key in people.index if alive[key] > 0.01
    )
    assert people["at_risk"][alive[people.index] > 0.01].sum() == pytest.approx(by_hand)
    assert told["slipping"]["at_risk"] == pytest.approx(people["at_risk"].sum())
    assert told["slipping"]["customers"] == int(known.win_back.sum())


def test_nobody_is_taken_to_bring_more_than_in_their_own_rhythm(known: Known) -> None:
    """As where a rule forecast somebody whom the models hold for gone."""
    key = slipping_people(known).index[0]
    scores = known.scores.copy()
    here = scores.person_key == key
    scores.loc[here, "predicted_clv"] = Decimal(90)
    scores.loc[here, "p_alive"] = 0.001
    told = slipping_people(replace(known, scores=scores)).loc[key]
    days = int((known.orders.customer_id == key).sum())
    net, horizon = float(scores.historic_net[here].iloc[0]), int(scores.horizon_days[here].iloc[0])
    assert days == known.gaps.loc[key, "gaps"] + 1
    assert told.at_risk == pytest.approx(0.99 * net / days * horizon / told.gap_days)
    assert told.at_risk < 90 * 99


def test_actions_come_by_the_money_in_them_and_agree_with_the_sections(told) -> None:
    money = [one["money"] for one in told["actions"]]
    assert money == sorted(money, reverse=True)
    first = next(one for one in told["actions"] if one["kind"] == WIN_BACK)
    assert first["customers"] == told["slipping"]["customers"]


def test_the_ceiling_is_a_third_of_the_margin_clv_by_channel(known: Known, told) -> None:
    assert told["cac"]["at_margin"]
    assert {row["channel"] for row in told["cac"]["rows"]} == {"search", "newsletter"}
    for row in told["cac"]["rows"]:
        assert row["max_cac"] == pytest.approx(row["mean_clv"] / 3)
        assert row["ratio"] == pytest.approx(row["mean_clv"] / 20)
    customers = sum(row["customers"] for row in told["cac"]["rows"])
    assert customers == known.column(c.MARGIN_CLV).notna().sum()


def test_values_by_origin_speak_of_all_customers(known: Known, told) -> None:
    assert set(told["origins"]) == {
        *("product", "category", "channel", "coupon", "country", "store_view")
    }
    for name in ("category", "channel", "store_view"):
        rows = told["origins"][name]["rows"]
        assert sum(row["customers"] for row in rows) == len(known.scores)


def test_a_shop_of_one_customer_has_a_report() -> None:
    told = report(known_of(order_rows(("one", "2026-09-01", 10.0)), date(2026, 10, 1)))
    assert told["headline"]["customers"] == 1
    assert told["season"] == [None] * 12
    assert told["slipping"]["customers"] == 0


def test_the_day_of_the_report_is_the_day_of_the_scores(told) -> None:
    assert told["as_of"] == AS_OF


def test_where_nobody_knows_who_is_active_movers_and_the_slipping_are_told_all_the_same() -> None:
    rows = [
        (f"c{n}", day, 10.0 * (n + 1)) for n in range(9) for day in ("2026-05-01", "2026-06-01")
    ]
    known = known_of(order_rows(*rows), date(2026, 10, 1))
    assert known.scores[c.P_ALIVE].isna().all()
    moved = known.scores.assign(**{c.TIER: "medium", c.AS_OF: date(2026, 9, 1)})
    told = report(replace(known, before={"run": moved}))
    movers = told["movement"]["run"]["up"] + told["movement"]["run"]["down"]
    assert {one["why"] for one in movers} == {OTHERS}
    assert {one["p_alive"] for one in movers} == {None}
    assert all(one["p_alive"] is None for one in told["slipping"]["named"])
