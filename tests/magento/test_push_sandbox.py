"""Two hundred customers through each of the three ways, against the sandbox's Magento.

Everything else that the shop keeps is compared before and after, in its books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from started import Run

from connectors.config import ShopSettings, read_settings
from connectors.errors import GuardStopped
from connectors.http import Http
from connectors.magento.api import Api
from connectors.magento.auth import Bearer
from connectors.magento.push import Writer
from connectors.sandbox.books import Books
from connectors.sandbox.magento.setup import configure
from connectors.sandbox.server import Sandbox, serve
from connectors.schema import GROUP, Change, Outcome, Shown

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 200
WAYS = ("module", "put", "async")
SHOP = "eu"
FilledBooks = Callable[[Path, int, date], Books]
AFTER = {
    "tier": "high",
    "previous_tier": "low",
    "predicted_12m": "1234.50",
    "historic_net": "0.00",
    "currency": "EUR",
    "p_alive": "0.8125",
    "next_order_date": "2026-12-24",
    "reason": "high: 7 orders worth EUR 912.40 net, the last on 2026-11-10.",
    "model": "BG/NBD + Gamma-Gamma",
    "scored_at": "2026-11-22",
}


@pytest.fixture
def sandbox(
    tmp_path: Path, filled_books: FilledBooks, request: pytest.FixtureRequest
) -> Iterator[Sandbox]:
    customers = getattr(request, "param", CUSTOMERS)
    books = filled_books(tmp_path / "b.sqlite", customers, datetime.now(UTC).date())
    configure(books, SHOP, module=True)
    with serve(books) as running:
        yield running
    books.close()


def settings(sandbox: Sandbox, way: str) -> ShopSettings:
    return replace(read_settings(sandbox.environment).shop(SHOP), write=way)


def written(sandbox: Sandbox, way: str, changes: list[Change]) -> list[Outcome]:
    """As a run does it: batch by batch, with one writer."""
    shop = settings(sandbox, way)
    http = Http(shop.url, shop=SHOP, auth=Bearer(shop.token), sleep=lambda seconds: None)
    writer, rest = Writer(http, Api(), shop), iter(changes)
    outcomes: list[Outcome] = []
    while batch := list(islice(rest, writer.batch_size)):
        outcomes += writer.push(batch)
    return outcomes


def ids(sandbox: Sandbox) -> list[int]:
    rows = sandbox.books.query("SELECT id FROM customers WHERE shop = ? ORDER BY id", (SHOP,))
    return [row["id"] for row in rows]


def theirs(sandbox: Sandbox) -> list[dict[str, Any]]:
    """All that the books hold of customers but our values and the time of the last save."""
    people = sandbox.books.query("SELECT * FROM customers WHERE shop = ? ORDER BY id", (SHOP,))
    values = "SELECT * FROM customer_values WHERE shop = ? AND name NOT LIKE 'clv%' ORDER BY id"
    rows = [*people, *sandbox.books.query(values, (SHOP,))]
    return [_lasting(row) for row in rows]


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    """What is empty or no may be kept in more ways than one."""
    kept = {key: value for key, value in row.items() if key != "updated_at"}
    filled = {key: value for key, value in row.get("extra", {}).items() if value}
    return {**kept, "extra": filled}


def fitted_out(sandbox: Sandbox) -> None:
    """Birthdays, newsletters, groups and unconfirmed accounts, spread over the customers.

    The one with a bad old address gets a telephone.
    """
    for row in sandbox.books.query("SELECT * FROM customers WHERE shop = ?", (SHOP,)):
        number = row["id"]
        extra = row["extra"] | {"newsletter": number % 3 == 0}
        extra |= {"dob": "1980-01-15"} if number % 2 else {}
        extra |= {"confirmation": "k3y"} if number % 50 == 7 else {}
        extra["addresses"] = [one | {"telephone": "1"} for one in extra["addresses"]]
        fresh = row | {"extra": extra, "group_id": 1 + number % 3}
        sandbox.books.execute("DELETE FROM customers WHERE shop = ? AND id = ?", (SHOP, number))
        sandbox.books.insert("customers", [fresh])


def changes(sandbox: Sandbox, before: Shown | None = None) -> list[Change]:
    return [Change(SHOP, str(one), before or {}, AFTER) for one in ids(sandbox)]


@pytest.mark.parametrize("way", WAYS)
def test_all_values_are_read_back_and_nothing_else_has_changed(sandbox: Sandbox, way: str) -> None:
    fitted_out(sandbox)
    before, wanted = theirs(sandbox), changes(sandbox)
    outcomes = written(sandbox, way, wanted)
    assert Counter(one.status for one in outcomes) == {"applied": len(wanted)}
    assert theirs(sandbox) == before
    back = written(sandbox, way, [change.reversed() for change in wanted])
    assert Counter(one.status for one in back) == {"applied": len(wanted)}
    assert theirs(sandbox) == before
    assert sandbox.books.scalar("SELECT count(*) FROM customer_values WHERE name LIKE 'clv%'") == 0


def test_a_bad_old_address_refuses_its_own_customer_and_only_by_put(sandbox: Sandbox) -> None:
    bad = [
        row["id"]
        for row in sandbox.books.query("SELECT * FROM customers WHERE shop = ?", (SHOP,))
        if any(not one["telephone"] for one in row["extra"]["addresses"])
    ]
    assert bad
    before, wanted = theirs(sandbox), changes(sandbox)
    outcomes = written(sandbox, "put", wanted)
    rejected = [one for one in outcomes if one.status == "rejected"]
    assert [int(one.customer_id) for one in rejected] == bad
    assert "Phone Number" in rejected[0].reason
    again = [one for one in wanted if int(one.customer_id) in bad]
    assert {one.status for one in written(sandbox, "module", again)} == {"applied"}
    assert theirs(sandbox) == before


@pytest.mark.parametrize("way", WAYS)
def test_refused_customers_are_named_with_their_reason_and_no_other_is(
    sandbox: Sandbox, way: str
) -> None:
    fitted_out(sandbox)
    setup = configure(sandbox.books, SHOP, refuse_percent=5)
    before = theirs(sandbox)
    outcomes = written(sandbox, way, changes(sandbox))
    rejected = {int(one.customer_id): one for one in outcomes if one.status == "rejected"}
    assert set(rejected) == {one for one in ids(sandbox) if setup.refuses(one)}
    assert 0.02 < len(rejected) / len(outcomes) < 0.08
    assert all(one.reason and one.shown == {} for one in rejected.values())
    assert theirs(sandbox) == before


@pytest.mark.parametrize("sandbox", [30], indirect=True)
def test_a_run_with_refusals_ends_with_exit_code_3_and_tells_each(
    sandbox: Sandbox, run: Run
) -> None:
    fitted_out(sandbox)
    setup = configure(sandbox.books, SHOP, refuse_percent=15)
    asked = {"CLV_EU_WRITE": "put", "CLV_SHOPS": SHOP, "CLV_MODEL": "mbg"}
    ended = run(sandbox.environment | asked, "run", "--json")
    assert ended.code == 3
    told = {int(event["customer"]): event["reason"] for event in ended.events("refused")}
    assert set(told) == {one for one in ids(sandbox) if setup.refuses(one)}
    assert told
    assert all(told.values())


def test_a_consumer_that_wipes_birthdays_keeps_those_that_are_sent_along(sandbox: Sandbox) -> None:
    fitted_out(sandbox)
    configure(sandbox.books, SHOP, version="2.4.8-p2")
    before = theirs(sandbox)
    outcomes = written(sandbox, "async", changes(sandbox))
    assert {one.status for one in outcomes} == {"applied"}
    assert theirs(sandbox) == before


def test_a_shop_that_resets_groups_is_stopped_at_the_first_such_customer(sandbox: Sandbox) -> None:
    fitted_out(sandbox)
    configure(sandbox.books, SHOP, vat_resets_group=True)
    before = theirs(sandbox)
    with pytest.raises(GuardStopped, match=r"group_id"):
        written(sandbox, "put", changes(sandbox))
    assert sum(a != b for a, b in zip(before, theirs(sandbox), strict=True)) == 1


@pytest.mark.parametrize("way", WAYS)
def test_groups_move_with_the_change_and_back_with_its_undo(sandbox: Sandbox, way: str) -> None:
    fitted_out(sandbox)
    before = theirs(sandbox)
    groups = {row["id"]: str(row["group_id"]) for row in before if "group_id" in row}
    moving = [
        Change(SHOP, str(one), {GROUP: group}, {"tier": "high", GROUP: "2"})
        for one, group in groups.items()
    ]
    outcomes = written(sandbox, way, moving)
    assert {one.status for one in outcomes} == {"applied"}
    written(sandbox, way, [change.reversed() for change in moving])
    assert theirs(sandbox) == before
