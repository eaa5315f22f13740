"""A Magento in a few lines: searches by filter, customers that can be written, and its quirks."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.config import ShopSettings
from connectors.http import Http, Retry
from connectors.identity import EmailHasher
from connectors.magento import MagentoShop, ranges, search

PAYLOADS = Path(__file__).parents[1] / "payloads" / "magento"
BASE = "https://shop.example"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Reply = tuple[int, dict[str, str], str]
Rule = Callable[[str, str, dict[str, str]], Reply | None]

CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: str(value) == str(wanted),
    "gt": operator.gt,
    "gteq": operator.ge,
    "lteq": operator.le,
    "in": lambda value, wanted: str(value) in wanted.split(","),
}


def recorded(name: str) -> Any:
    return json.loads(text_of(name), parse_float=Decimal)


@cache
def text_of(name: str) -> str:
    return (PAYLOADS / name).read_text(encoding="utf-8")


def found(rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """What Magento would find: filters, sorted by id, one page, and the count of all."""
    for group in range(10):
        head = f"searchCriteria[filter_groups][{group}][filters][0]"
        if f"{head}[field]" in query:
            rows = [row for row in rows if holds(row, *(query[f"{head}[{k}]"] for k in KEYS))]
    size = int(query["searchCriteria[pageSize]"])
    before = size * (int(query.get("searchCriteria[currentPage]", "1")) - 1)
    descending = query["searchCriteria[sortOrders][0][direction]"] == "DESC"
    rows = sorted(rows, key=row_id, reverse=descending)
    page = rows[before : before + size]
    return {"items": page, "search_criteria": {}, "total_count": len(rows)}


def exported(rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """What our module's export gives of them: by keyset, up to `limit`."""
    bounds = {
        "after": lambda row, value: row_id(row) > int(value),
        "to": lambda row, value: row_id(row) <= int(value),
        "created_from": lambda row, value: row["created_at"] >= value,
        "updated_from": lambda row, value: row["updated_at"] >= value,
        "updated_to": lambda row, value: row["updated_at"] <= value,
    }
    for name in query.keys() - {"limit"}:
        rows = [row for row in rows if bounds[name](row, query[name])]
    rows, limit = sorted(rows, key=row_id), int(query["limit"])
    last = row_id(rows[:limit][-1]) if rows else int(query["after"])
    return {"items": rows[:limit], "last": last, "more": len(rows) > limit}


KEYS = ("field", "condition_type", "value")


def holds(row: dict[str, Any], name: str, condition: str, value: str) -> bool:
    actual = row_id(row) if name == "entity_id" else row[name]
    wanted = int(value) if isinstance(actual, int) and condition != "in" else value
    return CONDITIONS[condition](actual, wanted)


def row_id(row: dict[str, Any]) -> int:
    return row["entity_id"] if "entity_id" in row else row["id"]  # type: ignore[no-any-return]


@dataclass
class FakeMagento:
    """`rules` come first: they may answer in its place, or change its rows.

    `module` is what our module says of itself, where the shop has it; `lean` makes a row of its
    export from one of a stock route.
    """

    orders: list[dict[str, Any]] = field(default_factory=list)
    creditmemos: list[dict[str, Any]] = field(default_factory=list)
    customers: list[dict[str, Any]] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    module: dict[str, Any] | None = None
    lean: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row
    rules: list[Rule] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    one_at_a_time: Lock = field(default_factory=Lock)

    def __call__(self, request: Any) -> Reply:
        """Readers ask side by side; no rule changes rows while others are being found."""
        with self.one_at_a_time:
            return self.reply(request)

    def reply(self, request: Any) -> Reply:
        path = urlsplit(request.url).path.removeprefix("/rest/all/V1/")
        query = dict(parse_qsl(urlsplit(request.url).query))
        self.asked.append((request.method, path, query))
        for rule in self.rules:
            reply = rule(request.method, path, query)
            if reply is not None:
                return reply
        if path.startswith("clv/") and self.module is None:
            return refused(404, "Request does not match any route.")
        if request.method == "PUT":
            return self.put(int(path.removeprefix("customers/")), json.loads(request.body))
        return ok(self.answer(path, query))

    def answer(self, path: str, query: dict[str, str]) -> Any:
        if path == "store/storeViews":
            return recorded("store_views.json")
        if path == "store/storeConfigs":
            return recorded("store_configs.json")
        if path == "attributeMetadata/customer":
            return [{"attribute_code": code} for code in sorted(self.attributes)]
        if path == "clv/module":
            return self.module
        if path.startswith("clv/"):
            rows = [self.lean(row) for row in getattr(self, path.removeprefix("clv/"))]
            return exported(rows, query)
        return found(getattr(self, path.removesuffix("/search")), query)

    def put(self, customer_id: int, body: dict[str, Any]) -> Reply:
        """Merge, as 2.4.7 does: unknown attributes are dropped silently, "" removes a value."""
        assert set(body["customer"]) == {"id", "custom_attributes"}
        assert body["customer"]["id"] == customer_id
        customer = next(row for row in self.customers if row["id"] == customer_id)
        values = {
            one["attribute_code"]: one["value"] for one in customer.get("custom_attributes", [])
        }
        for one in body["customer"]["custom_attributes"]:
            if one["attribute_code"] in self.attributes:
                values[one["attribute_code"]] = one["value"]
        customer["custom_attributes"] = [
            {"attribute_code": code, "value": as_stored(value)}
            for code, value in values.items()
            if value != ""
        ]
        return ok(customer)

    def paths(self, method: str = "GET") -> list[str]:
        return [path for used, path, _ in self.asked if used == method]


