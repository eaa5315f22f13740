"""A wish to stop, told by a signal.

The first lets the page or batch at hand be finished, the second ends at once.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from connectors.errors import Interrupted

#: How long the page or batch at hand may take, once somebody wants to stop.
DRAIN_SECONDS = 2

#: How often the main thread looks up while it waits for others. A thread that starts at the very
#: moment may take the signal: then its wish is heard, but nothing wakes the main thread for it.
LOOK_UP_SECONDS = 0.5

_asked: list[int] = []


def heed() -> None:
    """From now on SIGINT and SIGTERM are wishes to stop. Main thread only."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _softly)
    signal.signal(signal.SIGALRM, _now)


def asked() -> bool:
    """Whether somebody wants this process to stop."""
    return bool(_asked)


def drained() -> None:
    """What is left to do takes as long as it takes."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def forget() -> None:
    """Nobody has asked: for a process that outlives a command."""
    _asked.clear()


def _softly(number: int, frame: FrameType | None) -> None:
    if _asked:
        os._exit(130)  # no clean-up: it waits for workers, and what is committed is safe anyway
    _asked.append(number)
    signal.setitimer(signal.ITIMER_REAL, DRAIN_SECONDS)


def _now(number: int, frame: FrameType | None) -> None:
    """What hangs or waits for the shop is given up: its page comes again the next time."""
    raise Interrupted("stopped where asked to; all so far is kept", mend="Run it again.")
