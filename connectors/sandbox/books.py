"""The books of the sandbox shops: one SQLite file that both dialects read and write.

Every row belongs to a shop. Ids are integers, instants are 'YYYY-MM-DD HH:MM:SS' UTC text, amounts
are decimal strings in the shop's own currency. An order is kept as a neutral body (`OrderBody`)
that knows no platform; the dialects render it in their own words (`connectors.sandbox.bodies`).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS shops (
    shop TEXT PRIMARY KEY, platform TEXT NOT NULL, currency TEXT NOT NULL,
    prices_include_tax INTEGER NOT NULL, settings TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS customers (
    shop TEXT NOT NULL, id INTEGER NOT NULL, email TEXT NOT NULL, first_name TEXT NOT NULL,
    last_name TEXT NOT NULL, website_id INTEGER NOT NULL, store_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    extra TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS customers_email ON customers (shop, website_id, lower(email));
CREATE TABLE IF NOT EXISTS customer_values (
    id INTEGER PRIMARY KEY, shop TEXT NOT NULL, customer_id INTEGER NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, value TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (shop, customer_id, name));
CREATE TABLE IF NOT EXISTS customer_tags (
    id INTEGER PRIMARY KEY, shop TEXT NOT NULL, customer_id INTEGER NOT NULL,
    tag TEXT NOT NULL COLLATE NOCASE, UNIQUE (shop, customer_id, tag));
CREATE TABLE IF NOT EXISTS orders (
    shop TEXT NOT NULL, id INTEGER NOT NULL, number TEXT NOT NULL, customer_id INTEGER,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_updated ON orders (shop, updated_at, id);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (shop, customer_id);
CREATE TABLE IF NOT EXISTS refunds (
    shop TEXT NOT NULL, id INTEGER NOT NULL, order_id INTEGER NOT NULL, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refunds_order ON refunds (shop, order_id);
CREATE TABLE IF NOT EXISTS definitions (
    id INTEGER PRIMARY KEY, shop TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
    body TEXT NOT NULL, UNIQUE (shop, name));
CREATE TABLE IF NOT EXISTS bulks (
    shop TEXT NOT NULL, uuid TEXT NOT NULL, polls INTEGER NOT NULL, started_at TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (shop, uuid));
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY, shop TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    shop TEXT NOT NULL, name TEXT NOT NULL, made_at TEXT NOT NULL, content TEXT,
    PRIMARY KEY (shop, name));
CREATE TABLE IF NOT EXISTS request_journal (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, shop TEXT NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, body TEXT NOT NULL, status INTEGER NOT NULL);
"""

TABLES = ("shops", "customers", "customer_values", "customer_tags", "orders", "refunds",
          "definitions", "bulks", "segments", "files", "request_journal")  # fmt: skip
_JSON_COLUMNS = frozenset({"body", "settings", "extra"})

Row = dict[str, Any]
"""A row as a mapping; the JSON columns (`body`, `settings`, `extra`) are parsed already."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def instant_text(instant: datetime) -> str:
    """An aware instant as the books write it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


