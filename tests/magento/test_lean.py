from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.config import read_settings
from connectors.errors import ConfigurationError, RequestRefused
from connectors.identity import EmailHasher
from connectors.magento import MagentoShop, lean, ranges
from connectors.magento.walk import batches
from connectors.platform import Page, Placed
from connectors.reconcile import windows
from connectors.registry import open_shop
from connectors.sandbox.books import Books
from connectors.sandbox.magento.setup import configure
from connectors.sandbox.server import Sandbox, serve

from .conftest import NOW, FakeMagento, Reply, numbered, ok, recorded, refused

KEY = "an e-mail key for tests"
HASHER = EmailHasher(KEY.encode())
TODAY = datetime.now(UTC)
INFO = {"version": "1.0.0", "max_limit": 5000, "max_rows": 1000, "attributes": ["clv_tier"]}


# ----------------------------------------------------------------- both routes over the same shop


@pytest.fixture(scope="module")
def sandbox(
    tmp_path_factory: pytest.TempPathFactory, filled_books: Callable[[Path, int, date], Books]
) -> Iterator[Sandbox]:
    path = tmp_path_factory.mktemp("sandbox") / "shops.sqlite"
    books = filled_books(path, 60, TODAY.date())
    with serve(books) as running:
        yield running
    books.close()


