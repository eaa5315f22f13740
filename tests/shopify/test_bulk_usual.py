"""The quick way through a bulk result: the same rows as the careful way, or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import attrgetter
from random import Random
from typing import Any

import pytest

from connectors.shopify.bulk import shares
from connectors.shopify.bulk.jsonl import Unsound
from connectors.shopify.bulk.usual import Unusual
from connectors.shopify.nodes import refund_payload
from tests.shopify.test_shopify_ledger import LEDGER
from tests.shopify.test_shopify_mutations import (
    HASHER,
    broken,
    graphql_answer,
    paths,
)

Lines = list[dict[str, Any]]


class Known:
    """Refunds that were found before."""

    shop = "toys"

    def __init__(self) -> None:
        self.refunds: dict[str, Any] = {}

    def of(self, orders: object) -> dict[str, Any]:
        return self.refunds


KNOWN = Known()


def in_bulk(answer: dict[str, Any]) -> tuple[Lines, dict[str, Any]]:
    """An order as lines of a result, and its refunds by their ids."""
    node = dict(answer["order"])
    rows = [row for name in ("line_items", "shipping_lines") for row in node.pop(name)["nodes"]]
    children = [{**row, "__parentId": node["id"]} for row in rows]
    refunds = {refund["id"]: refund_payload(refund) for refund in answer["refunds"]}
    return [{"__typename": "Order", **node}, *children], refunds


def share_of(lines: Lines) -> bytes:
    return "\n".join(json.dumps(line, separators=(",", ":")) for line in lines).encode()


def rows_of(share: bytes) -> object:
    """What a share is read as, in one order; or that it is none."""
    try:
        parsed = shares.read_share(share, KNOWN, HASHER, None)  # type: ignore[arg-type]
    except Unsound as unsound:
        return str(unsound)
    lines = sorted(parsed.lines, key=attrgetter("order_id", "line_id"))
    return parsed.orders, lines, parsed.refunds, parsed.rejects


def with_care(share: bytes, monkeypatch: pytest.MonkeyPatch) -> object:
    def declined(share: bytes) -> Sequence[Any]:
        raise Unusual

    with monkeypatch.context() as patch:
        patch.setattr(shares, "joined", declined)
        return rows_of(share)


@pytest.fixture
def known(make: Any) -> list[Lines]:
    """The ledger's scenarios in bulk; their refunds are found without a door."""
    made = [in_bulk(graphql_answer(scenario(make))) for scenario in LEDGER]
    KNOWN.refunds = {key: refund for _, own in made for key, refund in own.items()}
    return [lines for lines, _ in made]


def test_most_of_the_ledger_is_read_the_quick_way(
    known: list[Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    careful: list[object] = []
    monkeypatch.setattr(shares, "families", lambda *share: careful.append(share) or ())
    for lines in known:
        rows_of(share_of(lines))
    assert 0 < len(careful) < len(known) / 2


def test_the_ledger_reads_the_same_both_ways(
    known: list[Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    for lines in known:
        share = share_of(lines)
        assert rows_of(share) == with_care(share, monkeypatch)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.thorough)])
def test_broken_lines_read_the_same_both_ways(
    seed: int, known: list[Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(20261129 + seed)  # noqa: S311  which values break, not a secret
    sources = [(lines, list(paths(lines))) for lines in known]
    for _ in range(3000):
        lines, places = rng.choice(sources)
        mutated, done = broken(rng, lines, places)
        share = share_of([line for line in mutated if line is not None])
        assert rows_of(share) == with_care(share, monkeypatch), done
