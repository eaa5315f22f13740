"""Starts and stops the sandbox on loopback: in a thread for tests and the demo, or for good."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors import listening
from connectors.sandbox import (
    MAGENTO_SHOP,
    MAGENTO_TOKEN,
    SHOPIFY_SHOP,
    SHOPIFY_TOKEN,
    app,
    cdnow,
)
from connectors.sandbox.books import Books
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.population import populate

HOST = "127.0.0.1"
STARTS_WITHIN_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: where it is, its open books, its fault plan."""

    url: str
    books: Books
    faults: FaultPlan

    @property
    def environment(self) -> dict[str, str]:
        """The settings that connect both shops."""
        return environment(self.url)

    def mutations(self) -> dict[str, int]:
        """How many requests so far asked for a change, by shop."""
        return app.mutating(self.books)


def environment(url: str) -> dict[str, str]:
    """What `.env` says for the two shops of a sandbox at `url`."""
    return {
        "CLV_SHOPS": f"{MAGENTO_SHOP},{SHOPIFY_SHOP}",
        "CLV_EU_PLATFORM": "magento", "CLV_EU_URL": f"{url}/{MAGENTO_SHOP}",
        "CLV_EU_TOKEN": MAGENTO_TOKEN,
        "CLV_US_PLATFORM": "shopify", "CLV_US_URL": f"{url}/{SHOPIFY_SHOP}",
        "CLV_US_TOKEN": SHOPIFY_TOKEN,
    }  # fmt: skip


def open_books(
    path: Path | str, *, today: date, customers: cdnow.Who = "sample", limit: int | None = None
) -> Books:
    """The books at `path`, filled if they are new."""
    books = Books(path)
    if not books.shops():
        populate(books, customers=customers, today=today, limit=limit)
    return books


def _server(books: Books, faults: FaultPlan, listens: Callable[[], None]) -> listening.Server:
    return listening.server_of(
        app.create_app(books, faults),
        listens,
        log_level="warning",
        date_header=False,
        timeout_graceful_shutdown=1,
    )


@contextmanager
def serve(books: Books | Path | str, port: int = 0) -> Iterator[Sandbox]:
    """Serve filled books from a thread while the block runs; port 0 takes a free one.

    A path is opened here and closed at the end; open books stay open.
    """
    opened = books if isinstance(books, Books) else Books(books)
    faults, ready = FaultPlan(), threading.Event()
    with listening.bound(HOST, port) as listener:
        server = _server(opened, faults, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox")
        thread.start()
        if not ready.wait(STARTS_WITHIN_SECONDS):
            raise RuntimeError("the sandbox did not start")
        try:
            yield Sandbox(f"http://{HOST}:{listener.getsockname()[1]}", opened, faults)
        finally:
            server.should_exit = True
            thread.join()
            if opened is not books:
                opened.close()


def serve_forever(books: Books, port: int, listens: Callable[[str], None]) -> None:
    """Serve until interrupted. `listens` is told the address once it answers.

    Raises OSError where the port is taken.
    """
    with listening.bound(HOST, port) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        with suppress(KeyboardInterrupt):
            _server(books, FaultPlan(), lambda: listens(url)).run([listener])
