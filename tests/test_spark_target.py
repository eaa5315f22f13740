"""CLV_STORE: a path, or a Spark target with its warehouse; what is wrong with one, and its mend."""

from __future__ import annotations

import socket
from pathlib import Path
from unittest import mock

import pytest
from made_rows import NOW

from connectors.config import Settings, SparkTarget, read_settings
from connectors.config.target import target
from connectors.errors import ConfigurationError, StoreError
from connectors.session import opened
from connectors.spark import cluster
from connectors.spark.store import SparkStore
from connectors.store import Store, sealed
from connectors.terminal import Terminal

SHOP = {"CLV_SHOPS": "eu", "CLV_EU_PLATFORM": "file", "CLV_EU_PATH": "orders.csv"}


def settings_of(store: str) -> Settings:
    return read_settings({**SHOP, "CLV_STORE": store})


@pytest.mark.parametrize(
    ("text", "master", "addresses"),
    [
        ("spark://master:7077?warehouse=/w", "spark://master:7077", (("master", 7077),)),
        ("spark://a:7077,b:7078?warehouse=/w", "spark://a:7077,b:7078", (("a", 7077), ("b", 7078))),
        ("spark-connect://host:15002?warehouse=/w", "sc://host:15002", (("host", 15002),)),
        ("spark-local://2?warehouse=/w", "local[2]", ()),
        ("spark-local://*/?warehouse=file:///w", "local[*]", ()),
    ],
)
def test_a_target_names_its_master_and_its_warehouse(
    text: str, master: str, addresses: tuple[tuple[str, int], ...]
) -> None:
    assert target(text) == SparkTarget(master, Path("/w"), addresses)


def test_sparks_own_settings_go_along() -> None:
    found = target("spark://m:7077?warehouse=/a%20b&spark.executor.memory=4g")
    assert isinstance(found, SparkTarget)
    assert found.warehouse == Path("/a b")
    assert found.settings == (("spark.executor.memory", "4g"),)


@pytest.mark.parametrize("text", [".clv/store.duckdb", "/a/b.duckdb", "C:/a.duckdb"])
def test_anything_else_is_a_path(text: str) -> None:
    assert target(text) == Path(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("spark://m:7077", "?warehouse=/folder is missing"),
        ("spark://m:7077?warehouse=", "?warehouse=/folder is missing"),
        ("spark://m:7077?warehouse=/w&wharehouse=/x", "wharehouse: only warehouse and Spark's own"),
        ("spark://m:7077?warehouse=s3a://bucket/w", "a mounted share"),
        ("spark://m?warehouse=/w", "spark:// is followed by host:port"),
        ("spark-connect://a:1,b:2?warehouse=/w", "spark-connect:// is followed by host:port"),
        ("spark-local://many?warehouse=/w", "how many cores"),
        ("spark://me:secret@m:7077?warehouse=/w", "a path, or spark://master:7077?warehouse"),
        ("spark://m:7077/w", "a path, or spark://master:7077?warehouse"),
        ("postgres://m/w", "a path, or spark://master:7077?warehouse"),
    ],
)
def test_what_is_wrong_with_a_target_is_told_with_the_variable(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(text)
    assert "CLV_STORE" in str(caught.value)
    assert told in str(caught.value)


def test_the_books_are_the_stores_own_file() -> None:
    settings = settings_of("spark-local://2?warehouse=/w")
    assert settings.store == Path("/w/books.duckdb")
    assert settings.spark
    assert settings_of("a.duckdb").spark is None


def test_without_the_extra_the_mend_is_its_name(tmp_path: Path) -> None:
    settings = settings_of(f"spark-local://2?warehouse={tmp_path}/w")
    with (
        mock.patch.object(cluster, "find_spec", return_value=None),
        pytest.raises(ConfigurationError, match=r"pip install 'clv-sync\[spark\]'"),
        opened(settings, [], "state", Terminal(), lambda: NOW, lambda: False),
    ):
        pytest.fail("a session without a store")


@pytest.mark.end_to_end
def test_a_master_that_does_not_answer_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = target(f"spark://127.0.0.1:{port}?warehouse={tmp_path}/w")
    assert isinstance(found, SparkTarget)
    with (
        mock.patch.object(cluster, "find_spec"),
        SparkStore.on(found, now=NOW) as store,
        pytest.raises(StoreError, match=rf"no Spark answers at spark://127.0.0.1:{port}"),
    ):
        store.currencies("eu")


def test_books_are_no_store_by_themselves(tmp_path: Path) -> None:
    found = target(f"spark-local://2?warehouse={tmp_path}")
    assert isinstance(found, SparkTarget)
    with mock.patch.object(cluster, "find_spec"), SparkStore.on(found, now=NOW):
        pass
    with (
        pytest.raises(StoreError, match="Name the Spark target in CLV_STORE"),
        Store.open(found.books, now=NOW),
    ):
        pytest.fail("a part of a store was opened as a store")
    assert sealed.LOGS
