"""`clv-sync serve`: who is let in, what is kept, and what happens under load and at the end."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from benchmarks.webhook_load import loaded
from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.hints import Hint, Hints, beside
from connectors.identity import EmailHasher
from connectors.sandbox import SHOPIFY_CLIENT_SECRET
from connectors.sandbox.books import Books
from connectors.sandbox.shopify.hooks import Hook, hook, signature
from connectors.serve.app import LARGEST_BODY, create_app
from connectors.serve.keeping import Keeper
from connectors.serve.server import bound, listening_for, server_of
from tests.sandbox import conftest as practice

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HASHER = EmailHasher(b"a key of sixteen bytes or more")
US = ShopSettings(
    "us", "shopify", url="https://us.myshopify.com", client_secret=SHOPIFY_CLIENT_SECRET
)
PRACTICE = replace(US, shop="practice", url="http://127.0.0.1:8321/us")


tiny = practice.tiny  # the fixture: Ada (11) with an order, and others


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return beside(tmp_path / "store.duckdb")


@pytest.fixture
def hints(path: Path) -> Iterator[Hints]:
    with Hints.open(path) as opened:
        yield opened


@pytest.fixture
def app(hints: Hints) -> Any:
    return create_app([US, PRACTICE], HASHER, hints, Keeper(hints, lambda: NOW))


def deleted(order: int, event: str = "", at: str = "2026-11-29T11:00:00Z") -> Hook:
    """One of the practice shop's, made without its books."""
    body = b'{"id":%d}' % order
    headers = {
        "X-Shopify-Topic": "orders/delete",
        "X-Shopify-Hmac-Sha256": signature(body),
        "X-Shopify-Shop-Domain": "us.myshopify.com",
        "X-Shopify-Event-Id": event or f"event {order}",
        "X-Shopify-Triggered-At": at,
    }
    return Hook("orders/delete", body, headers)


def asked(app: Any, one: Hook, path: str = "/webhooks", pieces: int = 1) -> int:
    return asyncio.run(_asked(app, one, path, pieces))