class Books:
    """The open books. Safe to use from several threads: one connection behind one lock.

    `clock` is the shop's own clock: what `updated_at` moves to.
    """

    def __init__(self, path: Path | str, clock: Callable[[], datetime] = utc_now) -> None:
        self._lock = threading.RLock()
        self.clock = clock
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")  # toy data: speed before surviving a power cut
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def now(self) -> str:
        """The shop's clock as text."""
        return instant_text(self.clock())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it. Not to be nested."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def query(self, sql: str, params: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """The rows of a SELECT, JSON columns parsed."""
        with self._lock:
            return [_parsed(row) for row in self._db.execute(sql, params)]

    def scalar(self, sql: str, params: Sequence[object] | Mapping[str, object] = ()) -> Any:
        """The first column of the first row of a SELECT; None without a row."""
        with self._lock:
            row = self._db.execute(sql, params).fetchone()
        return None if row is None else row[0]

    def execute(self, sql: str, params: Sequence[object] = ()) -> int:
        """Run one statement; how many rows it touched."""
        with self._lock:
            return self._db.execute(sql, params).rowcount

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to a table; JSON columns are given as values, not as text."""
        listed = list(rows)
        if not listed:
            return
        columns = list(listed[0])
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  our own names
        with self._lock:
            self._db.executemany(sql, ([_written(c, row[c]) for c in columns] for row in listed))

    # ------------------------------------------------------------------ what both dialects ask

    def shops(self) -> list[Row]:
        return self.query("SELECT * FROM shops ORDER BY shop")

    def shop(self, shop: str) -> Row:
        """One shop's row. Raises KeyError for a shop that isn't in the books."""
        rows = self.query("SELECT * FROM shops WHERE shop = ?", (shop,))
        if not rows:
            raise KeyError(shop)
        return rows[0]

    def customer(self, shop: str, customer_id: int) -> Row | None:
        rows = self.query("SELECT * FROM customers WHERE shop = ? AND id = ?", (shop, customer_id))
        return rows[0] if rows else None

    def order(self, shop: str, order_id: int) -> Row | None:
        rows = self.query("SELECT * FROM orders WHERE shop = ? AND id = ?", (shop, order_id))
        return rows[0] if rows else None

    def refunds_of(self, shop: str, order_ids: Sequence[int]) -> dict[int, list[Row]]:
        """Refund rows by order id, oldest first; an order without refunds has an empty list."""
        return self._by("refunds", "order_id", shop, order_ids)

    def values_of(self, shop: str, customer_ids: Sequence[int]) -> dict[int, list[Row]]:
        """Custom attributes or metafields by customer id, in the order of their first writing."""
        return self._by("customer_values", "customer_id", shop, customer_ids)

    def tags_of(self, shop: str, customer_ids: Sequence[int]) -> dict[int, list[str]]:
        """Tags by customer id, in the order they were added."""
        found = self._by("customer_tags", "customer_id", shop, customer_ids)
        return {key: [row["tag"] for row in rows] for key, rows in found.items()}

    def definitions(self, shop: str) -> list[Row]:
        return self.query("SELECT * FROM definitions WHERE shop = ? ORDER BY id", (shop,))

    def _by(self, table: str, key: str, shop: str, ids: Sequence[int]) -> dict[int, list[Row]]:
        wanted = json.dumps(list(ids))
        rows = self.query(
            f"SELECT * FROM {table} WHERE shop = ? "  # noqa: S608  our own names
            f"AND {key} IN (SELECT value FROM json_each(?)) ORDER BY id",
            (shop, wanted),
        )
        grouped: dict[int, list[Row]] = {i: [] for i in ids}
        for row in rows:
            grouped[row[key]].append(row)
        return grouped

    def set_value(self, shop: str, customer_id: int, name: str, type_: str, value: str) -> None:
        """Write one attribute or metafield; its id stays when it was there before."""
        self.execute(
            "INSERT INTO customer_values (shop, customer_id, name, type, value, updated_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (shop, customer_id, name) "
            "DO UPDATE SET type = excluded.type, value = excluded.value, "
            "updated_at = excluded.updated_at",
            (shop, customer_id, name, type_, value, self.now()),
        )

    def drop_value(self, shop: str, customer_id: int, name: str) -> bool:
        """Take one attribute or metafield away; whether it was there."""
        where = "shop = ? AND customer_id = ? AND name = ?"
        sql = f"DELETE FROM customer_values WHERE {where}"  # noqa: S608  a constant
        return self.execute(sql, (shop, customer_id, name)) > 0

    def add_tag(self, shop: str, customer_id: int, tag: str) -> bool:
        """Add a tag behind the others; False where the customer has it already (any case)."""
        sql = "INSERT OR IGNORE INTO customer_tags (shop, customer_id, tag) VALUES (?, ?, ?)"
        return self.execute(sql, (shop, customer_id, tag)) > 0

    def drop_tag(self, shop: str, customer_id: int, tag: str) -> bool:
        """Take a tag away (any case); whether it was there."""
        sql = "DELETE FROM customer_tags WHERE shop = ? AND customer_id = ? AND tag = ?"
        return self.execute(sql, (shop, customer_id, tag)) > 0

    def touch_customer(self, shop: str, customer_id: int) -> None:
        """Move `updated_at` to now."""
        sql = "UPDATE customers SET updated_at = ? WHERE shop = ? AND id = ?"
        self.execute(sql, (self.now(), shop, customer_id))

    def write_down(self, shop: str, method: str, path: str, body: str, status: int) -> None:
        """One line of the request journal."""
        line = {"at": self.now(), "shop": shop, "method": method, "path": path}
        with self._lock:
            self._db.execute(
                "INSERT INTO request_journal (at, shop, method, path, body, status) "
                "VALUES (:at, :shop, :method, :path, :body, :status)",
                {**line, "body": body, "status": status},
            )

    def journal(self) -> list[Row]:
        """The requests so far, oldest first; `sent` is the body as it came."""
        return self.query(
            "SELECT seq, at, shop, method, path, body AS sent, status FROM request_journal "
            "ORDER BY seq"
        )

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction():
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  our own names


def _parsed(row: sqlite3.Row) -> Row:
    return {
        key: json.loads(row[key]) if key in _JSON_COLUMNS and row[key] else row[key]
        for key in row.keys()  # noqa: SIM118  iterating a Row gives its values
    }


def _written(column: str, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if column in _JSON_COLUMNS else value
