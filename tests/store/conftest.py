from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from clusters import Standalone
from made_rows import NOW

from connectors.config.target import SparkTarget, target
from connectors.store import Store, sealed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "store.duckdb"


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.end_to_end)])
def store(request: pytest.FixtureRequest, path: Path, empty_store: Path) -> Iterator[Store]:
    """Each kind of store: what one promises, the other keeps. On Spark every page is sealed."""
    if request.param == "duckdb":
        path.parent.mkdir()
        with Store.open(shutil.copy(empty_store, path), now=NOW) as store:
            yield store
        return
    cluster: Standalone = request.getfixturevalue("cluster")
    from pyspark import cloudpickle

    cloudpickle.register_pickle_by_value(request.module)  # the workers don't know the tests
    with on_spark(cluster, path.parent) as store:
        yield store


@contextmanager
def on_spark(cluster: Standalone, warehouse: Path) -> Iterator[Store]:
    from connectors.spark.store import SparkStore

    found = target(cluster.target(warehouse))
    assert isinstance(found, SparkTarget)
    with mock.patch.object(sealed, "GATHERED", 1), SparkStore.on(found, now=NOW) as store:
        yield store
