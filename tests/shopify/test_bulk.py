"""A backfill by bulk operations at the sandbox's door, however the operations end."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Page
from connectors.sandbox import SHOPIFY_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.population import populate
from connectors.sandbox.server import Sandbox, serve
from connectors.sandbox.shopify.setup import Setup, configure
from connectors.schema import OrderLine
from connectors.shopify import ShopifyShop
from connectors.shopify.auth import HEADER
from connectors.shopify.bulk import Backfill, backfill, is_bulk, jsonl, shards, waiting
from connectors.shopify.graphql import pause, throttled
from connectors.shopify.orders import OrderStream
from connectors.shopify.orders_graphql import GraphQLOrders
from connectors.shopify.orders_rest import RestOrders

pytestmark = pytest.mark.end_to_end

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
#: Operations that read the whole sandbox, where all goes well.
ALL_OPERATIONS = 6
HASHER = EmailHasher(b"x" * 32)
#: Waits are only noted here, while points come back in real time: too slowly for a quick machine.
USUAL = {name: getattr(Setup(), name) for name in Setup.__dataclass_fields__} | {
    "graphql_restore": 10**6
}


@dataclass
class Kept:
    """What a store would hold: rows by their ids, and the last page's cursor."""

    orders: dict[str, Any] = field(default_factory=dict)
    lines: dict[tuple[str, str], Any] = field(default_factory=dict)
    refunds: dict[str, Any] = field(default_factory=dict)
    cursor: Cursor | None = None
    pages: int = 0
    read: int = 0

    def take(self, pages: Iterable[Page]) -> Kept:
        for page in pages:
            assert not page.rejects
            assert all(type(value) in (str, int) for value in page.cursor.values())
            self.orders |= {order.order_id: order for order in page.orders}
            self.lines |= {(line.order_id, line.line_id): _told(line) for line in page.lines}
            self.refunds |= {refund.refund_id: refund for refund in page.refunds}
            self.cursor, self.pages = page.cursor, self.pages + 1
            self.read += len(page.orders)
        return self

    @property
    def rows(self) -> tuple[object, ...]:
        return self.orders, self.lines, self.refunds


