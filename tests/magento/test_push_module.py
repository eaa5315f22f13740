"""Writing by our module: one call for many, an answer for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import AuthenticationError, RequestRefused, ShopUnavailable

from .conftest import Reply, ok, refused
from .taking import TakingMagento, change, customer, served, writer

CHANGES = [change(one) for one in range(1, 41)]


@pytest.fixture
def shop() -> Iterator[TakingMagento]:
    with served(TakingMagento({one: customer(one) for one in range(1, 41)}, module=True)) as taking:
        yield taking


def test_one_call_writes_all_and_one_each_reads_them(shop: TakingMagento) -> None:
    outcomes = list(writer("module").push(CHANGES))
    assert {one.status for one in outcomes} == {"applied"}
    assert [path for _, path in shop.asked] == ["clv/module", *["clv/customers"] * 3]


def test_the_body_is_the_contract_of_the_module(shop: TakingMagento) -> None:
    list(writer("module").push([change(3, {"tier": "high"}), change(4, {"p_alive": "0.5000"})]))
    (body,) = shop.sent
    assert body == {
        "rows": [
            {"customer_id": 3, "values": [{"code": "clv_tier", "value": "high"}]},
            {"customer_id": 4, "values": [{"code": "clv_p_alive", "value": "0.5000"}]},
        ]
    }


def test_a_shop_that_limits_lists_gets_shorter_ones(shop: TakingMagento) -> None:
    shop.most_rows = 20
    module = writer("module")
    assert {one.status for one in module.push(CHANGES)} == {"applied"}
    assert [len(body["rows"]) for body in shop.sent] == [40, 20, 20]


def test_a_body_that_is_too_large_is_halved(shop: TakingMagento) -> None:
    first = [True]

    def rule(method: str, path: str) -> Reply | None:
        return (413, {}, "<html>") if method == "POST" and first and first.pop() else None

    shop.rules.append(rule)
    assert {one.status for one in writer("module").push(CHANGES)} == {"applied"}
    assert [len(body["rows"]) for body in shop.sent] == [20, 20]


def test_ids_far_apart_are_read_one_by_one(shop: TakingMagento) -> None:
    shop.customers = {one: customer(one) for one in (1, 500_000, 900_000)}
    outcomes = list(writer("module").push([change(one) for one in shop.customers]))
    assert {one.status for one in outcomes} == {"applied"}
    assert shop.paths("GET") == ["clv/module", *["customers/search"] * 2]


def test_gaps_between_ids_are_read_over(shop: TakingMagento) -> None:
    shop.customers = {one: customer(one) for one in range(1, 400)}
    wanted = [change(one) for one in range(5, 400, 13)]
    assert {one.status for one in writer("module").push(wanted)} == {"applied"}
    assert "customers/search" not in shop.paths("GET")


def test_a_role_that_may_not_write_is_told_which_right_is_missing(shop: TakingMagento) -> None:
    shop.rules.append(lambda method, path: refused(401, "no") if method == "POST" else None)
    with pytest.raises(AuthenticationError, match=r"ClvSync_CustomerClv::write.*CLV_EU_WRITE=put"):
        list(writer("module").push(CHANGES))


def test_a_shop_that_goes_down_halfway_still_tells_what_it_took(shop: TakingMagento) -> None:
    shop.most_rows = 20
    shop.rules.append(
        lambda method, path: (
            refused(503, "down") if method == "POST" and len(shop.sent) > 1 else None
        )
    )
    outcomes = writer("module").push(CHANGES)
    told = [next(outcomes).status for _ in CHANGES]
    assert told == ["applied"] * 20 + ["rejected"] * 20
    with pytest.raises(ShopUnavailable):
        next(outcomes)


@pytest.mark.parametrize("answer", [{}, "yes", None])
def test_an_answer_that_is_none_is_no_success(shop: TakingMagento, answer: object) -> None:
    shop.rules.append(lambda method, path: ok(answer) if method == "POST" else None)
    with pytest.raises(RequestRefused, match="module's answer can't be read"):
        list(writer("module").push(CHANGES))


def test_a_page_that_repeats_for_ever_is_no_page(shop: TakingMagento) -> None:
    stuck = {"items": [], "last": 0, "more": True}
    shop.rules.append(
        lambda method, path: ok(stuck) if (method, path) == ("GET", "clv/customers") else None
    )
    with pytest.raises(RequestRefused):
        list(writer("module").push(CHANGES))
