"""What webhooks told of: a queue beside the order store that fills while a run holds the store.

DuckDB lets one process in at a time, so this is a small SQLite file in WAL mode: `serve` appends
and a run drains, each whenever it likes. A hint is on the disk before its sender hears of it, and
leaves only behind what was done about it. It holds ids and, where somebody is to be erased, the
keyed hash of their e-mail; of one that was settled only the event's own id is kept, for as long as
Shopify may deliver it again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from connectors.errors import StoreError
from connectors.files import private_folder

Kind = Literal[
    "order",
    "order deleted",
    "customer",
    "customer gone",
    "data request",
    "erase customer",
    "erase shop",
]

#: What the law asks for: carried out whatever else fails, and before anything is pulled.
COMPLIANCE: frozenset[Kind] = frozenset({"data request", "erase customer", "erase shop"})

#: Shopify delivers again for four hours; a person may from its dashboard, later.
REMEMBERED = timedelta(days=7)

BUSY_SECONDS = 10

TABLE = """
create table if not exists hints (
    number integer primary key autoincrement, shop text not null, event text not null,
    topic text not null, kind text not null, about text not null, triggered_at text,
    received_at text not null, settled_at text, unique (shop, event, topic)
)
"""


@dataclass(frozen=True, slots=True)
class Hint:
    """One event of a shop, by ids alone.

    event  under which the same event comes again, whatever was subscribed to it how often
    about  orders and customers by id; of somebody to be erased the keyed hash of the e-mail, too,
           and of a data request its number
    """

    shop: str
    event: str
    topic: str
    kind: Kind
    orders: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    email_key: str | None = None
    request: str | None = None
    triggered_at: datetime | None = None
    number: int = field(default=0, compare=False)

    @property
    def about(self) -> str:
        return json.dumps([self.orders, self.customers, self.email_key, self.request])


class Hints:
    """The open queue, for one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Hints]:
        """The queue at `path`, made where there is none; StoreError where it can't be used."""
        with _told(path):
            private_folder(path.parent)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite's own files follow
            path.chmod(0o600)
            with closing(_connected(path)) as connection:
                yield cls(connection)

    def add(self, hints: Iterable[Hint], at: datetime) -> int:
        """Keeps the hints, all or none; how many told something new. On the disk on return."""
        rows = [
            (
                hint.shop,
                hint.event,
                hint.topic,
                hint.kind,
                hint.about,
                hint.triggered_at.astimezone(UTC).isoformat() if hint.triggered_at else None,
                at.isoformat(),
            )
            for hint in hints
        ]
        with self._connection:
            before = self._connection.total_changes
            self._connection.executemany(
                "insert or ignore into hints (shop, event, topic, kind, about, triggered_at,"
                " received_at) values (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            return self._connection.total_changes - before

    def pending(self, shop: str) -> list[Hint]:
        """What nothing was done about yet, the first to come first."""
        rows = self._connection.execute(
            "select number, shop, event, topic, kind, about, triggered_at from hints"
            " where shop = ? and settled_at is null order by number",
            [shop],
        )
        return [_hint(*row) for row in rows]

    def waiting(self) -> int:
        rows = self._connection.execute("select count(*) from hints where settled_at is null")
        return int(rows.fetchone()[0])

    def settle(self, hints: Sequence[Hint], at: datetime) -> None:
        """These were acted upon: whom they were about is wiped out, old events are forgotten."""
        with self._connection:
            self._connection.executemany(
                "update hints set settled_at = ?, about = '' where number = ?",
                [(at.isoformat(), hint.number) for hint in hints],
            )
            self._connection.execute(
                "delete from hints where settled_at < ?", [(at - REMEMBERED).isoformat()]
            )
        self._connection.execute("pragma wal_checkpoint(truncate)")


def beside(store: Path) -> Path:
    """Where the hints for a store are kept."""
    return store.with_name(store.name + ".hints")


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma secure_delete = on")
    with connection:
        connection.execute(TABLE)
    return connection


def _hint(
    number: int, shop: str, event: str, topic: str, kind: Kind, about: str, at: str | None
) -> Hint:
    orders, customers, email_key, request = json.loads(about)
    instant = datetime.fromisoformat(at) if at else None
    ids = tuple(orders), tuple(customers)
    return Hint(shop, event, topic, kind, *ids, email_key, request, instant, number)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"the queue of hints can't be used: {error}",
            mend="Check the path, the rights and the free space; moved away, it is begun anew, and"
            " `reconcile` finds what was in it.",
            path=path,
        ) from error
