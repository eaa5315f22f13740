"""The append-only log of what the shops said: pages in, each with its cursor, and compaction.

A row is appended when its content or its `updated_at` differs from the newest logged row of its
id, unless it is older than that; so a repeat adds nothing. Another content is news, a moved
`updated_at` alone is not. The lines of an order carry its `seq`.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.platform import Cursor, Page, Reject
from connectors.schema import Customer, Order, OrderLine
from connectors.store import sealed
from connectors.store.connection import in_utc, next_seq, registered, transaction
from connectors.store.quarantine import empty, put_aside, readmit, settle
from connectors.store.rows import COLUMNS, KEYS, TABLES, Misfit, Row, arrays, digest, repeated


@dataclass(frozen=True, slots=True)
class Entry:
    """A row on its way into the log, with the lines that belong to it."""

    row: Row
    lines: Sequence[OrderLine]
    digest: bytes

    @property
    def updated_at(self) -> datetime | None:
        """As the store keeps it; None for a refund, which never changes."""
        return in_utc(self.row.updated_at) if isinstance(self.row, Order | Customer) else None


@dataclass(frozen=True, slots=True)
class Version:
    """What the log knows of a row."""

    digest: bytes
    updated_at: datetime | None


Entries = Mapping[str, Mapping[str, Entry]]  # by table and id


def commit(
    connection: DuckDBPyConnection,
    shop: str,
    stream: str,
    page: Page,
    at: datetime,
    also_erased: Callable[[], None] = lambda: None,
) -> int:
    """The page's rows, its rejects and its cursor, all or nothing; orders that are gone leave.

    `also_erased` is part of the whole: what the page has told of somebody who was erased.

    Returns how many orders, refunds and customers were new or different. A row that the store
    can't hold exactly is put aside like one that could not be read.
    """
    entries, misfits = _entries(page)
    with transaction(connection):
        also_erased()
        if page.begins:
            empty(connection, shop, stream)
        settle(connection, shop, page.settled)
        added = _take_in(connection, shop, entries, [*page.rejects, *misfits], at)
        if page.all_orders is not None:
            _forget_others(connection, shop, page.all_orders)
        _drop_cursor(connection, shop, stream)
        connection.execute(
            "insert into cursors values (?, ?, ?)",
            [shop, stream, json.dumps(dict(page.cursor), sort_keys=True)],
        )
    return added


def mend(connection: DuckDBPyConnection, shop: str, page: Page, at: datetime) -> int:
    """The page's rows and rejects, all or nothing; no cursor moves. Returns what `commit` does."""
    entries, misfits = _entries(page)
    with transaction(connection):
        return _take_in(connection, shop, entries, [*page.rejects, *misfits], at)


def _take_in(
    connection: DuckDBPyConnection, shop: str, entries: Entries, rejects: list[Reject], at: datetime
) -> int:
    seq = next_seq(connection)
    added = sum(_add(connection, shop, name, entries[name], seq) for name in KEYS)
    readmit(connection, shop, entries)
    put_aside(connection, rejects, at)
    return added


# ------------------------------------------------------------------------------ from page to entry


def _entries(page: Page) -> tuple[Entries, list[Reject]]:
    """The page's rows by table and id, and those that can't be kept."""
    rejects: list[Reject] = []
    lines: dict[str, dict[str, OrderLine]] = defaultdict(dict)
    for line in page.lines:
        lines[line.order_id][line.line_id] = line
    entries = {
        "orders": _by_id("orders", page.orders, lines, rejects),
        "refunds": _by_id("refunds", page.refunds, {}, rejects),
        "customers": _by_id("customers", page.customers, {}, rejects),
    }
    for order_id in lines.keys() - {order.order_id for order in page.orders}:
        shop = next(iter(lines[order_id].values())).shop
        rejects.append(Reject(shop, "orders", order_id, "lines", "their order is not on the page"))
    return entries, rejects


def _by_id(
    name: str,
    rows: Iterable[Row],
    lines: Mapping[str, Mapping[str, OrderLine]],
    rejects: list[Reject],
) -> dict[str, Entry]:
    """The last version of each row; of an order the one that was updated last."""
    entries: dict[str, Entry] = {}
    for row in rows:
        row_id = getattr(row, KEYS[name])
        own = list(lines.get(row_id, {}).values())
        try:
            entry = Entry(row, own, digest(row, own))
        except Misfit as misfit:
            rejects.append(Reject(row.shop, name, row_id, misfit.field, misfit.reason))
            continue
        if row_id not in entries or not _outdated(row, entries[row_id].row):
            entries[row_id] = entry
    return entries


def _outdated(row: Row, other: Row) -> bool:
    return isinstance(row, Order) and isinstance(other, Order) and row.updated_at < other.updated_at


# -------------------------------------------------------------------------------- from entry to log


def _add(
    connection: DuckDBPyConnection, shop: str, name: str, entries: Mapping[str, Entry], seq: int
) -> int:
    """Appends what is news, and what merely moved; how many rows were news."""
    known = _known(connection, shop, name, list(entries))
    news = [entry for key, entry in entries.items() if _is_news(entry, known.get(key))]
    moved = [entry for key, entry in entries.items() if _has_moved(entry, known.get(key))]
    _append(connection, name, [*news, *moved], seq)
    return len(news)


