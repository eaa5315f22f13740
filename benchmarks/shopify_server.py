"""A Shopify to measure against: orders rendered beforehand, and a fixed time for each answer.

python benchmarks/shopify_server.py [--orders 50000] [--page-ms 50] [--order-ms 1] [--plan standard]

Every order looks as the sandbox shows it, over REST and in a bulk result, and has an id of its own.
An order costs the server `order-ms` either way. A page of REST and every answer of GraphQL wait
`page-ms` besides. A bulk operation is begun after `queue-ms` and works by itself, five at once as
Shopify allows; its file is written while it works, as there, and not while somebody waits for it.
A plan's limits hold as on Shopify: REST calls out of a bucket of 40 at 2 a second (Plus: 400 at
20), GraphQL's points out of one of 2,000 at 100 a second (Plus: 20,000 at 1,000), counted as the
sandbox counts them. The waiting is asleep, so that answers overlap as they do on a server with idle
cores. Not simulated: how long Shopify really works for an order in bulk, of which no figure is
published. Prints its address. /_served tells what was asked for so far.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from loopback import serve
from shopify_orders import BEGIN, GAP, prepared
from shopify_shop import UNLIMITED, Operation, Shop

from connectors.sandbox.shopify.limits import PLANS
from connectors.shopify.history import ALL_ORDERS, SCOPES_PATH

AT_ONCE = 5
API = "/admin/api/2026-10/"
GRANTED = [{"handle": ALL_ORDERS}]


class Answer(NamedTuple):
    """What leaves after `seconds`."""

    body: bytes
    seconds: float = 0.0
    status: str = "200 OK"
    headers: Mapping[str, str] = {}


class Api:
    """The routes: as much of Shopify as first pulls need."""

    def __init__(
        self, shop: Shop, page_seconds: float, order_seconds: float, queue_seconds: float = 0.0
    ) -> None:
        self._shop = shop
        self._page_seconds = page_seconds
        self._order_seconds = order_seconds
        self._queue_seconds = queue_seconds
        self._at_work: list[asyncio.Task[None]] = []

    def answer(self, target: str, body: bytes, base: str) -> Answer:
        url = urlsplit(target)
        if url.path.startswith("/files/"):
            return Answer(self._shop.operations[int(url.path[7:])].content)
        if url.path.endswith("/graphql.json"):
            asked = json.loads(body)
            held, extensions = self._shop.charged(_points(asked))
            if not held:
                error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
                return Answer(_json({"errors": [error], "extensions": extensions}))
            data = self._graphql(asked, base)
            return Answer(_json({"data": data, "extensions": extensions}), self._page_seconds)
        if not self._shop.poured():
            self._shop.refused += 1
            refusal = _json({"errors": "Exceeded the calls per second for api client."})
            return Answer(refusal, 0.0, "429 Too Many Requests", {"Retry-After": "2.0"})
        return self._rest(url.path.removeprefix(API), dict(parse_qsl(url.query)), base)

    # -------------------------------------------------------------- REST

    def _rest(self, path: str, asked: Mapping[str, str], base: str) -> Answer:
        if path == "orders/count.json":
            begin, end = self._shop.window(_search(asked))
            return Answer(_json({"count": end - begin}), self._page_seconds)
        if path == SCOPES_PATH:
            return Answer(_json({"access_scopes": GRANTED}), self._page_seconds)
        if path != "orders.json":
            told = {"shop": {"id": 1, "iana_timezone": "UTC", "currency": "USD"}}
            return Answer(_json(told), self._page_seconds)
        if "ids" in asked:  # for the refunds alone
            some = [int(one) // GAP for one in asked["ids"].split(",")]
            seconds = self._page_seconds + len(some) * self._order_seconds
            return Answer(self._shop.page(some, self._shop.made.refunded), seconds)
        orders, after = self._listed(asked)
        seconds = self._page_seconds + len(orders) * self._order_seconds
        headers = {"Link": f'<{base}{API}orders.json?{after}>; rel="next"'} if after else {}
        return Answer(self._shop.page(orders, self._shop.made.rest), seconds, headers=headers)

    def _listed(self, asked: Mapping[str, str]) -> tuple[Sequence[int], str]:
        """The orders of a page, and the query of the next one."""
        limit = int(asked.get("limit", 50))
        if "page_info" in asked:
            begin, end, up = json.loads(base64.urlsafe_b64decode(asked["page_info"]))
        else:
            begin, end = self._shop.window(_search(asked))
            begin = max(begin, int(asked.get("since_id", 0)) // GAP + 1)
            up = "since_id" in asked or asked.get("order", "").endswith("asc")
        found = range(begin, end) if up else range(begin, end)[::-1]
        page, rest = found[:limit], found[limit:]
        if not rest:
            return page, ""
        state = json.dumps([min(rest), max(rest) + 1, up]).encode()
        return page, f"limit={limit}&page_info={base64.urlsafe_b64encode(state).decode()}"

    # -------------------------------------------------------------- GraphQL

    def _graphql(self, asked: Any, base: str) -> Any:
        query, variables = asked["query"], asked["variables"]
        if "currentAppInstallation" in query:
            return {"currentAppInstallation": {"accessScopes": GRANTED}}
        if "bulkOperationRunQuery(" in query:
            return {"bulkOperationRunQuery": self._run(variables["query"])}
        if "bulkOperation(" in query:
            return {"bulkOperation": self._operation(variables["id"], base)}
        if "search" in variables:
            begin, end = self._shop.window(variables["search"])
            return {"ordersCount": {"count": end - begin, "precision": "EXACT"}}
        if "OrdersCounts(" in query:
            return {
                f"c{name[1:]}": {"count": end - begin, "precision": "EXACT"}
                for name, search in variables.items()
                for begin, end in [self._shop.window(search)]
            }
        return {"nodes": [self._shop.made.refunds.get(one) for one in variables["ids"]]}

    def _run(self, query: str) -> Any:
        if sum(not one.done for one in self._shop.operations) >= AT_ONCE:
            error = {"code": "OPERATION_IN_PROGRESS", "field": None, "message": "in progress"}
            return {"bulkOperation": None, "userErrors": [error]}
        one = Operation(query, *self._shop.window(query))
        self._shop.operations.append(one)
        work = self._shop.work(one, self._queue_seconds, self._order_seconds)
        self._at_work.append(asyncio.create_task(work))
        number = len(self._shop.operations) - 1
        made = {"id": f"gid://shopify/BulkOperation/{number}", "status": "CREATED"}
        return {"bulkOperation": made, "userErrors": []}

    def _operation(self, gid: str, base: str) -> Any:
        number = int(gid.rpartition("/")[2])
        one = self._shop.operations[number]
        done = one.done
        return {
            "id": gid,
            "status": "COMPLETED" if done else "RUNNING",
            "type": "QUERY",
            "errorCode": None,
            "query": one.query,
            "createdAt": f"{BEGIN:%Y-%m-%dT%H:%M:%SZ}",
            "completedAt": f"{BEGIN:%Y-%m-%dT%H:%M:%SZ}" if done else None,
            "objectCount": str(one.objects),
            "rootObjectCount": str(one.orders),
            "fileSize": str(len(one.content)) if done else None,
            "url": f"{base}/files/{number}" if one.content else None,
            "partialDataUrl": None,
        }


def _points(asked: Any) -> int:
    """What a document costs: a change 10, a count 10, an operation's standing 1; refunds by id."""
    if "ids" in asked["variables"]:
        return 10 + len(asked["variables"]["ids"])
    if "s0" in asked["variables"]:
        return 10 * len(asked["variables"])
    return 1 if "bulkOperation(" in asked["query"] else 10


