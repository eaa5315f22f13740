"""A Shopify to measure against: orders rendered beforehand, and a fixed time for each answer.

python benchmarks/shopify_server.py [--orders 50000] [--page-ms 50] [--order-ms 1] [--plan standard]

Every order looks as the sandbox shows it, over REST and in a bulk result, and has an id of its own.
An order costs the server `order-ms` either way. A page of REST and every answer of GraphQL wait
`page-ms` besides. A bulk operation is begun after `queue-ms` and works by itself, five at once as
Shopify allows; its file is written while it works, as there, and not while somebody waits for it.
A plan's limits hold as on Shopify: REST calls out of a
bucket of 40 at 2 a second (Plus: 400 at 20), GraphQL's points out of one of 2,000 at 100 a second
(Plus: 20,000 at 1,000), counted as the sandbox counts them. The waiting is asleep, so that answers
overlap as they do on a server with idle cores. Not simulated: how long Shopify really works for an
order in bulk, of which no figure is published.
Prints its address. /_served tells what was asked for so far.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from loopback import serve

from connectors.sandbox import SHOPIFY_SHOP
from connectors.sandbox.books import Books
from connectors.sandbox.population import populate
from connectors.sandbox.shopify.graphql import GraphQL
from connectors.sandbox.shopify.limits import PLANS, Bucket, Plan
from connectors.sandbox.shopify.rest import Orders
from connectors.sandbox.shopify.setup import SCOPES, configure
from connectors.sandbox.shopify.storage import Storage
from connectors.shopify.bulk.operation import ORDERS_IN_BULK, RUN_QUERY
from connectors.shopify.documents import REFUNDS, REFUNDS_AT_ONCE, ROWS_AT_ONCE
from connectors.shopify.history import ALL_ORDERS, SCOPES_PATH

TEMPLATES = 256
AT_ONCE = 5
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
GAP = 7  # ids are so far apart: others are taken by drafts
SETTLED = timedelta(days=2)  # from an order's placing to its last change
API = "/admin/api/2026-10/"
GRANTED = [{"handle": ALL_ORDERS}]
#: What stands in a rendered order where each order has something of its own.
ID, NUMBER = "111222333", "@number@"
CREATED, UPDATED = "2001-01-01T01:01:01", "2002-02-02T02:02:02"
MARKS = re.compile("|".join((ID, NUMBER, CREATED, UPDATED)))
UNLIMITED = Plan(10**9, 10**9, 10**9, 10**9)


class Template(NamedTuple):
    """Bytes with gaps: pieces, and between them which of an order's own belongs there."""

    pieces: Sequence[bytes]
    gaps: Sequence[str]

    @classmethod
    def of(cls, text: str) -> Template:
        return cls([piece.encode() for piece in MARKS.split(text)], MARKS.findall(text))

    def filled(self, own: Mapping[str, bytes]) -> bytes:
        parts = [self.pieces[0]]
        for piece, gap in zip(self.pieces[1:], self.gaps, strict=True):
            parts += (own[gap], piece)
        return b"".join(parts)


@dataclass(frozen=True)
class Prepared:
    """Orders as REST has them, whole or their refunds alone; as in bulk; and GraphQL's refunds."""

    rest: list[Template]
    refunded: list[Template]
    roots: list[Template]
    rows: list[Template]
    counts: list[int]
    refunds: dict[str, Any]


def prepared() -> Prepared:
    """The practice shop's orders with marks for what each has of its own."""
    books = Books(":memory:")
    populate(books, today=date(2026, 1, 1), limit=TEMPLATES)
    configure(books, SHOPIFY_SHOP, timezone="UTC")
    ids = [row["id"] for row in books.query(
        "SELECT id FROM orders WHERE shop = ? LIMIT ?", (SHOPIFY_SHOP, TEMPLATES)
    )]  # fmt: skip
    stamps = [text.replace("T", " ") for text in (CREATED, UPDATED)]
    books.execute("UPDATE orders SET created_at = ?, updated_at = ?", stamps)
    orders = Orders(books, SHOPIFY_SHOP, SCOPES)
    rest = orders.rendered([orders.one(order_id) for order_id in ids])
    families = _in_bulk(books)
    refunds = _refunds(books, [refund["id"] for order in rest for refund in order["refunds"]])
    books.close()
    whole = [_text(order) for order in rest]
    backs = [_text({"id": order["id"], "refunds": order["refunds"]}) for order in rest]
    lines = [families[order_id] for order_id in ids]
    names = [order["name"] for order in rest]

    def marked(texts: Iterable[str]) -> list[Template]:
        return [_marked(*one) for one in zip(texts, ids, names, strict=True)]

    return Prepared(
        rest=marked(whole),
        refunded=marked(backs),
        roots=marked(root for root, *_ in lines),
        rows=marked("".join(rows) for _, *rows in lines),
        counts=[len(some) for some in lines],
        refunds=refunds,
    )


def _marked(text: str, order_id: int, name: str) -> Template:
    return Template.of(text.replace(str(order_id), ID).replace(f'"{name}"', f'"#{NUMBER}"'))


