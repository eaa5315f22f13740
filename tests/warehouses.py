"""A store by its file: a DuckDB store, or the books of a warehouse (which asks for no cluster)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from made_rows import NOW

from connectors.config.target import BOOKS, SparkTarget
from connectors.spark import cluster
from connectors.spark.store import SparkStore
from connectors.store import Store, sealed

#: One of each kind.
FILES = ("store.duckdb", BOOKS)


@contextmanager
def opened(path: Path, gathered: int = 1, **more: Any) -> Iterator[Store]:
    """Into a warehouse's files go so many rows at a time: each page at once, if none is said."""
    if path.name != BOOKS:
        with Store.open(path, now=NOW, **more) as store:
            yield store
        return
    with (
        mock.patch.object(sealed, "GATHERED", gathered),
        mock.patch.object(cluster, "find_spec"),
        SparkStore.on(SparkTarget("local[1]", path.parent), now=NOW, **more) as store,
    ):
        yield store
