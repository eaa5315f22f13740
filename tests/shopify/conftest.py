"""A Shopify order made to measure, and a small Shopify that answers over `responses`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
import responses
from graphql import FieldNode, OperationDefinitionNode, parse
from requests import PreparedRequest

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.schema import FIELDS
from connectors.shopify import ShopifyShop
from connectors.shopify.definitions import TYPES
from connectors.shopify.graphql import pause, throttled
from tests.shopify.two_doors import Shop, instant

OURS = frozenset({"clv-high", "clv-medium", "clv-low", "clv-new"})
URL = "https://toys.myshopify.com"
API = f"{URL}/admin/api/2026-10"


def bag(amount: str, currency: str = "EUR", paid: str | None = None) -> dict[str, Any]:
    """A money set; `paid` is the amount in US dollars where the customer paid in those."""
    there = {"amount": paid, "currency_code": "USD"} if paid else None
    here = {"amount": amount, "currency_code": currency}
    return {"shop_money": here, "presentment_money": there or here}


def money(key: str, amount: str, paid: str | None = None) -> dict[str, Any]:
    return {key: amount, f"{key}_set": bag(amount, paid=paid)}


def line(line_id: int, price: str, quantity: int = 1, off: str = "0.00", tax: str = "0.00") -> Any:
    allocations = [money("amount", off)] if Decimal(off) else []
    return {
        "id": line_id,
        "product_id": 10 + line_id,
        "sku": f"SKU-{line_id}",
        "vendor": "Acme",
        "quantity": quantity,
        **money("price", price),
        **money("total_discount", "0.00"),
        "discount_allocations": allocations,
        "tax_lines": [{"title": "VAT", "rate": 0.2, **money("price", tax)}],
    }


def shipping(price: str, off: str = "0.00", tax: str = "0.00") -> Any:
    left = str(Decimal(price) - Decimal(off))
    return {
        "id": 900,
        **money("price", price),
        **money("discounted_price", left),
        "is_removed": False,
        "discount_allocations": [money("amount", off)] if Decimal(off) else [],
        "tax_lines": [{"title": "VAT", **money("price", tax)}],
    }


def refund(refund_id: int = 1, **parts: Any) -> dict[str, Any]:
    return {
        "id": refund_id,
        "created_at": "2026-03-05T10:00:00+01:00",
        "processed_at": "2026-03-05T10:00:00+01:00",
        "refund_line_items": [],
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "transactions": [],
        **money("total_duties", "0.00"),
        **parts,
    }


def refunded_line(subtotal: str, tax: str) -> dict[str, Any]:
    # the plain fields are floats in the real answers, and worthless here on purpose
    plain = {"subtotal": 0.1, "total_tax": 0.1}
    return {**plain, "subtotal_set": bag(subtotal), "total_tax_set": bag(tax)}


def adjustment(kind: str, amount: str, tax: str = "0.00") -> dict[str, Any]:
    reason = kind.replace("_", " ").capitalize()
    return {
        "kind": kind,
        "reason": reason,
        **money("amount", amount),
        **money("tax_amount", tax),
    }


def paid(
    amount: str, kind: str = "refund", status: str = "success", currency: str = "EUR"
) -> dict[str, Any]:
    return {"kind": kind, "status": status, "amount": amount, "currency": currency}


def order(**changed: Any) -> dict[str, Any]:
    """2 x 50 and 1 x 20, 10% off, 5 for shipping, 20% tax on top: 135.60 in all."""
    made = {
        "id": 1001,
        "name": "#1001",
        "created_at": "2026-03-01T12:00:00+01:00",
        "processed_at": "2026-03-01T12:00:00+01:00",
        "updated_at": "2026-03-02T12:00:00+01:00",
        "cancelled_at": None,
        "test": False,
        "shipping_address": {"country_code": "SE", "zip": "11122"},
        "billing_address": {"country_code": "DE"},
        "source_name": "web",
        "currency": "EUR",
        "presentment_currency": "EUR",
        "taxes_included": False,
        "duties_included": False,
        "financial_status": "paid",
        "fulfillment_status": None,
        **money("total_price", "135.60"),
        **money("total_tax", "22.60"),
        **money("total_discounts", "12.00"),
        "total_tip_received": "0.00",
        "original_total_duties_set": None,
        "original_total_additional_fees_set": None,
        "discount_codes": [{"code": "TEN", "amount": "12.00"}],
        "line_items": [line(1, "50.00", 2, "10.00", "18.00"), line(2, "20.00", 1, "2.00", "3.60")],
        "shipping_lines": [shipping("5.00", tax="1.00")],
        "refunds": [],
        "customer": {"id": 77, "email": "ada@example.org"},
        "email": "ada@example.org",
    }
    return {**made, **changed}


def taxed_order(**changed: Any) -> dict[str, Any]:
    """Tax inside: 24.00 less 2.40 (tax 3.60), shipping 6.00 (tax 1.00): 27.60 in all."""
    return order(
        **{
            "taxes_included": True,
            **money("total_price", "27.60"),
            **money("total_tax", "4.60"),
            **money("total_discounts", "2.40"),
            "line_items": [line(1, "24.00", off="2.40", tax="3.60")],
            "shipping_lines": [shipping("6.00", tax="1.00")],
            **changed,
        }
    )


@dataclass
class SmallShopify:
    """Customers in memory behind a GraphQL door that knows the calls that this project makes.

    `calls` lists every mutation as (name, arguments). The faults: `refused` maps a customer to a
    refusal, `dropped` holds tags that are accepted and forgotten, `throttles` counts answers that
    say THROTTLED, `lost` loses the next mutation's answer after it was carried out. Our fields are
    defined and our tiers have their segments.
    """

    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)
    throttles: int = 0
    lost: bool = False
    definitions: dict[str, str] = field(
        default_factory=lambda: {name: TYPES[kind] for name, kind in FIELDS.items()}
    )
    segments: tuple[str, ...] = tuple(f"CLV: {tag.removeprefix('clv-')}" for tag in sorted(OURS))
    scopes: tuple[str, ...] = (
        "read_orders",
        "read_all_orders",
        "read_customers",
        "write_customers",
    )

    def add(self, number: int, tags: tuple[str, ...] = (), **fields: str) -> None:
        self.customers[f"gid://shopify/Customer/{number}"] = {
            "tags": list(tags),
            "fields": dict(fields),
        }

    def customer(self, number: int) -> dict[str, Any]:
        return self.customers[f"gid://shopify/Customer/{number}"]

    def answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or "{}")
        self.requests.append(body)
        headers = {"X-Shopify-API-Version": "2026-10", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}
        if self.throttles:
            self.throttles -= 1
            return 200, headers, json.dumps(THROTTLED)
        operation = parse(body["query"]).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        data = {
            (call.alias or call.name).value: self._called(call, body["variables"])
            for call in operation.selection_set.selections
            if isinstance(call, FieldNode)
        }
        if self.lost and operation.operation.value == "mutation":
            self.lost = False
            return 502, headers, "<html>Bad Gateway</html>"
        return 200, headers, json.dumps({"data": data, "extensions": {"cost": {}}})

    def _called(self, call: FieldNode, variables: dict[str, Any]) -> Any:
        given = {
            argument.name.value: variables.get(argument.value.name.value)
            for argument in call.arguments or ()
            if hasattr(argument.value, "name")
        }
        name = call.name.value
        if name in ("metafieldsSet", "metafieldsDelete", "tagsAdd", "tagsRemove"):
            self.calls.append((name, given))
        return getattr(self, f"_{name}")(**given)

    def _shop(self) -> Any:
        named = {"myshopifyDomain": "toys.myshopify.com", "plan": {"publicDisplayName": "Basic"}}
        return {"currencyCode": "EUR", "ianaTimezone": "Europe/Berlin", **named}

    def _currentAppInstallation(self) -> Any:  # noqa: N802  # the API's own name
        return {"accessScopes": [{"handle": scope} for scope in self.scopes]}

    def _metafieldDefinitions(self) -> Any:  # noqa: N802
        nodes = [{"key": name, "type": {"name": type_}} for name, type_ in self.definitions.items()]
        return {"nodes": nodes}

    def _segments(self, after: None) -> Any:
        nodes = [{"name": name, "query": ""} for name in self.segments]
        return {"pageInfo": {"hasNextPage": False}, "nodes": nodes}

    def _customers(self, first: int, after: str | None) -> Any:
        ids = sorted(self.customers, key=lambda gid: int(gid.rpartition("/")[2]))
        start = ids.index(after) + 1 if after else 0
        page = ids[start : start + first]
        more = start + first < len(ids)
        info = {"hasNextPage": more, "endCursor": page[-1] if page else None}
        return {"pageInfo": info, "nodes": [self._node(gid) for gid in page]}

    def _nodes(self, ids: list[str]) -> Any:
        return [self._node(gid) if gid in self.customers else None for gid in ids]

    def _node(self, gid: str) -> Any:
        kept = self.customers[gid]
        fields = {
            name: {"value": value, "compareDigest": f"digest of {value}"}
            for name, value in kept["fields"].items()
        }
        return {
            "id": gid,
            "createdAt": "2025-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z",
            "tags": list(kept["tags"]),
            "defaultEmailAddress": {"emailAddress": f"{gid[-1]}@Example.org "},
            **dict.fromkeys(FIELDS),
            **fields,
        }

    def _metafieldsSet(self, metafields: list[dict[str, Any]]) -> Any:  # noqa: N802
        gid = metafields[0]["ownerId"]
        if gid in self.refused:
            return {"userErrors": [{"code": "INVALID_VALUE", "message": self.refused[gid]}]}
        fields = self.customers[gid]["fields"]
        for item in metafields:
            held = fields.get(item["key"])
            if item["compareDigest"] != (None if held is None else f"digest of {held}"):
                return {"userErrors": [{"code": "STALE_OBJECT", "message": "stale"}]}
        fields.update({item["key"]: item["value"] for item in metafields})
        return {"userErrors": []}

    def _metafieldsDelete(self, metafields: list[dict[str, Any]]) -> Any:  # noqa: N802
        for item in metafields:
            self.customers[item["ownerId"]]["fields"].pop(item["key"], None)
        return {"userErrors": []}

    def _tagsAdd(self, id: str, tags: list[str]) -> Any:  # noqa: N802
        self.customers[id]["tags"] += [tag for tag in tags if tag not in self.dropped]
        return {"userErrors": []}

    def _tagsRemove(self, id: str, tags: list[str]) -> Any:  # noqa: N802
        gone = {tag.lower() for tag in tags}
        kept = self.customers[id]
        kept["tags"] = [tag for tag in kept["tags"] if tag.lower() not in gone]
        return {"userErrors": []}


THROTTLED = {
    "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
    "extensions": {
        "cost": {
            "requestedQueryCost": 962,
            "throttleStatus": {
                "maximumAvailable": 2000,
                "currentlyAvailable": 462,
                "restoreRate": 100,
            },
        }
    },
}


@pytest.fixture
def waits() -> list[float]:
    """The waits that were asked for and not waited."""
    return []


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def toys(web: responses.RequestsMock) -> SmallShopify:
    small = SmallShopify()
    web.add_callback(responses.POST, f"{API}/graphql.json", callback=small.answer)
    return small


@pytest.fixture
def hasher() -> EmailHasher:
    return EmailHasher(b"a key of sixteen bytes or more")


@pytest.fixture
def way() -> str:
    """How orders are read."""
    return "auto"


@pytest.fixture
def shop(waits: list[float], hasher: EmailHasher, way: str) -> ShopifyShop:
    settings = ShopSettings("toys", "shopify", url=URL, token="shpat_canary", tags=OURS, read=way)
    headers = {"X-Shopify-Access-Token": settings.token}
    patience = {"throttled": throttled, "pause": pause, "sleep": waits.append}
    return ShopifyShop(settings, hasher, Http(URL, shop="toys", headers=headers, **patience))


@pytest.fixture
def orders(web: responses.RequestsMock) -> Shop:
    """A shop with ten orders that serves three at a time."""
    made = [
        order(id=n, created_at=instant(9000 - n), updated_at=instant(5000 - n), processed_at=None)
        for n in range(1, 11)
    ]
    kept = Shop(web, made)
    kept.largest = 3
    return kept


class Make:
    """The builders above, for the tests."""

    order = staticmethod(order)
    taxed_order = staticmethod(taxed_order)
    line = staticmethod(line)
    shipping = staticmethod(shipping)
    refund = staticmethod(refund)
    refunded_line = staticmethod(refunded_line)
    adjustment = staticmethod(adjustment)
    paid = staticmethod(paid)
    money = staticmethod(money)
    bag = staticmethod(bag)


@pytest.fixture(scope="session")
def make() -> type[Make]:
    return Make