def _search(asked: Mapping[str, str]) -> str:
    """REST's bounds as a search."""
    return " ".join(
        f"{name[:-4]}:{'>=' if name.endswith('_min') else '<'}{value}"
        for name, value in asked.items()
        if name.endswith(("_at_min", "_at_max")) and value
    )


def _json(told: Any) -> bytes:
    return json.dumps(told).encode()


class Server:
    """HTTP/1.1 with as little as these clients need."""

    def __init__(self, shop: Shop, api: Api) -> None:
        self._shop = shop
        self._api = api

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        target = head.split(" ", 2)[1]
        host, length = (_header(head, name) for name in ("host", "content-length"))
        body = await reader.readexactly(int(length or 0))
        if target == "/_served":
            told = {"requests": self._shop.requests, "mb": self._shop.sent / 1e6,
                    "refused": self._shop.refused, "gone": []}  # fmt: skip
            await _send(writer, Answer(_json(told)), "")
            return
        self._shop.requests += 1
        begun = time.monotonic()
        answer = self._api.answer(target, body, f"http://{host}")
        self._shop.sent += len(answer.body)
        await asyncio.sleep(begun + answer.seconds - time.monotonic())
        await _send(writer, answer, self._shop.limit_header)


def _header(head: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*?)\r$", head, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""


async def _send(writer: asyncio.StreamWriter, answer: Answer, limit: str) -> None:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(answer.body)),
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Shop-Api-Call-Limit": limit,
        **answer.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status}\r\n{lines}\r\n".encode())
    for start in range(0, len(answer.body), 2**16):
        writer.write(answer.body[start : start + 2**16])
        await writer.drain()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--page-ms", type=float, default=50)
    parser.add_argument("--order-ms", type=float, default=1)
    parser.add_argument("--queue-ms", type=float, default=0)
    parser.add_argument("--plan", choices=[*PLANS, "none"], default="standard")
    asked = parser.parse_args()
    shop = Shop(asked.orders, prepared(), PLANS.get(asked.plan, UNLIMITED))
    times = (asked.page_ms / 1000, asked.order_ms / 1000, asked.queue_ms / 1000)
    asyncio.run(serve(Server(shop, Api(shop, *times)).talk))


if __name__ == "__main__":
    main()
