"""The sandbox as one ASGI app: each shop in its own dialect, admin pages, and the controls.

/                          the shops
/admin/<shop>              the shop's admin: its customers
/<shop>/...                the shop's API
/_control/journal          GET: the requests so far, and how many of them change something
/_control/faults           GET: the fault plan; POST {"seed": 1, "faults": [{"kind": ...}]}
/_control/setup            POST {"shop": "eu", "setup": {...}}: how that shop is set up
/_control/reset            POST: an empty journal, an empty fault plan
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.sandbox import admin, magento, shopify
from connectors.sandbox.books import Books, utc_now
from connectors.sandbox.faults import Fault, FaultPlan, churn, fault_of, late
from connectors.sandbox.magento import setup as magento_setup
from connectors.sandbox.shopify import setup as shopify_setup
from connectors.sandbox.shopify.graphql import changes
from connectors.sandbox.shopify.storage import UPLOADS

_TOKENS = ("/oauth/access_token", "/ims/token/v3")
_HTML = (
    "<!doctype html>\n<html><head><title>Error {status}: Service Unavailable</title></head>"
    "<body><h1>Service Temporarily Unavailable</h1><p>Please try again later.</p></body></html>\n"
)
DRIPS = 20
CONFIGURE: Mapping[str, Callable[..., object]] = {
    "magento": magento_setup.configure,
    "shopify": shopify_setup.configure,
}


def create_app(books: Books, faults: FaultPlan) -> ASGIApp:
    """The app over open books. Shops are those in the books at this moment."""
    shops = {row["shop"]: row["platform"] for row in books.shops()}
    api = [Mount(f"/{shop}", routes=_dialect(books, shop, of)) for shop, of in shops.items()]
    pages = [
        Route("/", lambda request: HTMLResponse(admin.index(books))),
        Route("/admin/{shop}", _page(books, admin.grid)),
        Route("/admin/{shop}/customers/{id:int}", _page(books, admin.customer)),
    ]
    inner = Starlette(routes=[*pages, *_controls(books, faults), *api])
    return Street(inner, books, faults, frozenset(shops))


def _dialect(books: Books, shop: str, platform: str) -> list[BaseRoute]:
    if platform == "magento":
        return magento.routes(books, shop)
    return list(shopify.routes(books, shop))


def _page(books: Books, render: Callable[..., str | None]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        html = render(books, **request.path_params, asked=dict(request.query_params))
        if html is None:
            return HTMLResponse(admin.missing(), 404)
        return HTMLResponse(html, headers={"Content-Security-Policy": admin.POLICY})

    return endpoint


def _controls(books: Books, faults: FaultPlan) -> list[BaseRoute]:
    def journal(request: Request) -> Response:
        return JSONResponse({"requests": books.journal(), "mutating": mutating(books)})

    async def plan(request: Request) -> Response:
        if request.method == "POST":
            given = await request.json()
            try:
                faults.set(map(fault_of, given["faults"]), given.get("seed", 1))
            except (ValueError, KeyError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"faults": faults.report()})

    async def setup(request: Request) -> Response:
        given = await request.json()
        try:
            configure = CONFIGURE[books.shop(given["shop"])["platform"]]
            changed = configure(books, given["shop"], **given["setup"])
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"setup": str(changed)})

    def reset(request: Request) -> Response:
        faults.set([])
        books.execute("DELETE FROM request_journal")
        return JSONResponse({})

    return [
        Route("/_control/journal", journal),
        Route("/_control/faults", plan, methods=["GET", "POST"]),
        Route("/_control/setup", setup, methods=["POST"]),
        Route("/_control/reset", reset, methods=["POST"]),
    ]


def mutating(books: Books) -> dict[str, int]:
    """How many journaled requests asked for a change, by shop."""
    rows = books.journal()
    asked = Counter(row["shop"] for row in rows if _mutates(row))
    return {row["shop"]: asked[row["shop"]] for row in books.shops()}


def _mutates(row: MutableMapping[str, Any]) -> bool:
    path = row["path"].partition("?")[0]
    if row["method"] in ("GET", "HEAD", "OPTIONS") or path.endswith(_TOKENS):
        return False
    if path.endswith("/clv/customers"):
        return _asks_for_values(row["sent"])
    if not path.endswith("/graphql.json"):
        return f"/{UPLOADS}/" not in path
    try:
        query = json.loads(row["sent"]).get("query", "")
    except (ValueError, AttributeError):
        return False
    return changes(query)


def _asks_for_values(sent: str) -> bool:
    """Rows without a value leave our module nothing to write, whatever it makes of them.

    `doctor` sends such rows, each of customer 0, to see whether it may write: no GET shows that.
    """
    try:
        return any(row["values"] for row in json.loads(sent)["rows"])
    except (ValueError, LookupError, TypeError):
        return True


@dataclass(slots=True)
class Captured:
    """An answer before it leaves."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


