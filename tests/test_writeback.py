from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

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


class Refusing(Shop):
    """Takes many at a time, and refuses those it is told to."""

    batch_size = 1000

    def __init__(self, *refused: int) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.refused = {str(number) for number in refused}

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        self.batches.append(len(changes))
        for change in changes:
            self.sent.append(change.customer_id)
            status = "rejected" if change.customer_id in self.refused else "applied"
            yield Outcome(change.customer_id, status, change.after, "no such group")  # type: ignore[arg-type]


def send(shop: Shop, store: Store, many: int = 100, limit: str | None = "0.2") -> int:
    """How many were refused."""
    run_id = store.start_run("apply", ["eu"], NOW)
    changes = [Change("eu", str(n), {}, {"tier": "high"}) for n in range(many)]
    part = None if limit is None else Decimal(limit)
    return len(write(shop, store, run_id, changes, Watch(), part)[1])  # type: ignore[arg-type]


def test_twenty_go_ahead_whatever_the_batch(store: Store) -> None:
    shop = Refusing()
    send(shop, store)
    assert shop.batches == [20, 80]


def test_a_shop_that_refuses_the_canaries_is_left_alone(store: Store) -> None:
    shop = Refusing(*range(100))
    with pytest.raises(GuardStopped, match=r"refused 20 of the first 20 .*no such group"):
        send(shop, store)
    assert len(shop.sent) == 20
    assert len(store.refused("eu")) == 20


def test_a_few_refusals_among_many_stop_nothing(store: Store) -> None:
    assert send(Refusing(*range(0, 100, 20)), store) == 5
    assert send(Refusing(*range(4)), store, many=30) == 4


def test_the_last_batch_is_no_reason_to_stop(store: Store) -> None:
    assert send(Refusing(*range(7)), store, many=7) == 7


def test_without_a_limit_all_are_tried(store: Store) -> None:
    assert send(Refusing(*range(100)), store, limit=None) == 100


def test_who_was_refused_is_tried_again_at_the_end_and_counts_for_nobody(store: Store) -> None:
    send(Refusing(*range(30)), store, limit=None)
    assert {one.times for one in store.refused("eu").values()} == {1}
    again = Refusing(*range(5, 30))
    assert send(again, store, limit="0") == 25
    assert again.sent[:70] == [str(n) for n in range(30, 100)]
    refused = store.refused("eu")
    assert sorted(refused, key=int) == [str(n) for n in range(5, 30)]
    assert {(one.times, one.reason) for one in refused.values()} == {(2, "no such group")}
    assert send(Refusing(), store) == 0
    assert store.refused("eu") == {}


def test_undoing_takes_back_all_but_what_was_left_alone(store: Store) -> None:
    run_id = store.start_run("apply", ["eu"], NOW)
    store.journal_intent(run_id, CHANGES[:4])
    told = [
        Outcome("0", "applied", {}), Outcome("1", "conflict", {}), Outcome("2", "rejected", {}),
    ]  # fmt: skip
    store.journal_outcome(run_id, "eu", told)
    assert list(undoing(store, run_id)) == [CHANGES[n].reversed() for n in (0, 2, 3)]


def test_a_run_that_wrote_nothing_cannot_be_undone(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="wrote nothing"):
        undoing(store, store.start_run("pull", ["eu"], NOW))


def test_more_changes_than_allowed_are_stopped_and_as_many_are_not() -> None:
    guard(CHANGES, 7)
    guard(CHANGES, None)
    with pytest.raises(GuardStopped, match="7 customers would change, 6 are allowed"):
        guard(CHANGES, 6)
