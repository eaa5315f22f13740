"""A segment for each tier: once, beside what the shop's owner made of it, and never in the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.http import Http
from connectors.sandbox.books import Books
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify.segments import Segments
from connectors.sandbox.shopify.setup import configure
from connectors.schema import Change
from connectors.shopify.definitions import define
from connectors.shopify.segments import add_segments, query_of
from tests.shopify.bare_shop import asked, bare_sandbox, door, refilled, shop_behind

pytestmark = pytest.mark.end_to_end

TWO = {"clv-high", "clv-low"}
HIGH = {"tier": "high", "tag": "clv-high"}
LOW = {"tier": "low", "tag": "clv-low"}
BOTH = {
    "CLV: high": "customer_tags CONTAINS 'clv-high'",
    "CLV: low": "customer_tags CONTAINS 'clv-low'",
}


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


def listed(books: Books) -> list[tuple[str, str]]:
    return [(row["name"], row["query"]) for row in books.query("SELECT * FROM segments")]


def edited(books: Books, **changed: str) -> None:
    """By the owner: the segment of the tier `high`."""
    columns = ", ".join(f"{column} = ?" for column in changed)
    sql = f"UPDATE segments SET {columns} WHERE name = 'CLV: high'"  # noqa: S608  our own words
    books.execute(sql, tuple(changed.values()))


def test_each_tier_that_is_written_gets_its_segment_once(http: Http, books: Books) -> None:
    shop = shop_behind(http)
    list(shop.push([Change("us", "1", {}, HIGH)]))
    assert listed(books) == [("CLV: high", BOTH["CLV: high"])]
    list(shop.push([Change("us", "2", {}, LOW)]))
    list(shop_behind(http).push([Change("us", "2", LOW, HIGH)]))
    assert dict(listed(books)) == BOTH
    assert len(listed(books)) == 2


def test_the_owner_can_do_without(http: Http, books: Books) -> None:
    list(shop_behind(http, segments=False).push([Change("us", "1", {}, HIGH)]))
    assert listed(books) == []
    assert asked(books, "segments") == 0


@pytest.mark.parametrize(
    "changed",
    [{"name": "My best"}, {"query": "number_of_orders > 3"}, {"name": "clv: HIGH", "query": "x"}],
)
def test_what_the_owner_renamed_or_edited_is_left_alone(
    http: Http, books: Books, changed: dict[str, str]
) -> None:
    add_segments(http, TWO, TWO)
    edited(books, **changed)
    before = listed(books)
    add_segments(http, TWO, TWO)
    assert listed(books) == before


def test_lost_answers_create_no_second_one(http: Http, books: Books, sandbox: Sandbox) -> None:
    sandbox.faults.set([Fault("lost", path="graphql", nth=3), Fault("lost", path="graphql", nth=5)])
    add_segments(http, TWO, TWO)
    assert dict(listed(books)) == BOTH
    assert len(listed(books)) == 2


def test_those_behind_the_first_page_are_seen(http: Http, books: Books) -> None:
    made = {"shop": "us", "created_at": "2025-01-01 00:00:00", "updated_at": "2025-01-01 00:00:00"}
    others = [{**made, "name": f"S {n}", "query": "amount_spent > 1"} for n in range(260)]
    books.insert("segments", [*others, {**made, "name": "CLV: low", "query": "amount_spent > 2"}])
    add_segments(http, TWO, TWO)
    assert len(listed(books)) == 262


def test_without_a_filter_for_tags_our_metafield_is_asked_by_the_name_it_has_there(
    http: Http, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(http)
    configure(books, "us", segment_prefix="customer.metafields.")
    filters = Segments.filters
    monkeypatch.setattr(
        Segments,
        "filters",
        lambda self: [one for one in filters(self) if one.name != "customer_tags"],
    )
    add_segments(http, {"clv-high"}, TWO)
    assert listed(books) == [("CLV: high", "customer.metafields.clv.tier = 'high'")]
    edited(books, name="My best")
    add_segments(http, {"clv-high"}, TWO)
    assert len(listed(books)) == 1


def test_tags_are_preferred_to_metafields() -> None:
    known = {"customer_tags", "metafields.clv.tier"}
    assert query_of("clv-high", known, TWO) == "customer_tags CONTAINS 'clv-high'"


def test_a_tag_that_is_no_tier_is_asked_for_by_the_tag_or_not_at_all() -> None:
    known = {"customer_tags", "metafields.clv.tier"}
    assert query_of("clv-loyal", known, TWO) == "customer_tags CONTAINS 'clv-loyal'"
    assert query_of("clv-loyal", {"metafields.clv.tier"}, TWO) is None


def test_without_a_filter_for_tags_a_segment_of_no_tier_is_left_out_and_told_of(
    http: Http, books: Books, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(http)
    filters = Segments.filters
    monkeypatch.setattr(
        Segments,
        "filters",
        lambda self: [one for one in filters(self) if one.name != "customer_tags"],
    )
    with caplog.at_level(logging.WARNING):
        add_segments(http, {"clv-high", "clv-win-back"}, TWO)
    assert listed(books) == [("CLV: high", "metafields.clv.tier = 'high'")]
    assert "doesn't filter customers by tags such as clv-win-back" in caplog.text


def test_a_shop_that_refuses_is_told_of_and_the_values_are_written(
    http: Http, books: Books, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> list[Any]:
        return [{"field": ["name"], "message": "Limit reached"}]

    monkeypatch.setattr(Segments, "_problems", refused)
    with caplog.at_level(logging.WARNING):
        (outcome,) = shop_behind(http).push([Change("us", "1", {}, HIGH)])
    assert outcome.status == "applied"
    assert "CLV: high" in caplog.text
    assert "CLV_US_SEGMENTS=no" in caplog.text


def test_a_shop_without_any_filter_of_use_is_told_of(
    http: Http, books: Books, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Segments, "filters", lambda self: [])
    with caplog.at_level(logging.WARNING):
        add_segments(http, TWO, TWO)
    assert "neither by tags" in caplog.text
    assert listed(books) == []
