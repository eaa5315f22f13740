from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from reported import cdnow, known_of

from clv import columns as c
from clv.errors import BadSettings
from clv.report import Known
from clv.segments import DEFAULT, REST, Rule, facts, ready, rules_of, segment_of, totals


@pytest.fixture(scope="module")
def known() -> Known:
    return known_of(cdnow())


def people(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        (("orders", "=", 2), [False, True, False]),
        (("orders", "!=", 2), [True, False, True]),
        (("orders", "<", 2), [True, False, False]),
        (("orders", "<=", 2), [True, True, False]),
        (("orders", ">", 2), [False, False, True]),
        (("orders", ">=", 2), [False, True, True]),
        (("tier", "in", ["high", "new"]), [True, False, True]),
        (("p_alive", "<", 0.5), [True, False, False]),  # what nobody knows doesn't hold
        (("p_alive", "!=", 0.9), [True, False, False]),
    ],
)
def test_a_condition_holds_for_whom_it_is_true(condition: Any, held: list[bool]) -> None:
    frame = people(orders=[1, 2, 3], tier=["high", "low", "new"], p_alive=[0.1, 0.9, None])
    found = segment_of(frame, [Rule("x", (condition,))])
    assert [name == "x" for name in found] == held


def test_the_first_rule_that_fits_names_a_customer() -> None:
    frame = people(orders=[1, 5, 9])
    rules = [Rule("many", (("orders", ">", 6),)), Rule("some", (("orders", ">", 3),))]
    assert segment_of(frame, rules).tolist() == [REST, "some", "many"]


def test_all_conditions_of_a_rule_must_hold() -> None:
    frame = people(orders=[5, 5], p_alive=[0.9, 0.1])
    rule = Rule("loyal", (("orders", ">=", 4), ("p_alive", ">=", 0.6)))
    assert segment_of(frame, [rule]).tolist() == ["loyal", REST]


@pytest.mark.parametrize(
    "where",
    [
        [["orders; drop table", ">", 1]],
        [["__class__", "=", True]],
        [["orders", "like", 1]],
        [["orders", ">", "1"]],
        [["orders", ">", True]],
        [["tier", "<", "high"]],
        [["tier", "in", "high"]],
        [["tier", "=", ["high"]]],
        [["win_back", "=", 1]],
        [["win_back", ">", True]],
        [["orders", ">"]],
        ["orders > 1"],
        [],
        None,
    ],
)
def test_what_is_no_condition_is_refused_by_name(where: Any) -> None:
    with pytest.raises(BadSettings, match="regulars"):
        rules_of([{"name": "regulars", "where": where}])


@pytest.mark.parametrize("name", ["", "Big", "rest", "ignore", "a b", "x" * 60, "a,b"])
def test_a_segment_has_a_name_that_fits_on_a_tag(name: str) -> None:
    with pytest.raises(BadSettings):
        rules_of([{"name": name, "where": [["orders", ">", 1]]}])


def test_two_segments_of_one_name_and_no_segment_at_all_are_refused() -> None:
    one = {"name": "x", "where": [["orders", ">", 1]]}
    for tables in ([one, one], []):
        with pytest.raises(BadSettings):
            rules_of(tables)


def test_groupings_hold_everybody_and_all_the_money_to_the_cent(known: Known) -> None:
    frame = facts(known)
    frame["segment"] = segment_of(frame)
    net = sum(known.scores[c.HISTORIC_NET], Decimal(0))
    for column in ("segment", "abc", "rfm"):
        groups = totals(known, frame[column], [rule.name for rule in DEFAULT])
        assert sum(group["customers"] for group in groups) == len(known.scores)
        assert sum(group["net"] for group in groups) == net


def test_the_default_rules_tell_the_slipping_from_the_loyal(known: Known) -> None:
    frame = facts(known)
    found = segment_of(frame)
    assert (found[known.win_back] == "win-back").all()
    assert (frame.loc[found == "loyal", "orders"] >= 4).all()
    assert {"win-back", "loyal", "lost", "at-risk"} <= set(found)


def test_ready_questions_take_their_numbers_from_the_shop(known: Known) -> None:
    rule = next(one for one in ready(known) if one.name == "valuable-and-slipping")
    top = rule.where[0][2]
    valuable = (known.column(c.HISTORIC_NET) >= top).mean()
    assert 0.19 < valuable < 0.21
