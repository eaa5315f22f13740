"""The same over Spark Connect, where the client has no Java and the server starts the workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clusters import connect_server, lacking
from started import started_in

import clv

pytestmark = pytest.mark.end_to_end

SHOP = {
    "CLV_SHOPS": "web", "CLV_WEB_PLATFORM": "file", "CLV_WEB_PATH": "orders.csv",
    "CLV_EMAIL_KEY": "the same key for both of them", "CLV_MODEL": "bg",
}  # fmt: skip
LAST_DAY = "2025-12-31"


def test_scores_over_connect_are_those_of_one_machine(tmp_path: Path) -> None:
    if lacking():
        pytest.skip(lacking())
    model = clv.ParetoNBD(r=0.9, alpha=60.0, s=0.6, beta=60.0)
    spend = clv.GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
    first = pd.Timestamp("2024-01-01").date()
    orders = clv.simulate(model, 300, start=first, days=731, seed=5, spend=spend)
    rows = orders.assign(order_id=np.arange(len(orders)), currency="EUR")
    rows["ordered_at"] = rows.ordered_at.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows.to_csv(tmp_path / "orders.csv", index=False)
    start, found = started_in(tmp_path), {}
    with connect_server(tmp_path) as address:
        for store in ("here.duckdb", f"spark-connect://{address}?warehouse={tmp_path}/there"):
            environment = {**SHOP, "CLV_STORE": store}
            ended = start(environment, "backfill", "--as-of", LAST_DAY, "--json")
            assert ended.code == 0, ended.err
            ended = start(environment, "export", "scores", "--out", "scores.csv")
            assert ended.code == 0, ended.err
            scores = pd.read_csv(tmp_path / "scores.csv").drop(columns="run_id")
            found[store] = scores
    here, there = found.values()
    assert len(here) == 300
    pd.testing.assert_frame_equal(here, there, rtol=1e-9, atol=1e-9)
