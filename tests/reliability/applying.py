"""A scored shop whose customers show other tiers than they should, and every way to write to it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from started import Ended

from connectors.sandbox.books import Books
from connectors.sandbox.magento import setup as magento_setup
from connectors.sandbox.server import Sandbox, open_books, serve
from tests.reliability.forked import PLAIN, Commands, Running
from tests.test_sync import what_admins_see

TIERS = ("high", "medium", "low", "new")
MARKED = "'clv-high', 'clv-medium', 'clv-low', 'clv-new'"


@dataclass(frozen=True, slots=True)
class Way:
    """One way of writing to one shop; `sizes` make a small shop take several batches."""

    shop: str
    settings: Mapping[str, str]
    sizes: Mapping[str, float]
    module: bool = False


WAYS = {
    "put": Way("eu", {"CLV_EU_WRITE": "put"}, {"connectors.magento.push.put:Put.batch_size": 12}),
    "async": Way(
        "eu",
        {"CLV_EU_WRITE": "async"},
        {
            "connectors.magento.push.bulk:Bulk.batch_size": 12,
            "connectors.magento.push.bulk:FIRST_WAIT": 0.01,
        },
    ),
    "module": Way(
        "eu",
        {"CLV_EU_WRITE": "module"},
        {"connectors.magento.push.module:Module.batch_size": 12},
        module=True,
    ),
    "documents": Way("us", {}, {"connectors.shopify.push:CHANGES_A_LOT": 12}),
    "files": Way(
        "us",
        {},
        {
            "connectors.shopify.push:BULK_FROM": 4,
            "connectors.shopify.push:Writer.batch_size": 20,
            "connectors.shopify.bulk.waiting:FIRST_WAIT": 0.01,
        },
    ),
}


@dataclass
class Scored:
    """A practice shop's books and our store with its scores, as files that can be copied."""

    commands: Commands
    folder: Path
    copies: int = 0

    @classmethod
    def made(cls, commands: Commands, folder: Path, customers: int) -> Scored:
        books = open_books(folder / "books.sqlite", today=datetime.now(UTC).date(), limit=customers)
        confuse(books)
        with serve(books) as running:
            assert commands.run(folder, running.environment, "backfill").code == 0
        books.execute("DELETE FROM request_journal")
        books.close()
        return cls(commands, folder)

    @contextmanager
    def copied(self, way: str, **setup: Any) -> Iterator[Shop]:
        """The shop as it was, behind one way of writing."""
        self.copies += 1
        folder = self.folder / f"{way}-{self.copies}"
        (folder / ".clv").mkdir(parents=True)
        shutil.copy(self.folder / "books.sqlite", folder)
        shutil.copy(self.folder / ".clv/store.duckdb", folder / ".clv")
        books = Books(folder / "books.sqlite")
        if WAYS[way].module:
            setup |= {"module": True, "email_key": PLAIN["CLV_EMAIL_KEY"]}
        if WAYS[way].shop == "eu":
            magento_setup.configure(books, "eu", **setup)
        with serve(books) as running:
            yield Shop(self.commands, folder, running, WAYS[way])
        books.close()
        shutil.rmtree(folder)


def confuse(books: Books) -> None:
    """Most buyers show some tier, and some money."""
    rng = random.Random(21)  # noqa: S311  # no secret
    sql = "SELECT DISTINCT shop, customer_id AS id FROM orders WHERE customer_id IS NOT NULL"
    for row in books.query(f"{sql} ORDER BY 1, 2"):
        shop, customer, tier = row["shop"], row["id"], rng.choice([*TIERS, None])
        if tier and shop == "eu":
            books.set_value(shop, customer, "clv_tier", "varchar", tier)
            books.set_value(shop, customer, "clv_historic_net", "decimal", "12.0000")
        elif tier:
            books.add_tag(shop, customer, f"clv-{tier}")
            books.set_value(shop, customer, "clv.tier", "single_line_text_field", tier)


@dataclass
class Shop:
    """A copy of the scored shop, open for business."""

    commands: Commands
    folder: Path
    sandbox: Sandbox
    way: Way
    more: dict[str, str] = field(default_factory=dict)

    @property
    def books(self) -> Books:
        return self.sandbox.books

    @property
    def environment(self) -> dict[str, str]:
        return {**self.sandbox.environment, **self.way.settings, **self.more}

    def start(self, *arguments: str, **how: Any) -> Running:
        own = ("--shop", self.way.shop, "--json", *arguments)
        return self.commands.start(
            self.folder, self.environment, *own, **{"sizes": dict(self.way.sizes), **how}
        )

    def run(self, *arguments: str, **how: Any) -> Ended:
        return self.start(*arguments, **how).wait()

    def apply(self, *more: str) -> Running:
        return self.start("apply", "--yes", "--allow-drift", *more)

    def seen(self) -> dict[str, list[dict[str, Any]]]:
        """What the shop holds of its customers, without what only says that nothing is there."""
        seen = what_admins_see(self.books)
        customers = [{**row, "extra": _filled(row["extra"])} for row in seen["customers"]]
        return {**seen, "customers": customers}

    def mutations(self) -> int:
        return sum(self.sandbox.mutations().values())

    def two_tier_tags(self) -> int:
        """Customers with more than one tag of ours."""
        sql = f"SELECT customer_id FROM customer_tags WHERE tag IN ({MARKED})"  # noqa: S608
        return len(self.books.query(f"{sql} GROUP BY customer_id HAVING count(*) > 1"))


def _filled(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in extra.items() if value}
