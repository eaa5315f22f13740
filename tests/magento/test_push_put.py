"""Writing by PUT: errors by customer, errors of the shop, several side by side."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.errors import AuthenticationError, Interrupted, ShopUnavailable
from connectors.magento.workers import nap
from connectors.schema import Outcome

from .conftest import Reply, refused
from .taking import TakingMagento, change, customer, served, writer


@pytest.fixture
def shop() -> Iterator[TakingMagento]:
    with served(TakingMagento({one: customer(one) for one in range(1, 41)})) as taking:
        yield taking


def test_the_body_holds_nothing_but_our_attributes(shop: TakingMagento) -> None:
    list(writer().push([change(3, {"tier": "high"})]))
    ours = [{"attribute_code": "clv_tier", "value": "high"}]
    assert shop.sent == [{"customer": {"id": 3, "custom_attributes": ours}}]


def test_required_attributes_of_others_go_along_as_they_are(shop: TakingMagento) -> None:
    shop.required = {"erp_number"}
    (outcome,) = writer().push([change(3, {"tier": "high"})])
    assert outcome.status == "applied"
    assert {"attribute_code": "erp_number", "value": "ERP-3"} in shop.sent[0]["customer"][
        "custom_attributes"
    ]


def test_a_customer_without_a_required_attribute_is_told(shop: TakingMagento) -> None:
    shop.required = {"erp_number"}
    shop.customers[2]["custom_attributes"] = []
    outcomes = list(writer().push([change(one, {"tier": "high"}) for one in (1, 2, 3)]))
    assert [one.status for one in outcomes] == ["applied", "rejected", "applied"]
    assert "required value" in outcomes[1].reason


def test_an_answer_that_got_lost_after_the_write_is_applied_once(shop: TakingMagento) -> None:
    lost = [True]

    def rule(method: str, path: str) -> Reply | None:
        if method == "PUT" and lost:
            lost.pop()
            shop.customers[1] = customer(1, clv_tier="high")
            return 502, {}, "<html>Bad Gateway</html>"
        return None

    shop.rules.append(rule)
    (outcome,) = writer().push([change(1, {"tier": "high"})])
    assert outcome == Outcome("1", "applied", {"tier": "high"})


def test_a_customer_on_whom_the_shop_fails_does_not_stop_the_others(shop: TakingMagento) -> None:
    shop.rules.append(
        lambda method, path: refused(500, "Oops") if (method, path) == FAILING else None
    )
    outcomes = list(writer().push([change(one) for one in range(1, 6)]))
    assert [one.status for one in outcomes] == ["applied", "rejected", *["applied"] * 3]


FAILING = ("PUT", "customers/2")


def test_outcomes_of_what_was_sent_are_not_lost_when_the_shop_goes_down(
    shop: TakingMagento,
) -> None:
    def rule(method: str, path: str) -> Reply | None:
        down = method == "PUT" and path not in ("customers/1", "customers/2")
        return (503, {}, "<html>maintenance</html>") if down else None

    shop.rules.append(rule)
    outcomes = writer().push([change(one) for one in range(1, 11)])
    told = [next(outcomes) for _ in range(10)]
    assert [one.status for one in told] == ["applied"] * 2 + ["rejected"] * 8
    assert {one.reason for one in told[3:]} == {
        "not sent: the write-back stopped before this customer"
    }
    with pytest.raises(ShopUnavailable):
        next(outcomes)
    assert len(set(shop.paths("PUT"))) == 3


def test_a_shop_that_fails_on_three_in_a_row_is_taken_to_be_down(shop: TakingMagento) -> None:
    shop.rules.append(lambda method, path: refused(500, "Oops") if method == "PUT" else None)
    with pytest.raises(ShopUnavailable):
        list(writer().push([change(one) for one in range(1, 21)]))
    assert len(set(shop.paths("PUT"))) == 3


def test_a_role_that_may_not_write_is_told_at_the_first_customer(shop: TakingMagento) -> None:
    shop.rules.append(lambda method, *_: refused(401, "no") if method == "PUT" else None)
    with pytest.raises(AuthenticationError):
        list(writer(workers=4).push([change(one) for one in range(1, 21)]))
    assert shop.paths("PUT") == ["customers/1"]


def test_several_workers_write_side_by_side_after_the_first_customer(shop: TakingMagento) -> None:
    together = threading.Barrier(4, timeout=60)

    def rule(method: str, path: str) -> Reply | None:
        if method == "PUT" and path != "customers/1":
            together.wait()
        return None

    shop.rules.append(rule)
    outcomes = list(writer(workers=4).push([change(one) for one in range(1, 14)]))
    assert {one.status for one in outcomes} == {"applied"}
    assert [one.customer_id for one in outcomes] == [str(one) for one in range(1, 14)]


def test_a_wish_to_stop_does_not_wait_for_what_the_shop_makes_wait(shop: TakingMagento) -> None:
    """Else a run that writes would go on for the minutes that a shop may ask to wait for."""
    all_asked = threading.Barrier(4, timeout=20)

    def busy(method: str, path: str) -> Reply | None:
        if method != "PUT" or path == "customers/1":
            return None
        if all_asked.wait() == 0:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
        return 429, {"Retry-After": "60"}, ""

    shop.rules.append(busy)
    outcomes = writer(workers=4, sleep=nap).push([change(one) for one in range(1, 14)])
    begun = time.monotonic()
    with rings(Interrupted("stopped")), pytest.raises(Interrupted):
        list(outcomes)
    assert time.monotonic() - begun < 5
    assert not [one for one in threading.enumerate() if not one.daemon and one.name != "MainThread"]


@contextmanager
def rings(error: Exception) -> Iterator[None]:
    """The alarm raises it in the main thread, as a wish to stop does in the end."""

    def ring(number: int, frame: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
