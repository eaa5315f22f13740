"""The ASGI app: one delivery, from its first byte to the answer.

POST /webhooks         the shop is the one that X-Shopify-Shop-Domain names
POST /webhooks/<shop>  the shop by the name that it has in the settings
GET /healthz           200 while hints can be kept

401 for all that isn't signed with the shop's secret, whatever else it is; 400 for a body that
isn't what its topic says; 503 where a hint couldn't be kept, so that Shopify delivers it again.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.config import ShopSettings
from connectors.errors import PayloadError
from connectors.hints import Hints
from connectors.identity import EmailHasher
from connectors.origin import is_loopback
from connectors.serve.keeping import Keeper
from connectors.shopify.webhooks import DOMAIN, SIGNATURE, TOPIC, hint_of, is_signed

log = logging.getLogger(__name__)

LARGEST_BODY = 8 * 2**20  # bytes; an order of thousands of lines has less
SLOWEST_BODY = 5.0  # seconds; Shopify itself gives up then


class TooLarge(Exception):
    """More bytes than anything that Shopify delivers."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where deliveries come in: whose they may be, and what is done with them."""

    shops: Mapping[str, ShopSettings]
    hasher: EmailHasher
    hints: Hints
    keeper: Keeper

    async def taken(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(SLOWEST_BODY):
                body = await _read(request)
        except TooLarge:
            return Response(status_code=413)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=408)
        shop = self._sender(request)
        if shop is None or not is_signed(
            body, request.headers.get(SIGNATURE, ""), shop.client_secret
        ):
            return Response(status_code=401)
        return await self._kept(shop.shop, request.headers, body)

    def _sender(self, request: Request) -> ShopSettings | None:
        """The shop that the address or the domain names; a cloud shop by both."""
        domain = request.headers.get(DOMAIN, "").lower()
        name = request.path_params.get("shop")
        if name is None:
            return next((one for one in self.shops.values() if host_of(one) == domain), None)
        shop = self.shops.get(name)
        return shop if shop and (host_of(shop) == domain or is_loopback(host_of(shop))) else None

    async def _kept(self, shop: str, headers: Mapping[str, str], body: bytes) -> Response:
        topic = headers.get(TOPIC, "")
        try:
            hint = hint_of(shop, headers, body, self.hasher)
            if hint:
                await self.keeper.keep(hint)
        except PayloadError as error:
            log.warning("webhook shop=%s topic=%r refused=%s", shop, topic, error.field)
            return Response(status_code=400)
        except sqlite3.Error as error:
            log.error("webhook shop=%s topic=%r not kept: %s", shop, topic, error)
            return Response(status_code=503)
        log.info("webhook shop=%s topic=%r kept=%s", shop, topic, hint is not None)
        return Response(status_code=200)

    async def health(self, _: Request) -> Response:
        try:
            waiting = await asyncio.to_thread(self.hints.waiting)
        except sqlite3.Error:
            return JSONResponse({"ok": False}, 503)
        return JSONResponse({"ok": True, "waiting": waiting})


async def _read(request: Request) -> bytes:
    """The raw body. Raises TooLarge as soon as that is known."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST_BODY:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


def host_of(shop: ShopSettings) -> str:
    return (urlsplit(shop.url).hostname or "").lower()


def create_app(
    shops: Sequence[ShopSettings], hasher: EmailHasher, hints: Hints, keeper: Keeper
) -> Starlette:
    """The app for these shops."""
    desk = Desk({shop.shop: shop for shop in shops}, hasher, hints, keeper)
    return Starlette(
        routes=[
            Route("/webhooks", desk.taken, methods=["POST"]),
            Route("/webhooks/{shop}", desk.taken, methods=["POST"]),
            Route("/healthz", desk.health),
        ]
    )