def _told(line: OrderLine) -> OrderLine:
    """GraphQL tells the product only to an app that may read products."""
    return replace(line, product_id=None)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    books = Books(":memory:", clock=lambda: NOW)
    populate(books, today=date(2026, 11, 22), limit=16)
    with serve(books) as running:
        yield running
    books.close()


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shop of this size would be treated were it a thousand times as large."""
    monkeypatch.setattr(shards, "SMALLEST", 12)
    monkeypatch.setattr(backfill, "PIECE", 5)
    monkeypatch.setattr(waiting, "STANDSTILL", 30)
    monkeypatch.setattr(jsonl, "SHARE_BYTES", 2**13)
    monkeypatch.setattr(jsonl, "HELD_BYTES", 2**14)


@pytest.fixture(autouse=True)
def _usual(sandbox: Sandbox) -> Iterator[None]:
    configure(sandbox.books, "us", **USUAL)
    yield
    sandbox.books.execute("DELETE FROM bulks")


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def http(sandbox: Sandbox, naps: list[float]) -> Http:
    return Http(
        f"{sandbox.url}/us",
        shop="us",
        headers={HEADER: SHOPIFY_TOKEN},
        throttled=throttled,
        pause=pause,
        sleep=naps.append,
    )


@pytest.fixture
def bulk(http: Http) -> Backfill:
    return Backfill(http, HASHER, GraphQLOrders(http))


@pytest.fixture(scope="module")
def truth(sandbox: Sandbox) -> Kept:
    """What REST says."""
    http = Http(f"{sandbox.url}/us", shop="us", headers={HEADER: SHOPIFY_TOKEN})
    kept = Kept().take(OrderStream("us", RestOrders(http), HASHER).pull(None, NOW, None))
    assert len(kept.orders) > 40
    assert kept.refunds
    return kept


def begun(sandbox: Sandbox) -> int:
    return int(sandbox.books.scalar("SELECT count(*) FROM bulks"))


# ------------------------------------------------------------------------------------- all is well


def test_every_order_is_read_once_and_is_what_rest_says(
    sandbox: Sandbox, bulk: Backfill, truth: Kept
) -> None:
    kept = Kept().take(bulk.pull(None, NOW, None))
    assert kept.rows == truth.rows
    assert kept.read == len(truth.orders)
    assert begun(sandbox) == ALL_OPERATIONS
    assert kept.cursor == {"changed_since": NOW.isoformat(), "since": ""}


def test_children_may_come_before_their_parents(
    sandbox: Sandbox, bulk: Backfill, truth: Kept
) -> None:
    configure(sandbox.books, "us", shuffle_seed=5)
    kept = Kept().take(bulk.pull(None, NOW, None))
    assert kept.rows == truth.rows
    assert kept.read == len(truth.orders)


def test_only_what_was_placed_since_is_read(bulk: Backfill, truth: Kept) -> None:
    since = NOW - timedelta(days=200)
    kept = Kept().take(bulk.pull(None, NOW, since))
    wanted = {n: order for n, order in truth.orders.items() if order.ordered_at >= since}
    assert 0 < len(wanted) < len(truth.orders)
    assert kept.orders == wanted
    assert kept.cursor == {"changed_since": NOW.isoformat(), "since": since.isoformat()}


def test_the_first_page_names_the_operations_before_any_is_waited_for(
    bulk: Backfill, truth: Kept, naps: list[float]
) -> None:
    first = next(bulk.pull(None, NOW, None))
    assert not first.orders
    assert not naps
    assert sum("gid://shopify/BulkOperation/" in str(v) for v in first.cursor.values()) == 5
    assert first.expected == len(truth.orders)


def test_it_waits_longer_and_longer(sandbox: Sandbox, bulk: Backfill, naps: list[float]) -> None:
    configure(sandbox.books, "us", bulk_after_polls=4)
    Kept().take(bulk.pull(None, NOW, NOW - timedelta(days=30)))
    assert len(naps) == 3
    assert naps == sorted(set(naps))


def test_a_shop_that_takes_fewer_at_once_is_asked_for_fewer(
    sandbox: Sandbox, bulk: Backfill, truth: Kept
) -> None:
    configure(sandbox.books, "us", bulk_at_once=2)
    assert Kept().take(bulk.pull(None, NOW, None)).rows == truth.rows


# ----------------------------------------------------------------------------- operations that fail


@pytest.mark.parametrize(
    "end",
    ["FAILED", "TIMEOUT", "CANCELED", "EXPIRED", "GONE", "CUT", "SHORT", "MISCOUNTED", "STUCK"],
)
def test_however_an_operation_ends_nothing_is_lost(
    end: str,
    sandbox: Sandbox,
    bulk: Backfill,
    truth: Kept,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first fails, and when it is asked for again, that does, too."""
    configure(sandbox.books, "us", bulk_ends=[end, *["COMPLETED"] * 4, end, end])
    kept = Kept().take(bulk.pull(None, NOW, None))
    assert kept.rows == truth.rows
    assert kept.cursor == {"changed_since": NOW.isoformat(), "since": ""}
    assert caplog.text.count("bulk_failed") == 3


