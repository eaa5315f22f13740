"""Shopify's webhooks as the practice shop signs them: what each is taken for, and what is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import PayloadError
from connectors.hints import Hint
from connectors.identity import EmailHasher
from connectors.sandbox import SHOPIFY_CLIENT_SECRET
from connectors.sandbox.books import Books
from connectors.sandbox.shopify.hooks import PAYLOADS, Hook, hook
from connectors.shopify.webhooks import READ, hint_of, is_signed
from tests.sandbox import conftest as practice

HASHER = EmailHasher(b"a key of sixteen bytes or more")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = HASHER.person_key("ada@example.com")


books = practice.tiny  # the fixture: Ada (11) with order 101 and its refund 201, and Bo (12)


def delivered(books: Books, topic: str) -> Hook:
    special = {"refunds/create": (201,), "customers/merge": (11, 12), "shop/redact": ()}
    usual = (101,) if topic.startswith("orders/") else (11,)
    return hook(books, "us", topic, *special.get(topic, usual))


def read(one: Hook, **changed: str) -> Hint | None:
    headers = {name.lower(): value for name, value in one.headers.items()} | changed
    return hint_of("us", headers, one.body, HASHER)


ORDER: dict[str, Any] = {"kind": "order", "orders": ("101",)}
CUSTOMER: dict[str, Any] = {"kind": "customer", "customers": ("11",)}
PERSON: dict[str, Any] = {"orders": ("101",), "customers": ("11",), "email_key": ADA}
WANTED: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        ("orders/create", "orders/updated", "orders/edited", "orders/cancelled", "orders/paid"),
        ORDER,
    ),
    "refunds/create": ORDER,
    "orders/delete": {**ORDER, "kind": "order deleted"},
    **dict.fromkeys(("customers/create", "customers/update"), CUSTOMER),
    **dict.fromkeys(("customer.tags_added", "customer.tags_removed"), CUSTOMER),
    "customers/delete": {**CUSTOMER, "kind": "customer gone"},
    "customers/merge": {"kind": "customer gone", "customers": ("12",)},
    "customers/data_request": {**PERSON, "kind": "data request", "request": "110"},
    "customers/redact": {**PERSON, "kind": "erase customer"},
    "shop/redact": {"kind": "erase shop"},
}


@pytest.mark.parametrize("topic", WANTED)
def test_each_topic_becomes_a_hint_of_ids(books: Books, topic: str) -> None:
    one = delivered(books, topic)
    event = one.headers["X-Shopify-Event-Id"]
    assert read(one) == Hint("us", event, topic, **WANTED[topic], triggered_at=NOW)


def test_all_topics_that_the_practice_shop_delivers_are_known_but_for_one() -> None:
    assert set(PAYLOADS) - set(READ) == {"bulk_operations/finish"}
    assert set(WANTED) <= set(READ)


def test_a_topic_that_nothing_follows_from_is_no_hint(books: Books) -> None:
    one = delivered(books, "orders/create")
    assert read(one, **{"x-shopify-topic": "app/uninstalled"}) is None


def test_no_hint_holds_a_name_an_address_or_an_email(books: Books) -> None:
    for topic in WANTED:
        told = repr(read(delivered(books, topic))).lower()
        assert not any(word in told for word in ("ada@", "example.com", "møller"))


def test_only_the_very_bytes_under_the_secret_count_as_signed(books: Books) -> None:
    one = delivered(books, "orders/create")

    def signed(hook: Hook, secret: str = SHOPIFY_CLIENT_SECRET) -> bool:
        return is_signed(hook.body, hook.headers["X-Shopify-Hmac-Sha256"], secret)

    assert signed(one)
    assert signed(one.twin())
    assert not signed(one.forged())
    assert not signed(one.tampered())
    assert not signed(one, "another secret")
    assert not is_signed(one.body, "", SHOPIFY_CLIENT_SECRET)
    assert not is_signed(one.body, "ø" * 44, SHOPIFY_CLIENT_SECRET)


def test_the_signature_is_compared_in_constant_time(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hmac

    compared: list[int] = []
    compare = hmac.compare_digest
    monkeypatch.setattr(
        hmac, "compare_digest", lambda a, b: bool(compared.append(len(a))) or compare(a, b)
    )
    one = delivered(books, "orders/create")
    assert is_signed(one.body, one.headers["X-Shopify-Hmac-Sha256"], SHOPIFY_CLIENT_SECRET)
    assert compared == [44]


#: A good signature covers the body alone: who has seen one delivery can put any topic above it.
@pytest.mark.parametrize(
    ("signed_for", "put_above"),
    [
        ("customers/data_request", "customers/redact"),
        ("customers/data_request", "shop/redact"),
        ("customers/redact", "shop/redact"),
        ("customers/redact", "customers/data_request"),
        ("customers/update", "customers/redact"),
        ("orders/create", "customers/redact"),
        ("orders/create", "shop/redact"),
        ("orders/create", "orders/edited"),
        ("customers/merge", "orders/delete"),
    ],
)
def test_a_body_under_another_topic_is_refused(
    books: Books, signed_for: str, put_above: str
) -> None:
    with pytest.raises(PayloadError):
        read(delivered(books, signed_for), **{"x-shopify-topic": put_above})


@pytest.mark.parametrize("topic", ["customers/redact", "customers/data_request", "shop/redact"])
def test_what_the_law_asks_of_another_shop_is_refused(books: Books, topic: str) -> None:
    with pytest.raises(PayloadError, match="another shop"):
        read(delivered(books, topic), **{"x-shopify-shop-domain": "other.myshopify.com"})


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"id": "x"}', b'{"id": true}'])
def test_a_body_that_is_no_order_is_named_and_not_quoted(body: bytes) -> None:
    headers = {"x-shopify-topic": "orders/create"}
    with pytest.raises(PayloadError):
        hint_of("us", headers, body, HASHER)


def test_without_an_event_id_the_delivery_or_the_body_tells_repeats_apart() -> None:
    def event(**headers: str) -> str:
        topic = {"x-shopify-topic": "orders/create", **headers}
        hint = hint_of("us", topic, json.dumps({"id": 1}).encode(), HASHER)
        assert hint
        return hint.event

    assert event(**{"x-shopify-event-id": "e", "x-shopify-webhook-id": "w"}) == "e"
    assert event(**{"x-shopify-webhook-id": "w"}) == "w"
    assert event() == event()
    assert len(event()) == 64


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-20T12:00:00"])
def test_an_instant_that_nobody_can_place_is_left_out(text: str) -> None:
    headers = {"x-shopify-topic": "orders/create", "x-shopify-triggered-at": text}
    hint = hint_of("us", headers, b'{"id": 1}', HASHER)
    assert hint is not None
    assert hint.triggered_at is None
