"""Ten thousand payloads gone wrong: each is read right or named; none crashes, none is a zero."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from connectors.errors import PayloadError
from connectors.identity import EmailHasher
from connectors.magento.parse import (
    parse_customer,
    parse_lines,
    parse_order,
    parse_refund,
    parse_store_views,
)
from connectors.schema import Order, OrderLine, Refund

from .conftest import recorded, slim

HASHER = EmailHasher(b"k" * 32)
VIEWS = parse_store_views(recorded("store_views.json"))
ORDERS = [slim(row) for row in recorded("orders.json")["items"]]
MEMOS = [slim(row) | {"order_id": 1} for row in recorded("creditmemos.json")["items"]]
CUSTOMERS = recorded("customers.json")["items"]
MUTATIONS = 10_000

#: Magento leaves these out where there is nothing to tell: their absence says so.
SAYS_SO = {
    *("base_total_canceled", "base_shipping_canceled"),
    *("base_subtotal_invoiced", "base_discount_invoiced"),
    "base_discount_tax_compensation_invoiced",
    "base_discount_tax_compensation_amount",
}

ODD = [
    *(
        None,
        True,
        False,
        "",
        "0,00",
        "12,50",
        "1e3",
        "NaN",
        "abc",
        "€ 5",
        "٣",
        [],
        {},
        [0],
        {"a": 1},
    ),
    *(
        10**30,
        -(10**30),
        Decimal("1E+40"),
        Decimal("-0.00001"),
        "-",
        ".",
        "1.2.3",
        "\0",
        "2026-13-41",
    ),
]
GONE = object()


class Mutated(NamedTuple):
    """A payload, its original, and what was changed in it: names and their new values."""

    raw: Any
    original: Any
    changed: dict[str, Any]


def copied(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: copied(value) for key, value in node.items()}
    return [copied(one) for one in node] if isinstance(node, list) else node


def mutated(originals: list[Any], chance: random.Random) -> Mutated:
    original = chance.choice(originals)
    raw = copied(original)
    place = chance.choice([raw, *raw.get("items", [])])
    changed = {}
    for name in chance.sample(sorted(place), min(chance.randint(1, 3), len(place))):
        changed[name] = chance.choice([GONE, *ODD])
        place[name] = changed[name]
        if place[name] is GONE:
            del place[name]
    return Mutated(raw, original, changed)


def mutations(originals: list[Any], count: int) -> Iterator[Mutated]:
    chance = random.Random(2026)  # noqa: S311  # no secret
    return (mutated(originals, chance) for _ in range(count))


def amounts(row: Any) -> list[Decimal]:
    names = [name for name in row.__dataclass_fields__ if name.endswith(("_value", "_total"))]
    return [getattr(row, name) for name in (*names, "refunded_shipping") if hasattr(row, name)]


def read_order(raw: Any) -> tuple[Order, list[OrderLine]]:
    return parse_order(raw, "eu", VIEWS, HASHER), parse_lines(raw, "eu")


def money_of_order(read: tuple[Order, list[OrderLine]]) -> list[Decimal]:
    order, lines = read
    return [*amounts(order), *(line.net_value for line in lines)]


def money_of_refund(refund: Refund) -> list[Decimal]:
    return amounts(refund)


CASES: dict[str, tuple[list[Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "orders": (ORDERS, read_order, money_of_order),
    "refunds": (MEMOS, lambda raw: parse_refund(raw, "eu"), money_of_refund),
    "customers": (CUSTOMERS, lambda raw: parse_customer(raw, "eu", HASHER), lambda one: []),
}


@pytest.mark.parametrize(
    ("name", "count"), [("orders", 6000), ("refunds", 3000), ("customers", 1000)]
)
def test_ten_thousand_mutated_payloads_crash_nothing_and_become_no_silent_zero(
    name: str, count: int
) -> None:
    originals, read, money = CASES[name]
    known = {id(one): money(read(one)) for one in originals}
    named: list[str] = []
    for raw, original, changed in mutations(originals, count):
        try:
            found = money(read(raw))
        except PayloadError as error:
            named.append(error.field)
            continue
        if found != known[id(original)]:
            assert any(may_be_so(*one) for one in changed.items()), (changed, found)
    assert len(named) > count / 20
    assert all(named)


def may_be_so(name: str, value: Any) -> bool:
    """Whether a shop may well mean this: another number, or nothing where nothing is an answer."""
    if value is GONE or value is None:
        return name in SAYS_SO or name == "parent_item_id"
    return not isinstance(value, bool) and isinstance(value, int | Decimal)
