"""A Magento to measure against: orders rendered beforehand, and a fixed time for each answer.

python benchmarks/magento_server.py [--orders 50000] [--page-ms 50] [--order-ms 1] [--moving]

Every order looks as a 2.4.7 sends it and has an id of its own; ids are a few apart. An answer comes
after `page-ms` and `order-ms` for each order in it. The waiting is asleep, so that answers overlap
as they do on a server with idle cores, and writing the bytes costs little. With --moving orders go
and late ones come in between, with ids that lie below the newest. Prints its address.

/_served tells the requests so far, the seconds they were told to take, and the ids that have been
there from the beginning to now.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from loopback import serve

from connectors.sandbox import MAGENTO_SHOP
from connectors.sandbox.books import Books
from connectors.sandbox.magento.fields import keep
from connectors.sandbox.magento.orders import order
from connectors.sandbox.magento.search import Criteria, Filter, parse
from connectors.sandbox.magento.shop import configs, views
from connectors.sandbox.population import populate

TEMPLATES = 256
PREPARED = 2_000  # orders on a page that is held in memory whole
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
GAP = 7  # ids are so far apart: others are taken by quotes that nobody paid
SETTLED = timedelta(days=2)  # from an order's placing to its last change
#: What stands in a rendered order where each order has something of its own.
ID, NUMBER = 111_222_333, "@number@"
CREATED, UPDATED = "2001-01-01 01:01:01", "2002-02-02 02:02:02"
NO_LIMITS: Mapping[str, Any] = {"on": False}


class Template(NamedTuple):
    """An order's bytes with gaps: pieces, and between them which of `own` belongs there."""

    pieces: Sequence[bytes]
    gaps: Sequence[int]

    @classmethod
    def of(cls, rendered: Any) -> Template:
        marks = [str(ID), NUMBER, CREATED, UPDATED]
        pieces, gaps = [json.dumps(rendered, separators=(",", ":"))], []
        while found := [(pieces[-1].find(mark), n) for n, mark in enumerate(marks)
                        if mark in pieces[-1]]:  # fmt: skip
            at, n = min(found)
            whole = pieces.pop()
            pieces += [whole[:at], whole[at + len(marks[n]) :]]
            gaps.append(n)
        return cls([piece.encode() for piece in pieces], gaps)

    def filled(self, own: Sequence[bytes]) -> bytes:
        parts = [self.pieces[0]]
        for piece, gap in zip(self.pieces[1:], self.gaps, strict=True):
            parts += (own[gap], piece)
        return b"".join(parts)


