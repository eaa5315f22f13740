"""Writing by the queue: what is sent, how the end is waited for, what is told of each customer."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connectors.errors import AuthenticationError, RequestRefused, ShopUnavailable
from connectors.magento.push.bulk import LONGEST_WAIT, PATIENCE

from .conftest import Reply, refused
from .taking import AFTER, TakingMagento, change, customer, served, writer

CHANGES = [change(one) for one in range(1, 21)]


@pytest.fixture
def shop() -> Iterator[TakingMagento]:
    with served(TakingMagento({one: customer(one) for one in range(1, 21)})) as taking:
        yield taking


def test_the_whole_customer_goes_along_without_addresses_and_newsletter(
    shop: TakingMagento,
) -> None:
    shop.customers[1]["confirmation"] = "k3y"
    list(writer("async").push([change(1, {"tier": "high"})]))
    ((sent,),) = shop.sent
    row = sent["customer"]
    assert sent["customerId"] == 1
    assert {"id", "email", "firstname", "lastname", "website_id", "store_id"} <= row.keys()
    assert (row["dob"], row["gender"], row["taxvat"]) == ("1980-01-15", 1, "DE123456789")
    assert row["confirmation"] == "k3y"
    assert not {"addresses", "default_billing", "extension_attributes", "updated_at"} & row.keys()
    assert row["custom_attributes"] == [{"attribute_code": "clv_tier", "value": "high"}]


def test_operations_are_matched_by_their_number_whatever_their_order(shop: TakingMagento) -> None:
    shop.refuses = lambda number: f"reason {number}" if number in (4, 17) else ""
    outcomes = list(writer("async").push(CHANGES))
    told = {one.customer_id: one.reason for one in outcomes if one.status == "rejected"}
    assert told == {"4": "'reason 4'", "17": "'reason 17'"}


def test_one_customer_goes_first_and_the_others_in_one_call(shop: TakingMagento) -> None:
    list(writer("async").push(CHANGES))
    assert [len(lot) for lot in shop.sent] == [1, 19]


def test_waits_grow_and_end_when_all_is_done(shop: TakingMagento) -> None:
    waits: list[float] = []
    list(writer("async", sleep=waits.append).push(CHANGES))
    assert waits == [1, 2, 1, 2]


def test_a_queue_that_nobody_works_on_is_told_row_by_row_with_the_consumer(
    shop: TakingMagento,
) -> None:
    shop.consumer = False
    waits: list[float] = []
    outcomes = writer("async", sleep=waits.append).push(CHANGES)
    told = [next(outcomes) for _ in CHANGES]
    assert "not confirmed" in told[0].reason
    assert "async.operations.all" in told[0].reason
    assert {one.reason for one in told[1:]} == {
        "not sent: the write-back stopped before this customer"
    }
    with pytest.raises(ShopUnavailable, match=r"queue:consumers:start async\.operations\.all"):
        next(outcomes)
    assert PATIENCE <= sum(waits) < PATIENCE + LONGEST_WAIT
    assert len(shop.sent) == 1


def test_a_locked_customer_is_queued_again_and_no_other_is(shop: TakingMagento) -> None:
    locked = [True]
    shop.ends = lambda number: 2 if number == 7 and locked and locked.pop() else None
    outcomes = list(writer("async").push(CHANGES))
    assert {one.status for one in outcomes} == {"applied"}
    assert [one["customerId"] for one in shop.sent[-1]] == [7]


def test_a_customer_who_stays_locked_is_told(shop: TakingMagento) -> None:
    shop.ends = lambda number: 2 if number == 7 else None
    outcomes = list(writer("async").push(CHANGES))
    assert [one.customer_id for one in outcomes if one.status == "rejected"] == ["7"]
    assert "too busy" in outcomes[6].reason
    assert [len(lot) for lot in shop.sent] == [1, 19, 1, 1]


def test_a_customer_for_whom_a_whole_call_is_refused_is_found_by_halving(
    shop: TakingMagento,
) -> None:
    shop.customers[7]["nosuch"] = 1

    def rule(method: str, path: str) -> Reply | None:
        return None

    written = shop.written

    def strict(method: str, path: str, body: object) -> Reply:
        if "nosuch" in json.dumps(body):
            return refused(400, '"%fieldName" is not supported.')
        return written(method, path, body)

    shop.written = strict  # type: ignore[method-assign]
    shop.rules.append(rule)
    outcomes = list(writer("async").push(CHANGES))
    assert [one.customer_id for one in outcomes if one.status == "rejected"] == ["7"]
    assert "is not supported" in outcomes[6].reason


def test_a_role_that_may_not_see_the_queue_is_told_which_right_is_missing(
    shop: TakingMagento,
) -> None:
    shop.rules.append(lambda method, path: refused(401, "no") if path.startswith("bulk/") else None)
    with pytest.raises(AuthenticationError, match="system_magento_logging_bulk_operations"):
        list(writer("async").push(CHANGES))
    assert len(shop.sent) == 1


def test_what_became_of_customers_whose_queue_can_not_be_seen_is_not_confirmed(
    shop: TakingMagento,
) -> None:
    shop.rules.append(
        lambda method, path: refused(503, "down") if path.startswith("bulk/") else None
    )
    outcomes = writer("async").push(CHANGES)
    assert next(outcomes).reason.startswith("not confirmed")
    with pytest.raises(ShopUnavailable):
        list(outcomes)


def test_an_answer_without_a_queue_is_no_success(shop: TakingMagento) -> None:
    shop.rules.append(lambda method, path: (202, {}, "{}") if method == "PUT" else None)
    with pytest.raises(RequestRefused, match="queued nothing"):
        list(writer("async").push(CHANGES))


def test_persons_in_a_message_of_the_shop_are_masked(shop: TakingMagento) -> None:
    shop.refuses = lambda number: "anna@example.com called from +49 221 1234567" * (number == 3)
    outcomes = list(writer("async").push(CHANGES))
    assert outcomes[2].reason == "'[...] called from [...]'"
    assert outcomes[3].shown == AFTER
