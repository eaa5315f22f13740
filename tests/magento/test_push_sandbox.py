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

import pytest

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

from .keeping import SHOP, WAYS, fitted_out, ids, theirs

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 200
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
def sandbox(tmp_path: Path, filled_books: FilledBooks) -> Iterator[Sandbox]:
    books = filled_books(tmp_path / "b.sqlite", CUSTOMERS, datetime.now(UTC).date())
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
    told = r"group_id.*All of it was put back. Customers \d+ have Disable Automatic Group Change"
    with pytest.raises(GuardStopped, match=told):
        written(sandbox, "put", changes(sandbox))
    after = theirs(sandbox)
    (differ,) = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    kept = {"extra": {**differ[0]["extra"], "disable_auto_group_change": 1}}
    assert differ[1] == {**differ[0], **kept}
    values = "SELECT count(*) FROM customer_values WHERE name LIKE 'clv%' AND customer_id = ?"
    assert sandbox.books.scalar(values, (differ[0]["id"],)) == 0


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
