"""Nameless files beside the store, for what is too much for memory.

They are their owner's alone, and gone with whoever holds them, however that ends. Beside the store
and not where the system keeps what is temporary, since that is memory on many a machine.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pyarrow as pa

from connectors.errors import StoreError

CHUNK_BYTES = 2**18


class Scratch:
    """A file that grows at its end, and can be read from any place meanwhile."""

    def __init__(self, folder: Path | None = None) -> None:
        with _told():
            self._file = TemporaryFile(dir=folder)  # noqa: SIM115  # as long as this object
        weakref.finalize(self, _closed, self._file)

    def write(self, content: bytes) -> int:
        """How long the file is with it."""
        with _told():
            self._file.write(content)
            self._file.flush()
            return self._file.tell()

    def opened(self) -> pa.NativeFile:
        """The file once more, to be read from its start; one at a time.

        Not through Python: what a signal raises there, Arrow and DuckDB would pass on as their own.
        """
        self._file.seek(0)  # where `/dev/fd` gives the very same one
        return pa.OSFile(f"/dev/fd/{self._file.fileno()}")

    def lines(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The lines from one place until before another, without their ends."""
        left, handle = b"", self._file.fileno()
        end = os.fstat(handle).st_size if end is None else end
        for place in range(begin, end, CHUNK_BYTES):
            left += os.pread(handle, min(CHUNK_BYTES, end - place), place)
            *whole, left = left.split(b"\n")
            yield from whole
        if left:
            yield left


def _closed(file: IO[bytes]) -> None:
    """A disk that is full was told of before."""
    with suppress(OSError):
        file.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"no room beside the order store: {error.strerror}",
            mend="Free some space on its disk, and run it again.",
        ) from error
