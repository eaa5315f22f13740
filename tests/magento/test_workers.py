from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

import pytest
from stray import stray_signal

from connectors.magento import workers
from connectors.magento.workers import Crew, Pace, nap

from .pulling import our_threads

# ------------------------------------------------------------------------------------------ pace


def settled(most: int, seconds: Callable[[int], float], answers: int = 400) -> list[int]:
    """The limits after each answer, where `seconds` is what one takes among so many."""
    pace, limits = Pace(most), []
    for _ in range(answers):
        pace.heard(seconds(pace.limit))
        limits.append(pace.limit)
    return limits


def test_it_begins_with_one_and_takes_all_soon_where_the_shop_bears_it() -> None:
    limits = settled(4, lambda asking: 0.15)
    assert limits[:3] == [2, 3, 4]
    assert set(limits[3:]) == {4}


def test_after_the_first_trouble_it_grows_by_one_a_round() -> None:
    pace = Pace(4)
    for _ in range(9):
        pace.heard(0.15)
    pace.troubled()
    limits = []
    for _ in range(9):
        pace.heard(0.15)
        limits.append(pace.limit)
    assert limits == [2, 2, 3, 3, 3, 4, 4, 4, 4]


@pytest.mark.parametrize("cores", [1, 2])
def test_where_answers_queue_up_it_asks_for_fewer(cores: int) -> None:
    """A shop of few cores answers no faster when it is asked for more at once."""
    chance = random.Random(5)  # noqa: S311  # no secret
    limits = settled(
        16, lambda asking: 1.7 * max(1, asking / cores) * chance.uniform(0.7, 1.3), answers=1000
    )
    late = limits[100:]
    assert max(late) <= 3 * cores
    assert sum(late) / len(late) <= 2 * cores


def test_answers_that_differ_by_half_are_no_trouble() -> None:
    chance = random.Random(3)  # noqa: S311  # no secret
    limits = settled(4, lambda asking: 0.15 * chance.uniform(0.5, 1.5))
    assert set(limits[20:]) == {4}


def test_trouble_halves_it_and_a_single_wave_of_trouble_counts_once() -> None:
    pace = Pace(16)
    while pace.limit < 16:
        pace.heard(0.1)
    pace.troubled()
    assert pace.limit == 8
    pace.troubled()  # of the requests that were on their way
    assert pace.limit == 8
    for _ in range(16):
        pace.heard(0.1)
    pace.troubled()
    assert pace.limit < 8


def test_however_much_trouble_there_is_one_goes_on() -> None:
    pace = Pace(4)
    for _ in range(50):
        pace.troubled()
        pace.heard(9.0)
    assert pace.limit >= 1


def test_a_shop_that_grows_slower_for_good_is_not_punished_for_ever() -> None:
    pace = Pace(4)
    for _ in range(50):
        pace.heard(0.1)
    for _ in range(2000):
        pace.heard(0.5)
    assert pace.limit == 4


# ------------------------------------------------------------------------------------------ crew


def same(piece: int) -> int:
    return piece


def crew_of(tasks: list[list[int]], most: int) -> Crew[int, int]:
    left = [iter(task) for task in tasks]
    lock = threading.Lock()

    def take() -> Iterator[int] | None:
        with lock:
            return left.pop(0) if left else None

    return Crew(take, most, same)


@pytest.mark.parametrize("most", [1, 2, 4, 16])
def test_every_piece_of_every_task_comes_once(most: int) -> None:
    tasks = [[100 * task + one for one in range(1, 21)] for task in range(1, 11)]
    found = list(crew_of(tasks, most).pieces())
    assert sorted(found) == sorted(one for task in tasks for one in task)
    assert our_threads() == 0


def test_the_pieces_of_one_task_keep_their_order() -> None:
    found = list(crew_of([list(range(1, 100)), list(range(1001, 1100))], 2).pieces())
    assert [one for one in found if one < 1000] == list(range(1, 100))
    assert [one for one in found if one > 1000] == list(range(1001, 1100))


