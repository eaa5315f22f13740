"""What is tried again, when, and for how long."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from connectors.errors import ShopUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient to be: attempts in all; waits and the budget of one request in seconds.

    A wait that the shop asks for (Retry-After) is kept in full; one that doesn't fit into what is
    left of the budget ends the request instead, so the shop is never asked too early.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60
    budget: float = 300


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


@dataclass(frozen=True, slots=True)
class Patience:
    """Tries again what may pass; ShopUnavailable once that is exhausted."""

    shop: str
    retry: Retry
    sleep: Callable[[float], None]

    def __call__(self, attempt: Callable[[], T], attempts: int | None) -> T:
        trying = Retrying(
            retry=retry_if_exception_type(Passing),
            wait=self._wait,
            stop=partial(self._exhausted, attempts or self.retry.attempts),
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

    def _exhausted(self, attempts: int, state: RetryCallState) -> bool:
        spent = max(state.seconds_since_start or 0, state.idle_for)
        late = spent + state.upcoming_sleep > self.retry.budget
        return late or state.attempt_number >= min(attempts, _failure(state).tries or attempts)

    def _tell(self, state: RetryCallState) -> None:
        log.warning(
            "retry shop=%s attempt=%d wait_seconds=%.1f reason=%r status=%s",
            self.shop,
            state.attempt_number,
            state.upcoming_sleep,
            _failure(state).told,
            _failure(state).evidence.get("status"),
        )


def _failure(state: RetryCallState) -> Passing:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, Passing)  # noqa: S101  # nothing else is retried
    return error
