"""One shop in both kinds of store, on a master and two workers: the same to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from clusters import Standalone
from made_rows import NOW
from made_shop import AS_OF, filled
from started import called_in

from connectors.config.target import SparkTarget, target
from connectors.spark.store import SparkStore
from connectors.store import Store

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 700
ASKED: dict[str, Any] = {"as_of": AS_OF, "currency": "EUR"}
SETTINGS = {
    "CLV_SHOPS": "eu", "CLV_EU_PLATFORM": "file", "CLV_EU_PATH": "orders.csv",
    "CLV_EU_CURRENCY": "EUR", "CLV_EMAIL_KEY": "the same key for both of them",
    "CLV_MODEL": "bg-covariates",  # it looks at what persons came by as well
}  # fmt: skip


@dataclass(frozen=True)
class Both:
    folder: Path
    here: Store
    there: Store


@pytest.fixture(scope="module")
def stores(
    cluster: Standalone, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, SparkTarget]:
    """The same pages in a file and in a warehouse, scored by the same command."""
    folder = tmp_path_factory.mktemp("both")
    path, named = folder / "store.duckdb", cluster.target(folder / "warehouse")
    there = target(named)
    assert isinstance(there, SparkTarget)
    with Store.open(path, now=NOW) as store:
        filled(store, CUSTOMERS)
    with SparkStore.on(there, now=NOW) as store:
        filled(store, CUSTOMERS)
    run = called_in(folder)
    for name in (str(path), named):
        ended = run({**SETTINGS, "CLV_STORE": name}, "score", "--as-of", AS_OF.isoformat())
        assert ended.code == 0, ended.err
    return folder, str(path), there


@pytest.fixture(scope="module")
def both(stores: tuple[Path, str, SparkTarget]) -> Iterator[Both]:
    folder, path, there = stores
    with Store.open(Path(path), now=NOW) as here, SparkStore.on(there, now=NOW) as far:
        yield Both(folder, here, far)


def test_the_summaries_are_equal_bit_for_bit(both: Both) -> None:
    here, there = (store.summary("eu", as_of=AS_OF) for store in (both.here, both.there))
    assert len(here) > CUSTOMERS * 0.9
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    assert len(here["margin"].dropna()) > 100
    assert here["frequency"].max() > 10


def test_the_scores_are_equal(both: Both) -> None:
    here, there = (
        store.latest_scores("eu").drop(columns="run_id") for store in (both.here, both.there)
    )
    assert len(here) > CUSTOMERS * 0.9
    assert here["p_alive"].notna().any()
    assert len(set(here["tier"])) > 2
    pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=1e-9, atol=1e-9)


def test_the_cards_are_equal(both: Both) -> None:
    (here,), (there,) = (store.cards("eu") for store in (both.here, both.there))
    assert here.card == there.card


def test_all_else_that_is_read_of_a_shop_is_equal(both: Both) -> None:
    for read in ("purchase_days", "traits", "excluded", "currencies", "numbers"):
        asked = {} if read == "currencies" else ASKED
        here, there = (getattr(store, read)("eu", **asked) for store in (both.here, both.there))
        if isinstance(here, dict):
            assert list(here.items()) == list(there.items())
        else:
            pd.testing.assert_frame_equal(here.sort_index(), there.sort_index(), check_exact=True)
    assert both.here.content_hash() == both.there.content_hash()


def test_compaction_keeps_what_stands(both: Both) -> None:
    before = both.there.content_hash()
    both.there.compact()
    assert both.there.content_hash() == before
    here, there = (store.summary("eu", as_of=AS_OF) for store in (both.here, both.there))
    pd.testing.assert_frame_equal(here, there, check_exact=True)
