"""The sandbox's webhooks: signed over the bytes that are sent, and delivered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from connectors.sandbox import SHOPIFY_CLIENT_SECRET
from connectors.sandbox.books import Books
from connectors.sandbox.shopify.hooks import PAYLOADS, Hook, deliver, hook

SUBJECTS = {"refunds/create": (201,), "customers/merge": (11, 12), "shop/redact": ()}


def about(books: Books, topic: str) -> Hook:
    subject = (101,) if topic.startswith("orders/") else (11,)
    return hook(books, "us", topic, *SUBJECTS.get(topic, subject))


def good(one: Hook) -> bool:
    digest = hmac.new(SHOPIFY_CLIENT_SECRET.encode(), one.body, hashlib.sha256).digest()
    return one.headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()


@pytest.mark.parametrize("topic", [t for t in PAYLOADS if t != "bulk_operations/finish"])
def test_every_topic_is_signed_over_its_bytes(tiny: Books, topic: str) -> None:
    one = about(tiny, topic)
    assert (one.headers["X-Shopify-Topic"], good(one)) == (topic, True)
    assert one.headers["X-Shopify-Shop-Domain"] == "us.myshopify.com"
    assert one.headers["X-Shopify-Triggered-At"] == "2026-11-20T12:00:00Z"
    assert isinstance(json.loads(one.body), dict)


def test_payloads_are_those_of_rest(tiny: Books) -> None:
    order = json.loads(about(tiny, "orders/updated").body)
    assert (order["id"], order["customer"]["id"], len(order["refunds"])) == (101, 11, 1)
    refund = json.loads(about(tiny, "refunds/create").body)
    assert (refund["id"], refund["order_id"]) == (201, 101)
    redact = json.loads(about(tiny, "customers/redact").body)
    assert redact["customer"] == {"id": 11, "email": "ada@example.com", "phone": None}
    assert redact["orders_to_redact"] == [101]


def test_twins_share_the_event_and_forgeries_do_not_hold(tiny: Books) -> None:
    one = about(tiny, "orders/create")
    twin = one.twin()
    assert twin.headers["X-Shopify-Event-Id"] == one.headers["X-Shopify-Event-Id"]
    assert twin.headers["X-Shopify-Webhook-Id"] != one.headers["X-Shopify-Webhook-Id"]
    assert [good(each) for each in (twin, one.forged(), one.tampered())] == [True, False, False]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[Any]]]:
    """An address, and what came in there."""
    seen: list[Any] = []

    class Listener(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, dict(self.headers), body))
            self.send_response(200 if len(seen) < 3 else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/webhooks", seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.end_to_end
def test_hooks_are_delivered_as_they_are(tiny: Books, listener: tuple[str, list[Any]]) -> None:
    url, seen = listener
    one = about(tiny, "orders/create")
    assert deliver(url, [one, one, one.forged()]) == [200, 200, 401]
    assert [(path, body) for path, _, body in seen] == [("/webhooks", one.body)] * 3
    assert all(one.headers.items() <= headers.items() for _, headers, _ in seen[:2])
