"""The port that webhooks come to, and an end without losses: what has begun is answered first."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.types import ASGIApp

from connectors import listening
from connectors.config import Settings, ShopSettings
from connectors.errors import ConfigurationError
from connectors.hints import Hints, beside
from connectors.identity import load_hasher
from connectors.serve.app import create_app
from connectors.serve.keeping import Keeper

AT_ONCE = 500  # connections; more are turned away with a 503, and Shopify comes again
LAST_ANSWERS = 5  # seconds that are left to answer what has begun


def serve(
    settings: Settings,
    names: Sequence[str],
    port: tuple[str, int],
    clock: Callable[[], datetime],
    listens: Callable[[str], None],
) -> None:
    """Takes webhooks in until SIGTERM or SIGINT. `listens` is told the address.

    Raises ConfigurationError where there is no shop to take them from, or the port is taken.
    """
    shops = listening_for([settings.shop(name) for name in names] or settings.shops)
    hasher = load_hasher(settings.email_key, settings.store.parent)
    with Hints.open(beside(settings.store)) as hints, bound(*port) as listener:
        app = create_app(shops, hasher, hints, Keeper(hints, clock))
        host, number = listener.getsockname()[:2]
        server = server_of(app, lambda: listens(f"http://{host}:{number}"))
        server.run([listener])


def listening_for(shops: Sequence[ShopSettings]) -> list[ShopSettings]:
    """The Shopify shops among these; every one of them needs the secret that its app signs with."""
    ours = [shop for shop in shops if shop.platform == "shopify"]
    if not ours:
        raise ConfigurationError("there is no Shopify shop", mend="Only Shopify sends webhooks.")
    for shop in ours:
        if not shop.client_secret:
            raise ConfigurationError(
                f"{shop.shop} has no secret to check webhooks with",
                mend=f"Set CLV_{shop.shop.upper()}_CLIENT_SECRET to the app's client secret.",
            )
    return ours


def server_of(app: ASGIApp, listens: Callable[[], None] = lambda: None) -> listening.Server:
    return listening.server_of(
        app,
        listens,
        log_config=None,
        server_header=False,
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=LAST_ANSWERS,
    )


def bound(host: str, port: int) -> socket.socket:
    """A socket on that port, 0 for a free one."""
    try:
        return listening.bound(host, port)
    except OSError as error:
        raise ConfigurationError(
            f"{host} port {port} can't be listened on: {error.strerror}",
            mend="Choose others with --host and --port.",
        ) from error
