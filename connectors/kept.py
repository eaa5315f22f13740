"""Changes that are kept in a file of lines, however many; as a plan's own file has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple

from connectors.schema import Change
from connectors.store.scratch import Scratch

#: So many go to the file together.
BATCH = 1_000


#: One for all, since to make one takes as long as to use it.
line_of = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def change_line(change: Change) -> bytes:
    told = {
        "shop": change.shop,
        "customer_id": change.customer_id,
        "before": dict(change.before),
        "after": dict(change.after),
    }
    return line_of(told).encode()


class Part(NamedTuple):
    """So many changes of one shop, one after the other in a file."""

    scratch: Scratch
    shop: str
    begin: int
    end: int
    many: int

    def lines(self) -> Iterator[bytes]:
        return self.scratch.lines(self.begin, self.end)


@dataclass(frozen=True, eq=False)
class Kept:
    """Changes in their order, read anew whenever somebody goes through them."""

    parts: tuple[Part, ...] = ()

    def __len__(self) -> int:
        return sum(part.many for part in self.parts)

    def __iter__(self) -> Iterator[Change]:
        return (Change(**json.loads(line)) for line in self.lines())

    def __add__(self, other: Kept) -> Kept:
        return Kept(self.parts + other.parts)

    def __eq__(self, other: object) -> bool:
        """Which file they are in makes no difference."""
        return list(self) == list(other) if isinstance(other, Kept) else NotImplemented

    def lines(self) -> Iterator[bytes]:
        for part in self.parts:
            yield from part.lines()

    @property
    def shops(self) -> set[str]:
        return {part.shop for part in self.parts}

    def of(self, shop: str) -> Kept:
        return Kept(tuple(part for part in self.parts if part.shop == shop))


def keep(scratch: Scratch, changes: Iterable[Change]) -> Kept:
    """The changes at the end of a file that nobody else writes to."""
    parts: list[Part] = []
    place = scratch.write(b"")
    for shop, of_shop in groupby(changes, lambda change: change.shop):
        lines, begin, many = map(change_line, of_shop), place, 0
        while some := list(islice(lines, BATCH)):
            place = scratch.write(b"\n".join([*some, b""]))
            many += len(some)
        parts.append(Part(scratch, shop, begin, place, many))
    return Kept(tuple(parts))


def found_in(scratch: Scratch) -> Kept:
    """The changes whose lines a file consists of."""
    parts: list[Part] = []
    place = 0
    for shop, of_shop in groupby(scratch.lines(), _whose()):
        sizes = [0, 0]
        for line in of_shop:
            sizes[0] += 1
            sizes[1] += len(line) + 1
        begin, place = place, place + sizes[1]
        parts.append(Part(scratch, shop, begin, place, sizes[0]))
    return Kept(tuple(parts))


def _whose() -> Callable[[bytes], str]:
    """Tells a line's shop. Most often it is that of the line before, which the line's end tells:
    `shop` is the last of a change's names, and a quote within a text is never a bare one."""
    shop, tail = "", b"?"

    def told(line: bytes) -> str:
        nonlocal shop, tail
        if not line.endswith(tail):
            shop = json.loads(line)["shop"]
            tail = f'"shop":{line_of(shop)}}}'.encode()
        return shop

    return told
