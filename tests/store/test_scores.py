"""Scores, run by run, in the scorer's own columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from made_rows import NOW

from connectors.store import Store

#: What this test looks at is of a DuckDB file alone.
duckdb_only = pytest.mark.parametrize("store", ["duckdb"], indirect=True)


def scored(**columns: Any) -> pd.DataFrame:
    plain = {"shop": ["eu"], "person_key": ["7"], "customer_id": ["7"], "tier": ["high"]}
    return pd.DataFrame(plain | columns)


def save(store: Store, run_id: str, frame: pd.DataFrame) -> None:
    store.save_scores(run_id, [pa.Table.from_pandas(frame, preserve_index=False)])


def history(store: Store, person: str) -> list[str]:
    """Every run that ever scored a person."""
    sql = "select run_id from scores where person_key = ? order by seq"
    return [run_id for (run_id,) in store.connection.execute(sql, [person]).fetchall()]


def latest(store: Store) -> dict[str, Any]:
    return store.score_of("eu", ["7"])[0]


def test_scores_come_back_as_they_went_in(store: Store) -> None:
    here = NOW.astimezone(timezone(timedelta(hours=9)))
    given = {
        "predicted_clv": [Decimal("12.30")], "p_alive": [0.1 + 0.2], "horizon_days": [365],
        "next_order_on": [date(2026, 12, 1)], "scored_at": [here], "is_new": [True],
        "model": pd.Categorical(["bg/nbd"]),
    }  # fmt: skip
    save(store, "r1", scored(**given))
    assert latest(store) == {
        "run_id": "r1", "shop": "eu", "person_key": "7", "customer_id": "7", "tier": "high",
        "predicted_clv": Decimal("12.30"), "p_alive": 0.1 + 0.2, "horizon_days": 365,
        "next_order_on": date(2026, 12, 1), "scored_at": NOW, "is_new": True,
        "model": "bg/nbd", "as_of": None,
    }  # fmt: skip


@duckdb_only  # files keep columns of a known type alone; a scorer's columns all have one
def test_a_column_of_which_nothing_is_known_is_none(store: Store) -> None:
    save(store, "r1", scored(margin_clv=[None]))
    assert latest(store)["margin_clv"] is None


def test_the_newest_run_that_scored_the_shop_counts(store: Store) -> None:
    save(store, "r1", scored())
    save(store, "r2", scored(tier=["low"]))
    save(store, "r3", scored(shop=["us"]))
    assert store.latest_scores("eu")["run_id"].tolist() == ["r2"]
    assert store.latest_scores("us")["run_id"].tolist() == ["r3"]
    assert len(store.latest_scores("nowhere")) == 0


def test_somebody_who_is_not_scored_any_more_has_no_score(store: Store) -> None:
    save(store, "r1", pd.concat([scored(), scored(person_key=["8"])]))
    save(store, "r2", scored())
    assert store.score_of("eu", ["7", "8"]) == [latest(store)]
    assert history(store, "8") == ["r1"]


def test_columns_may_come_and_go(store: Store) -> None:
    save(store, "r1", scored(old=[1.5]))
    save(store, "r2", scored(new=["x"]))
    assert (latest(store)["old"], latest(store)["new"]) == (None, "x")


@pytest.mark.parametrize(("first", "then"), [(3, 3.5), (None, 3.5), (None, Decimal("3.50"))])
def test_a_column_takes_a_wider_type_without_rounding(store: Store, first: Any, then: Any) -> None:
    save(store, "r1", scored(value=[first]))
    save(store, "r2", scored(value=[then]))
    assert latest(store)["value"] == then
    kept = store.connection.execute("select value from scores order by seq").fetchall()
    assert kept == [(first,), (then,)]


def test_a_column_that_changes_its_meaning_is_refused_and_nothing_is_kept(store: Store) -> None:
    save(store, "r1", scored(value=["a"]))
    with pytest.raises(TypeError, match="value was VARCHAR and is DOUBLE"):
        save(store, "r2", scored(value=[1.5], fresh=[1]))
    assert "fresh" not in latest(store)


def test_new_scores_move_the_ground_under_a_plan(store: Store) -> None:
    before = store.standing("eu")
    save(store, "r1", scored())
    assert store.standing("eu") != before


def test_a_look_back_leaves_the_standing_scores_alone(store: Store) -> None:
    save(store, "r1", scored(as_of=[date(2026, 3, 1)]))
    save(store, "r2", scored(as_of=[date(2025, 3, 1)], tier=["low"]))
    assert latest(store)["run_id"] == "r1"
    save(store, "r3", scored(as_of=[date(2026, 3, 1)], tier=["medium"]))
    assert latest(store)["run_id"] == "r3"
    assert history(store, "7") == ["r1", "r2", "r3"]


def test_batches_are_kept_together_or_not_at_all(store: Store) -> None:
    def broken() -> Iterator[pa.Table]:
        yield pa.Table.from_pandas(scored(), preserve_index=False)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.save_scores("r1", broken())
    assert len(store.latest_scores("eu")) == 0
    both = [scored(), scored(person_key=["8"], late=[1.5])]
    store.save_scores("r2", [pa.Table.from_pandas(batch, preserve_index=False) for batch in both])
    assert store.latest_scores("eu")["person_key"].tolist() == ["7", "8"]


def test_a_batch_is_let_go_once_it_is_in(store: Store) -> None:
    held: list[int] = []

    def batches() -> Iterator[pa.Table]:
        for _ in range(8):
            held.append(pa.total_allocated_bytes())
            worth = pa.array(range(20_000), pa.float64())
            yield pa.table({name: worth for name in ("p_alive", "expected")} | plain)

    who = pa.array(str(number) for number in range(20_000))
    plain = {"shop": who, "person_key": who, "customer_id": who, "tier": who}
    store.save_scores("r1", batches())
    assert held[-1] - held[2] < 20_000 * 8  # one column's


def test_each_scoring_keeps_its_card(store: Store) -> None:
    store.save_card("r1", "eu", date(2026, 3, 1), {"model": "BG/NBD", "warnings": []})
    store.save_card("r2", "us", date(2026, 3, 1), {"model": "NBD"})
    store.save_card("r3", "eu", date(2026, 3, 2), {"model": "Pareto/NBD"})
    assert [(card.run_id, card.card["model"]) for card in store.cards("eu")] == [
        ("r1", "BG/NBD"),
        ("r3", "Pareto/NBD"),
    ]


def test_a_store_of_the_first_version_gets_the_new_columns(tmp_path: Path) -> None:
    path = tmp_path / "orders.duckdb"
    with Store.open(path, now=NOW) as store:
        store.connection.execute("drop table cards; alter table scores drop column as_of")
        store.connection.execute("drop table tombstones; drop table erasures; drop table files")
        store.connection.execute("delete from schema_version where version > 1")
    with Store.open(path, now=NOW) as store:
        save(store, "r1", scored())
        assert latest(store)["as_of"] is None
        assert store.cards("eu") == []
