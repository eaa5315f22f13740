"""Knocks at a sandbox shop that speaks Shopify, without a server: ASGI called by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.routing import Mount

from connectors.sandbox import SHOPIFY_TOKEN, shopify
from connectors.sandbox.books import Books

API = "/admin/api/2026-10"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def link(self, rel: str) -> str | None:
        """The path and query of the `rel` page."""
        for link in self.headers.get("link", "").split(", "):
            if f'rel="{rel}"' in link:
                url = urlsplit(link.partition(">")[0].lstrip("<"))
                return f"{url.path}?{url.query}"
        return None


class Door:
    """The shop `us` mounted at /us, and a clock that only the test moves."""

    def __init__(self, books: Books, token: str = SHOPIFY_TOKEN) -> None:
        self.books = books
        self.token = token
        self.seconds = 0.0
        routes = shopify.routes(books, "us", clock=lambda: self.seconds)
        self._app = Starlette(routes=[Mount("/us", routes=routes)])

    def settings(self, **changed: Any) -> None:
        """Change the shop's settings."""
        settings = {**self.books.shop("us")["settings"], **changed}
        self.books.execute(
            "UPDATE shops SET settings = ? WHERE shop = 'us'", [json.dumps(settings)]
        )

    def get(self, path: str, **params: object) -> Reply:
        """GET below /us/admin/api/2026-10, or at a full path."""
        full = path if path.startswith("/us/") else f"/us{API}{path}"
        query = urlencode(params)
        bare, _, own = full.partition("?")
        return self.send("GET", bare, own or query)

    def orders(self, **params: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/orders.json", **params).json["orders"]
        return found

    def gql(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The whole body of a GraphQL answer, which always has status 200."""
        sent = json.dumps({"query": document, "variables": variables}).encode()
        reply = self.send("POST", f"/us{API}/graphql.json", "", sent)
        assert reply.status == 200, reply.body
        body: dict[str, Any] = reply.json
        return body

    def send(
        self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str
    ) -> Reply:
        """One request; without a token where the door has none."""
        sent = {"host": "127.0.0.1:8000", "x-shopify-access-token": self.token, **headers}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
            "headers": [(name.replace("_", "-").encode(), value.encode())
                        for name, value in sent.items() if value],
        }  # fmt: skip
        return asyncio.run(self._asked(scope, body))

    async def _asked(self, scope: dict[str, Any], body: bytes) -> Reply:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        headers = {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]}
        return Reply(sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:]))
