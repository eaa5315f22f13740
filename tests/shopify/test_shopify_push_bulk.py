"""Large plans at the sandbox's door: files in, results out, and nobody's tags but ours."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from connectors.http import Http
from connectors.sandbox.books import Books
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify.setup import configure
from connectors.schema import Change, Outcome, Shown
from connectors.shopify import ShopifyShop, push
from connectors.shopify.push import bulk
from connectors.shopify.push.writes import Write
from tests.shopify.bare_shop import OURS, asked, bare_sandbox, door, refilled, shop_behind

pytestmark = pytest.mark.end_to_end

FEW, MANY = 30, 200
FULL = {7, 8}  # customers with no room for another tag
LOW: Shown = {"tier": "low", "predicted_12m": "3.50", "model": "bgnbd", "tag": "clv-low"}
HIGH: Shown = {
    "tier": "high",
    "previous_tier": "low",
    "predicted_12m": "77.25",
    "scored_at": "2026-11-22",
    "tag": "clv-high",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with bare_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def books(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Books:
    """Customers with some tags of the admin's each, one in five with up to 249, two with 250."""
    monkeypatch.setattr(push, "BULK_FROM", 20)
    count = getattr(request, "param", FEW)
    return refilled(sandbox, {n: theirs(n) for n in range(1, count + 1)})


def ids(books: Books) -> list[int]:
    return [row["id"] for row in books.query("SELECT id FROM customers ORDER BY id")]


def theirs(number: int) -> list[str]:
    count = 250 if number in FULL else number * 37 % (20 if number % 5 else 250)
    return [f"Admin {number} {n}" for n in range(count)]


@pytest.fixture
def shop(sandbox: Sandbox) -> ShopifyShop:
    waits: list[float] = []
    return shop_behind(door(sandbox, waits.append))


def changes(books: Books, before: Shown, after: Shown) -> list[Change]:
    return [Change("us", str(n), before, after) for n in ids(books)]


def by_status(outcomes: Sequence[Outcome]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.status, set()).add(int(outcome.customer_id))
    return found


def ours_on(books: Books) -> dict[int, tuple[dict[str, str], set[str]]]:
    """Our fields and tags on each customer, as the books hold them."""
    values, tags = books.values_of("us", ids(books)), books.tags_of("us", ids(books))
    return {
        n: ({row["name"]: row["value"] for row in values[n]}, {t for t in tags[n] if t in OURS})
        for n in ids(books)
    }


def nothing_foreign_is_touched(books: Books) -> bool:
    tags = books.tags_of("us", ids(books))
    return all([t for t in tags[n] if t not in OURS] == theirs(n) for n in tags)


def test_a_large_plan_goes_in_files_and_is_read_back(shop: ShopifyShop, books: Books) -> None:
    outcomes = list(shop.push(changes(books, {}, LOW)))
    assert by_status(outcomes) == {"applied": set(ids(books)) - FULL, "rejected": FULL}
    assert {o.reason for o in outcomes if o.reason} == {"Tags cannot be more than 250"}
    assert asked(books, "bulkOperationRunMutation") == 2  # the fields, the tags
    assert asked(books, "mutation Write") == 0
    outcomes = list(shop.push(changes(books, LOW, HIGH)))
    assert by_status(outcomes) == {"applied": set(ids(books)) - FULL, "rejected": FULL}
    fields = {f"clv.{name}": text for name, text in HIGH.items() if name != "tag"}
    assert ours_on(books)[1] == (fields, {"clv-high"})
    assert ours_on(books)[7] == (fields, set())
    undone = [one.reversed() for one in changes(books, {}, HIGH)]
    assert by_status(list(shop.push(undone))) == {"applied": set(ids(books))}
    assert set(map(str, ours_on(books).values())) == {str(({}, set()))}
    assert nothing_foreign_is_touched(books)


