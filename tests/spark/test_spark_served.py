"""Practice shops on a cluster: plain runs, and what `serve` heard of between two of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from clusters import Standalone
from started import called_in, serving

from connectors.sandbox import SHOPIFY_CLIENT_SECRET
from connectors.sandbox.books import Books
from connectors.sandbox.server import serve
from connectors.sandbox.shopify.hooks import deliver, hook
from connectors.sandbox.shopify.scenes import delete_order
from tests.spark.test_spark_commands import lasting, told
from tests.test_sync import what_admins_see

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 40
FilledBooks = Callable[[Path, int, date], Books]


def lived(folder: Path, books: Books, store: str) -> list[Any]:
    """A run, three webhooks, a run: what was said, is known, and is seen in the shops."""
    folder.mkdir()
    run = called_in(folder)
    with serve(books) as sandbox:
        settings = {
            **sandbox.environment,
            "CLV_US_CLIENT_SECRET": SHOPIFY_CLIENT_SECRET,
            "CLV_EMAIL_KEY": "the same key for both of them",
            "CLV_STORE": store,
        }
        first = run(settings, "run", "--json")
        (tenth,) = books.query(
            "SELECT * FROM orders WHERE shop = 'us' ORDER BY id LIMIT 1 OFFSET 9"
        )
        order, leaves = tenth["id"], tenth["customer_id"]
        with serving(folder, settings) as url:
            redact = hook(books, "us", "customers/redact", leaves)
            gone = hook(books, "us", "orders/delete", order)
            delete_order(books, "us", order)
            answers = deliver(f"{url}/webhooks/us", [gone, redact, gone.twin(), gone.forged()])
        again = run(settings, "run", "--json")
        exported = run(settings, "export", "scores", "--out", "scores.csv")
        codes = (first.code, again.code, exported.code)
        assert codes == (0, 0, 0), first.err + again.err + exported.err
        assert again.lines[-1]["shops"]["us"]["hints"] == 1  # who is redacted is no hint of a pull
        scores = (folder / "scores.csv").read_text(encoding="utf-8")
        said = [list(map(told, ended.lines)) for ended in (first, again)]
        return [answers, said, lasting(scores), what_admins_see(books)]


def test_runs_and_webhooks_leave_the_same_on_both(
    cluster: Standalone, tmp_path: Path, filled_books: FilledBooks
) -> None:
    kinds = {"here": "store.duckdb", "there": cluster.target(tmp_path / "there" / "warehouse")}
    found = []
    for place, store in kinds.items():
        path = tmp_path / f"{place}.sqlite"
        with closing(filled_books(path, CUSTOMERS, datetime.now(UTC).date())) as books:
            found.append(lived(tmp_path / place, books, store))
    here, there = found
    assert here[0] == there[0] == [200, 200, 200, 401]
    assert here[1] == there[1]
    assert here[2] == there[2]
    assert here[2].count("\n") > CUSTOMERS
    assert here[3] == there[3]
