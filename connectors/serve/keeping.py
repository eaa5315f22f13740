"""Hints onto the disk, many at a time: under load a commit serves all who wait for one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.hints import Hint, Hints

Waiting = tuple[Hint, "asyncio.Future[None]"]


class Keeper:
    """Keeps hints; each is on the disk when `keep` returns, or it raises what SQLite raised."""

    def __init__(self, hints: Hints, clock: Callable[[], datetime]) -> None:
        self._hints = hints
        self._clock = clock
        self._waiting: list[Waiting] = []
        self._at_work: asyncio.Task[None] | None = None

    async def keep(self, hint: Hint) -> None:
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((hint, kept))
        if self._at_work is None:
            self._at_work = asyncio.create_task(self._commits())
        await kept

    async def _commits(self) -> None:
        """One commit after the other, for as long as anybody waits."""
        try:
            while self._waiting:
                lot, self._waiting = self._waiting, []
                _tell(lot, await self._committed([hint for hint, _ in lot]))
        finally:
            self._at_work = None

    async def _committed(self, hints: Sequence[Hint]) -> sqlite3.Error | None:
        try:
            await asyncio.to_thread(self._hints.add, hints, self._clock())
        except sqlite3.Error as error:
            return error
        return None


def _tell(lot: Sequence[Waiting], error: sqlite3.Error | None) -> None:
    for _, kept in lot:
        if kept.done():
            continue  # whoever waited has left
        if error:
            kept.set_exception(error)
        else:
            kept.set_result(None)