class Street:
    """Stands between the shops and the world: journals every request and lets faults happen."""

    def __init__(
        self, inner: ASGIApp, books: Books, faults: FaultPlan, shops: frozenset[str]
    ) -> None:
        self._inner = inner
        self._books = books
        self._faults = faults
        self._shops = shops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shop = scope.get("path", "").split("/")[1:2]
        if scope["type"] != "http" or not shop or shop[0] not in self._shops:
            await self._inner(scope, receive, send)
            return
        body = await _read(receive)
        path = _with_query(scope)
        fault = self._faults.draw(scope["method"], path)
        answer = await self._answer(scope, shop[0], body, fault)
        sent = body.decode("utf-8", "replace")
        await run_in_threadpool(
            self._books.write_down, shop[0], scope["method"], path, sent, answer.status
        )
        answer.headers.append((b"date", self._date(shop[0])))
        await _deliver(answer, fault, send)

    def _date(self, shop: str) -> bytes:
        """What the shop's clock says: now, but for the shop that is told to be off."""
        off = self._books.shop(shop)["settings"].get("clock_offset_seconds", 0)
        return formatdate(utc_now().timestamp() + off, usegmt=True).encode()

    async def _answer(self, scope: Scope, shop: str, body: bytes, fault: Fault | None) -> Captured:
        """Carry the request out, unless the fault stops it. Status 0: no answer will leave."""
        if fault and fault.kind == "reset":
            return Captured()
        if fault and fault.kind == "status":
            return _refusal(fault)
        if fault and fault.kind == "churn":
            await run_in_threadpool(churn, self._books, shop, self._faults.rng)
        if fault and fault.kind == "late":
            await run_in_threadpool(late, self._books, shop, fault.seconds, self._faults.rng)
        answer = Captured()
        await self._inner(scope, _replay(body), answer.take)
        return answer


def _with_query(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return str(scope["path"]) + (f"?{query}" if query else "")


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replay(body: bytes) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _refusal(fault: Fault) -> Captured:
    if fault.html:
        response: Response = HTMLResponse(_HTML.format(status=fault.status), fault.status)
    else:
        response = JSONResponse({"message": "The sandbox was told to refuse this."}, fault.status)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    return Captured(fault.status, list(response.raw_headers), bytes(response.body))


async def _deliver(answer: Captured, fault: Fault | None, send: Send) -> None:
    kind = fault.kind if fault else None
    if kind in ("reset", "lost"):
        await _hang_up(send)
        return
    if fault and kind == "slow":
        await asyncio.sleep(fault.seconds)
    whole, half = answer.body, answer.body[: len(answer.body) // 2]
    body = half if kind in ("truncated", "cut") else whole
    length = len(half) if kind == "truncated" else len(whole)
    headers = [(k, v) for k, v in answer.headers if k.lower() != b"content-length"]
    headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    pieces = DRIPS if kind == "drip" else 1
    size = -(-len(body) // pieces) or 1
    for start in range(0, len(body), size):
        chunk = body[start : start + size]
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await asyncio.sleep(fault.seconds / DRIPS if fault and kind == "drip" else 0)
    if kind == "cut":
        await _hang_up(send)
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _hang_up(send: Send) -> None:
    """Drop the connection without a word.

    ASGI has no message for it, so this takes uvicorn's transport behind `send`.
    """
    cycle: Any = getattr(send, "__self__", None)
    if cycle is None or not hasattr(cycle, "transport"):
        raise RuntimeError("only uvicorn's connections can be dropped")
    cycle.transport.abort()
    while not cycle.disconnected:
        await asyncio.sleep(0)
