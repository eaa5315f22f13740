from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from made_rows import NOW

from connectors.errors import ConfigurationError, GuardStopped, Interrupted, ShopUnavailable
from connectors.pull import Watch
from connectors.schema import Change, Outcome
from connectors.store import Store
from connectors.writeback import guard, undoing, write

CHANGES = [Change("eu", str(n), {}, {"tier": "high"}) for n in range(7)]


class Shop:
    """Takes three changes at a time; says of each customer what it was told to say."""

    shop = "eu"
    shows = ("tier",)
    batch_size = 3

    def __init__(self, refuses: str = "", fails_at: str = "") -> None:
        self.refuses = refuses
        self.fails_at = fails_at
        self.sent: list[str] = []

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        for change in changes:
            if change.customer_id == self.fails_at:
                raise ShopUnavailable("gone")
            self.sent.append(change.customer_id)
            status = "rejected" if change.customer_id == self.refuses else "applied"
            yield Outcome(change.customer_id, status, change.after, "why")  # type: ignore[arg-type]


def journalled(store: Store, run_id: str) -> dict[str, str | None]:
    return {row.change.customer_id: row.status for row in store.journal(run_id)}


def test_every_change_is_journalled_with_its_outcome(store: Store) -> None:
    run_id = store.start_run("apply", ["eu"], NOW)
    counts, refused = write(Shop(refuses="4"), store, run_id, CHANGES, Watch())  # type: ignore[arg-type]
    assert counts == {"applied": 6, "rejected": 1}
    assert [outcome.customer_id for outcome in refused] == ["4"]
    assert journalled(store, run_id) == {str(n): "applied" for n in range(7)} | {"4": "rejected"}


def test_a_shop_that_goes_down_halfway_keeps_what_it_said_before(store: Store) -> None:
    run_id = store.start_run("apply", ["eu"], NOW)
    with pytest.raises(ShopUnavailable):
        write(Shop(fails_at="4"), store, run_id, CHANGES, Watch())  # type: ignore[arg-type]
    assert journalled(store, run_id) == {
        "0": "applied", "1": "applied", "2": "applied", "3": "applied", "4": None, "5": None,
    }  # fmt: skip


def test_asked_to_stop_it_stops_between_two_batches(store: Store) -> None:
    run_id = store.start_run("apply", ["eu"], NOW)
    shop = Shop()
    with pytest.raises(Interrupted):
        write(shop, store, run_id, CHANGES, Watch(stopping=lambda: len(shop.sent) > 2))  # type: ignore[arg-type]
    assert shop.sent == ["0", "1", "2"]


def test_undoing_takes_back_all_but_what_was_left_alone(store: Store) -> None:
    run_id = store.start_run("apply", ["eu"], NOW)
    store.journal_intent(run_id, CHANGES[:4])
    told = [
        Outcome("0", "applied", {}), Outcome("1", "conflict", {}), Outcome("2", "rejected", {}),
    ]  # fmt: skip
    store.journal_outcome(run_id, "eu", told)
    assert undoing(store, run_id) == [CHANGES[n].reversed() for n in (0, 2, 3)]


def test_a_run_that_wrote_nothing_cannot_be_undone(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="wrote nothing"):
        undoing(store, store.start_run("pull", ["eu"], NOW))


def test_more_changes_than_allowed_are_stopped_and_as_many_are_not() -> None:
    guard(CHANGES, 7)
    guard(CHANGES, None)
    with pytest.raises(GuardStopped, match="7 customers would change, 6 are allowed"):
        guard(CHANGES, 6)
