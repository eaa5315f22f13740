"""Runs, and what they wrote to the shops."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from made_rows import NOW

from connectors.schema import Change, Outcome
from connectors.store import Run, Store, Written


def change(customer_id: str, shop: str = "eu") -> Change:
    return Change(shop, customer_id, before={"tier": "low"}, after={"tier": "high", "tag": "clv-é"})


def test_run_ids_sort_by_time_even_within_a_second(store: Store) -> None:
    ids = [store.start_run("run", ["eu"], NOW) for _ in range(20)]
    ids.append(store.start_run("run", ["eu"], NOW + timedelta(seconds=1)))
    assert ids == sorted(set(ids))
    assert ids[0].startswith("20261122T013000-")


def test_a_run_is_entered_and_finished(store: Store) -> None:
    run_id = store.start_run("backfill", ["eu", "us"], NOW)
    died = Run(run_id, "backfill", ["eu", "us"], NOW, None, None, {})
    assert store.runs() == [died]
    store.finish_run(run_id, "exit 3", {"orders": 7}, NOW)
    assert store.runs() == [
        Run(run_id, "backfill", ["eu", "us"], NOW, NOW, "exit 3", {"orders": 7})
    ]


def test_every_change_is_found_with_its_outcome_or_without(path: Path) -> None:
    sent = [change("2"), change("10"), change("3"), change("2", shop="us")]
    with Store.open(path, now=NOW) as store:
        run_id = store.start_run("apply", ["eu", "us"], NOW)
        store.journal_intent(run_id, sent)
        store.journal_outcome(
            run_id,
            "eu",
            [Outcome("2", "applied", {}), Outcome("10", "rejected", {}, "no such tag")],
        )
    with Store.open(path, now=NOW) as store:
        assert list(store.journal(run_id)) == [
            Written(sent[0], "applied", ""),
            Written(sent[1], "rejected", "no such tag"),
            Written(sent[2], None, ""),
            Written(sent[3], None, ""),
        ]


def test_the_journal_of_one_run_holds_nothing_of_another(store: Store) -> None:
    first, second = (store.start_run("apply", ["eu"], NOW) for _ in range(2))
    for run_id, status in ((first, "applied"), (second, "conflict")):
        store.journal_intent(run_id, [change("2")])
        store.journal_outcome(run_id, "eu", [Outcome("2", status, {})])
    assert [row.status for row in store.journal(first)] == ["applied"]
    assert list(store.journal("unknown")) == []


def test_runs_that_wrote_are_listed_the_newest_first(store: Store) -> None:
    store.start_run("pull", ["eu"], NOW)
    first, second = (store.start_run("apply", ["eu"], NOW) for _ in range(2))
    store.journal_intent(first, [change("2"), change("3")])
    store.journal_outcome(first, "eu", [Outcome("2", "applied", {}), Outcome("3", "conflict", {})])
    store.journal_intent(second, [change("2")])
    assert store.write_runs() == [(second, "apply", NOW, 1, 0), (first, "apply", NOW, 2, 1)]


def test_a_write_moves_the_ground_under_a_plan(store: Store) -> None:
    run_id = store.start_run("apply", ["eu"], NOW)
    before = store.standing("eu"), store.standing("us")
    store.journal_intent(run_id, [change("2")])
    assert store.standing("eu") != before[0]
    assert store.standing("us") == before[1]
