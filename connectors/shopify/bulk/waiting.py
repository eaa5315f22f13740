"""Waiting for what Shopify works out by itself: longer each time, and not for ever."""

from __future__ import annotations

from collections.abc import Callable

#: Seconds. To ask costs a point of a thousand; to come late costs as much as the last wait.
FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
GROWTH = 1.25

#: Seconds of waiting without anything new: it hangs.
STANDSTILL = 3600.0


class Waiting:
    """Waits by `wait`, and counts for how long nothing has changed."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        self._wait = wait
        self._next = FIRST_WAIT
        self._waited = 0.0
        self._news: dict[str, tuple[object, float]] = {}

    def on(self) -> None:
        """Wait, a little longer than the last time."""
        self._wait(self._next)
        self._waited += self._next
        self._next = min(self._next * GROWTH, LONGEST_WAIT)

    def over(self) -> None:
        """Something came: all that is waited for gets its time anew."""
        self._next = FIRST_WAIT
        self._news.clear()

    def in_vain(self, name: str, state: object) -> bool:
        """Whether what was waited for has been in this very state for too long."""
        known, since = self._news.get(name, (None, self._waited))
        if name not in self._news or known != state:
            since = self._waited
        self._news[name] = state, since
        return self._waited - since >= STANDSTILL
