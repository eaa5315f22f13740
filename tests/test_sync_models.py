"""Backtest, choice and scores of a past day, by the command itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from started import Run

import clv
from connectors.store import Store

pytestmark = pytest.mark.end_to_end

FILE_SHOP = {"CLV_SHOPS": "web", "CLV_WEB_PLATFORM": "file", "CLV_WEB_PATH": "orders.csv"}
LAST_DAY = "2025-12-31"


@pytest.fixture
def shop(tmp_path: Path) -> Mapping[str, str]:
    """Two years of 400 customers who buy and leave as Pareto/NBD says."""
    model = clv.ParetoNBD(r=0.9, alpha=60.0, s=0.6, beta=60.0)
    spend = clv.GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
    first = pd.Timestamp("2024-01-01").date()
    orders = clv.simulate(model, 400, start=first, days=731, seed=5, spend=spend)
    rows = orders.assign(order_id=np.arange(len(orders)), currency="EUR")
    rows["ordered_at"] = rows.ordered_at.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows.to_csv(tmp_path / "orders.csv", index=False)
    return FILE_SHOP


def test_the_past_of_the_shop_chooses_its_model_and_the_choice_stays(
    run: Run, shop: Mapping[str, str]
) -> None:
    first = run(shop, "backfill", "--as-of", LAST_DAY, "--json")
    assert first.code == 0, first.err
    (scored,) = first.events("scored")
    choice = scored["card"]["choice"]
    assert choice["ranking"][0]["candidate"] == choice["chosen"]
    assert len(choice["backtest"]["origins"]) >= 2
    again = run(shop, "score", "--as-of", LAST_DAY, "--json")
    (later,) = again.events("scored")
    assert later["card"]["choice"] is None  # it keeps to the choice of the first
    assert later["card"]["model"] == scored["card"]["model"]
    assert later["card"]["calibration"] == scored["card"]["calibration"]


def test_a_backtest_compares_every_model_and_the_rules(run: Run, shop: Mapping[str, str]) -> None:
    run(shop, "pull")
    ended = run(shop, "backtest", "--as-of", LAST_DAY, "--json")
    assert ended.code == 0, ended.err
    models = {row["model"] for row in ended.events("origin")}
    assert {"bg", "mbg", "pareto", "nbd", "repeat-rate"} <= models
    (chosen,) = ended.events("chosen")
    assert chosen["card"]["choice"]["ranking"][0]["candidate"] == chosen["card"]["choice"]["chosen"]
    assert "MAE" in run(shop, "backtest", "--as-of", LAST_DAY).out


@pytest.mark.parametrize("how", ["option", "setting"])
def test_the_owner_can_name_the_model(run: Run, shop: Mapping[str, str], how: str) -> None:
    run(shop, "pull")
    given = ["--model", "mbg"] if how == "option" else []
    environment = {**shop, "CLV_MODEL": "mbg"} if how == "setting" else shop
    ended = run(environment, "score", "--as-of", LAST_DAY, "--json", *given)
    (scored,) = ended.events("scored")
    assert scored["card"]["model"].startswith("MBG/NBD")


def test_an_unknown_model_is_refused_by_name(run: Run, shop: Mapping[str, str]) -> None:
    run(shop, "pull")
    ended = run(shop, "score", "--as-of", LAST_DAY, "--model", "oracle")
    assert ended.code == 1
    assert "no model is called 'oracle'" in ended.err
    assert "pareto" in ended.err


def test_a_named_model_that_does_not_fit_the_shop_fails_and_scores_nobody(
    run: Run, shop: Mapping[str, str]
) -> None:
    run(shop, "pull")
    ended = run({**shop, "CLV_MODEL": "seasonal-bg"}, "score", "--as-of", "2024-12-31", "--json")
    assert (ended.code, ended.events("scored")) == (1, [])
    assert "'seasonal-bg' can't be fitted" in ended.err
    assert "history_days=" in ended.err


@pytest.mark.parametrize(
    "command",
    [
        ("score", "--as-of"),
        ("backtest", "--as-of"),
        ("export", "scores", "--out", "x.csv", "--as-of"),
        ("backfill", "--since"),
        ("reconcile", "--since"),
    ],
)
def test_nothing_is_known_of_the_future(
    run: Run, shop: Mapping[str, str], command: tuple[str, ...]
) -> None:
    ended = run(shop, *command, "2999-01-01")
    assert ended.code == 1
    assert ended.err == f"error 2999-01-01 is yet to come. Give {command[-1]} a past day.\n"


def test_a_day_of_another_form_is_told_with_the_right_one(
    run: Run, shop: Mapping[str, str]
) -> None:
    ended = run(shop, "score", "--as-of", "1.2.2026")
    assert (ended.code, "'1.2.2026' is no day like 2026-01-31" in ended.err) == (2, True)


def test_a_look_back_is_what_was_known_then_and_leaves_the_scores_alone(
    run: Run, shop: Mapping[str, str], tmp_path: Path
) -> None:
    """Scores of an earlier day are those of a shop that had been pulled on that day."""
    run({**shop, "CLV_MODEL": "mbg"}, "backfill", "--as-of", LAST_DAY)
    back = run(shop, "score", "--as-of", "2025-03-31", "--model", "bg", "--json")
    assert back.code == 0, back.err
    exported = run(shop, "export", "scores", "--out", "now.csv")
    assert exported.code == 0, exported.err
    assert {row["as_of"] for row in rows(tmp_path / "now.csv")} == {LAST_DAY}
    then = pd.read_csv(tmp_path / "orders.csv")
    then[then.ordered_at < "2025-04-01"].to_csv(tmp_path / "orders.csv", index=False)
    other = {**shop, "CLV_STORE": "then.duckdb"}
    run(other, "pull")
    known = run(other, "score", "--as-of", "2025-03-31", "--model", "bg", "--json")
    cards = [ended.events("scored")[0]["card"] for ended in (back, known)]
    assert json.dumps(cards[0]["totals"]) == json.dumps(cards[1]["totals"])
    assert cards[0]["models"] == cards[1]["models"]


def test_a_day_before_the_first_order_scores_nobody(run: Run, shop: Mapping[str, str]) -> None:
    run(shop, "pull")
    ended = run(shop, "score", "--as-of", "1990-01-01", "--json")
    assert ended.code == 0, ended.err
    assert ended.events("scored")[0]["customers"] == 0


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("model", ["average", "repeat-rate", "formula", "hiatus", "boosting"])
def test_rules_and_trees_score_a_shop_as_models_do(
    run: Run, shop: Mapping[str, str], model: str, tmp_path: Path
) -> None:
    """Nothing that a forecast looks at may be missing from what the store tells."""
    ended = run({**shop, "CLV_MODEL": model}, "backfill", "--as-of", LAST_DAY)
    assert ended.code == 0, ended.err
    run(shop, "export", "scores", "--out", "scores.csv")
    told = rows(tmp_path / "scores.csv")
    assert len(told) == 400
    value = [float(row["predicted_clv"]) for row in told]
    assert min(value) >= 0
    assert max(value) > 0
    assert not [row["reason"] for row in told if int(row["orders"]) > 3 and "only" in row["reason"]]


def test_a_mean_that_was_chosen_stays_with_its_weights(
    run: Run, shop: Mapping[str, str], tmp_path: Path
) -> None:
    run(shop, "pull")
    parts = {"repeat-rate": 0.6, "pareto": 0.3, "nbd": 0.1}
    chosen = {"chosen": "mean", "parts": parts, "ranking": [], "why": "planted"}
    with Store.open(tmp_path / ".clv/store.duckdb", now=datetime.now(UTC)) as store:
        store.save_card("planted", "web", date.fromisoformat(LAST_DAY), {"choice": chosen})
    ended = run(shop, "score", "--as-of", LAST_DAY, "--json")
    (scored,) = ended.events("scored")
    assert scored["card"]["model"] == "mean of repeat rate x horizon, Pareto/NBD and NBD"
    run(shop, "export", "scores", "--out", "scores.csv")
    told = rows(tmp_path / "scores.csv")
    assert all(row["p_alive"] and row["clv_low"] for row in told)
    assert run(shop, "explain", told[0]["customer_id"]).code == 0
