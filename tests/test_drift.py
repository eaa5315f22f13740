"""A plan that moves the shop as a whole too far stops, and says what moved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.drift import Drift, Limits, drift, guard
from connectors.errors import GuardStopped
from connectors.schema import Shown

LIMITS = Limits(tier_moves=Decimal("0.3"), value_jump=Decimal("0.5"))


def score(tier: str, predicted: str) -> Shown:
    return {"tier": tier, "predicted_12m": predicted}


def test_only_customers_who_show_a_score_and_keep_one_count() -> None:
    shown = {"1": score("high", "100.00"), "2": {}, "3": score("low", "5.00"), "4": {"tier": "low"}}
    scored = {one: score("low", "10.00") for one in ("1", "2", "4", "5")}
    found = drift(shown, scored)
    assert found == Drift(customers=2, moved=1, before=Decimal("100.00"), after=Decimal("10.00"))
    assert found.jump == Decimal("0.9")


def test_what_somebody_wrote_into_our_field_is_no_money() -> None:
    found = drift({"1": score("high", "a lot")}, {"1": score("high", "10.00")})
    assert found.before == 0
    assert found.jump == 0


def test_too_many_tiers_moving_at_once_stop() -> None:
    with pytest.raises(GuardStopped, match=r"31 of 100 customers .* 30% may"):
        guard("eu", Drift(100, 31), LIMITS)
    guard("eu", Drift(100, 30), LIMITS)


def test_a_small_shop_may_move_a_few_however_large_their_part() -> None:
    guard("eu", Drift(12, 10), LIMITS)
    with pytest.raises(GuardStopped):
        guard("eu", Drift(12, 11), LIMITS)


@pytest.mark.parametrize("after", ["49", "151"])
def test_the_value_of_all_jumping_up_or_down_stops(after: str) -> None:
    with pytest.raises(GuardStopped, match="from 100 to"):
        guard("eu", Drift(100, 0, Decimal(100), Decimal(after)), LIMITS)


def test_without_limits_nothing_stops() -> None:
    guard("eu", Drift(100, 100, Decimal(1), Decimal(100)), Limits())


def test_the_first_scores_of_a_shop_are_no_drift() -> None:
    scored = {str(n): score("high", "100.00") for n in range(100)}
    guard("eu", drift({one: {} for one in scored}, scored), LIMITS)


def test_drift_survives_a_plan_file() -> None:
    found = Drift(3, 1, Decimal("100.50"), Decimal("90"))
    assert Drift.read(found.told()) == found
