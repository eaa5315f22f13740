from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_rows import NOW

from connectors.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "store.duckdb"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path, now=NOW) as store:
        yield store
