"""Ten thousand broken payloads, REST's and GraphQL's: each is refused by field, or reads as before.

No crash but PayloadError, and no amount that became another without a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.identity import EmailHasher
from connectors.shopify.documents import ORDERS_BY_ID, REFUNDS
from connectors.shopify.nodes import Children, listed, order_payload, refund_payload, refunds_of
from connectors.shopify.parse import Parsed, parse_orders
from tests.shopify.test_shopify_ledger import LEDGER
from tests.shopify.two_doors import answered, order_object

HASHER = EmailHasher(b"a key of sixteen bytes or more")
PAYLOADS = Path(__file__).resolve().parents[1] / "payloads" / "shopify"

GONE = object()
JUNK: list[Any] = [
    GONE, None, True, False, -7, 10**13, 1.5, "x", "", " ", "NaN", "Infinity", "1e999999",
    "-0.01", "12,50", "0x10", "\uff11\uff12", "1_0", "2026-13-45", "2026-01-02T03:04:05",
    "EUR", "USD", [], {}, [None], [[]], [{}], {"amount": None}, {"shop_money": None},
    {"nodes": None, "pageInfo": {}},
    "gid://shopify/Order/x",
]  # fmt: skip
AMOUNTS = [
    f"{name}_value" for name in ("goods", "discount", "tax", "shipping", "total", "refunded")
] + ["refunded_total", "refunded_shipping"]


def graphql_answer(payload: dict[str, Any]) -> dict[str, Any]:
    """What our documents bring of an order: its node, and its refunds' nodes."""
    made = order_object(payload)
    by_id = {made["id"]: made, **{refund["id"]: refund for refund in made["refunds"]}}
    root = {"nodes": lambda _, ids: [by_id[one] for one in ids]}
    (order,) = answered(ORDERS_BY_ID, {"ids": [made["id"]]}, root)["nodes"]
    ids = [refund["id"] for refund in made["refunds"]]
    refunds = answered(REFUNDS, {"ids": ids, "first": 9}, root)["nodes"] if ids else []
    return {"order": order, "refunds": refunds}


def read_rest(payload: Any) -> Parsed:
    return parse_orders("toys", [payload], HASHER)


def read_graphql(answer: Any) -> Parsed:
    node, refunds = answer.get("order"), answer.get("refunds")
    found = {
        one["id"]: refund_payload(one)
        for one in (refunds if isinstance(refunds, list) else [])
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    }
    if isinstance(node, dict):
        lines, shippings = listed(node.get("line_items")), listed(node.get("shipping_lines"))
        node = order_payload(node, Children(lines, shippings, refunds_of(node, found)))
    return parse_orders("toys", [node], HASHER)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(child, (*path, key))


def mutated(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """A copy with `junk` at the path; what isn't on the path is shared."""
    key, *rest = path
    copied = value.copy()
    if rest:
        copied[key] = mutated(value[key], tuple(rest), junk)
    elif junk is GONE:
        del copied[key]
    else:
        copied[key] = junk
    return copied


def is_sound(where: tuple[Any, ...], junk: Any) -> bool:
    """A shorter list of what went back is no broken one, nor is a minus before an adjustment."""
    shorter = junk == [] or (junk is GONE and isinstance(where[-1], int))
    return ("refunds" in where and shorter) or (
        "order_adjustments" in where and junk in (-7, "-0.01")
    )


def broken(rng: Random, payload: Any, places: list[tuple[Any, ...]]) -> tuple[Any, list[Any]]:
    """The payload with one to three values broken, and what was done."""
    done = []
    for where in rng.sample(places, k=rng.choice([1, 1, 2, 3])):
        junk = rng.choice(JUNK)
        if is_sound(where, junk):
            junk = "x"
        try:
            payload = mutated(payload, where, junk)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # what lay around it is broken already
        done.append((where, junk))
    return payload, done


def bases(make: Any) -> list[tuple[Any, Any]]:
    """Payloads and their readers: every scenario of the ledger in both forms, and recorded ones."""
    made = [scenario(make) for scenario in LEDGER]
    text = (PAYLOADS / "orders.json").read_text(encoding="utf-8")
    recorded = list(json.loads(text, parse_float=Decimal).values())
    rest = [(payload, read_rest) for payload in made + recorded]
    return rest + [(graphql_answer(payload), read_graphql) for payload in made]


def amounts(parsed: Parsed) -> list[Any]:
    return [[getattr(order, name) for name in AMOUNTS] for order in parsed.orders]


@pytest.mark.parametrize("half", [0, 1])
def test_five_thousand_mutated_payloads_are_refused_by_field_or_read_as_before(
    make: Any, half: int
) -> None:
    rng = Random(20261123 + half)  # noqa: S311  which values break, not a secret
    sources = [
        (payload, read, list(paths(payload)), amounts(read(payload)))
        for payload, read in bases(make)
    ]
    assert all(right for *_, right in sources)
    refused = 0
    for _ in range(5000):
        payload, read, places, right = rng.choice(sources)
        payload, done = broken(rng, payload, places)
        parsed = read(payload)
        assert len(parsed.orders) + len(parsed.rejects) == 1
        assert all(reject.field for reject in parsed.rejects)
        assert not parsed.orders or amounts(parsed) == right, done
        refused += len(parsed.rejects)
    assert 1000 < refused < 4500
