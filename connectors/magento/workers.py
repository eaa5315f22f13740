"""Several readers side by side for one listener: as many as the shop bears, in bounded memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Thread, local
from typing import Generic, TypeVar

from connectors.stopping import LOOK_UP_SECONDS

T = TypeVar("T")
Done = TypeVar("Done")
Asked = TypeVar("Asked")

SMOOTH = 1 / 4  # the weight of the newest answer in the usual time
FORGET = 1.002  # the best time is forgotten slowly: a shop may be slower by day than by night
GROWN = 2.0  # times the best: the shop queues what we ask, so asking more gains nothing
SPARE = 2  # threads more than may ask: all that may ask do, while others finish what came
PARTING_SECONDS = 2.0  # to wait for answers that are on their way, after a stop


class Pace:
    """How many may ask at once: one more while all goes well, half as many at any trouble.

    (Additive increase, multiplicative decrease, as TCP does it.) It begins with one, so that the
    time of an answer that nothing competes with is known, and until the first trouble each good
    answer brings one more: a shop that bears all of them is not kept waiting for them. Who has to
    be as quick at once says how many it begins with.
    """

    def __init__(self, most: int, begins_with: int = 1) -> None:
        self._most = most
        self._limit = float(begins_with)
        self._usual: float | None = None
        self._best = float("inf")
        self._stale = 0
        self._untroubled = True

    @property
    def limit(self) -> int:
        return int(self._limit)

    def heard(self, seconds: float) -> None:
        """An answer took so long."""
        usual = seconds if self._usual is None else self._usual
        self._usual = usual + SMOOTH * (seconds - usual)
        self._best = min(self._best * FORGET, self._usual)
        self._stale = max(self._stale - 1, 0)
        if self._usual > GROWN * self._best:
            self.troubled()
        else:
            more = 1.0 if self._untroubled else 1 / self._limit
            self._limit = min(self._most, self._limit + more)

    def troubled(self) -> None:
        """The shop refused for the moment, or failed, or has grown slow.

        What was on its way at the last cut tells nothing about the time after it.
        """
        if self._stale:
            return
        self._untroubled = False
        self._stale = self.limit
        self._limit = max(self._limit / 2, 1.0)
        self._usual = None


class _Stopped(Exception):
    """Nobody listens any more."""


class Crew(Generic[T, Done]):
    """Threads that take tasks and read them piece by piece, `most` at a time; `pieces` listens.

    take    gives the next task, None where there are none left; called in the threads
    finish  makes of a piece what the listener gets, while others ask the shop
    timed   whether a piece took what pieces take: others tell the pace nothing
    begins_with  how many may ask before anything is known of the shop
    """

    def __init__(
        self,
        take: Callable[[], Iterator[T] | None],
        most: int,
        finish: Callable[[T], Done],
        *,
        timed: Callable[[T], bool] = lambda piece: True,
        begins_with: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._take = take
        self._finish = finish
        self._timed = timed
        self._most = most
        self._clock = clock
        self._pace = Pace(most, begins_with)
        self._changed = Condition()  # guards all below
        self._waiting: deque[Done | BaseException] = deque()
        self._working = 0
        self._asking = 0
        self._stopped = False

    def pieces(self) -> Iterator[Done]:
        """All pieces of all tasks. An error in a thread comes behind what was read before it.

        However this ends, no thread goes on: what they had read and not given is dropped.
        """
        self._working = self._most + SPARE
        for _ in range(self._working):
            Thread(target=self._work, daemon=True).start()
        try:
            while (piece := self._heard()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            self._stop()

    def _heard(self) -> Done | BaseException | None:
        """The oldest piece that waits; None when all work is done."""
        with self._changed:
            while not self._changed.wait_for(
                lambda: self._waiting or not self._working, LOOK_UP_SECONDS
            ):
                pass
            self._changed.notify_all()
            return self._waiting.popleft() if self._waiting else None

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._working, timeout=PARTING_SECONDS)

    # ---------------------------------------------------------------------------- in the threads

    def _work(self) -> None:
        _here.crew = self
        try:
            while (task := self._in_turn(self._take)[0]) is not None:
                self._read(task)
        except _Stopped:
            pass
        except BaseException as error:  # whatever ends a thread has to reach the listener
            with self._changed:
                self._waiting.append(error)
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def _read(self, task: Iterator[T]) -> None:
        while True:
            piece, seconds = self._in_turn(lambda: next(task, None))
            if piece is None:
                return
            if not _here.napped and self._timed(piece):
                self._tell(seconds)
            self._give(self._finish(piece))

    def _tell(self, seconds: float) -> None:
        with self._changed:
            self._pace.heard(seconds)
            self._changed.notify_all()

    def _give(self, piece: Done) -> None:
        """Lays a piece down once there is room, so that no more than a few are in memory."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._waiting) < self._most)
            self._waiting.append(piece)
            self._changed.notify_all()

    def _in_turn(self, ask: Callable[[], Asked]) -> tuple[Asked, float]:
        """Asks the shop once as few others ask as the pace allows; how many seconds it took."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._asking < self._pace.limit)
            if self._stopped:
                raise _Stopped
            self._asking += 1
        _here.napped, begun = False, self._clock()
        try:
            return ask(), self._clock() - begun
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def nap(self, seconds: float) -> None:
        _here.napped = True
        with self._changed:
            self._pace.troubled()
            if self._changed.wait_for(lambda: self._stopped, timeout=seconds):
                raise _Stopped


_here = local()


def nap(seconds: float) -> None:
    """How an `Http` waits before it tries again (its `sleep`).

    In a crew's thread the crew slows down, too, and nobody sleeps on once it is stopped.
    """
    crew = getattr(_here, "crew", None)
    (crew.nap if crew else time.sleep)(seconds)
