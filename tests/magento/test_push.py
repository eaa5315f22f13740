from __future__ import annotations

import copy
from typing import Any

import pytest

from connectors.errors import AuthenticationError, ShopUnavailable
from connectors.magento import MagentoShop
from connectors.magento.shown import PREFIX, custom_attributes
from connectors.schema import FIELDS, Change, Outcome

from .conftest import FakeMagento, Reply, recorded, refused

AFTER = {
    "tier": "high",
    "predicted_12m": "312.50",
    "p_alive": "0.9312",
    "next_order_date": "2026-12-24",
    "reason": "Bought four times, last week again.",
}


def customer(number: int, **attributes: str) -> dict[str, Any]:
    raw = copy.deepcopy(recorded("customers.json")["items"][0])
    values = [{"attribute_code": code, "value": value} for code, value in attributes.items()]
    own = [{"attribute_code": "erp_number", "value": f"ERP-{number}"}]
    return {**raw, "id": number, "custom_attributes": own + values}


@pytest.fixture
def stocked(magento: FakeMagento) -> FakeMagento:
    magento.attributes = {PREFIX + field for field in FIELDS}
    magento.customers = [customer(one) for one in range(1, 51)]
    return magento


def change(number: int, after: dict[str, str] | None = None, **before: str) -> Change:
    return Change("eu", str(number), before=before, after=AFTER if after is None else after)


def shown(magento: FakeMagento, number: int) -> dict[str, str]:
    row = next(one for one in magento.customers if one["id"] == number)
    return {one["attribute_code"]: one["value"] for one in row["custom_attributes"]}


def test_a_batch_is_read_written_and_read_back(stocked: FakeMagento, shop: MagentoShop) -> None:
    outcomes = list(shop.push([change(one) for one in range(1, 51)]))
    assert outcomes == [Outcome(str(one), "applied", AFTER) for one in range(1, 51)]
    assert stocked.paths() == ["customers/search", "customers/search"]
    assert len(stocked.paths("PUT")) == 50
    assert shown(stocked, 7)["clv_predicted_12m"] == "312.5000"


def test_what_others_keep_on_the_customer_is_untouched(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    before = copy.deepcopy(stocked.customers[2])
    list(shop.push([change(3)]))
    after = copy.deepcopy(stocked.customers[2])
    after["custom_attributes"] = after["custom_attributes"][:1]
    assert after == before


def test_only_what_differs_is_sent_and_what_goes_is_sent_empty() -> None:
    sent = custom_attributes(
        {"tier": "low", "reason": "old", "currency": "EUR"}, {"tier": "high", "currency": "EUR"}
    )
    assert sent == [
        {"attribute_code": "clv_tier", "value": "high"},
        {"attribute_code": "clv_reason", "value": ""},
    ]


def test_undo_leaves_the_customer_as_before(stocked: FakeMagento, shop: MagentoShop) -> None:
    before = copy.deepcopy(stocked.customers[0])
    there = change(1)
    list(shop.push([there]))
    (outcome,) = shop.push([there.reversed()])
    assert outcome == Outcome("1", "applied", {})
    assert stocked.customers[0] == before


def test_what_is_shown_already_is_applied_without_a_write(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    list(shop.push([change(1)]))
    stocked.asked.clear()
    (outcome,) = shop.push([change(1)])
    assert outcome == Outcome("1", "applied", AFTER)
    assert stocked.paths("PUT") == []
    assert stocked.paths() == ["customers/search"]


def test_what_somebody_changed_in_between_is_left_alone(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    stocked.customers[0] = customer(1, clv_tier="vip")
    outcomes = list(shop.push([change(1, tier="low"), change(2)]))
    assert [one.status for one in outcomes] == ["conflict", "applied"]
    assert outcomes[0].shown == {"tier": "vip"}
    assert stocked.paths("PUT") == ["customers/2"]


def test_an_answer_that_got_lost_after_the_write_is_applied_once(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    lost = [True]

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        if method == "PUT" and lost:
            lost.pop()
            stocked.customers[0] = customer(1, clv_tier="high")
            return 502, {}, "<html>Bad Gateway</html>"
        return None

    stocked.rules.append(rule)
    (outcome,) = shop.push([change(1, {"tier": "high"})])
    assert outcome == Outcome("1", "applied", {"tier": "high"})


def test_a_refused_customer_is_named_and_the_others_are_written(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        if method == "PUT" and path in ("customers/3", "customers/9"):
            return refused(400, '"Phone Number" is a required value.')
        return None

    stocked.rules.append(rule)
    outcomes = list(shop.push([change(one) for one in range(1, 41)]))
    assert [one.customer_id for one in outcomes if one.status == "rejected"] == ["3", "9"]
    assert sum(one.status == "applied" for one in outcomes) == 38
    assert "Phone Number" in outcomes[2].reason
    assert outcomes[2].shown == {}


def test_an_attribute_that_is_dropped_silently_is_found(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    stocked.attributes -= {"clv_tier", "clv_reason"}
    (outcome,) = shop.push([change(1)])
    assert outcome.status == "rejected"
    assert "clv_reason, clv_tier" in outcome.reason
    assert outcome.shown["predicted_12m"] == "312.50"


def test_a_customer_who_is_gone_is_rejected(stocked: FakeMagento, shop: MagentoShop) -> None:
    outcomes = list(shop.push([change(999), change(1)]))
    assert [one.status for one in outcomes] == ["rejected", "applied"]
    assert "no such customer" in outcomes[0].reason


def test_a_customer_on_whom_the_shop_fails_does_not_stop_the_others(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    stocked.rules.append(
        lambda method, path, query: refused(500, "Oops") if path == "customers/2" else None
    )
    outcomes = list(shop.push([change(one) for one in range(1, 6)]))
    assert [one.status for one in outcomes] == ["applied", "rejected", *["applied"] * 3]


def test_outcomes_of_what_was_sent_are_not_lost_when_the_shop_goes_down(
    stocked: FakeMagento, shop: MagentoShop
) -> None:
    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        down = method == "PUT" and path not in ("customers/1", "customers/2")
        return (503, {}, "<html>maintenance</html>") if down else None

    stocked.rules.append(rule)
    outcomes = shop.push([change(one) for one in range(1, 11)])
    told = [next(outcomes) for _ in range(10)]
    assert [one.status for one in told] == ["applied"] * 2 + ["rejected"] * 8
    assert {one.reason for one in told[3:]} == {"not sent: the shop became unavailable"}
    with pytest.raises(ShopUnavailable):
        next(outcomes)
    assert len(set(stocked.paths("PUT"))) == 3


def test_a_role_that_may_not_write_is_told(stocked: FakeMagento, shop: MagentoShop) -> None:
    stocked.rules.append(lambda method, *_: refused(401, "no") if method == "PUT" else None)
    with pytest.raises(AuthenticationError):
        list(shop.push([change(1), change(2)]))
    assert stocked.paths("PUT") == ["customers/1"]


def test_nothing_to_push_asks_nothing(stocked: FakeMagento, shop: MagentoShop) -> None:
    assert list(shop.push([])) == []
    assert stocked.asked == []
