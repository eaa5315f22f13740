"""What every platform promises, held against each of them: the four verbs on a small shop."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors.config import ShopSettings, read_settings
from connectors.http import Http
from connectors.http.patience import Patience
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Page, Platform, Window
from connectors.registry import PLATFORMS, open_shop
from connectors.sandbox import ACCS_CLIENT_ID, ACCS_CLIENT_SECRET, ACCS_ORG
from connectors.sandbox.app import CONFIGURE
from connectors.sandbox.books import Books
from connectors.sandbox.magento.setup import Setup as MagentoSetup
from connectors.sandbox.server import Sandbox, serve
from connectors.sandbox.shopify.setup import Setup as ShopifySetup
from connectors.schema import KINDS, TAG, Change, Shown

pytestmark = pytest.mark.end_to_end

HASHER = EmailHasher(b"an e-mail key for tests")
NOW = datetime.now(UTC)

WANTED: Shown = {
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
    "segment": "loyal",
}

Opened = Callable[[], Platform]


@pytest.fixture(scope="module")
def sandbox(
    tmp_path_factory: pytest.TempPathFactory, filled_books: Callable[[Path, int, date], Books]
) -> Iterator[Sandbox]:
    path = tmp_path_factory.mktemp("sandbox") / "shops.sqlite"
    books = filled_books(path, 40, NOW.date())
    with serve(books) as running:
        yield running
    books.close()


#: How a Magento can be met besides plainly: what it is set up with, and our settings for it.
MAGENTOS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "magento with the module": ({"module": True}, {}),
    "magento by bulk": ({"bulk_after_polls": 0}, {"write": "async"}),
    "magento in the cloud": (
        {"accs": True},
        {"client_id": ACCS_CLIENT_ID, "client_secret": ACCS_CLIENT_SECRET, "ims_org": ACCS_ORG},
    ),
}
THROTTLED = "shopify that throttles often"  # check 10 throttles it, too
#: The same for a Shopify.
SHOPIFYS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "shopify over rest": ({}, {"read": "rest"}),
    "shopify in bulk, lines in any order": ({"shuffle_seed": 7}, {"read": "bulk"}),
    THROTTLED: ({"throttled": 0.2}, {"read": "graphql"}),
}
WAYS = {**MAGENTOS, **SHOPIFYS}
PLAIN = {"magento": MagentoSetup(), "shopify": ShopifySetup()}
SLOW = pytest.param(THROTTLED, marks=pytest.mark.thorough)
SHOPS = [SLOW if shop == THROTTLED else shop for shop in (*PLATFORMS, *WAYS)]
LISTED = [shop for shop in SHOPS if shop != "file"]  # a file keeps no list of customers


@pytest.fixture(params=SHOPS)
def opened(
    request: pytest.FixtureRequest,
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Opened]:
    """Opens the same shop again and again, each time as a new process would."""
    if request.param == "file":
        settings = file_shop(tmp_path / "orders.csv")
        yield lambda: open_shop(settings, HASHER)
        return
    name = str(request.param).partition(" ")[0]
    setup, ours = WAYS.get(request.param, ({}, {}))
    shops = read_settings(sandbox.environment).shops
    settings = next(shop for shop in shops if shop.platform == name)
    if "ims_org" in ours:
        ours = {**ours, "token": "", "ims_url": settings.url}
    settings = replace(settings, **ours)
    monkeypatch.setattr(Http, "wait", lambda self, seconds: None)  # for a consumer that has run
    monkeypatch.setattr(Patience, "_wait", lambda self, state: 0.0)  # there is room at once
    plain = {key: getattr(PLAIN[name], key) for key in setup}
    configure = CONFIGURE[name]
    configure(sandbox.books, settings.shop, **setup)
    yield lambda: open_shop(settings, HASHER)
    configure(sandbox.books, settings.shop, **plain)


def file_shop(path: Path) -> ShopSettings:
    with path.open("w", newline="") as written:
        rows = csv.writer(written)
        rows.writerow(["customer_id", "ordered_at", "net_value", "currency"])
        rows.writerows([i % 30, f"2026-0{1 + i % 9}-15", f"{i}.50", "EUR"] for i in range(90))
    return ShopSettings("files", "file", path=path)


def rows(pages: list[Page]) -> dict[str, object]:
    return {order.order_id: order for page in pages for order in page.orders}


def all_pages(platform: Platform, cursor: Cursor | None = None) -> list[Page]:
    return list(platform.pull_orders(cursor, NOW))


def shown(platform: Platform) -> dict[str, Shown]:
    pages = platform.pull_customers(None, NOW)
    return {customer: fields for page in pages for customer, fields in page.shown.items()}


def change_for(platform: Platform, customer_id: str, before: Shown) -> Change:
    after = {field: WANTED[field] for field in platform.shows if field != TAG}
    if TAG in platform.shows:
        after[TAG] = "clv-high"
    return Change(platform.shop, customer_id, before=before, after=after)


def test_a_healthy_shop_has_no_failed_finding(opened: Opened) -> None:
    findings = list(opened().check(datetime.now(UTC)))  # the shop has a clock of its own
    assert findings
    assert [finding for finding in findings if finding.status == "fail"] == []


def test_a_whole_pull_brings_every_order_once_with_sums_that_hold(opened: Opened) -> None:
    pages = all_pages(opened())
    orders = [order for page in pages for order in page.orders]
    assert len(orders) == len(rows(pages)) > 0
    assert not [reject for page in pages for reject in page.rejects]
    lines: dict[str, Decimal] = {}
    for page in pages:
        for line in page.lines:
            lines[line.order_id] = lines.get(line.order_id, Decimal(0)) + line.net_value
    assert all(
        lines[order.order_id] == order.goods_value - order.discount_value
        for order in orders
        if order.shipping_value == 0 and order.order_id in lines
    )


def test_every_cursor_goes_on_behind_its_page(opened: Opened) -> None:
    pages = all_pages(opened())
    every = rows(pages)
    for stop in range(0, len(pages), max(1, len(pages) // 5)):
        resumed = rows(all_pages(opened(), pages[stop].cursor))
        assert rows(pages[: stop + 1]) | resumed == every


def test_a_pull_with_nothing_new_brings_nothing_else(opened: Opened) -> None:
    pages = all_pages(opened())
    again = all_pages(opened(), pages[-1].cursor)
    assert rows(again).items() <= rows(pages).items()


def test_since_leaves_older_orders_out(opened: Opened) -> None:
    every = rows(all_pages(opened()))
    since = NOW - timedelta(days=150)
    recent = rows(list(opened().pull_orders(None, NOW, since)))
    assert recent == {i: o for i, o in every.items() if o.ordered_at >= since}  # type: ignore[attr-defined]


def test_what_a_shop_counts_in_a_window_is_what_it_gives_of_it(opened: Opened) -> None:
    every = rows(all_pages(opened()))
    cuts = [NOW - timedelta(days=days) for days in (5000, 300, 200, 0)]
    windows = [Window(begin, end) for begin, end in pairwise(cuts)]
    counted = [placed.orders for placed in opened().placed(windows)]
    assert sum(counted) == len(every)
    for window, count in zip(windows, counted, strict=True):
        given = rows(list(opened().pull_placed(window)))
        assert len(given) == count
        assert given == {
            i: o for i, o in every.items() if window.begin <= o.ordered_at < window.end
        }  # type: ignore[attr-defined]


def test_what_is_pushed_is_shown_and_taken_back_without_a_trace(opened: Opened) -> None:
    platform = opened()
    before = shown(platform)
    customers = list(before)[:7]
    changes = [change_for(platform, customer, before[customer]) for customer in customers]

    outcomes = list(platform.push(changes))
    assert [outcome.customer_id for outcome in outcomes] == customers
    assert {outcome.status for outcome in outcomes} == {"applied"}
    expected = before | {change.customer_id: change.after for change in changes}
    assert shown(opened()) == expected

    back = list(opened().push([change.reversed() for change in changes]))
    assert {outcome.status for outcome in back} == {"applied"}
    assert shown(opened()) == before


def test_pushing_the_same_again_is_fine(opened: Opened) -> None:
    platform = opened()
    customer = list(shown(platform))[8]
    change = change_for(platform, customer, {})
    assert [outcome.status for outcome in platform.push([change])] == ["applied"]
    assert [outcome.status for outcome in opened().push([change])] == ["applied"]
    assert [o.status for o in opened().push([change.reversed()])] == ["applied"]


def test_what_somebody_else_wrote_is_left_alone(opened: Opened) -> None:
    platform = opened()
    customer = list(shown(platform))[9]
    theirs = change_for(platform, customer, {})
    theirs = Change(theirs.shop, customer, {}, {**theirs.after, "reason": "edited by hand"})
    assert [outcome.status for outcome in platform.push([theirs])] == ["applied"]
    stale = change_for(platform, customer, {"tier": "low"})
    assert [outcome.status for outcome in opened().push([stale])] == ["conflict"]
    assert shown(opened())[customer]["reason"] == "edited by hand"
    assert [o.status for o in opened().push([theirs.reversed()])] == ["applied"]


def test_a_write_that_was_cut_off_halfway_is_finished_and_can_be_undone(opened: Opened) -> None:
    platform = opened()
    customer = list(shown(platform))[10]
    whole = change_for(platform, customer, {})
    half = Change(whole.shop, customer, {}, {"tier": whole.after["tier"]})
    assert [outcome.status for outcome in platform.push([half])] == ["applied"]
    assert [outcome.status for outcome in opened().push([whole])] == ["applied"]
    assert [outcome.status for outcome in opened().push([half.reversed()])] == ["conflict"]
    assert [outcome.status for outcome in opened().push([whole.reversed()])] == ["applied"]
    assert shown(opened())[customer] == {}


@pytest.mark.parametrize("opened", LISTED, indirect=True)
def test_a_customer_who_is_gone_is_refused_and_the_others_are_written(opened: Opened) -> None:
    platform = opened()
    customer = list(shown(platform))[11]
    gone = change_for(platform, "99999999", {})
    fine = change_for(platform, customer, {})
    outcomes = list(platform.push([gone, fine]))
    assert [outcome.status for outcome in outcomes] == ["rejected", "applied"]
    assert outcomes[0].reason
    assert [o.status for o in opened().push([fine.reversed()])] == ["applied"]


def test_a_shop_shows_only_fields_that_have_a_name(opened: Opened) -> None:
    assert set(opened().shows) <= {*KINDS, TAG}
