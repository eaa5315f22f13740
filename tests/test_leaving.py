"""`erase`, `readmit` and `subject-export` with their arguments, on the practice shops."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from started import Run, called_in

from connectors.hints import Hint, Hints, beside
from connectors.sandbox.books import Books
from connectors.sandbox.server import Sandbox, serve

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 40


@pytest.fixture
def sandbox(tmp_path: Path, filled_books: Callable[[Path, int, date], Books]) -> Iterator[Sandbox]:
    books = filled_books(tmp_path / "shops.sqlite", CUSTOMERS, datetime.now(UTC).date())
    with serve(books) as running:
        yield running
    books.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def run(folder: Path) -> Run:
    folder.mkdir()
    return called_in(folder)


def a_customer(books: Books, shop: str) -> tuple[str, str]:
    """Id and e-mail of one who shows our fields."""
    row = books.query(
        "SELECT id, email FROM customers WHERE shop = ? AND id IN"
        " (SELECT customer_id FROM customer_values WHERE shop = ?"
        "  AND name LIKE 'clv%') ORDER BY id LIMIT 1",
        (shop, shop),
    )[0]
    return str(row["id"]), str(row["email"])


def shown(books: Books, shop: str, customer: str) -> list[str]:
    values = books.query(
        "SELECT name FROM customer_values WHERE shop = ? AND customer_id = ?", (shop, customer)
    )
    tags = books.query(
        "SELECT tag AS name FROM customer_tags WHERE shop = ? AND customer_id = ?", (shop, customer)
    )
    return [row["name"] for row in [*values, *tags] if str(row["name"]).startswith("clv")]


def everywhere(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("shop", ["eu", "us"])
def test_who_is_erased_leaves_the_shop_the_store_and_the_files_and_stays_out(
    run: Run, sandbox: Sandbox, folder: Path, shop: str
) -> None:
    environment = sandbox.environment | {"CLV_SHOPS": shop}
    assert run(environment, "run").code == 0
    assert run(environment, "export", "scores", "--out", "scores.csv").code == 0
    assert run(environment, "plan", "--out", "old.plan").code == 0
    customer, email = a_customer(sandbox.books, shop)
    assert shown(sandbox.books, shop, customer)
    told = run(environment, "subject-export", email, "--out", "her.json", "--json")
    assert told.events("summary")[0]["rows"] > 2
    (known,) = json.loads((folder / "her.json").read_text())
    assert known["customer_ids"] == [customer]
    assert email not in (folder / "her.json").read_text()
    keys = [key.encode() for key in known["email_hashes"]]
    rows = (folder / "scores.csv").read_text().count("\n")

    erased = run(environment, "erase", email, "--yes", "--json")
    assert erased.code == 0, erased.err
    assert {event["told"] for event in erased.events("file")} == {"rewritten", "deleted"}
    assert (folder / "scores.csv").read_text().count("\n") == rows - 1
    assert not (folder / "her.json").exists()
    assert shown(sandbox.books, shop, customer) == []

    again = run(environment, "backfill", "--full-refresh", "--json")
    assert again.code == 0, again.err
    assert run(environment, "reconcile").code == 0
    assert run(environment, "run", "--json").code == 0
    assert shown(sandbox.books, shop, customer) == []
    assert run(environment, "explain", email).code == 1
    assert not [key for key in keys if key in everywhere(folder)]
    assert email not in erased.out + erased.err + again.out
    assert [row["shop"] for row in run(environment, "erase", "--json").events("erasure")] == [shop]


def test_a_whole_shop_is_erased_and_readmitted(run: Run, sandbox: Sandbox, folder: Path) -> None:
    assert run(sandbox.environment, "backfill").code == 0
    assert run(sandbox.environment, "erase", "--everything", "--yes").code == 1
    assert run(sandbox.environment, "erase", "--shop", "eu", "--yes").code == 1
    assert run(sandbox.environment, "erase", "--shop", "eu", "--everything", "--yes").code == 0
    again = run(sandbox.environment, "run", "--json")
    assert again.code == 1
    assert "all of eu was erased" in again.err
    assert again.events("summary")[0]["shops"]["us"]["applied"] > 0
    assert run(sandbox.environment, "readmit", "--shop", "eu").code == 0
    assert run(sandbox.environment, "run").code == 0


def test_nothing_is_erased_where_the_shop_cannot_be_reached(
    run: Run, sandbox: Sandbox, folder: Path
) -> None:
    environment = sandbox.environment | {"CLV_SHOPS": "eu"}
    assert run(environment, "run").code == 0
    customer, _ = a_customer(sandbox.books, "eu")
    wrong = environment | {"CLV_EU_TOKEN": "wrong"}
    refused = run(wrong, "erase", customer, "--yes")
    assert refused.code == 12
    assert "--keep-in-shop" in refused.err
    assert run(environment, "explain", customer).code == 0
    assert run(wrong, "erase", customer, "--yes", "--keep-in-shop").code == 0
    assert run(environment, "explain", customer).code == 1


def test_what_webhooks_told_of_somebody_leaves_with_them(
    run: Run, sandbox: Sandbox, folder: Path
) -> None:
    assert run(sandbox.environment | {"CLV_SHOPS": "us"}, "backfill").code == 0
    now = datetime.now(UTC)
    hints = [
        Hint("us", f"event-{n}", "orders/updated", "order", ("77",), (customer,))
        for n, customer in enumerate(["700700700", "800800800"])
    ]
    with Hints.open(beside(folder / ".clv" / "store.duckdb")) as queue:
        queue.add(hints, now)
    assert b"700700700" in everywhere(folder)
    us = sandbox.environment | {"CLV_SHOPS": "us"}
    assert run(us, "erase", "700700700", "--yes").code == 0
    assert b"700700700" not in everywhere(folder)
    assert b"800800800" in everywhere(folder)


def test_an_id_needs_a_shop_and_an_erasure_a_yes(run: Run, sandbox: Sandbox) -> None:
    asked = run(sandbox.environment, "erase", "1", "--yes")
    assert asked.code == 1
    assert "--shop" in asked.err
    assert "--yes" in run(sandbox.environment, "erase", "1", "--shop", "eu").err


def test_who_is_erased_from_a_file_shop_leaves_the_scores_beside_it_too(
    run: Run, folder: Path
) -> None:
    rows = [
        f"{customer},2026-{month:02}-{day:02},{value}"
        for customer, day, value in (("700700700", 3, 40), ("800800800", 5, 60))
        for month in range(1, 10)
    ]
    orders = folder / "orders.csv"
    orders.write_text("\n".join(["customer_id,ordered_at,net_value", *rows]) + "\n")
    environment = {
        "CLV_SHOPS": "x",
        "CLV_X_PLATFORM": "file",
        "CLV_X_PATH": str(orders),
        "CLV_X_CURRENCY": "EUR",
    }
    assert run(environment, "run").code == 0
    scores = folder / "orders.scores.csv"
    assert "700700700" in scores.read_text()
    assert run(environment, "erase", "700700700", "--yes").code == 0
    assert "700700700" not in scores.read_text()
    assert "800800800" in scores.read_text()
    orders.write_text(orders.read_text() + "700700700,2026-10-01,10\n")
    assert run(environment, "run").code == 0
    assert "700700700" not in scores.read_text()
    orders.unlink()
    assert b"700700700" not in everywhere(folder)
