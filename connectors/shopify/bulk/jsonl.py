"""A result's lines, joined to orders.

Children name their parent in `__parentId` and may stand anywhere in the file, before it, too
(https://shopify.dev/docs/api/usage/bulk-operations/queries, 2026-11-23). So the lines are shared
out by order, as bytes; each share is small enough to be joined in memory, one by one. They wait in
a file without a name, that nobody else can open and that is gone with this process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, NoReturn

from connectors.errors import ConfigurationError
from connectors.shopify.nodes import Node

SHARE_BYTES = 2**21  # a share: some 600 orders
HELD_BYTES = 2**22  # of all shares, before they go to the file
LONGEST_LINE = 2**24

#: No text can look like this key: its quotes would be escaped.
_PARENT = b'"__parentId":'
#: An order's id, its slashes escaped or not. In an order's line it stands first.
_ORDER = re.compile(rb'"gid:\\?/\\?/shopify\\?/Order\\?/(\d+)"')

#: An order, its lines and shippings as they came.
Family = tuple[dict[str, Any], list[Node]]


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
                if held > HELD_BYTES:
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

    def shares(self) -> Iterator[Iterator[Family]]:
        """All orders with their children, a share at a time. Raises Unsound."""
        return (joined(self._share(share)) for share in range(len(self._shares)))

    def _take(self, lines: Sequence[bytes]) -> int:
        """Shares the lines out, each behind its order's number: a child's with a minus."""
        shares, held, orders, objects = self._shares, 0, 0, 0
        for line in lines:
            if not line:
                continue
            _, child, parent = line.rpartition(_PARENT)
            found = _ORDER.search(parent)
            if found is None:
                raise Unsound("a line names no order")
            order = found[1]
            shares[int(order) % len(shares)].append(b"%b%b %b" % (child and b"-", order, line))
            objects += 1
            orders += not child
            held += len(line)
        self.orders += orders
        self.objects += objects
        return held

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
            yield from self._file.read(size).split(b"\n")
        yield from self._shares[share]


def joined(lines: Iterable[bytes]) -> Iterator[Family]:
    """Orders and children, as `Result` shared them out, put together. Raises Unsound."""
    roots: dict[bytes, bytes] = {}
    children: dict[bytes, list[bytes]] = {}
    for line in lines:
        order, _, text = line.partition(b" ")
        if order.startswith(b"-"):
            children.setdefault(order[1:], []).append(text)
        elif order in roots:
            raise Unsound("an order is there twice")
        elif order:
            roots[order] = text
    if not children.keys() <= roots.keys():
        raise Unsound("an order is missing")
    for order, text in roots.items():
        yield _family([text, *children.get(order, ())])


def _family(texts: Sequence[bytes]) -> Family:
    """The children by their ids: that is the order in which they stand in an order."""
    try:
        root, *children = _decode(f"[{b','.join(texts).decode()}]")
        by_id = {int(child["id"].rpartition("/")[2]): child for child in children}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise Unsound("a line can't be read") from None
    if len(by_id) < len(children) or not isinstance(root, dict):
        raise Unsound("a row is there twice")
    return root, [by_id[number] for number in sorted(by_id)]


def by_kind(children: Iterable[Node]) -> tuple[list[Node], list[Node]]:
    """An order's lines and its shippings. Raises Unsound for anything else."""
    kinds: dict[object, list[Node]] = {"LineItem": [], "ShippingLine": []}
    for child in children:
        if (kind := child.get("__typename")) not in kinds:
            raise Unsound("a row is of an unknown kind")
        kinds[kind].append(child)
    return kinds["LineItem"], kinds["ShippingLine"]


def _lines(pieces: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield lines
        if len(rest) > LONGEST_LINE:
            raise Unsound("a line has no end")
    yield [rest]


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number).decode
