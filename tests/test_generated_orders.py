"""The benchmarks' shops: as many orders as asked for, by the model that was named."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from started import ROOT, Run

from clv import GammaGamma
from connectors.store import Store


def benchmark(name: str) -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def population() -> Iterator[ModuleType]:
    yield from benchmark("population")


@pytest.fixture(scope="module")
def filling() -> Iterator[ModuleType]:
    yield from benchmark("filling")


def written(population: ModuleType, path: Path, orders: int, *how: object) -> pd.DataFrame:
    customers = population.write_orders(population.Population(orders, *how), path)
    frame = pq.read_table(path).to_pandas()
    assert sorted(frame.customer_id.unique()) == list(range(1, customers + 1))
    return frame


def test_orders_are_as_many_as_asked_for_numbered_in_the_order_of_time(
    population: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "CUSTOMERS_AT_ONCE", 1_000)  # drawn in some batches
    orders = written(population, tmp_path / "o.parquet", 12_345)
    assert orders.order_id.tolist() == list(range(1, 12_346))
    assert orders.ordered_at.is_monotonic_increasing
    assert orders.ordered_at.min().year == 2024
    assert (orders.ordered_at.max() - orders.ordered_at.min()).days < population.OLDEST_DAYS
    assert (orders.net_value > 0).all()


def test_the_same_seed_gives_the_same_file_and_another_another(
    population: ModuleType, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("one", "again", "other")]
    for file, seed in zip(files, (7, 7, 8), strict=True):
        written(population, file, 5_000, "pareto", seed)
    one, again, other = (file.read_bytes() for file in files)
    assert one == again
    assert one != other


def test_however_many_orders_few_are_in_memory_at_a_time(
    population: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "ORDERS_AT_ONCE", 1_000)
    monkeypatch.setattr(population, "CUSTOMERS_AT_ONCE", 300)
    drawn = [len(batch) for batch in population.drawn(population.Population(30_000))]
    assert max(drawn) < 2_000
    written(population, tmp_path / "o.parquet", 30_000)
    groups = pq.ParquetFile(tmp_path / "o.parquet").metadata
    assert max(groups.row_group(n).num_rows for n in range(groups.num_row_groups)) < 1_500
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.parametrize("model", ["bg", "pareto"])
def test_the_parameters_are_found_again(population: ModuleType, tmp_path: Path, model: str) -> None:
    orders = written(population, tmp_path / "o.parquet", 100_000, model)
    truth = population.TRUTHS[model]
    seconds = (orders.ordered_at - orders.ordered_at.dt.normalize().min()).dt.total_seconds()
    per = (seconds / 86_400).groupby(orders.customer_id)
    summary = pd.DataFrame(
        {
            "frequency": per.size() - 1,
            "recency": per.max() - per.min(),
            "T": population.OLDEST_DAYS - per.min(),
        }
    )
    summary = summary.iloc[:-1]  # of the last customer there are as many orders as were left
    fitted = type(truth).fit(summary)
    assert fitted.expected_purchases(365) == pytest.approx(truth.expected_purchases(365), rel=0.03)
    assert fitted.r == pytest.approx(truth.r, rel=0.06)
    ratio = population.ORDERS_A_CUSTOMER / (1 + summary.frequency.mean())
    assert ratio == pytest.approx(1, rel=0.03)
    net = orders.net_value.astype(float).groupby(orders.customer_id).mean()
    spend = GammaGamma.fit(pd.DataFrame({"frequency": per.size(), "monetary_value": net}).iloc[:-1])
    mean = population.P * population.V / (population.Q - 1)
    assert spend.p * spend.v / (spend.q - 1) == pytest.approx(mean, rel=0.03)


def test_a_file_shop_reads_them(population: ModuleType, run: Run, tmp_path: Path) -> None:
    orders = written(population, tmp_path / "o.parquet", 600)
    settings = {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "file", "CLV_X_PATH": "o.parquet"}
    ended = run(settings, "pull", "--json")
    assert ended.code == 0
    assert ended.events("pulled")[0]["orders"] == len(orders)


def test_a_filled_store_holds_all_of_them(
    population: ModuleType, filling: ModuleType, tmp_path: Path
) -> None:
    orders = written(population, tmp_path / "o.parquet", 3_000)
    filling.fill(tmp_path / "s.duckdb", tmp_path / "o.parquet")
    with Store.open(tmp_path / "s.duckdb", now=filling.NOW) as store:
        counts = store.counts(filling.SHOP)
        summary = store.summary(filling.SHOP, as_of=filling.NOW.date())
    assert counts["orders"] == counts["order_lines"] == 3_000
    assert summary.orders.sum() == 3_000
    whole = orders.net_value.astype(float)
    refunded = whole[orders.order_id % 33 == 0].sum() / 2
    assert float(summary.net.sum()) == pytest.approx(whole.sum() - refunded)
    named = orders[(orders.customer_id % 5 > 0) & (orders.order_id % 50 != 1)].customer_id
    assert counts["customers"] == sum(one % 5 > 0 for one in range(1, named.max() + 1))
    kept = summary.customer_id.dropna().astype(int)
    assert set(kept) == {one for one in orders.customer_id if one % 5}
    assert np.isclose(summary.person_key.str.startswith("guest-").mean(), 0.2, atol=0.05)