@pytest.mark.parametrize("books", [MANY], indirect=True)
def test_nothing_foreign_changes_whatever_goes_wrong(
    shop: ShopifyShop, sandbox: Sandbox, books: Books
) -> None:
    """Busy answers, lost answers and lost tags; the same was run once with 10,000 customers."""
    first = changes(books, {}, LOW)
    configure(books, "us", throttled=0.3, drop_tags=0.3, shuffle_seed=5)
    sandbox.faults.set([Fault("lost", path="graphql|storage", probability=0.2, times=0)], seed=3)
    found = by_status(list(shop.push(first)))
    shown = ours_on(books)
    dropped = {n for n in ids(books) if shown[n][1] != {"clv-low"}}
    assert len(dropped) > 20
    assert found == {"applied": set(ids(books)) - dropped, "rejected": dropped}
    assert nothing_foreign_is_touched(books)
    again = by_status(list(shop.push(first)))
    assert len(again["rejected"]) < len(dropped)
    assert by_status(list(shop.push([one.reversed() for one in first]))) == {
        "applied": set(ids(books))
    }
    assert set(map(str, ours_on(books).values())) == {str(({}, set()))}
    assert nothing_foreign_is_touched(books)


def test_errors_come_home_to_their_rows(
    shop: ShopifyShop, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(books, "us", shuffle_seed=9)
    books.set_value("us", 3, "clv.tier", "single_line_text_field", "gold")  # somebody else's
    send = bulk.send

    def edited_first(http: Http, writes: Sequence[Write]) -> Any:
        books.set_value("us", 5, "clv.tier", "single_line_text_field", "gold")
        books.execute("DELETE FROM customers WHERE id = 6")
        return send(http, writes)

    monkeypatch.setattr(bulk, "send", edited_first)
    wrong = Change("us", "4", {}, {**LOW, "predicted_12m": "much"})
    plan = [wrong if one.customer_id == "4" else one for one in changes(books, {}, LOW)]
    outcomes = {int(one.customer_id): one for one in shop.push(plan)}
    told = {n: (outcomes[n].status, outcomes[n].reason) for n in (3, 4, 5, 6)}
    assert told[3] == told[5] == ("conflict", "somebody changed it meanwhile")
    assert told[4][0] == "rejected"
    assert "decimal" in told[4][1]
    assert told[6] == ("rejected", "the shop lost this customer meanwhile")
    assert by_status(list(outcomes.values()))["applied"] == set(ids(books)) - FULL - {3, 4, 5, 6}
    assert ours_on(books)[3] == ({"clv.tier": "gold"}, set())


@pytest.mark.parametrize(
    "end", ["FAILED", "TIMEOUT", "CANCELED", "EXPIRED", "GONE", "CUT", "SHORT", "STUCK"]
)
def test_what_an_operation_leaves_open_goes_by_document(
    shop: ShopifyShop, books: Books, end: str
) -> None:
    configure(books, "us", bulk_ends=[end])
    found = by_status(list(shop.push(changes(books, {}, LOW))))
    assert found == {"applied": set(ids(books)) - FULL, "rejected": FULL}
    assert nothing_foreign_is_touched(books)


def test_a_shop_that_takes_no_file_gets_documents(
    shop: ShopifyShop, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    configure(books, "us", bulk_at_once=0)
    with caplog.at_level(logging.WARNING):
        found = by_status(list(shop.push(changes(books, {}, LOW))))
    assert found == {"applied": set(ids(books)) - FULL, "rejected": FULL}
    assert "OPERATION_IN_PROGRESS" in caplog.text


def test_a_file_stays_below_what_the_shop_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LARGEST_FILE", 200)
    writes = [Write(n, "add", str(n), ["clv-high"]) for n in range(20)]
    lots = list(bulk.files(writes))
    assert [write for lot in lots for write, _ in lot] == writes
    assert len(lots) > 5
    assert all(sum(len(line) for _, line in lot) <= 200 for lot in lots)


def test_one_line_that_is_larger_than_a_file_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LARGEST_FILE", 10)
    writes = [Write(n, "add", str(n), ["clv-high"]) for n in range(3)]
    assert [len(lot) for lot in bulk.files(writes)] == [1, 1, 1]


def test_answers_are_told_apart_by_their_numbers_not_their_order() -> None:
    lines = [
        b'{"data":{"tagsAdd":{"userErrors":[{"message":"no room"}]}},"__lineNumber":2}\n',
        b'{"errors":[{"message":"bad"}],"__lineNumber":0}\n{"data":{"tagsAdd":{"userErr',
        b'ors":[]}},"__lineNumber":1}\n{"data":{"tagsAdd":null},"__lineNumb',
    ]
    assert bulk.answers_in(lines) == {
        2: [("", "no room")],
        0: [("", "the shop failed over this customer")],
        1: [],
    }
