"""What holds for every way of writing: compare, send the differences, read back."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from connectors.errors import ConfigurationError
from connectors.magento.shown import custom_attributes
from connectors.schema import GROUP, Change, Outcome

from .conftest import refused
from .taking import AFTER, TakingMagento, change, customer, served, values, writer

WAYS = ("module", "put", "async")
CUSTOMERS = range(1, 41)


@pytest.fixture
def shop() -> Iterator[TakingMagento]:
    with served(TakingMagento({one: customer(one) for one in CUSTOMERS}, module=True)) as taking:
        yield taking


@pytest.mark.parametrize("way", WAYS)
def test_every_change_is_written_and_read_back(shop: TakingMagento, way: str) -> None:
    outcomes = list(writer(way).push([change(one) for one in CUSTOMERS]))
    assert outcomes == [Outcome(str(one), "applied", AFTER) for one in CUSTOMERS]
    assert values(shop.customers[7])["clv_predicted_12m"] == "312.5000"


@pytest.mark.parametrize("way", WAYS)
def test_what_others_keep_on_the_customer_is_untouched(shop: TakingMagento, way: str) -> None:
    before = copy.deepcopy(shop.customers[3])
    list(writer(way).push([change(3)]))
    after = copy.deepcopy(shop.customers[3])
    after["custom_attributes"] = after["custom_attributes"][:1]
    assert after | {"updated_at": ""} == before | {"updated_at": ""}


@pytest.mark.parametrize("way", WAYS)
def test_undo_leaves_the_customer_as_before(shop: TakingMagento, way: str) -> None:
    before = copy.deepcopy(shop.customers[1])
    list(writer(way).push([change(1)]))
    (outcome,) = writer(way).push([change(1).reversed()])
    assert outcome == Outcome("1", "applied", {})
    assert shop.customers[1] | {"updated_at": ""} == before | {"updated_at": ""}


@pytest.mark.parametrize("way", WAYS)
def test_refusals_are_told_row_by_row_and_the_others_are_written(
    shop: TakingMagento, way: str
) -> None:
    shop.refuses = lambda number: '"Phone Number" is a required value.' if number % 20 == 3 else ""
    outcomes = list(writer(way).push([change(one) for one in CUSTOMERS]))
    rejected = [one for one in outcomes if one.status == "rejected"]
    assert [one.customer_id for one in rejected] == ["3", "23"]
    assert all("Phone Number" in one.reason and one.shown == {} for one in rejected)
    assert sum(one.status == "applied" for one in outcomes) == 38


@pytest.mark.parametrize("way", WAYS)
def test_what_is_shown_already_is_applied_without_a_write(shop: TakingMagento, way: str) -> None:
    list(writer(way).push([change(1)]))
    shop.sent.clear()
    (outcome,) = writer(way).push([change(1)])
    assert outcome == Outcome("1", "applied", AFTER)
    assert shop.sent == []


@pytest.mark.parametrize("way", WAYS)
def test_what_somebody_changed_in_between_is_left_alone(shop: TakingMagento, way: str) -> None:
    shop.customers[1] = customer(1, clv_tier="vip")
    outcomes = list(writer(way).push([change(1, tier="low"), change(2)]))
    assert [one.status for one in outcomes] == ["conflict", "applied"]
    assert outcomes[0].shown == {"tier": "vip"}
    assert values(shop.customers[1])["clv_tier"] == "vip"


@pytest.mark.parametrize("way", WAYS)
def test_a_customer_who_is_gone_is_rejected(shop: TakingMagento, way: str) -> None:
    outcomes = list(writer(way).push([change(999), change(1)]))
    assert [one.status for one in outcomes] == ["rejected", "applied"]
    assert "no such customer" in outcomes[0].reason


@pytest.mark.parametrize("way", ["put", "async"])
def test_an_attribute_that_is_dropped_silently_is_found(shop: TakingMagento, way: str) -> None:
    shop.attributes -= {"clv_tier", "clv_reason"}
    (outcome,) = writer(way).push([change(1)])
    assert outcome.status == "rejected"
    assert "clv_tier, clv_reason" in outcome.reason
    assert outcome.shown["predicted_12m"] == "312.50"


@pytest.mark.parametrize("way", WAYS)
def test_nothing_to_push_sends_nothing(shop: TakingMagento, way: str) -> None:
    assert list(writer(way).push([])) == []
    assert shop.sent == []


def test_nothing_is_asked_of_the_shop_before_the_first_push(shop: TakingMagento) -> None:
    writer("auto")
    assert shop.asked == []


# ------------------------------------------------------------------------------ which way it is


def test_auto_takes_the_module_where_it_answers_and_asks_once(shop: TakingMagento) -> None:
    auto = writer("auto")
    assert auto.batch_size == 1000
    list(auto.push([change(1)]))
    list(auto.push([change(2)]))
    assert shop.paths("GET").count("clv/module") == 1
    assert shop.paths("POST") == ["clv/customers"] * 2


def test_auto_puts_where_there_is_no_module(shop: TakingMagento) -> None:
    shop.module = False
    list(writer("auto").push([change(1)]))
    assert shop.paths("PUT") == ["customers/1"]


def test_a_module_that_is_asked_for_and_missing_is_told(shop: TakingMagento) -> None:
    shop.module = False
    with pytest.raises(ConfigurationError, match=r"magento-module/.*CLV_EU_WRITE=auto"):
        list(writer("module").push([change(1)]))


def test_the_queue_is_never_chosen_by_itself(shop: TakingMagento) -> None:
    shop.module = False
    list(writer("auto").push([change(one) for one in CUSTOMERS]))
    assert shop.queues == {}


@pytest.mark.parametrize(("way", "size"), [("module", 1000), ("put", 50), ("async", 500)])
def test_the_size_of_a_batch_depends_on_the_way(shop: TakingMagento, way: str, size: int) -> None:
    assert writer(way).batch_size == size


# ------------------------------------------------------------------------------ customer groups


def moving(number: int, *, before: str, after: str) -> Change:
    return Change("eu", str(number), {GROUP: before}, {"tier": "high", GROUP: after})


@pytest.mark.parametrize("way", WAYS)
def test_a_group_moves_where_the_change_says_so_and_back(shop: TakingMagento, way: str) -> None:
    there = moving(1, before="1", after="5")
    (outcome,) = writer(way).push([there])
    assert outcome == Outcome("1", "applied", {"tier": "high", GROUP: "5"})
    assert shop.customers[1]["group_id"] == 5
    (outcome,) = writer(way).push([there.reversed()])
    assert outcome == Outcome("1", "applied", {GROUP: "1"})
    assert shop.customers[1]["group_id"] == 1


@pytest.mark.parametrize("way", ["module", "put"])
def test_a_group_is_never_sent_where_it_stays(shop: TakingMagento, way: str) -> None:
    list(writer(way).push([moving(1, before="1", after="1"), change(2)]))
    assert "group_id" not in str(shop.sent)


@pytest.mark.parametrize("way", WAYS)
def test_a_customer_whom_somebody_moved_meanwhile_is_left_alone(
    shop: TakingMagento, way: str
) -> None:
    shop.customers[1]["group_id"] = 3
    (outcome,) = writer(way).push([moving(1, before="1", after="5")])
    assert outcome.status == "conflict"
    assert shop.customers[1]["group_id"] == 3


def test_a_group_that_a_rule_of_the_shop_takes_back_is_told(shop: TakingMagento) -> None:
    shop.harms = lambda row: row.update(group_id=1)
    (outcome,) = writer("put").push([moving(1, before="1", after="5")])
    assert outcome.status == "rejected"
    assert "the group" in outcome.reason


# ------------------------------------------------------------------------------ small and pure


def test_only_what_differs_is_sent_and_what_goes_is_sent_empty() -> None:
    before = {"tier": "low", "reason": "old", "currency": "EUR", "historic_net": "0.00"}
    sent = custom_attributes(before, {"tier": "high", "currency": "EUR"})
    assert sent == [
        {"attribute_code": "clv_tier", "value": "high"},
        {"attribute_code": "clv_historic_net", "value": None},
        {"attribute_code": "clv_reason", "value": ""},
    ]


def test_a_role_that_may_not_look_for_the_module_is_no_missing_module(shop: TakingMagento) -> None:
    shop.rules.append(lambda method, path: refused(401, "no") if path == "clv/module" else None)
    with pytest.raises(Exception, match="refuses the credentials"):
        list(writer("auto").push([change(1)]))
