"""A benchmark's own HTTP server on loopback: told where it listens by its first line."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def started(script: str, *options: object) -> Iterator[str]:
    """The address of a server that runs while the block does."""
    command = [sys.executable, str(HERE / script), *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603
        try:
            yield running.stdout.readline().strip() if running.stdout else ""
        finally:
            running.terminate()


async def serve(talk: Talk) -> None:
    """The server's side: a free port, told on the standard output, until it is ended."""
    listening = await asyncio.start_server(talk, "127.0.0.1", 0, limit=2**20)
    port = listening.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    await listening.serve_forever()