def _in_bulk(books: Books) -> dict[int, list[str]]:
    """Each order's lines of a bulk result, its own first."""
    api = GraphQL(books, SHOPIFY_SHOP, Bucket())
    query = ORDERS_IN_BULK.replace("SEARCH", "")
    begun = api.answer({"query": RUN_QUERY, "variables": {"query": query}}, "")["data"]
    gid = begun["bulkOperationRunQuery"]["bulkOperation"]["id"]
    api.answer({"query": f'{{ bulkOperation(id: "{gid}") {{ status }} }}'}, "")
    text = Storage(books, SHOPIFY_SHOP, "").read(f"{gid.rpartition('/')[2]}.jsonl") or ""
    found: dict[int, list[str]] = {}
    for line in text.splitlines(keepends=True):
        row = json.loads(line)
        order_id = int((row.get("__parentId") or row["id"]).rpartition("/")[2])
        found.setdefault(order_id, []).append(line)
    return found


def _refunds(books: Books, ids: Sequence[int]) -> dict[str, Any]:
    """What the connector's own question for refunds is answered."""
    api = GraphQL(books, SHOPIFY_SHOP, Bucket())
    gids = [f"gid://shopify/Refund/{number}" for number in ids]
    found: dict[str, Any] = {}
    for start in range(0, len(gids), REFUNDS_AT_ONCE):
        variables = {"ids": gids[start : start + REFUNDS_AT_ONCE], "first": ROWS_AT_ONCE}
        nodes = api.answer({"query": REFUNDS, "variables": variables}, "")["data"]["nodes"]
        found |= dict(zip(variables["ids"], nodes, strict=True))
    return found


def own(order: int) -> dict[str, bytes]:
    """What the n-th order has of its own: a minute of time for each id."""
    placed = BEGIN + timedelta(minutes=order * GAP)
    times = (f"{moment:%Y-%m-%dT%H:%M:%S}" for moment in (placed, placed + SETTLED))
    texts = (str(order * GAP), f"{order:09d}", *times)
    return dict(zip((ID, NUMBER, CREATED, UPDATED), map(str.encode, texts), strict=True))


@dataclass
class Operation:
    """A bulk operation over the orders from `begin` to before `end`."""

    query: str
    begin: int
    end: int
    orders: int = 0
    objects: int = 0
    parts: list[bytes] = field(default_factory=list)
    content: bytes = b""
    done: bool = False


@dataclass
class Shop:
    """The orders 1 to `orders`, and what was asked about them."""

    orders: int
    made: Prepared
    plan: Plan
    requests: int = 0
    sent: int = 0
    refused: int = 0
    operations: list[Operation] = field(default_factory=list)
    calls: Bucket = field(default_factory=Bucket)
    points: Bucket = field(default_factory=Bucket)

    def poured(self) -> bool:
        """Whether the bucket has room for one more call of REST."""
        if self.calls.level(self.plan.rest_leak) + 1 > self.plan.rest_bucket:
            return False
        self.calls.pour(1)
        return True

    @property
    def limit_header(self) -> str:
        used = math.ceil(self.calls.level(self.plan.rest_leak))
        return f"{used}/{self.plan.rest_bucket}"

    def charged(self, points: int) -> tuple[bool, Any]:
        """Whether GraphQL's bucket held so many points, and what it tells of itself."""
        level, plan = self.points.level(self.plan.graphql_restore), self.plan
        held = level + points <= plan.graphql_bucket
        self.points.pour(points if held else 0)
        left = plan.graphql_bucket - level - (points if held else 0)
        status = {
            "maximumAvailable": plan.graphql_bucket,
            "currentlyAvailable": int(left),
            "restoreRate": plan.graphql_restore,
        }
        actual = points if held else None
        told = {"requestedQueryCost": points, "actualQueryCost": actual, "throttleStatus": status}
        return held, {"cost": told}

    def page(self, orders: Sequence[int], made: Sequence[Template]) -> bytes:
        return b'{"orders":[%b]}' % b",".join(made[n % len(made)].filled(own(n)) for n in orders)

    async def work(self, operation: Operation, queued: float, seconds: float) -> None:
        """Fills an operation's file, at its pace: some orders, then what belongs to them."""
        begun = time.monotonic() + queued
        for start in range(operation.begin, operation.end, 250):
            some = range(start, min(start + 250, operation.end))
            for templates in (self.made.roots, self.made.rows):
                operation.parts += [templates[n % len(templates)].filled(own(n)) for n in some]
            operation.orders += len(some)
            operation.objects += sum(self.made.counts[n % len(self.made.counts)] for n in some)
            await asyncio.sleep(begun + operation.orders * seconds - time.monotonic())
        operation.content = b"".join(operation.parts)
        operation.parts.clear()
        operation.done = True

    def window(self, search: str) -> tuple[int, int]:
        """The orders that a search by time finds, from and to before."""
        begin, end = 1, self.orders + 1
        for name, sign, value in re.findall(r"(\w+):(>=|<)'?([^' ]+)'?", search):
            at = datetime.fromisoformat(value)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            at -= SETTLED if name == "updated_at" else timedelta(0)
            place = math.ceil((at - BEGIN).total_seconds() / 60 / GAP)
            begin, end = (max(begin, place), end) if sign == ">=" else (begin, min(end, place))
        return begin, max(begin, end)


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


def _text(told: Any) -> str:
    return json.dumps(told, separators=(",", ":"))


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