def test_no_task_gives_nothing() -> None:
    assert list(crew_of([], 4).pieces()) == []
    assert list(crew_of([[], []], 4).pieces()) == []


def test_an_error_ends_all_threads_and_comes_behind_what_was_read_before() -> None:
    def breaking() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("broken")

    tasks: list[Iterator[int]] = [breaking()]
    seen: list[int] = []
    with pytest.raises(LookupError, match="broken"):
        seen.extend(Crew(lambda: tasks.pop() if tasks else None, 1, same).pieces())
    assert seen == [1, 2]
    assert our_threads() == 0


def test_an_error_of_one_ends_the_others_in_the_middle_of_their_tasks() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 7

    def breaking() -> Iterator[int]:
        yield 1
        raise LookupError("broken")

    tasks: list[Iterator[int]] = [endless(), breaking(), endless()]
    with pytest.raises(LookupError):
        list(Crew(lambda: tasks.pop() if tasks else None, 3, same).pieces())
    assert our_threads() == 0


def test_no_more_than_a_few_pieces_wait_for_a_slow_listener() -> None:
    read = 0

    def endless() -> Iterator[int]:
        nonlocal read
        while True:
            read += 1
            yield read

    pieces = Crew(endless, 4, same).pieces()
    for _ in range(100):
        next(pieces)
    assert read <= 100 + 2 * 4
    pieces.close()  # type: ignore[attr-defined]  # a generator
    assert our_threads() == 0


def test_a_listener_who_leaves_ends_all_threads() -> None:
    pieces = crew_of([[1] * 1000] * 10, 4).pieces()
    next(pieces)
    del pieces
    assert our_threads() == 0


def test_a_wish_to_stop_is_heard_while_nothing_comes() -> None:
    with stray_signal() as strayed:

        def task() -> Iterator[bool]:
            yield strayed(10)

        tasks = [task()]
        pieces = Crew(lambda: tasks.pop() if tasks else None, 1, same).pieces()
        assert list(pieces) == [True]


def test_it_never_asks_more_at_once_than_the_pace_allows() -> None:
    asking, most_seen, lock = 0, 0, threading.Lock()

    def task() -> Iterator[int]:
        nonlocal asking, most_seen
        for one in range(50):
            with lock:
                asking += 1
                most_seen = max(most_seen, asking)
            threading.Event().wait(0.0005)
            with lock:
                asking -= 1
            yield one

    tasks = [task() for _ in range(8)]
    list(Crew(lambda: tasks.pop() if tasks else None, 3, same).pieces())
    assert 2 <= most_seen <= 3


def test_a_nap_of_a_worker_slows_the_crew_and_ends_when_the_listener_leaves() -> None:
    napping = threading.Event()

    def task() -> Iterator[int]:
        yield 1
        napping.set()
        nap(3600)
        yield 2

    tasks = [task()]
    crew = Crew(lambda: tasks.pop() if tasks else None, 1, same)
    pieces = crew.pieces()
    assert next(pieces) == 1
    assert napping.wait(60)
    pieces.close()  # type: ignore[attr-defined]  # a generator
    assert our_threads() == 0


def test_naps_are_trouble_and_their_length_is_no_answers_time() -> None:
    now = 0.0
    seen = []

    def task() -> Iterator[int]:
        nonlocal now
        for one in range(40):
            if one == 20:
                seen.append(crew._pace.limit)
                nap(0)
                now += 1000
                seen.append(crew._pace.limit)
            now += 0.1
            yield one

    tasks = [task()]
    crew = Crew(lambda: tasks.pop() if tasks else None, 8, same, clock=lambda: now)
    list(crew.pieces())
    before, behind = seen
    assert before > 4
    assert behind == before // 2
    assert crew._pace.limit > behind


def test_outside_of_a_crew_a_nap_is_a_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(workers.time, "sleep", slept.append)
    nap(1.5)
    assert slept == [1.5]
