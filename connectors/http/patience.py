"""What is tried again, when, and for how long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from connectors.errors import ShopUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient to be: attempts in all; waits and budgets in seconds.

    `budget` is for one request, `run_budget` for the waits of all requests of a run together: a
    shop that makes every single one wait would else hold a run for days. What was read until then
    is kept, and the next run goes on behind it.

    A wait that the shop asks for (Retry-After) is kept in full; one that doesn't fit into what is
    left of the budget ends the request instead, so the shop is never asked too early. A shop that
    is only busy says so as often as it likes: then the budget alone counts.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60
    budget: float = 300
    run_budget: float = 4 * 3600


class Pace:
    """Leaves the shop alone for as long as its last answers ask for, whichever thread comes next.

    What is done between two requests counts as waiting.
    """

    def __init__(
        self, sleep: Callable[[float], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._own = _Own()

    def hold(self, seconds: float) -> None:
        """Nobody asks for so long, nor before what was asked for earlier has passed."""
        with self._lock:
            self._free_at = max(self._free_at, self._clock() + seconds)

    def left(self) -> float:
        """Seconds that this thread still has to wait."""
        now, free_at = self._clock(), self._free_at
        return free_at - now if free_at > max(now, self._own.waited_until) else 0.0

    def keep(self, longest: float) -> None:
        """Waits what is left to wait, and what others are told meanwhile.

        Raises Passing where that is more than `longest`: nobody asks too early, nor waits all day.
        """
        while left := self.left():
            if left > longest:
                raise Passing("the shop asks to slow down", after=left)
            self.sleep(left)

    def sleep(self, seconds: float) -> None:
        """Any wait of this thread counts, so that none is waited twice."""
        until = self._clock() + seconds
        self._sleep(seconds)
        self._own.waited_until = max(self._own.waited_until, until)


class _Own(threading.local):
    waited_until = 0.0


class Passing(Exception):
    """A failure that may pass. `after`: seconds that the shop asked to wait; `tries`: at most."""

    def __init__(
        self,
        told: str,
        *,
        mend: str = "Try again later.",
        after: float | None = None,
        tries: int | None = None,
        **evidence: object,
    ) -> None:
        super().__init__(told)
        self.told = told
        self.mend = mend
        self.after = after
        self.tries = tries
        self.evidence = evidence


class Waited:
    """How long was waited in a run so far, by all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds


@dataclass(frozen=True, slots=True)
class Patience:
    """Tries again what may pass; ShopUnavailable once that is exhausted."""

    shop: str
    retry: Retry
    sleep: Callable[[float], None]
    waited: Waited = field(default_factory=Waited)

    def __call__(self, attempt: Callable[[], T], attempts: int | None) -> T:
        trying = Retrying(
            retry=retry_if_exception_type(Passing),
            wait=self._wait,
            stop=_Exhausted(self.retry, attempts, self.waited),
            before_sleep=self._tell,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return trying(attempt)
        except Passing as last:
            raise ShopUnavailable(
                last.told, mend=last.mend, shop=self.shop, **last.evidence
            ) from None

    def _wait(self, state: RetryCallState) -> float:
        passing = _failure(state)
        if passing.after is not None:
            return max(passing.after, self.retry.first_wait)
        return wait_random_exponential(self.retry.first_wait, self.retry.longest_wait)(state)

    def _tell(self, state: RetryCallState) -> None:
        self.waited.add(state.upcoming_sleep)
        log.warning(
            "retry shop=%s attempt=%d wait_seconds=%.1f reason=%r status=%s",
            self.shop,
            state.attempt_number,
            state.upcoming_sleep,
            _failure(state).told,
            _failure(state).evidence.get("status"),
        )


class _Exhausted:
    """Counts one request's failures, but for those that named a time to wait: they cost budget.

    Where `attempts` are given, it counts all.
    """

    def __init__(self, retry: Retry, attempts: int | None, waited: Waited) -> None:
        self._budget = retry.budget
        self._run_budget = retry.run_budget
        self._waited = waited
        self._most = attempts or retry.attempts
        self._counts_all = attempts is not None
        self._failures = 0

    def __call__(self, state: RetryCallState) -> bool:
        spent = max(state.seconds_since_start or 0, state.idle_for)
        passing = _failure(state)
        self._failures += self._counts_all or passing.after is None
        late = spent + state.upcoming_sleep > self._budget
        late = late or self._waited.seconds + state.upcoming_sleep > self._run_budget
        return late or self._failures >= min(self._most, passing.tries or self._most)


def _failure(state: RetryCallState) -> Passing:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, Passing)  # noqa: S101  # nothing else is retried
    return error