def rendered_orders() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Orders of the practice shop with marks for what each has of its own, and the shop."""
    books = Books(":memory:")
    populate(books, today=date(2026, 1, 1), limit=TEMPLATES)
    shop = books.shop(MAGENTO_SHOP)
    rows = books.query("SELECT * FROM orders WHERE shop = ? LIMIT ?", (MAGENTO_SHOP, TEMPLATES))
    refunds = books.refunds_of(MAGENTO_SHOP, [row["id"] for row in rows])
    marked = [
        order({**row, "id": ID, "number": NUMBER, "created_at": CREATED, "updated_at": UPDATED},
              refunds[row["id"]], shop)
        for row in rows
    ]  # fmt: skip
    books.close()
    return marked, shop


@dataclass
class Shop:
    """The orders that are there, by id, and what was asked about them."""

    ids: list[int]
    moving: bool
    orders: list[dict[str, Any]]
    row: dict[str, Any]
    requests: int = 0
    seconds: float = 0.0
    gone: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)
    _pruned: dict[str, list[Template]] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311

    def templates(self, fields: str) -> list[Template]:
        """The orders with only these fields: cut out after rendering, as Magento does."""
        if fields not in self._pruned:
            pages = (keep({"items": [one], "total_count": 1}, fields) for one in self.orders)
            self._pruned[fields] = [
                Template.of(page["items"][0]) for page in pages if page and "items" in page
            ]
        return self._pruned[fields]

    def page(self, criteria: Criteria) -> tuple[list[int], int]:
        """The ids on a page, and how many there are in all."""
        low, high = 0, len(self.ids)
        for one in (one for group in criteria.groups for one in group):
            begin, end = self._span(one)
            low, high = max(low, begin), min(high, end)
        found = range(low, max(low, high))
        if any(direction == "DESC" for _, direction in criteria.sorts):
            found = found[::-1]
        size, offset = criteria.window()
        wanted = found[offset:] if size < 0 else found[offset : offset + size]
        return [self.ids[n] for n in wanted], len(found)

    def _span(self, one: Filter) -> tuple[int, int]:
        """Where a filter's orders begin and end: ids and times rise together."""
        if one.field not in ("entity_id", "created_at", "updated_at"):
            return 0, len(self.ids)
        value = _bound(one)
        left, right = bisect_left(self.ids, value), bisect_right(self.ids, value)
        spans = {
            "gt": (right, len(self.ids)), "gteq": (left, len(self.ids)), "lt": (0, left),
            "from": (left, len(self.ids)), "lteq": (0, right), "to": (0, right),
        }  # fmt: skip
        return spans.get(one.condition, (left, right))

    def move(self, served: int) -> None:
        """For each hundred orders served an old one goes and a late one comes in further on."""
        for _ in range(served // 100 if self.moving else 0):
            self.gone.add(self.ids.pop(self._random.randrange(len(self.ids) // 2)))
            place = self._random.randrange(len(self.ids) // 2, len(self.ids) - 1)
            fresh = self.ids[place] + 1
            if fresh < self.ids[place + 1]:
                self.ids.insert(place + 1, fresh)
                self.late.add(fresh)


def _bound(one: Filter) -> int:
    """A filter's value as an id. Garbage for a date is before everything, as in MySQL."""
    text = one.value or ""
    if one.field == "entity_id":
        return int(text)
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "T")).replace(tzinfo=UTC)
    except ValueError:
        return 0
    moment -= SETTLED if one.field == "updated_at" else timedelta(0)
    return int((moment - BEGIN).total_seconds() // 60)


def stamps(order_id: int) -> tuple[str, str]:
    """When an order was placed and last changed: a minute for each id."""
    placed = BEGIN + timedelta(minutes=order_id)
    return f"{placed:%Y-%m-%d %H:%M:%S}", f"{placed + SETTLED:%Y-%m-%d %H:%M:%S}"


def filled(templates: Sequence[Template], order_id: int) -> bytes:
    created, updated = stamps(order_id)
    own = [str(order_id), f"{order_id:09d}", created, updated]
    return templates[order_id % len(templates)].filled([text.encode() for text in own])


class Server:
    """HTTP/1.1 with as little as GET needs; answers in chunks, as nginx sends Magento's."""

    def __init__(self, shop: Shop, page_seconds: float, order_seconds: float) -> None:
        self._shop = shop
        self._page_seconds = page_seconds
        self._order_seconds = order_seconds

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(head.split(b" ", 2)[1].decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, target: str, writer: asyncio.StreamWriter) -> None:
        url = urlsplit(target)
        if url.path == "/_served":
            await _send(writer, iter([json.dumps(self._served()).encode()]))
            return
        self._shop.requests += 1
        begun = time.monotonic()
        rows, body = self._found(url.path.rpartition("/V1/")[2].strip("/"), url.query)
        if body and rows <= PREPARED:  # writing it belongs to the time that it is to take
            body = iter([*body])
        self._shop.move(rows)
        seconds = self._page_seconds + rows * self._order_seconds
        self._shop.seconds += seconds
        await asyncio.sleep(begun + seconds - time.monotonic())
        if body is None:
            missing = b'{"message":"Request does not match any route."}'
            await _send(writer, iter([missing]), "404 Not Found")
        else:
            await _send(writer, body)

    def _served(self) -> dict[str, Any]:
        shop = self._shop
        return {"requests": shop.requests, "seconds": shop.seconds, "orders": len(shop.ids),
                "gone": sorted(shop.gone), "late": sorted(shop.late)}  # fmt: skip

    def _found(self, path: str, query: str) -> tuple[int, Iterator[bytes] | None]:
        """How many orders the answer holds, and its bytes; none where there is no such route."""
        if path == "orders":
            ids, total = self._shop.page(parse(query, NO_LIMITS))
            templates = self._shop.templates(dict(parse_qsl(query)).get("fields", ""))
            return len(ids), _pieces(templates, ids, total)
        if path == "creditmemos":
            return 0, _pieces([], [], 0)
        told = {"store/storeViews": views(self._shop.row),
                "store/storeConfigs": configs(self._shop.row, "")}  # fmt: skip
        return 0, iter([json.dumps(told[path]).encode()]) if path in told else None


def _pieces(templates: Sequence[Template], ids: Sequence[int], total: int) -> Iterator[bytes]:
    """A search result, 50 orders at a time."""
    yield b'{"items":['
    for start in range(0, len(ids), 50):
        some = ids[start : start + 50]
        yield (b"," if start else b"") + b",".join(filled(templates, one) for one in some)
    yield b'],"search_criteria":{"filter_groups":[]},"total_count":%d}' % total


async def _send(
    writer: asyncio.StreamWriter, pieces: Iterator[bytes], status: str = "200 OK"
) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\n"
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    for piece in pieces:
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--page-ms", type=float, default=50)
    parser.add_argument("--order-ms", type=float, default=1)
    parser.add_argument("--moving", action="store_true")
    asked = parser.parse_args()
    marked, row = rendered_orders()
    shop = Shop([GAP * n for n in range(1, asked.orders + 1)], asked.moving, marked, row)
    shop.templates("")
    asyncio.run(serve(Server(shop, asked.page_ms / 1000, asked.order_ms / 1000).talk))


if __name__ == "__main__":
    main()
