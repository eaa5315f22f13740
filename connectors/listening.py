"""A port of this machine, and a server that tells when it answers there."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp


class Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, listens: Callable[[], None]) -> None:
        super().__init__(config)
        self._listens = listens

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listens()


def server_of(app: ASGIApp, listens: Callable[[], None], **settings: Any) -> Server:
    """A plain HTTP/1.1 server of `app`; `settings` are uvicorn's."""
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", loop="asyncio", access_log=False, **settings
    )
    return Server(config, listens)


def bound(host: str, port: int) -> socket.socket:
    """A socket on that port, 0 for a free one. Raises OSError where it can't be had."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it on, every
    # answer waits 40 ms for an acknowledgement
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