@pytest.fixture
def pulled(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Everything that a first pull brings, by kind and id, with the shop set up as told."""
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    monkeypatch.setattr(lean, "PAGE_SIZE", 37)
    name = next(s.shop for s in read_settings(sandbox.environment).shops if s.platform == "magento")

    def pull(**setup: Any) -> dict[str, Any]:
        configure(sandbox.books, name, **setup)
        settings = read_settings(sandbox.environment).shop(name)
        shop = open_shop(settings, HASHER)
        return by_id([*shop.pull_orders(None, TODAY), *shop.pull_customers(None, TODAY)])

    return pull


def by_id(pages: list[Page]) -> dict[str, Any]:
    assert not [reject for page in pages for reject in page.rejects]
    rows: dict[str, Any] = {}
    for page in pages:
        rows |= {f"order {one.order_id}": one for one in page.orders}
        rows |= {f"line {one.line_id}": one for one in page.lines}
        rows |= {f"refund {one.refund_id}": one for one in page.refunds}
        rows |= {f"customer {one.customer_id}": one for one in page.customers}
        rows |= {f"shown {customer}": fields for customer, fields in page.shown.items()}
    return rows


@pytest.mark.end_to_end
@pytest.mark.parametrize("version", ["2.4.7", "2.4.8"])
def test_the_export_and_the_stock_routes_give_identical_rows(
    version: str, pulled: Callable[..., dict[str, Any]]
) -> None:
    stock = pulled(version=version, module=False)
    assert {key.split()[0] for key in stock} == {"order", "line", "refund", "customer", "shown"}
    assert pulled(version=version, module=True, email_key="") == stock
    assert pulled(version=version, module=True, email_key=KEY) == stock


@pytest.mark.end_to_end
def test_the_module_adds_whole_months_up_to_the_cent(
    sandbox: Sandbox, pulled: Callable[..., dict[str, Any]]
) -> None:
    rows = pulled(module=True)
    orders = [row for key, row in rows.items() if key.startswith("order ")]
    first = min(order.ordered_at for order in orders)
    asked = windows(first, TODAY)
    whole = {window for window in asked if window.begin.day == window.end.day == 1}
    assert 3 < len(whole) < len(asked)
    settings = read_settings(sandbox.environment).shop("eu")
    for window, told in zip(asked, open_shop(settings, HASHER).placed(asked), strict=True):
        own = [one.total_value for one in orders if window.begin <= one.ordered_at < window.end]
        assert told == Placed(len(own), sum(own) if window in whole else None), window


# ------------------------------------------------------------------------------------ by the fake


def without_e_mail(row: dict[str, Any]) -> dict[str, Any]:
    """As the module gives it: amounts as text, no e-mail beside a customer's id."""
    told = {key: f"{value:.4f}" if key.startswith("base_") and not isinstance(value, str) else value
            for key, value in row.items()}  # fmt: skip
    if "customer_id" in told:
        told.pop("customer_email", None)
    if "items" in told:
        told["items"] = [without_e_mail(item) for item in told["items"]]
    return told


def test_recorded_orders_are_the_same_by_both_routes(
    magento: FakeMagento, hasher: EmailHasher, shop: MagentoShop
) -> None:
    magento.orders = recorded("orders.json")["items"]
    magento.creditmemos = recorded("creditmemos.json")["items"]
    magento.customers = recorded("customers.json")["items"]
    stock = by_id([*shop.pull_orders(None, NOW), *shop.pull_customers(None, NOW)])
    magento.module, magento.lean = {**INFO, "email_key_fingerprint": ""}, without_e_mail
    again = MagentoShop(shop._settings, hasher, shop._http)
    assert by_id([*again.pull_orders(None, NOW), *again.pull_customers(None, NOW)]) == stock
    assert "clv/orders" in magento.paths()
    asked_for_rows = [q for _, path, q in magento.asked if path == "clv/orders"]
    assert {query["limit"] for query in asked_for_rows} == {str(lean.PAGE_SIZE)}


def test_a_window_is_asked_of_the_export_by_its_own_names(
    magento: FakeMagento, shop: MagentoShop, order: dict[str, Any]
) -> None:
    magento.module = {**INFO, "email_key_fingerprint": ""}
    magento.orders = numbered(order, range(1, 30), updated_at="2026-11-01 00:00:00")
    done = list(shop.pull_orders(None, NOW))[-1].cursor
    magento.orders[7]["updated_at"] = "2026-11-22 12:30:00"
    magento.asked.clear()
    pages = list(shop.pull_orders(done, NOW + timedelta(hours=1)))
    assert [one.order_id for page in pages for one in page.orders] == ["8"]
    assert magento.paths() == ["clv/orders", "clv/creditmemos"]
    assert magento.asked[0][2] == {
        "after": "0",
        "limit": str(lean.PAGE_SIZE),
        "updated_from": "2026-11-22 11:43:00",
        "updated_to": "2026-11-22 12:58:00",
    }


def test_the_module_is_looked_for_once_and_its_limit_is_kept(
    magento: FakeMagento, shop: MagentoShop, order: dict[str, Any]
) -> None:
    magento.module = {**INFO, "max_limit": 10, "email_key_fingerprint": ""}
    magento.orders = numbered(order, range(1, 30))
    list(shop.pull_orders(None, NOW))
    assert magento.paths().count("clv/module") == 1
    assert {query["limit"] for _, path, query in magento.asked if path == "clv/orders"} == {"10"}


def test_another_e_mail_key_is_refused_with_both_mends_and_nothing_is_read(
    magento: FakeMagento, shop: MagentoShop, hasher: EmailHasher
) -> None:
    magento.module = {**INFO, "email_key_fingerprint": HASHER.fingerprint}
    with pytest.raises(ConfigurationError, match=r"CLV_EMAIL_KEY.*Privacy") as caught:
        next(shop.pull_orders(None, NOW))
    assert HASHER.fingerprint in str(caught.value)
    assert magento.paths() == ["clv/module"]
    magento.module["email_key_fingerprint"] = hasher.fingerprint
    assert list(shop.pull_orders(None, NOW))


def test_a_shop_that_fails_when_asked_for_the_module_is_no_shop_without_it(
    magento: FakeMagento, shop: MagentoShop
) -> None:
    magento.rules.append(lambda *_: refused(400, "Bad request"))
    with pytest.raises(RequestRefused):
        next(shop.pull_orders(None, NOW))


@pytest.mark.parametrize(
    "answer",
    [[], {}, {"items": []}, {"items": {}, "more": False}, {"items": [], "more": True}],
    ids=json.dumps,
)
def test_an_answer_of_another_shape_is_told(
    answer: Any, magento: FakeMagento, shop: MagentoShop
) -> None:
    magento.rules.append(lambda *_: ok(answer))
    route = lean.Export(shop._http, "/rest/all/V1/clv/orders")
    with pytest.raises(RequestRefused, match="can't be read"):
        list(batches(route))


def test_rows_beyond_the_range_are_left_to_the_next(
    magento: FakeMagento, shop: MagentoShop
) -> None:
    """The export of customers knows no `to`."""
    magento.module = INFO
    magento.customers = [{"id": one} for one in range(1, 100)]

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        return ok(magento.answer(path, {k: v for k, v in query.items() if k != "to"}))

    magento.rules.append(rule)
    route = lean.Export(shop._http, "/rest/all/V1/clv/customers", id_field="id", size=20)
    found = [row["id"] for batch in batches(route, after=10, to=55) for row in batch.rows]
    assert found == list(range(11, 56))


def month(told: str, orders: int, total: object) -> dict[str, object]:
    return {"month": told, "orders": orders, "base_total_value": total}


def months_of(shop: MagentoShop, begin: datetime, end: datetime) -> list[Placed]:
    return list(shop.placed(windows(begin, end)))


def test_months_in_several_currencies_are_one_checksum_and_an_empty_month_is_none(
    magento: FakeMagento, shop: MagentoShop
) -> None:
    magento.module = {**INFO, "email_key_fingerprint": ""}
    rows = [month("2026-01", 2, "10.5000"), month("2026-01", 1, 7), month("2026-03", 1, "0.0000")]
    magento.rules.append(lambda _, path, query: ok(rows) if path.endswith("months") else None)
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    assert months_of(shop, begin, end) == [
        Placed(3, Decimal("17.5")),
        Placed(0, Decimal(0)),
        Placed(1, Decimal(0)),
    ]
    assert magento.paths() == ["clv/module", "clv/orders/months"]


@pytest.mark.parametrize("rows", [{}, [7], [month("2026-1x", 1, 2)], [{"month": "2026-01"}]])
def test_months_that_can_not_be_read_are_told(
    rows: object, magento: FakeMagento, shop: MagentoShop
) -> None:
    magento.module = {**INFO, "email_key_fingerprint": ""}
    magento.rules.append(lambda _, path, query: ok(rows) if path.endswith("months") else None)
    with pytest.raises(RequestRefused, match="can't be read"):
        months_of(shop, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
