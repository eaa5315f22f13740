"""Shopify's webhooks, read: is it really the shop, and what is it about? Pure, without HTTP.

A delivery is a hint that something happened, by ids alone: what did happen is asked of the shop. So
it is of no account in which order they come, how often, or what else a body says.
https://shopify.dev/docs/apps/build/webhooks/delivery-structure and
https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance (2026-11-29)

The signature covers the body alone, neither the topic nor an id in a header. A body that was signed
for something else is therefore no reason to erase: those topics are told by what is in them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.errors import PayloadError
from connectors.hints import Hint
from connectors.identity import EmailHasher
from connectors.shopify.reading import Part

SIGNATURE = "x-shopify-hmac-sha256"
TOPIC = "x-shopify-topic"
DOMAIN = "x-shopify-shop-domain"
EVENT = "x-shopify-event-id"
DELIVERY = "x-shopify-webhook-id"
TRIGGERED_AT = "x-shopify-triggered-at"

Headers = Mapping[str, str]


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether who knows the secret has signed just these bytes. Takes as long either way."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return hmac.compare_digest(base64.b64encode(digest), signature.encode("utf-8", "replace"))


def hint_of(shop: str, headers: Headers, body: bytes, hasher: EmailHasher) -> Hint | None:
    """What a signed delivery is about; None for topics that nothing follows from.

    Raises PayloadError where the body isn't what its topic says.
    """
    topic = headers.get(TOPIC, "")
    read = READ.get(topic)
    if read is None:
        return None
    payload = _object(body)
    event = headers.get(EVENT) or headers.get(DELIVERY) or hashlib.sha256(body).hexdigest()
    told = read(payload, headers.get(DOMAIN, ""), hasher)
    return Hint(shop, event[:100], topic, **told, triggered_at=_instant(headers))


def _object(body: bytes) -> Part:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise PayloadError("the body is no JSON object", field="body")
    return Part(payload)


def _instant(headers: Headers) -> datetime | None:
    try:
        moment = datetime.fromisoformat(headers.get(TRIGGERED_AT, ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


# ------------------------------------------------------------------------------- topic by topic

Told = dict[str, Any]
Reading = Callable[[Part, str, EmailHasher], Told]


def _order(key: str) -> Reading:
    return lambda payload, *_: {"kind": "order", "orders": (payload.needed_id(key),)}


def _edited(payload: Part, *_: object) -> Told:
    edit = payload.part("order_edit")
    if edit is None:
        raise payload.wrong("order_edit", "is missing")
    return {"kind": "order", "orders": (edit.needed_id("order_id"),)}


def _deleted(payload: Part, *_: object) -> Told:
    return {"kind": "order deleted", "orders": (payload.needed_id("id"),)}


def _customer(key: str) -> Reading:
    return lambda payload, *_: {"kind": "customer", "customers": (payload.needed_id(key),)}


def _customer_gone(key: str) -> Reading:
    return lambda payload, *_: {"kind": "customer gone", "customers": (payload.needed_id(key),)}


def _person(payload: Part, domain: str, hasher: EmailHasher) -> Told:
    """Whom it is about; the e-mail is hashed here and goes no further."""
    _of_this_shop(payload, domain)
    customer = payload.part("customer")
    if customer is None:
        raise payload.wrong("customer", "is missing")
    customer_id = customer.id("id")
    return {
        "customers": (customer_id,) if customer_id else (),
        "email_key": hasher.key_of(customer.text("email")),
    }


def _erase_customer(payload: Part, domain: str, hasher: EmailHasher) -> Told:
    told = _person(payload, domain, hasher)
    return {**told, "kind": "erase customer", "orders": _ids(payload, "orders_to_redact")}


def _data_request(payload: Part, domain: str, hasher: EmailHasher) -> Told:
    told = _person(payload, domain, hasher)
    request = payload.part("data_request")
    return {
        **told,
        "kind": "data request",
        "orders": _ids(payload, "orders_requested"),
        "request": request.id("id") if request else None,
    }


def _erase_shop(payload: Part, domain: str, _: EmailHasher) -> Told:
    _of_this_shop(payload, domain)
    if payload.data.keys() - {"shop_id", "shop_domain"}:
        raise PayloadError("the body says more than that a shop goes", field="body")
    return {"kind": "erase shop"}


def _of_this_shop(payload: Part, domain: str) -> None:
    if payload.needed("shop_domain").lower() != domain.lower():
        raise payload.wrong("shop_domain", "is another shop's")


def _ids(payload: Part, key: str) -> tuple[str, ...]:
    """A list of ids, which has to be there: no other body has it."""
    values = payload.data.get(key)
    if not isinstance(values, list):
        raise payload.wrong(key, "is no list")
    return tuple(Part({key: value}).needed_id(key) for value in values)


READ: Mapping[str, Reading] = {
    **dict.fromkeys(
        (
            "orders/create",
            "orders/updated",
            "orders/cancelled",
            "orders/paid",
            "orders/fulfilled",
            "orders/partially_fulfilled",
        ),
        _order("id"),
    ),
    "orders/edited": _edited,
    "orders/delete": _deleted,
    "refunds/create": _order("order_id"),
    **dict.fromkeys(
        ("customers/create", "customers/update", "customers/enable", "customers/disable"),
        _customer("id"),
    ),
    **dict.fromkeys(("customer.tags_added", "customer.tags_removed"), _customer("customerId")),
    "customers/delete": _customer_gone("id"),
    "customers/merge": _customer_gone("admin_graphql_api_customer_deleted_id"),
    "customers/data_request": _data_request,
    "customers/redact": _erase_customer,
    "shop/redact": _erase_shop,
}
