"""Canaries: nothing is risked on many customers that was not seen to survive on one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.errors import GuardStopped
from connectors.magento.push.canary import parts
from connectors.schema import GROUP, Change

from .conftest import Reply
from .taking import Customer, TakingMagento, change, customer, served, values, writer

CAREFUL = ("put", "async")


@pytest.fixture
def shop() -> Iterator[TakingMagento]:
    with served(TakingMagento({one: customer(one) for one in range(1, 41)})) as taking:
        yield taking


def bare(number: int) -> Customer:
    """Just registered: no address, no birthday, no other system's attributes."""
    kept = ("id", "email", "firstname", "lastname", "store_id", "website_id", "group_id")
    return {key: customer(number)[key] for key in kept} | {"custom_attributes": []}


def wipes(name: str) -> Callable[[Customer], None]:
    def harm(row: Customer) -> None:
        row.pop(name, None)

    return harm


def lapses(row: Customer) -> None:
    """What a shop that checks VAT numbers does to a customer in a group of their own."""
    if row["group_id"] == 3 and row.get("addresses"):
        row["group_id"] = 1


@pytest.mark.parametrize("way", CAREFUL)
def test_a_field_that_is_wiped_stops_the_write_back_at_the_first_customer(
    shop: TakingMagento, way: str
) -> None:
    shop.harms = wipes("dob")
    outcomes = writer(way).push([change(one) for one in range(1, 41)])
    told = [next(outcomes) for _ in range(40)]
    assert {one.status for one in told} == {"rejected"}
    with pytest.raises(GuardStopped, match=r"customers 1 moved more than our attributes: dob;"):
        next(outcomes)
    assert all(not any(code.startswith("clv_") for code in values(row)) for row in rest(shop))


def rest(shop: TakingMagento) -> list[Customer]:
    return [row for number, row in shop.customers.items() if number > 1]


def test_a_wiped_field_and_our_values_are_put_back_by_put(shop: TakingMagento) -> None:
    before = copy.deepcopy(shop.customers[1])
    wiped = [True]

    def once(row: Customer) -> None:
        if wiped:
            wiped.pop()
            row.pop("dob")

    shop.harms = once
    with pytest.raises(GuardStopped, match=r"dob.*All of it was put back\..*CLV_EU_WRITE=put"):
        list(writer("async").push([change(1)]))
    assert shop.customers[1] | {"updated_at": ""} == before | {"updated_at": ""}


def test_what_can_not_be_put_back_is_told_with_the_customer(shop: TakingMagento) -> None:
    shop.harms = wipes("taxvat")
    with pytest.raises(GuardStopped, match="Look at customers 1, where that could not be put back"):
        list(writer("put").push([change(1)]))
    assert not any(code.startswith("clv_") for code in values(shop.customers[1]))


def test_the_error_names_fields_and_never_values(shop: TakingMagento) -> None:
    shop.harms = lambda row: row.update(firstname="Mallory", taxvat="XX999")
    with pytest.raises(GuardStopped) as stopped:
        list(writer("put").push([change(1)]))
    assert "firstname, taxvat" in str(stopped.value)
    before = customer(1)
    secrets = ("Mallory", "XX999", before["firstname"], before["email"], before["taxvat"])
    assert not any(secret in str(stopped.value) for secret in secrets)


@pytest.mark.parametrize("way", CAREFUL)
def test_the_one_customer_with_a_birthday_goes_ahead_of_those_without(
    shop: TakingMagento, way: str
) -> None:
    shop.customers = {one: bare(one) for one in range(1, 41)} | {30: bare(30) | {"dob": "1980-1-1"}}
    shop.harms = wipes("dob")
    with pytest.raises(GuardStopped, match="customers 30 moved"):
        list(writer(way).push([change(one) for one in range(1, 41)]))
    assert all("clv_tier" not in values(row) for row in shop.customers.values())


@pytest.mark.parametrize("way", CAREFUL)
def test_a_group_that_moves_with_an_address_is_met_on_one_customer(
    shop: TakingMagento, way: str
) -> None:
    shop.harms = lapses
    for number in (8, 9, 10):
        shop.customers[number]["group_id"] = 3
    with pytest.raises(GuardStopped, match=r"customers (8|9|10) moved .*: group_id;"):
        list(writer(way).push([change(one) for one in range(1, 41)]))
    assert sorted(row["group_id"] for row in shop.customers.values()).count(3) >= 2


