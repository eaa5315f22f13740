from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_rows import NOW

from connectors.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "store.duckdb"


@pytest.fixture
def store(path: Path, empty_store: Path) -> Iterator[Store]:
    path.parent.mkdir()
    with Store.open(shutil.copy(empty_store, path), now=NOW) as store:
        yield store
