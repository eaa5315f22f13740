"""People who can be told apart wherever a trace of them lies: marks in every personal field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from connectors.sandbox.books import Books
from connectors.store import Store
from tests.reliability.worlds import START

#: In these words of a customer or an order stands a mark of each.
FIELDS = (
    *("first_name", "last_name", "email", "street", "city", "postcode", "telephone", "company"),
    *("region", "note", "dob", "vat", "fax", "middle_name", "prefix", "suffix", "gift_message"),
    *("guest_email", "guest_first_name", "guest_last_name"),
)
MARKS = {name: f"Canary{number:02}Qx" for number, name in enumerate(FIELDS, start=1)}


def marked(books: Books) -> None:
    """Every customer and every order gets the marks; e-mails stay apart by a number."""
    for number, row in enumerate(books.query("SELECT shop, id, extra FROM customers")):
        extra = {**row["extra"], "note": MARKS["note"], "dob": MARKS["dob"]}
        for one in extra["addresses"]:
            told = one.get("telephone") and f"{MARKS['telephone']}"
            one |= {"street": [MARKS["street"]], "city": MARKS["city"], "telephone": told or ""}
            one |= {"postcode": MARKS["postcode"], "firstname": MARKS["first_name"]}
        books.execute(
            "UPDATE customers SET first_name = ?, last_name = ?, email = ?, extra = ?"
            " WHERE shop = ? AND id = ?",
            [MARKS["first_name"], MARKS["last_name"], f"{MARKS['email']}{number}@example.com",
             json.dumps(extra), row["shop"], row["id"]],
        )  # fmt: skip
    for number, row in enumerate(books.query("SELECT shop, id, body FROM orders")):
        body = {**row["body"], "first_name": MARKS["guest_first_name"]}
        body |= {"last_name": MARKS["guest_last_name"]}
        body |= {"email": f"{MARKS['guest_email']}{number}@example.com"} if body["guest"] else {}
        sql = "UPDATE orders SET body = ? WHERE shop = ? AND id = ?"
        books.execute(sql, [json.dumps(body), row["shop"], row["id"]])


def told_by(path: Path) -> bytes:
    """All that a store's tables hold, as text: its own file packs texts, so that no search in it
    would find them."""
    with Store.open(path, now=START) as store:
        names = [
            name
            for (name,) in store.connection.execute(
                "select table_name from duckdb_tables() where database_name = current_database()"
            ).fetchall()
        ]
        rows = [store.connection.execute(f'from "{name}"').fetchall() for name in names]
    return repr(rows).encode()


def hits(texts: Iterable[bytes], marks: Iterable[str]) -> int:
    """How often a mark stands anywhere, whatever its case."""
    lowered = [text.lower() for text in texts]
    return sum(text.count(mark.lower().encode()) for text in lowered for mark in marks)


def files_below(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def columns(path: Path) -> list[tuple[Any, ...]]:
    with Store.open(path, now=START) as store:
        sql = "select table_name, column_name from duckdb_columns() where not internal"
        return store.connection.execute(sql).fetchall()
