from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import plan as plans
from connectors.drift import Drift
from connectors.errors import ConfigurationError, StalePlan
from connectors.identity import EmailHasher
from connectors.kept import keep
from connectors.schema import FIELDS, GROUP, LEFT_ALONE, TAG, Change, Shown
from connectors.store.scratch import Scratch

SHOWS = (*FIELDS, TAG)
TWO_PERCENT = Decimal("0.02")
HIGH: Shown = {"tier": "high", "predicted_12m": "100.00", "p_alive": "0.9000", "reason": "why"}


def shown_after(shop: str, shown: dict[str, Shown], changes: list[Change]) -> dict[str, Shown]:
    return {**shown, **{change.customer_id: change.after for change in changes}}


def test_a_customer_who_shows_nothing_gets_the_whole_score_and_the_tag() -> None:
    changes, counts = plans.draw("eu", {"1": {}}, {"1": HIGH}, SHOWS, TWO_PERCENT)
    assert changes == [Change("eu", "1", before={}, after={**HIGH, TAG: "clv-high"})]
    assert counts["+"] == 1


def test_whom_the_shops_owner_excepts_is_left_alone_and_counted() -> None:
    shown: dict[str, Shown] = {"1": {LEFT_ALONE: "clv-ignore"}, "2": {}}
    changes, counts = plans.draw("eu", shown, {"1": HIGH, "2": HIGH}, SHOWS, TWO_PERCENT)
    assert [change.customer_id for change in changes] == ["2"]
    assert (counts["~"], counts["="], counts["!"]) == (1, 0, 0)
    assert plans.ours(shown["1"]) == {}


def test_a_shop_without_tags_gets_no_tag() -> None:
    changes, _ = plans.draw("eu", {"1": {}}, {"1": HIGH}, tuple(FIELDS), TWO_PERCENT)
    assert TAG not in changes[0].after


def test_the_tier_before_is_kept_when_the_tier_moves_and_stays_when_it_does_not() -> None:
    low = {**HIGH, "tier": "low"}
    assert plans.target(low, {"tier": "high"}, SHOWS)["previous_tier"] == "high"
    today = {"tier": "low", "previous_tier": "high"}
    assert plans.target(low, today, SHOWS)["previous_tier"] == "high"


def test_somebody_without_a_score_loses_what_we_wrote_and_only_then_changes() -> None:
    changes, counts = plans.draw("eu", {"1": HIGH, "2": {}}, {}, SHOWS, TWO_PERCENT)
    assert changes == [Change("eu", "1", before=HIGH, after={})]
    assert (counts["-"], counts["="]) == (1, 1)


def test_a_scored_customer_who_left_the_shop_is_counted() -> None:
    changes, counts = plans.draw("eu", {}, {"1": HIGH}, SHOWS, TWO_PERCENT)
    assert not changes
    assert counts["!"] == 1


@pytest.mark.parametrize(
    ("field", "value", "worth"),
    [
        ("predicted_12m", "101.99", False),
        ("predicted_12m", "102.01", True),
        ("p_alive", "0.8850", False),
        ("p_alive", "0.8700", True),
        ("reason", "other words", False),
        ("tier", "low", True),
    ],
)
def test_daily_drift_alone_is_not_worth_a_write(field: str, value: str, worth: bool) -> None:
    assert plans.worth_writing(HIGH, {**HIGH, field: value}, TWO_PERCENT) is worth


def test_without_tolerance_a_cent_is_worth_a_write() -> None:
    after = {**HIGH, "predicted_12m": "100.01"}
    assert plans.worth_writing(HIGH, after, Decimal(0))


def test_two_of_our_tags_on_one_customer_are_mended() -> None:
    today = {**HIGH, TAG: "clv-high,clv-low"}
    changes, _ = plans.draw("eu", {"1": today}, {"1": HIGH}, SHOWS, TWO_PERCENT)
    assert changes[0].after[TAG] == "clv-high"


fields: st.SearchStrategy[Shown] = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["high", "low"]),
        "predicted_12m": st.sampled_from(["0.00", "10.00", "99.99"]),
        "historic_net": st.sampled_from(["0.00", "5.00"]),
        "reason": st.sampled_from(["a", "b"]),
    }
)
people = st.dictionaries(st.sampled_from("123456"), fields)