def test_a_slice_that_never_succeeds_is_read_page_by_page(
    sandbox: Sandbox, bulk: Backfill, truth: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    configure(sandbox.books, "us", bulk_ends=["SHORT"] * 100)
    kept = Kept().take(bulk.pull(None, NOW, None))
    assert kept.rows == truth.rows
    assert "bulk_refused shop=us" in caplog.text
    assert begun(sandbox) < 20


def test_operations_that_are_too_large_for_the_shop_are_halved(
    sandbox: Sandbox, bulk: Backfill, truth: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SMALLEST", 60)
    configure(sandbox.books, "us", bulk_largest=40)
    assert Kept().take(bulk.pull(None, NOW, None)).rows == truth.rows


def test_an_app_that_may_not_work_in_bulk_reads_page_by_page(
    sandbox: Sandbox, bulk: Backfill, truth: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    configure(sandbox.books, "us", bulk_ends=["ACCESS_DENIED"])
    kept = Kept().take(bulk.pull(None, NOW, None))
    assert kept.rows == truth.rows
    assert kept.cursor == {"changed_since": NOW.isoformat(), "since": ""}
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == [
        "bulk_refused shop=us code=ACCESS_DENIED way=pages"
    ]


def test_an_app_that_may_not_see_addresses_reads_page_by_page_and_all_but_countries(
    sandbox: Sandbox, bulk: Backfill, truth: Kept
) -> None:
    configure(sandbox.books, "us", hide_addresses=True)
    kept = Kept().take(bulk.pull(None, NOW, None))
    assert None not in {order.country for order in truth.orders.values()}
    assert kept.orders == {one: replace(order, country=None) for one, order in truth.orders.items()}
    assert (kept.lines, kept.refunds) == (truth.lines, truth.refunds)


def test_where_others_take_all_room_for_ever_it_is_read_page_by_page(
    sandbox: Sandbox, bulk: Backfill, truth: Kept, naps: list[float]
) -> None:
    configure(sandbox.books, "us", bulk_at_once=0)
    assert Kept().take(bulk.pull(None, NOW, None)).rows == truth.rows
    assert 30 <= sum(naps) < 60


# -------------------------------------------------------------------------------- stop and go on


@pytest.mark.parametrize("after", [1, 3, 9, 14])
def test_a_run_that_was_killed_goes_on_with_the_operations_it_began(
    after: int, sandbox: Sandbox, bulk: Backfill, truth: Kept
) -> None:
    kept = Kept().take(islice(bulk.pull(None, NOW, None), after))
    assert kept.cursor
    assert is_bulk(kept.cursor)
    kept.take(bulk.pull(kept.cursor, NOW + timedelta(hours=1), None))
    assert kept.rows == truth.rows
    assert kept.cursor == {"changed_since": NOW.isoformat(), "since": ""}
    assert begun(sandbox) == ALL_OPERATIONS


def test_operations_that_the_shop_has_forgotten_are_begun_anew(
    sandbox: Sandbox, bulk: Backfill, truth: Kept
) -> None:
    kept = Kept().take(islice(bulk.pull(None, NOW, None), 1))
    sandbox.books.execute("DELETE FROM bulks")
    assert kept.take(bulk.pull(kept.cursor, NOW, None)).rows == truth.rows


def test_the_cursor_does_not_move_before_a_result_is_whole(
    sandbox: Sandbox, bulk: Backfill
) -> None:
    configure(sandbox.books, "us", bulk_ends=["SHORT"] * 5)
    pages = bulk.pull(None, NOW, None)
    start = next(pages).cursor
    second = next(pages)
    assert not second.orders
    assert _left(second.cursor) == _left(start)


def _left(cursor: Cursor) -> set[str]:
    """The windows that a cursor says are still to be read."""
    texts = [str(v) for name, v in cursor.items() if name.startswith("bulk_shard")]
    return {" ".join(text.split(" ")[:2]) for text in texts}


def test_what_changed_meanwhile_is_read_afterwards(
    sandbox: Sandbox, http: Http, bulk: Backfill
) -> None:
    kept = Kept().take(bulk.pull(None, NOW - timedelta(days=3), None))
    stream = OrderStream("us", GraphQLOrders(http), HASHER)
    later = Kept().take(stream.pull(kept.cursor, NOW, None))
    expected = {n for n, o in kept.orders.items() if o.updated_at >= NOW - timedelta(days=3)}
    assert later.orders.keys() >= expected


# ------------------------------------------------------------------------------- which way is taken


def shop_that_reads(sandbox: Sandbox, http: Http, way: str) -> ShopifyShop:
    url = f"{sandbox.url}/us"
    settings = ShopSettings("us", "shopify", url=url, token=SHOPIFY_TOKEN, read=way)
    return ShopifyShop(settings, HASHER, http)


@pytest.mark.parametrize(
    ("way", "many", "in_bulk"),
    [("bulk", 1_000, True), ("auto", 10, True), ("auto", 1_000, False), ("graphql", 10, False)],
)
def test_a_long_history_is_read_in_bulk_unless_the_owner_says_otherwise(
    way: str,
    many: int,
    in_bulk: bool,
    sandbox: Sandbox,
    http: Http,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connectors.shopify.MANY", many)
    first = next(shop_that_reads(sandbox, http, way).pull_orders(None, NOW))
    assert is_bulk(first.cursor) == in_bulk
    assert bool(begun(sandbox)) == in_bulk


def test_the_way_may_change_in_the_middle(sandbox: Sandbox, http: Http, truth: Kept) -> None:
    bulk, rest = (shop_that_reads(sandbox, http, way) for way in ("auto", "rest"))
    start = Kept().take(
        islice(Backfill(http, HASHER, GraphQLOrders(http)).pull(None, NOW, None), 4)
    )
    again = Kept().take(bulk.pull_orders(start.cursor, NOW))
    assert start.take([]).orders | again.orders == truth.orders
    later = NOW + timedelta(hours=1)
    assert Kept().take(rest.pull_orders(start.cursor, later)).rows == truth.rows