async def _asked(app: Any, one: Hook, path: str, pieces: int = 1, method: str = "POST") -> int:
    """The status that the app answers with."""
    size = max(-(-len(one.body) // pieces), 1)
    parts = [one.body[at : at + size] for at in range(0, len(one.body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, start=1)
    ]
    headers = [(key.lower().encode(), value.encode()) for key, value in one.headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "root_path": "",
             "headers": headers, "scheme": "http", "server": ("127.0.0.1", 1), "raw_path": b"",
             "client": ("127.0.0.1", 1), "http_version": "1.1"}  # fmt: skip
    statuses: list[int] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    (status,) = statuses
    return status


# ---------------------------------------------------------------------------------- who is let in


def test_a_signed_delivery_is_kept_before_it_is_answered(app: Any, hints: Hints) -> None:
    assert asked(app, deleted(101)) == 200
    (hint,) = hints.pending("us")
    assert (hint.kind, hint.orders) == ("order deleted", ("101",))


@pytest.mark.parametrize("wrong", [Hook.forged, Hook.tampered])
def test_a_delivery_that_is_not_signed_is_refused_and_not_kept(
    app: Any, hints: Hints, wrong: Any
) -> None:
    assert asked(app, wrong(deleted(101))) == 401
    assert hints.waiting() == 0


def test_without_a_signature_or_of_an_unknown_shop_it_is_401_too(app: Any, hints: Hints) -> None:
    one = deleted(101)
    unsigned = {key: value for key, value in one.headers.items() if "Hmac" not in key}
    stranger = {**one.headers, "X-Shopify-Shop-Domain": "stranger.myshopify.com"}
    assert asked(app, replace(one, headers=unsigned)) == 401
    assert asked(app, replace(one, headers=stranger)) == 401
    assert asked(app, one, "/webhooks/nobody") == 401
    assert hints.waiting() == 0


def test_a_shop_is_named_by_its_address_too_but_a_cloud_shop_must_be_the_sender(
    app: Any, hints: Hints
) -> None:
    other = {**deleted(7).headers, "X-Shopify-Shop-Domain": "other.myshopify.com"}
    assert asked(app, deleted(101), "/webhooks/us") == 200
    assert asked(app, replace(deleted(7), headers=other), "/webhooks/us") == 401
    assert asked(app, deleted(102), "/webhooks/practice") == 200
    assert [hint.orders for hint in hints.pending("practice")] == [("102",)]


def test_the_signature_is_that_of_the_raw_body_however_it_comes_in(app: Any, hints: Hints) -> None:
    body = b'{ "id" : 101,\n "note": "\\u00e9" }'
    headers = {**deleted(101).headers, "X-Shopify-Hmac-Sha256": signature(body)}
    assert asked(app, Hook("orders/delete", body, headers), pieces=7) == 200
    assert hints.waiting() == 1


def test_a_body_that_is_too_large_is_refused_before_it_is_held(app: Any, hints: Hints) -> None:
    body = b" " * (LARGEST_BODY + 1)
    large = Hook("orders/delete", body, {**deleted(1).headers})
    assert asked(app, large, pieces=9) == 413


def test_a_body_that_drips_is_given_up(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.serve.app.SLOWEST_BODY", 0.01)

    async def asked_slowly() -> int:
        statuses: list[int] = []

        async def receive() -> Any:
            await asyncio.sleep(1)

        async def send(message: Any) -> None:
            statuses.append(message.get("status"))

        scope = {"type": "http", "method": "POST", "path": "/webhooks", "headers": [],
                 "query_string": b"", "root_path": "", "scheme": "http", "raw_path": b"",
                 "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 1)}  # fmt: skip
        await app(scope, receive, send)
        return statuses[0]

    assert asyncio.run(asked_slowly()) == 408


def test_a_signed_body_that_is_not_its_topics_is_400_and_quotes_nothing(
    app: Any, hints: Hints, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"id":"ada@example.com"}'
    headers = {**deleted(1).headers, "X-Shopify-Hmac-Sha256": signature(body)}
    assert asked(app, Hook("orders/delete", body, headers)) == 400
    assert "ada" not in caplog.text
    assert "refused=id" in caplog.text


def test_a_topic_that_nothing_follows_from_is_answered_so_that_it_does_not_come_again(
    app: Any, hints: Hints
) -> None:
    headers = {**deleted(1).headers, "X-Shopify-Topic": "app/uninstalled"}
    assert asked(app, replace(deleted(1), headers=headers)) == 200
    assert hints.waiting() == 0


def test_other_ways_in_are_closed(app: Any) -> None:
    one = deleted(1)
    assert asyncio.run(_asked(app, one, "/webhooks", method="GET")) == 405
    assert asked(app, one, "/") == 404


# -------------------------------------------------------------------------------- what is kept


def test_replays_twins_and_any_order_of_arrival_leave_the_same_hints(
    app: Any, hints: Hints
) -> None:
    one, two = deleted(101), deleted(102, at="2026-11-29T10:00:00Z")
    for delivery in (one, two, one.twin(), one, two):
        assert asked(app, delivery) == 200
    assert {hint.orders for hint in hints.pending("us")} == {("101",), ("102",)}
    assert hints.waiting() == 2


def test_who_is_to_be_erased_is_kept_by_id_and_hash_alone(
    app: Any, hints: Hints, path: Path, tiny: Books
) -> None:
    assert asked(app, hook(tiny, "us", "customers/redact", 11)) == 200
    (hint,) = hints.pending("us")
    assert hint.email_key == HASHER.person_key("ada@example.com")
    held = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    assert b"ada" not in held
    assert b"guest-" in held


def test_under_load_many_share_a_commit_and_none_is_lost(hints: Hints) -> None:
    commits: list[int] = []
    add = hints.add

    class Slow(Hints):
        def add(self, told: Any, at: datetime) -> int:
            commits.append(len(told))
            return add(told, at)

    slow = Slow(hints._connection)
    app = create_app([US], HASHER, slow, Keeper(slow, lambda: NOW))

    async def all_at_once() -> list[int]:
        waiting = [_asked(app, deleted(number), "/webhooks") for number in range(1, 301)]
        return list(await asyncio.wait_for(asyncio.gather(*waiting), 20))

    assert set(asyncio.run(all_at_once())) == {200}
    assert len(hints.pending("us")) == 300
    assert len(commits) < 50


def test_where_a_hint_cannot_be_kept_the_shop_is_told_to_come_again(hints: Hints) -> None:
    class Full(Hints):
        def add(self, told: Any, at: datetime) -> int:
            raise sqlite3.OperationalError("database or disk is full")

    full = Full(hints._connection)
    app = create_app([US], HASHER, full, Keeper(full, lambda: NOW))
    assert asked(app, deleted(1)) == 503
    assert hints.waiting() == 0


# ------------------------------------------------------------------------- served over loopback


@pytest.fixture
def served(app: Any) -> Iterator[int]:
    listener, ready = bound("127.0.0.1", 0), threading.Event()
    server = server_of(app, ready.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    assert ready.wait(10)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.mark.end_to_end
def test_its_health_is_told(served: int, hints: Hints) -> None:
    hints.add([Hint("us", "e", "orders/create", "order", ("1",))], NOW)
    connection = HTTPConnection("127.0.0.1", served, timeout=5)
    connection.request("GET", "/healthz")
    with connection.getresponse() as answer:
        assert (answer.status, answer.read()) == (200, b'{"ok":true,"waiting":1}')
    connection.close()


@pytest.mark.end_to_end
def test_two_hundred_a_second_are_answered_and_none_is_lost(served: int, hints: Hints) -> None:
    """`benchmarks/webhooks.py` in short: with replays and forgeries, times in no order."""
    plan = {"rate": 200, "seconds": 2, "replayed": 0.1, "forged": 0.1, "connections": 20}
    url = f"http://127.0.0.1:{served}/webhooks"
    told = asyncio.run(loaded(url, SHOPIFY_CLIENT_SECRET, plan))
    assert set(told["seconds"]) == {"200", "forged 401"}
    kept = [order for hint in hints.pending("us") for order in hint.orders]
    assert sorted(kept) == [str(order) for order in told["signed"]]
    assert max(told["seconds"]["200"]) < 5  # what Shopify waits


def test_a_taken_port_is_told_with_its_mend() -> None:
    with bound("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(ConfigurationError, match="--port"):
            bound("127.0.0.1", taken.getsockname()[1])


def test_a_shop_without_a_secret_can_not_be_listened_for() -> None:
    with pytest.raises(ConfigurationError, match="CLV_US_CLIENT_SECRET"):
        listening_for([replace(US, client_secret="")])
    with pytest.raises(ConfigurationError, match="no Shopify shop"):
        listening_for([ShopSettings("eu", "magento")])