@given(shown=st.dictionaries(st.sampled_from("123456"), fields | st.just({})), scored=people)
def test_a_plan_applied_leaves_nothing_to_plan(
    shown: dict[str, Shown], scored: dict[str, Shown]
) -> None:
    changes, _ = plans.draw("eu", shown, scored, SHOWS, TWO_PERCENT)
    after = shown_after("eu", shown, changes)
    again, _ = plans.draw("eu", after, scored, SHOWS, TWO_PERCENT)
    assert not again


@given(shown=st.dictionaries(st.sampled_from("123456"), fields | st.just({})), scored=people)
def test_a_plan_undone_is_where_it_began(shown: dict[str, Shown], scored: dict[str, Shown]) -> None:
    changes, _ = plans.draw("eu", shown, scored, SHOWS, TWO_PERCENT)
    after = shown_after("eu", shown, changes)
    back = [change.reversed() for change in changes]
    assert all(after[change.customer_id] == change.before for change in back)
    assert shown_after("eu", after, back) == shown


def a_plan() -> plans.Plan:
    changes, counts = plans.draw("eu", {"1": {}, "2": {}}, {"1": HIGH}, SHOWS, TWO_PERCENT)
    drift = {"eu": Drift(3, 1, Decimal("100.50"), Decimal(90))}
    kept = keep(Scratch(), changes)
    return plans.Plan("2026-11-22T00:00:00+00:00", {"eu": "run-1"}, counts, drift, kept)


def test_a_plan_file_reads_back_as_it_was_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    plans.write_plan(a_plan(), path)
    assert plans.read_plan(path) == a_plan()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_plan_file_changed_by_hand_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    plans.write_plan(a_plan(), path)
    path.write_text(path.read_text().replace("100.00", "999.00"))
    with pytest.raises(StalePlan):
        plans.read_plan(path)


def test_a_plan_that_was_changed_and_sealed_again_without_the_key_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "plan.jsonl"
    ours = EmailHasher(b"a key of sixteen bytes or more").seal
    plans.write_plan(a_plan(), path, ours)
    assert plans.read_plan(path, ours) == a_plan()
    for forged in (plans.unkeyed, EmailHasher(b"another key of sixteen bytes").seal):
        plans.write_plan(a_plan(), path, forged)
        with pytest.raises(StalePlan):
            plans.read_plan(path, ours)


@pytest.mark.parametrize("content", ["", "{}", "[]", "hello", '{"digest": "x"}'])
def test_a_file_that_is_no_plan_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="no plan"):
        plans.read_plan(path)


# ------------------------------------------------------------------------------ customer groups

GROUPS = {"high": "5", "low": "1"}


def with_group(shown: Shown, score: Shown) -> Shown:
    scored = plans.with_groups({"1": score}, {"1": shown}, GROUPS)
    return plans.target(scored["1"], shown, (*SHOWS, GROUP))


def test_a_tier_moves_a_customer_between_the_named_groups() -> None:
    assert with_group({GROUP: "1"}, HIGH)[GROUP] == "5"
    assert with_group({GROUP: "5"}, {**HIGH, "tier": "low"})[GROUP] == "1"


def test_nobody_is_taken_out_of_a_group_that_is_not_named() -> None:
    assert with_group({GROUP: "2"}, HIGH)[GROUP] == "2"


def test_a_tier_without_a_group_leaves_the_customer_where_they_are() -> None:
    assert with_group({GROUP: "5"}, {**HIGH, "tier": "medium"})[GROUP] == "5"


def test_without_groups_no_change_speaks_of_one() -> None:
    scored = plans.with_groups({"1": HIGH}, {"1": {}}, {})
    assert GROUP not in plans.target(scored["1"], {}, SHOWS)


def test_a_group_alone_is_nothing_of_ours() -> None:
    changes, counts = plans.draw(
        "eu", {"1": {GROUP: "1"}, "2": {GROUP: "1"}}, {"1": HIGH}, (*SHOWS, GROUP), TWO_PERCENT
    )
    assert (counts["+"], counts["="]) == (1, 1)
    assert (changes[0].after[GROUP], plans.moves(changes)) == ("1", 0)


def test_somebody_without_a_score_any_more_keeps_their_group() -> None:
    shown = {**HIGH, GROUP: "5"}
    changes, counts = plans.draw("eu", {"1": shown}, {}, (*SHOWS, GROUP), TWO_PERCENT)
    assert changes == [Change("eu", "1", before=shown, after={GROUP: "5"})]
    assert counts["-"] == 1
