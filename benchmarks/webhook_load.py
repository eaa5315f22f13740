"""Deliveries at a steady rate from a process of its own, on loopback: standard library only.

python benchmarks/webhook_load.py URL SECRET PLAN

PLAN is JSON: `rate` a second for `seconds`, of which the shares `replayed` come twice and `forged`
are badly signed; `connections` are kept open. A delivery starts when its time has come, whether the
one before was answered or not, and its answer is waited for from that time on, so that a server
that stands still is not spared. Prints JSON: seconds of each answer by status, and the ids sent.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MOST = 20_000  # deliveries, whatever was asked for
LONGEST = 120  # seconds
PATIENCE = 30  # seconds until an answer counts as none
TOPICS = ("orders/create", "orders/updated", "orders/cancelled")


@dataclass(frozen=True)
class Delivery:
    """When it is due (seconds from the start), what is sent, and the order it is about."""

    due: float
    order: int
    request: bytes
    forged: bool


def body_of(order: int, dice: random.Random) -> bytes:
    """An order of about six thousand bytes, as Shopify's are."""
    lines = [
        {"id": order * 100 + n, "name": "x" * 60, "price": "19.99", "properties": [], "sku": "S"}
        for n in range(dice.randint(10, 60))
    ]
    return json.dumps({"id": order, "email": "somebody@example.com", "line_items": lines}).encode()


def deliveries(host: str, path: str, secret: str, plan: Mapping[str, Any]) -> Iterator[Delivery]:
    """In the order of their times; what is replayed comes again later, so before newer ones."""
    dice = random.Random(7)  # noqa: S311  a load, not a secret
    many = min(int(plan["rate"] * plan["seconds"]), MOST)
    sent: list[tuple[int, bytes, str]] = []
    for number in range(many):
        due = number / plan["rate"]
        forged = dice.random() < plan["forged"]
        if sent and not forged and dice.random() < plan["replayed"]:
            order, body, event = dice.choice(sent)
        else:
            order, event = 1_000_000 + number, f"event-{number}"
            body = body_of(order, dice)
            if not forged:
                sent.append((order, body, event))
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_764_000_000 + dice.randint(0, 9999)))
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "X-Shopify-Topic": TOPICS[order % len(TOPICS)],
            "X-Shopify-Shop-Domain": "us.myshopify.com",
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": at,
            "X-Shopify-Hmac-Sha256": _signature(body, "wrong" if forged else secret),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body
        yield Delivery(due, order, request, forged)


def _signature(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


async def loaded(url: str, secret: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Sends all; the answers' seconds by status (0 where none came), the orders that were signed
    and answered 200, and how late the sender itself was."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    due = list(deliveries(f"{host}:{port}", parts.path, secret, plan))
    waiting: asyncio.Queue[Delivery | None] = asyncio.Queue()
    seconds: dict[str, list[float]] = {}
    accepted: set[int] = set()
    begun = time.perf_counter() + 0.2

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while one := await waiting.get():
            writer.write(one.request)
            try:
                status = await asyncio.wait_for(_status(reader), PATIENCE)
            except (TimeoutError, OSError, asyncio.IncompleteReadError):
                status = 0
                reader, writer = await asyncio.open_connection(host, port)
            if status == 200:
                accepted.add(one.order)
            key = f"forged {status}" if one.forged else str(status)
            seconds.setdefault(key, []).append(time.perf_counter() - begun - one.due)
        writer.close()

    workers = [asyncio.create_task(connection()) for _ in range(plan["connections"])]
    late = 0.0
    for one in due:
        await asyncio.sleep(max(begun + one.due - time.perf_counter(), 0))
        late = max(late, time.perf_counter() - begun - one.due)
        waiting.put_nowait(one)
    for _ in workers:
        waiting.put_nowait(None)
    await asyncio.wait_for(asyncio.gather(*workers), LONGEST)
    signed = sorted({one.order for one in due if not one.forged})
    return {"seconds": seconds, "signed": signed, "accepted": sorted(accepted), "late": late}


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0].strip()
    await reader.readexactly(int(length or 0))
    return int(head.split()[1])


if __name__ == "__main__":
    told = asyncio.run(loaded(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
    sys.stdout.write(json.dumps(told))
