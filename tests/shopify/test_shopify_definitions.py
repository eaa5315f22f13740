"""The first write of a shop: our fields are defined, once, and as the shop takes them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import ConfigurationError, RequestRefused
from connectors.http import Http
from connectors.sandbox.books import Books
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.schema import FIELDS, Change, Shown
from connectors.shopify import definitions
from connectors.shopify.definitions import define, missing_definitions
from tests.shopify.bare_shop import asked, bare_sandbox, door, refilled, shop_behind

pytestmark = pytest.mark.end_to_end

HIGH: Shown = {"tier": "high", "predicted_12m": "77.25", "scored_at": "2026-11-22"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with bare_sandbox() as running:
        yield running


@pytest.fixture
def books(sandbox: Sandbox) -> Books:
    return refilled(sandbox, {1: (), 2: ()})


@pytest.fixture
def http(sandbox: Sandbox, books: Books) -> Http:
    waits: list[float] = []
    return door(sandbox, waits.append)


def defined(books: Books) -> dict[str, tuple[str, bool]]:
    """Type by field, and whether it is pinned."""
    rows = {row["body"]["key"]: row for row in books.definitions("us")}
    return {key: (row["type"], row["body"]["pinned"] is not None) for key, row in rows.items()}


def fill(books: Books, count: int) -> None:
    """Somebody else's definitions, all pinned."""
    body: dict[str, Any] = {"namespace": "custom", "ownerType": "CUSTOMER", "access": {}}
    for n in range(count):
        own = {"key": f"f{n}", "name": f"F {n}", "description": None, "pinned": n + 1}
        row = {"shop": "us", "name": f"CUSTOMER:custom.f{n}", "type": "date"}
        books.insert("definitions", [{**row, "body": {**body, **own}}])


def test_all_fields_are_defined_and_pinned_by_the_first_write(http: Http, books: Books) -> None:
    shop = shop_behind(http)
    assert len(missing_definitions(http)) == len(FIELDS)
    list(shop.push([Change("us", "1", {}, HIGH)]))
    found = defined(books)
    assert list(found) == list(FIELDS)
    assert all(pinned for _, pinned in found.values())
    assert {found[key][0] for key in ("tier", "reason")} == {"single_line_text_field"}
    assert {found[key][0] for key in ("predicted_12m", "p_alive")} == {"number_decimal"}
    assert {found[key][0] for key in ("scored_at", "next_order_date")} == {"date"}
    assert missing_definitions(http) == []


def test_they_are_looked_at_once_a_run(http: Http, books: Books) -> None:
    shop = shop_behind(http)
    list(shop.push([Change("us", "1", {}, HIGH)]))
    list(shop.push([Change("us", "2", {}, HIGH)]))
    assert asked(books, "query Definitions") == 1
    list(shop_behind(http).push([Change("us", "1", HIGH, {**HIGH, "tier": "low"})]))
    assert asked(books, "query Definitions") == 2
    assert asked(books, "mutation CreateDefinition") == len(FIELDS)


def test_nothing_is_looked_at_where_nothing_is_written(http: Http, books: Books) -> None:
    list(shop_behind(http).push([Change("us", "1", HIGH, {})]))
    assert len(books.journal()) == 1


def test_what_is_taken_back_needs_no_definition(http: Http, books: Books) -> None:
    books.set_value("us", 1, "clv.tier", "single_line_text_field", "high")
    (outcome,) = shop_behind(http).push([Change("us", "1", {"tier": "high"}, {})])
    assert outcome.status == "applied"
    assert not defined(books)


def test_a_field_of_another_type_stops_before_anything_is_written(http: Http, books: Books) -> None:
    body = {"key": "p_alive", "namespace": "clv", "ownerType": "CUSTOMER", "name": "x"}
    row = {"shop": "us", "name": "CUSTOMER:clv.p_alive", "type": "single_line_text_field"}
    whole = {**body, "description": None, "access": {}, "pinned": None}
    books.insert("definitions", [{**row, "body": whole}])
    with pytest.raises(ConfigurationError, match=r"clv\.p_alive.*Settings > Custom data"):
        list(shop_behind(http).push([Change("us", "1", {}, HIGH)]))
    assert books.values_of("us", [1]) == {1: []}
    assert list(defined(books)) == ["p_alive"]


def test_values_of_another_type_are_told_with_the_mend(http: Http, books: Books) -> None:
    books.set_value("us", 2, "clv.scored_at", "single_line_text_field", "yesterday")
    with pytest.raises(ConfigurationError, match=r"clv\.scored_at.*Delete"):
        define(http)


def test_without_a_pin_left_they_are_created_all_the_same_and_told(
    http: Http, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    fill(books, 45)
    with caplog.at_level(logging.WARNING):
        define(http)
    ours = {key: pinned for key, (_, pinned) in defined(books).items() if key in FIELDS}
    assert list(ours.values()) == [True] * 5 + [False] * 5
    assert "unpinned=p_alive,next_order_date,reason,model,scored_at" in caplog.text


def test_what_the_owner_unpinned_stays_so(http: Http, books: Books) -> None:
    define(http)
    books.execute("UPDATE definitions SET body = json_set(body, '$.pinned', NULL)")
    define(http)
    assert not any(pinned for _, pinned in defined(books).values())


def test_lost_answers_create_nothing_twice(http: Http, books: Books, sandbox: Sandbox) -> None:
    sandbox.faults.set([Fault("lost", path="graphql", probability=0.3, times=0)])
    define(http)
    assert len(books.definitions("us")) == len(FIELDS)


def test_any_other_refusal_is_told(
    http: Http, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "TYPES", dict.fromkeys(definitions.TYPES, "colour"))
    with pytest.raises(RequestRefused, match=r"no definition of clv\.tier .*codes=INCLUSION"):
        define(http)