def _known(
    connection: DuckDBPyConnection, shop: str, name: str, ids: list[str]
) -> dict[str, Version]:
    """The newest logged version of each id.

    The newest is the last appended, because no outdated one gets in. Reading by the page's ids
    keeps a commit short, however long the log.
    """
    if not ids:
        return {}
    updated_at = "null" if name == "refunds" else "arg_max(updated_at, seq)"
    found = connection.execute(
        f"select {KEYS[name]}, arg_max(digest, seq), {updated_at} from {name}"
        f" where shop = ? and {KEYS[name]} in (select unnest(?::varchar[])) group by all",
        [shop, ids],
    ).fetchall()
    return {row_id: Version(content, updated) for row_id, content, updated in found}


def _is_news(entry: Entry, known: Version | None) -> bool:
    """Another content, and not an older one that arrives late."""
    if known is None:
        return True
    return entry.digest != known.digest and not _older(entry.updated_at, known.updated_at)


def _has_moved(entry: Entry, known: Version | None) -> bool:
    """The same content, but the shop touched the row: kept, so that the newest stays the newest."""
    if known is None:
        return False
    return entry.digest == known.digest and _older(known.updated_at, entry.updated_at)


def _older(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _append(connection: DuckDBPyConnection, name: str, entries: Sequence[Entry], seq: int) -> None:
    digests = pa.array([entry.digest for entry in entries], pa.binary())
    _insert(connection, name, [entry.row for entry in entries], seq, digest=digests)
    _insert(connection, "order_lines", [line for entry in entries for line in entry.lines], seq)


def _insert(
    connection: DuckDBPyConnection, name: str, rows: Sequence[Row], seq: int, **more: pa.Array
) -> None:
    if rows:
        own = {"seq": repeated(seq, len(rows)), **more}
        with registered(connection, "page", pa.table(arrays(TABLES[name], rows) | own)):
            place = sealed.table(connection, name)
            connection.execute(f"insert into {place} by name select * from page")


def _forget_others(connection: DuckDBPyConnection, shop: str, order_ids: Collection[str]) -> None:
    with registered(connection, "kept", pa.table({"order_id": list(order_ids)})):
        for name in ("orders", "order_lines", "refunds"):
            sealed.delete(connection, name, "shop = ? and order_id not in (from kept)", [shop])


# ------------------------------------------------------------------------------------------ cursors


def cursor(connection: DuckDBPyConnection, shop: str, stream: str) -> Cursor | None:
    found = connection.execute(
        "select cursor from cursors where shop = ? and stream = ?", [shop, stream]
    ).fetchall()
    return json.loads(found[0][0]) if found else None


def forget_cursor(connection: DuckDBPyConnection, shop: str, stream: str) -> None:
    """The next pull reads the stream from its start."""
    with transaction(connection):
        _drop_cursor(connection, shop, stream)


def _drop_cursor(connection: DuckDBPyConnection, shop: str, stream: str) -> None:
    connection.execute("delete from cursors where shop = ? and stream = ?", [shop, stream])


# --------------------------------------------------------------------------- the log as a whole


def content_hash(connection: DuckDBPyConnection) -> str:
    """A digest of what the store knows: the latest rows, and which streams have a cursor.

    Not of how it came to know: neither batches nor superseded rows count, nor the cursors' own
    content, in which platforms keep the time of a pull. The rows' digests are
    added up, so their order is of no account and memory stays flat.
    """
    sums = [
        connection.execute(
            "select count(*), sum(md5_number_lower(text)), sum(md5_number_upper(text))"
            f" from (select {_text(name)} as text from latest_{name})"
        ).fetchall()
        for name in TABLES
    ]
    cursors = connection.execute("select shop, stream from cursors order by all").fetchall()
    return hashlib.sha256(json.dumps([sums, cursors]).encode()).hexdigest()


def _text(name: str) -> str:
    parts = [f'coalesce("{column.name}"::varchar, chr(30))' for column in COLUMNS[TABLES[name]]]
    return f"concat_ws(chr(31), {', '.join(parts)})"


def superseded_share(connection: DuckDBPyConnection) -> float:
    """How much of the log of orders no longer stands, 0 to 1."""
    logged, standing = connection.execute(
        "select count(*), count(distinct (shop, order_id)) from orders"
    ).fetchall()[0]
    return 1 - standing / logged if logged else 0.0


def compact(connection: DuckDBPyConnection) -> None:
    """Drops superseded rows and gives their space back."""
    with transaction(connection):
        for name, key in KEYS.items():
            _delete_unless_in(connection, name, f"latest_{name}", key)
        _delete_unless_in(connection, "order_lines", "orders", "order_id")
    connection.execute("checkpoint")


def _delete_unless_in(connection: DuckDBPyConnection, name: str, kept: str, key: str) -> None:
    connection.execute(
        f"delete from {name} as old where not exists (select 1 from {kept} as kept"
        f" where kept.shop = old.shop and kept.{key} = old.{key} and kept.seq = old.seq)"
    )
