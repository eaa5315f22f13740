"""One job for every shop of a session, several shops side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread, enumerate

from connectors import news
from connectors.config import ShopSettings
from connectors.errors import worst
from connectors.session import Session
from connectors.stopping import LOOK_UP_SECONDS
from connectors.store.connection import Parting
from connectors.turns import Turns
from jobs.each import each_shop

Job = Callable[[Session, ShopSettings], object]


@dataclass(slots=True)
class Part:
    """What one shop works with, and how it went. `defect`: what nobody foresaw."""

    at: Session
    begun: float | None = None
    ended: float | None = None
    defect: BaseException | None = None
    told: bool = False

    @property
    def shop(self) -> ShopSettings:
        return self.at.shops[0]


class Worker(Thread):
    """Takes one shop after another. A daemon: a shop that hangs must not keep the process."""

    def __init__(self, job: Job, waiting: SimpleQueue[Part], done: SimpleQueue[Part]) -> None:
        super().__init__(daemon=True)
        self._job = job
        self._waiting = waiting
        self._done = done

    def run(self) -> None:
        while True:
            try:
                part = self._waiting.get_nowait()
            except Empty:
                return
            _do(self._job, part)
            self._done.put(part)


def abreast(at: Session, job: Job, jobs: int) -> None:
    """The job for every shop, `jobs` of them at a time; its exit code is the worst.

    One that fails doesn't stop the others, whatever it fails of: a defect is told at once, and
    raised when all are through. A wish to stop lets each finish its page; what doesn't get there
    in time is left behind (`left_behind`), with all so far kept.
    """
    turns, scoring = Turns(), Lock()
    parts = [Part(at.part(shop, turns, scoring)) for shop in at.shops]
    waiting: SimpleQueue[Part] = SimpleQueue()
    done: SimpleQueue[Part] = SimpleQueue()
    for part in parts:
        waiting.put(part)
    for _ in range(min(jobs, len(parts))):
        Worker(job, waiting, done).start()
    try:
        for _ in parts:
            _told(_next(done))
    except BaseException:
        turns.close()
        for part in parts:
            if not part.told:
                _told(part)
        raise
    finally:
        _joined(at, parts)
    for part in parts:
        if part.defect:
            raise part.defect


def left_behind() -> bool:
    """Whether a thread is still at work on what it was told to give up, or closes the store on it.

    Python's own end would pull what DuckDB stands on from under it, which aborts the process.
    """
    return any(isinstance(thread, Worker | Parting) for thread in enumerate())


def _do(job: Job, part: Part) -> None:
    if part.at.stopping():
        return  # it was not begun, and says so
    part.begun = time.monotonic()
    try:
        each_shop(part.at, job)
    except BaseException as defect:  # whatever ends a thread has to reach the command
        part.defect = defect
        part.at.terminal.error(f"{part.shop.shop}: {type(defect).__name__}: {defect}")
        part.at.worse(1)
    part.ended = time.monotonic()


def _next(done: SimpleQueue[Part]) -> Part:
    """The shop that is through next; meanwhile the main thread hears of a wish to stop."""
    while True:
        with suppress(Empty):
            return done.get(timeout=LOOK_UP_SECONDS)


def _told(part: Part) -> None:
    """A shop's own summary line."""
    part.told = True
    if part.ended is None:
        part.at.worse(130)
    seconds = (part.ended or time.monotonic()) - part.begun if part.begun is not None else None
    shop, at = part.shop.shop, part.at
    news.shop_done(at.terminal, shop, at.exit_code, seconds, at.tally.get(shop, {}))


def _joined(at: Session, parts: Sequence[Part]) -> None:
    """What the parts did, in the order of the shops, as if one had done it."""
    for part in parts:
        at.tally.update(part.at.tally)
        at.count(part.shop.shop, exit_code=part.at.exit_code)
        at.handed_out += part.at.handed_out
    at.worse(worst(part.at.exit_code for part in parts))
