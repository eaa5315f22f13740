"""Orders of the practice Shopify, rendered beforehand with gaps for what each has of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from connectors.sandbox import SHOPIFY_SHOP
from connectors.sandbox.books import Books
from connectors.sandbox.population import populate
from connectors.sandbox.shopify.graphql import GraphQL
from connectors.sandbox.shopify.limits import Bucket
from connectors.sandbox.shopify.rest import Orders
from connectors.sandbox.shopify.setup import SCOPES, configure
from connectors.sandbox.shopify.storage import Storage
from connectors.shopify.bulk.operation import ORDERS_IN_BULK, RUN_QUERY
from connectors.shopify.documents import REFUNDS, REFUNDS_AT_ONCE, ROWS_AT_ONCE

TEMPLATES = 256
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
GAP = 7  # ids are so far apart: others are taken by drafts
SETTLED = timedelta(days=2)  # from an order's placing to its last change
#: What stands in a rendered order where each order has something of its own.
ID, NUMBER = "111222333", "@number@"
CREATED, UPDATED = "2001-01-01T01:01:01", "2002-02-02T02:02:02"
MARKS = re.compile("|".join((ID, NUMBER, CREATED, UPDATED)))


class Template(NamedTuple):
    """Bytes with gaps: pieces, and between them which of an order's own belongs there."""

    pieces: Sequence[bytes]
    gaps: Sequence[str]

    @classmethod
    def of(cls, text: str) -> Template:
        return cls([piece.encode() for piece in MARKS.split(text)], MARKS.findall(text))

    def filled(self, own: Mapping[str, bytes]) -> bytes:
        parts = [self.pieces[0]]
        for piece, gap in zip(self.pieces[1:], self.gaps, strict=True):
            parts += (own[gap], piece)
        return b"".join(parts)


@dataclass(frozen=True)
class Prepared:
    """Orders as REST has them, whole or their refunds alone; as in bulk; and GraphQL's refunds."""

    rest: list[Template]
    refunded: list[Template]
    roots: list[Template]
    rows: list[Template]
    counts: list[int]
    refunds: dict[str, Any]


def prepared() -> Prepared:
    """The practice shop's orders with marks for what each has of its own."""
    books = Books(":memory:")
    populate(books, today=date(2026, 1, 1), limit=TEMPLATES)
    configure(books, SHOPIFY_SHOP, timezone="UTC")
    ids = [row["id"] for row in books.query(
        "SELECT id FROM orders WHERE shop = ? LIMIT ?", (SHOPIFY_SHOP, TEMPLATES)
    )]  # fmt: skip
    stamps = [text.replace("T", " ") for text in (CREATED, UPDATED)]
    books.execute("UPDATE orders SET created_at = ?, updated_at = ?", stamps)
    orders = Orders(books, SHOPIFY_SHOP, SCOPES)
    rest = orders.rendered([orders.one(order_id) for order_id in ids])
    families = _in_bulk(books)
    refunds = _refunds(books, [refund["id"] for order in rest for refund in order["refunds"]])
    books.close()
    whole = [_text(order) for order in rest]
    backs = [_text({"id": order["id"], "refunds": order["refunds"]}) for order in rest]
    lines = [families[order_id] for order_id in ids]
    names = [order["name"] for order in rest]

    def marked(texts: Iterable[str]) -> list[Template]:
        return [_marked(*one) for one in zip(texts, ids, names, strict=True)]

    return Prepared(
        rest=marked(whole),
        refunded=marked(backs),
        roots=marked(root for root, *_ in lines),
        rows=marked("".join(rows) for _, *rows in lines),
        counts=[len(some) for some in lines],
        refunds=refunds,
    )


def _marked(text: str, order_id: int, name: str) -> Template:
    return Template.of(text.replace(str(order_id), ID).replace(f'"{name}"', f'"#{NUMBER}"'))


def _in_bulk(books: Books) -> dict[int, list[str]]:
    """Each order's lines of a bulk result, its own first."""
    api = GraphQL(books, SHOPIFY_SHOP, Bucket())
    query = ORDERS_IN_BULK.replace("SEARCH", "")
    begun = api.answer({"query": RUN_QUERY, "variables": {"query": query}}, "")["data"]
    gid = begun["bulkOperationRunQuery"]["bulkOperation"]["id"]
    api.answer({"query": f'{{ bulkOperation(id: "{gid}") {{ status }} }}'}, "")
    text = Storage(books, SHOPIFY_SHOP, "").read(f"{gid.rpartition('/')[2]}.jsonl") or ""
    found: dict[int, list[str]] = {}
    for line in text.splitlines(keepends=True):
        row = json.loads(line)
        order_id = int((row.get("__parentId") or row["id"]).rpartition("/")[2])
        found.setdefault(order_id, []).append(line)
    return found


def _refunds(books: Books, ids: Sequence[int]) -> dict[str, Any]:
    """What the connector's own question for refunds is answered."""
    api = GraphQL(books, SHOPIFY_SHOP, Bucket())
    gids = [f"gid://shopify/Refund/{number}" for number in ids]
    found: dict[str, Any] = {}
    for start in range(0, len(gids), REFUNDS_AT_ONCE):
        variables = {"ids": gids[start : start + REFUNDS_AT_ONCE], "first": ROWS_AT_ONCE}
        nodes = api.answer({"query": REFUNDS, "variables": variables}, "")["data"]["nodes"]
        found |= dict(zip(variables["ids"], nodes, strict=True))
    return found


def own(order: int) -> dict[str, bytes]:
    """What the n-th order has of its own: a minute of time for each id."""
    placed = BEGIN + timedelta(minutes=order * GAP)
    times = (f"{moment:%Y-%m-%dT%H:%M:%S}" for moment in (placed, placed + SETTLED))
    texts = (str(order * GAP), f"{order:09d}", *times)
    return dict(zip((ID, NUMBER, CREATED, UPDATED), map(str.encode, texts), strict=True))


def _text(told: Any) -> str:
    return json.dumps(told, separators=(",", ":"))