@pytest.mark.parametrize(("way", "most"), [("put", 1), ("async", 2)])
def test_of_several_groups_that_would_move_few_do(shop: TakingMagento, way: str, most: int) -> None:
    shop.harms = lambda row: row.update(group_id=1)
    for number in range(2, 41):
        shop.customers[number]["group_id"] = 2 + number % 2
    with pytest.raises(GuardStopped, match="group_id"):
        list(writer(way).push([change(one) for one in range(1, 41)]))
    lapsed = [row for row in rest(shop) if row["group_id"] == 1]
    assert 1 <= len(lapsed) <= most


def test_a_batch_later_on_has_its_own_canaries_for_what_is_new(shop: TakingMagento) -> None:
    shop.customers = {one: bare(one) for one in range(1, 41)} | {35: customer(35)}
    shop.harms = wipes("gender")
    put = writer("put")
    first = list(put.push([change(one) for one in range(1, 21)]))
    assert {one.status for one in first} == {"applied"}
    with pytest.raises(GuardStopped, match="customers 35 moved"):
        list(put.push([change(one) for one in range(21, 41)]))
    assert "clv_tier" not in values(shop.customers[21])


def test_a_refused_canary_proves_nothing_and_another_goes_first(shop: TakingMagento) -> None:
    shop.refuses = lambda number: "no" if number == 1 else ""
    shop.harms = wipes("dob")
    with pytest.raises(GuardStopped, match="customers 2 moved"):
        list(writer("put").push([change(one) for one in range(1, 41)]))


def test_what_was_proven_once_is_not_proven_again(shop: TakingMagento) -> None:
    put = writer("put")
    list(put.push([change(one) for one in range(1, 21)]))
    shop.asked.clear()
    list(put.push([change(one) for one in range(21, 41)]))
    assert shop.paths("GET").count("customers/search") == len(shop.paths("GET"))


def test_shoppers_may_edit_their_own_account_while_we_write(shop: TakingMagento) -> None:
    def edits(row: Customer) -> None:
        if row["id"] in (5, 6):
            row["lastname"] = "Married"

    shop.harms = edits
    outcomes = list(writer("put").push([change(one) for one in range(1, 41)]))
    assert {one.status for one in outcomes} == {"applied"}


@pytest.mark.parametrize(
    ("name", "harmed", "harm"),
    [
        ("lastname", 3, {"lastname": "X"}),
        ("group_id", 1, {"group_id": 7}),
        ("extension_attributes.is_subscribed", 1, {"extension_attributes": {"is_subscribed": 1}}),
    ],
)
def test_what_no_shopper_does_stops_the_write_back_behind_its_batch(
    shop: TakingMagento, name: str, harmed: int, harm: dict[str, Any]
) -> None:
    shop.harms = lambda row: row.update(harm) if 4 < row["id"] < 5 + harmed else None
    put = writer("put")
    with pytest.raises(GuardStopped, match=name.replace(".", r"\.")):
        list(put.push([change(one) for one in range(1, 41)]))


def test_a_group_that_we_move_ourselves_is_no_harm(shop: TakingMagento) -> None:
    outcomes = list(
        writer("put").push(
            [Change("eu", str(one), {GROUP: "1"}, {GROUP: "5"}) for one in range(1, 41)]
        )
    )
    assert {one.status for one in outcomes} == {"applied"}


def test_a_group_move_that_does_harm_takes_the_customer_back_to_their_group(
    shop: TakingMagento,
) -> None:
    shop.harms = lambda row: row.pop("dob", None) if row["group_id"] == 5 else None
    with pytest.raises(GuardStopped, match="All of it was put back"):
        list(writer("put").push([Change("eu", "1", {GROUP: "1"}, {GROUP: "5"})]))
    assert shop.customers[1]["group_id"] == 1
    assert shop.customers[1]["dob"]


def test_empty_zero_no_and_absent_are_the_same() -> None:
    told = {"id": 1, "addresses": [], "gender": 0, "extension_attributes": {"is_subscribed": False}}
    assert parts(told, "clv_") == parts({"id": 1, "extension_attributes": []}, "clv_")


@pytest.mark.parametrize("look", [1, 2])
@pytest.mark.parametrize("way", CAREFUL)
def test_a_canary_that_is_deleted_meanwhile_stops_nobody(
    shop: TakingMagento, way: str, look: int
) -> None:
    looks: list[str] = []

    def rule(method: str, path: str) -> Reply | None:
        if (method, path) == ("GET", "customers/1"):
            looks.append(path)
            if len(looks) == look:
                del shop.customers[1]
        return None

    shop.rules.append(rule)
    outcomes = list(writer(way).push([change(one) for one in range(1, 6)]))
    assert len(looks) >= look, "it was no canary"
    assert [one.status for one in outcomes] == ["rejected", *["applied"] * 4]
    assert outcomes[0].reason == "the shop has no such customer any more"
