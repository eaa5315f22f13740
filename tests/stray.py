"""A signal that a thread takes which isn't the main one: nothing wakes the main thread for it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Strayed = Callable[[float], bool]


@contextmanager
def stray_signal() -> Iterator[Strayed]:
    """Gives what a thread calls: it takes a signal, and tells whether its handler ran in time."""
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())

    def strayed(seconds: float) -> bool:
        time.sleep(0.2)  # by then the main thread waits
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        return handled.wait(seconds)

    try:
        yield strayed
    finally:
        signal.signal(signal.SIGUSR1, before)