def as_stored(value: str) -> str:
    """How the database gives decimals and dates back."""
    if re.fullmatch(r"\d+\.\d+", value):
        return f"{Decimal(value):.4f}"
    return f"{value} 00:00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value


def ok(data: Any) -> Reply:
    return 200, {"Date": "Sun, 22 Nov 2026 12:00:01 GMT"}, json.dumps(data, default=float)


def refused(status: int, message: str) -> Reply:
    return status, {}, json.dumps({"message": message})


@pytest.fixture
def magento() -> Iterator[FakeMagento]:
    fake = FakeMagento()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "PUT"):
            mock.add_callback(method, re.compile(rf"{BASE}/rest/all/V1/"), fake)
        yield fake


@pytest.fixture
def hasher() -> EmailHasher:
    return EmailHasher(b"k" * 32)


@pytest.fixture
def shop(hasher: EmailHasher) -> MagentoShop:
    http = Http(BASE, shop="eu", retry=Retry(attempts=3), sleep=lambda seconds: None)
    return MagentoShop(ShopSettings("eu", "magento", BASE, token="t"), hasher, http)


@pytest.fixture
def order() -> dict[str, Any]:
    """A bundle and a configurable with a coupon, at prices that include tax (2.4.7-p3)."""
    rows: list[dict[str, Any]] = recorded("orders.json")["items"]
    return slim(next(row for row in rows if row["entity_id"] == 36))


def slim(row: dict[str, Any]) -> dict[str, Any]:
    """The same order, quicker to send: only what is read of it."""
    kept = {key: value for key, value in row.items() if key.startswith("base_") or key in READ}
    return {**kept, "items": [slim(item) for item in row["items"]]} if "items" in row else kept


READ = {
    *("entity_id", "increment_id", "store_id", "state", "created_at", "updated_at"),
    *("customer_id", "customer_is_guest", "customer_email", "coupon_code"),
    *("item_id", "parent_item_id", "product_type", "qty_ordered", "sku", "product_id"),
}


def numbered(order: dict[str, Any], ids: Any, **fields: Any) -> list[dict[str, Any]]:
    return [{**order, "entity_id": one, "increment_id": f"{one:09}", **fields} for one in ids]


LONG_AGO = "2026-11-01 00:00:00"
MEMO = recorded("creditmemos.json")["items"][0]


@pytest.fixture
def stocked(magento: FakeMagento, order: dict[str, Any]) -> FakeMagento:
    magento.orders = numbered(order, range(1, 251), updated_at=LONG_AGO)
    magento.creditmemos = [
        {**MEMO, "entity_id": one, "order_id": one, "updated_at": LONG_AGO} for one in range(1, 121)
    ]
    return magento


@pytest.fixture(autouse=True)
def _pages_of_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests count in, whatever is fastest today."""
    monkeypatch.setattr(search, "PAGE_SIZE", 100)


@pytest.fixture
def in_small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small shop is cut into as many ranges as a large one."""
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    monkeypatch.setattr(search, "PAGE_SIZE", 5)
