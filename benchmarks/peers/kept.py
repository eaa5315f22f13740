"""Our own side's second task: each page committed to a store, as `clv-sync backfill` does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from connectors.platform import Page
from connectors.store import Store


def stored(shop: str, pages: Iterator[Page], now: datetime) -> Iterator[Page]:
    """Each page, once it is committed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder) / "store.duckdb", now=now) as store,
    ):
        for page in pages:
            store.commit(shop, "orders", page, at=now)
            yield page
