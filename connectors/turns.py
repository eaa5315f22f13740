"""One open order store for several threads, one of which is in it at a time.

A shop's run waits for the shop nearly all of its time, and is in the store for milliseconds a page.
So the store need not bear several at once: what it stages, compacts and alters would have to be
made fit for that, on every engine.
"""

from __future__ import annotations

from threading import RLock
from types import TracebackType
from typing import Any, cast

from connectors.errors import Interrupted
from connectors.store import Store


class Turns:
    """Whose turn it is: `with turns` is alone in the store. Once closed, nobody gets in."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._closed = False

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._closed:
            self._lock.release()
            raise Interrupted("stopped where asked to; all so far is kept", mend="Run it again.")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def close(self) -> None:
        """Who is in may finish; who comes later gets Interrupted."""
        self._closed = True

    def of(self, store: Store) -> Store:
        """The store, each of whose verbs takes a turn; what a verb gives in batches needs none."""
        return cast(Store, _InTurn(store.another(), self))


class _InTurn:
    """Looks like what it stands before."""

    def __init__(self, store: Store, turns: Turns) -> None:
        self._store = store
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def in_turn(*args: Any, **more: Any) -> Any:
            with self._turns:
                return found(*args, **more)

        return in_turn
