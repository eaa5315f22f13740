"""A result's lines in shares, each with all that belongs to its orders.

Children name their parent in `__parentId` and may stand anywhere in the file, before it, too
(https://shopify.dev/docs/api/usage/bulk-operations/queries, 2026-11-23). A result that is too large
to be joined in memory is shared out by order, as bytes. These shares wait in a file without a name,
that nobody else can open and that is gone with this process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO

from connectors.errors import ConfigurationError

SHARE_BYTES = 2**24  # a share: some 8,000 orders
HELD_BYTES = 2**24  # of several shares, before they go to the file
LONGEST_LINE = 2**24

#: No text can look like this key: its quotes would be escaped.
PARENT = b'"__parentId":'
#: An order's id, its slashes escaped or not. In an order's line it stands first.
_ORDER = re.compile(rb'"gid:\\?/\\?/shopify\\?/Order\\?/(\d+)"')


class Unsound(Exception):
    """The result isn't what the shop says it is."""


class Result:
    """The lines of a result, in shares. `orders` and `objects` say how many were read."""

    def __init__(self, size: int) -> None:
        self.orders = self.objects = 0
        self._shares: list[list[bytes]] = [[] for _ in range(size // SHARE_BYTES + 1)]
        self._blocks: list[list[tuple[int, int]]] = [[] for _ in self._shares]
        self._file: IO[bytes] | None = None

    @classmethod
    def read(cls, pieces: Iterable[bytes], size: int) -> Result:
        """From a file of about `size` bytes, to its end. Raises Unsound, ConfigurationError."""
        with ExitStack() as failing:
            result = failing.enter_context(cls(size))
            held = 0
            for lines in _lines(pieces):
                held += result._take(lines)
                if held > HELD_BYTES and len(result._shares) > 1:
                    result._lay_down()
                    held = 0
            failing.pop_all()
        return result

    def __enter__(self) -> Result:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._file:
            self._file.close()

    def shares(self) -> Iterator[bytes]:
        """Lines, a share at a time: whole families each."""
        for share in range(len(self._shares)):
            yield b"\n".join(filter(None, self._share(share)))

    def _take(self, lines: bytes) -> int:
        """Shares whole lines out; how many bytes that holds."""
        if not lines:
            return 0
        children, objects = lines.count(PARENT), lines.count(b"\n") + 1
        self.orders += objects - children
        self.objects += objects
        if len(self._shares) == 1:
            self._shares[0].append(lines)
        else:
            for line in lines.split(b"\n"):
                self._shares[int(order_of(line)) % len(self._shares)].append(line)
        return len(lines)

    def _lay_down(self) -> None:
        try:
            self._file = file = self._file or TemporaryFile()  # noqa: SIM115  # see `close`
            for share, blocks in zip(self._shares, self._blocks, strict=True):
                blocks.append((file.tell(), file.write(b"\n".join(share))))
                share.clear()
            file.flush()
        except OSError as error:
            raise ConfigurationError(
                "the folder for temporary files takes no more",
                mend="Make room there, or set TMPDIR to a folder with more.",
                reason=error.strerror,
            ) from None

    def _share(self, share: int) -> Iterator[bytes]:
        for start, size in self._blocks[share]:
            assert self._file is not None  # noqa: S101  # what has blocks has a file
            self._file.seek(start)
            yield self._file.read(size)
        yield from self._shares[share]


def order_of(line: bytes) -> bytes:
    """The number of the order that a line is, or belongs to. Raises Unsound."""
    at = line.rfind(PARENT)
    found = _ORDER.search(line, max(at, 0))
    if found is None:
        raise Unsound("a line names no order")
    return found[1]


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same in whole lines, without the last one's end."""
    rest = b""
    for piece in pieces:
        whole, end, begun = piece.rpartition(b"\n")
        if end:
            yield rest + whole
            rest = begun
        else:
            rest += begun
        if len(rest) > LONGEST_LINE:
            raise Unsound("a line has no end")
    yield rest
