"""Webhooks of the sandbox's Shopify: made of the books, signed, and delivered to an address.

https://shopify.dev/docs/apps/build/webhooks and .../privacy-law-compliance (2026-11-21). What is
delivered again has the same bytes; two subscriptions to one event share its id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox import SHOPIFY_CLIENT_SECRET
from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.money import Json, gid, pen_of, utc
from connectors.sandbox.shopify.render import customer_json, refunds_json
from connectors.sandbox.shopify.rest import Orders
from connectors.sandbox.shopify.root import domain_of
from connectors.sandbox.shopify.setup import SCOPES

VERSION = "2026-10"


@dataclass(frozen=True, slots=True)
class Hook:
    """One delivery: what is sent, and the headers beside it."""

    topic: str
    body: bytes
    headers: Mapping[str, str]

    def twin(self) -> Hook:
        """The same event for another subscription: another webhook id."""
        return self._with({"X-Shopify-Webhook-Id": str(uuid.uuid4())})

    def forged(self) -> Hook:
        """Signed by somebody who doesn't know the secret."""
        return self._with({"X-Shopify-Hmac-Sha256": signature(self.body, "another secret")})

    def tampered(self) -> Hook:
        """Other bytes under a signature that was good."""
        return replace(self, body=self.body + b" ")

    def _with(self, changed: Mapping[str, str]) -> Hook:
        return replace(self, headers={**self.headers, **changed})


def signature(body: bytes, secret: str = SHOPIFY_CLIENT_SECRET) -> str:
    """What X-Shopify-Hmac-Sha256 says of a body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def hook(
    books: Books, shop: str, topic: str, *subjects: int, triggered_at: datetime | None = None
) -> Hook:
    """A webhook about rows of the books, as they are now.

    `subjects` is an order's id, a refund's or a customer's, by topic; for customers/merge the one
    kept and the one gone; for bulk_operations/finish the operation's number. Rows that are gone are
    no hindrance to orders/delete, customers/delete and the compliance topics. Raises KeyError for a
    topic that is missing here.
    """
    payload = PAYLOADS[topic](books, shop, *subjects)
    body = json.dumps(payload, separators=(",", ":")).encode()
    at = triggered_at or books.clock()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature(body),
        "X-Shopify-Shop-Domain": domain_of(books.shop(shop)),
        "X-Shopify-API-Version": VERSION,
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Event-Id": str(uuid.uuid4()),
        "X-Shopify-Triggered-At": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    return Hook(topic, body, headers)


def deliver(url: str, hooks: Iterable[Hook], timeout: float = 5.0) -> list[int]:
    """POST them one after another over one connection; the statuses of the answers."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    statuses = []
    try:
        for one in hooks:
            connection.request("POST", parts.path or "/", one.body, dict(one.headers))
            with connection.getresponse() as answer:
                answer.read()
                statuses.append(answer.status)
    finally:
        connection.close()
    return statuses


# ------------------------------------------------------------------ payloads


def _order(books: Books, shop: str, order_id: int) -> Json:
    orders = Orders(books, shop, SCOPES)
    (order,) = orders.rendered([orders.one(order_id)])
    return order


def _edited(books: Books, shop: str, order_id: int) -> Json:
    edit = {"id": order_id * 10, "app_id": 1, "order_id": order_id, "user_id": 1, "notify": False}
    lines: Json = {"additions": [], "removals": []}
    return {"order_edit": {**edit, "created_at": utc(books.now()), "line_items": lines}}


def _refund(books: Books, shop: str, refund_id: int) -> Json:
    (row,) = books.query("SELECT * FROM refunds WHERE shop = ? AND id = ?", (shop, refund_id))
    order = books.order(shop, row["order_id"])
    if order is None:
        raise LookupError(row["order_id"])
    (refund,) = refunds_json(order, [row], pen_of(books.shop(shop)))
    return refund


def _customer(books: Books, shop: str, customer_id: int) -> Json:
    row = books.customer(shop, customer_id)
    if row is None:
        raise LookupError(customer_id)
    tags = books.tags_of(shop, [customer_id])[customer_id]
    return customer_json(row, sorted(tags), pen_of(books.shop(shop)))


def _customer_gone(_: Books, __: str, customer_id: int) -> Json:
    gone: Json = {"id": customer_id, "phone": None, "addresses": [], "tax_exemptions": []}
    return {**gone, "admin_graphql_api_id": gid("Customer", customer_id)}


def _merged(_: Books, __: str, kept: int, gone: int) -> Json:
    return {
        "admin_graphql_api_customer_kept_id": gid("Customer", kept),
        "admin_graphql_api_customer_deleted_id": gid("Customer", gone),
        "admin_graphql_api_job_id": None,
        "status": "completed",
        "errors": [],
    }


def _tagged(books: Books, shop: str, customer_id: int) -> Json:
    tags = books.tags_of(shop, [customer_id])[customer_id]
    about = {"customerId": gid("Customer", customer_id), "tags": tags}
    return {**about, "occurredAt": utc(books.now())}


def _bulk_finished(books: Books, shop: str, number: int) -> Json:
    sql = "SELECT * FROM bulks WHERE shop = ? AND uuid = ?"
    (row,) = books.query(sql, (shop, str(number)))
    body = row["body"]
    return {
        "admin_graphql_api_id": gid("BulkOperation", number),
        "completed_at": utc(body["completed_at"]) if "completed_at" in body else None,
        "created_at": utc(row["started_at"]),
        "error_code": body.get("error"),
        "status": body["status"].lower(),
        "type": body["type"].lower(),
    }


def _shop(books: Books, shop: str) -> Json:
    return {"shop_id": 1, "shop_domain": domain_of(books.shop(shop))}


def _person(books: Books, shop: str, customer_id: int) -> Json:
    row: Row = books.customer(shop, customer_id) or {"email": None}
    return {"id": customer_id, "email": row["email"], "phone": None}


def _orders_of(books: Books, shop: str, customer_id: int) -> list[int]:
    sql = "SELECT id FROM orders WHERE shop = ? AND customer_id = ? ORDER BY id"
    return [row["id"] for row in books.query(sql, (shop, customer_id))]


def _data_request(books: Books, shop: str, customer_id: int) -> Json:
    return {
        **_shop(books, shop),
        "orders_requested": _orders_of(books, shop, customer_id),
        "customer": _person(books, shop, customer_id),
        "data_request": {"id": customer_id * 10},
    }


def _redact(books: Books, shop: str, customer_id: int) -> Json:
    return {
        **_shop(books, shop),
        "customer": _person(books, shop, customer_id),
        "orders_to_redact": _orders_of(books, shop, customer_id),
    }


PAYLOADS: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(("orders/create", "orders/updated", "orders/paid", "orders/cancelled"), _order),
    "orders/delete": lambda _, __, order_id: {"id": order_id},
    "orders/edited": _edited,
    "refunds/create": _refund,
    **dict.fromkeys(("customers/create", "customers/update"), _customer),
    "customers/delete": _customer_gone,
    "customers/merge": _merged,
    **dict.fromkeys(("customer.tags_added", "customer.tags_removed"), _tagged),
    "bulk_operations/finish": _bulk_finished,
    "customers/data_request": _data_request,
    "customers/redact": _redact,
    "shop/redact": _shop,
}
