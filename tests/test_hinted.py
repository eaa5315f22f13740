"""From a webhook to the store: the practice shop delivers, `serve` keeps, the next pull acts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from started import Run, serving

from connectors.hints import Hint, Hints, beside
from connectors.sandbox import SHOPIFY_CLIENT_SECRET
from connectors.sandbox.books import Books
from connectors.sandbox.server import Sandbox, serve
from connectors.sandbox.shopify.hooks import deliver, hook
from connectors.sandbox.shopify.scenes import delete_order, merge_customers
from connectors.store import Store
from tests.sandbox import conftest as practice

NOW = datetime.now(UTC)

tiny = practice.tiny  # the fixture: customers 11 and 12, orders 101, 102 and a guest's 103


@pytest.fixture
def sandbox(tiny: Books) -> Iterator[Sandbox]:
    with serve(tiny) as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox) -> dict[str, str]:
    return {
        **sandbox.environment,
        "CLV_SHOPS": "us",
        "CLV_US_CLIENT_SECRET": SHOPIFY_CLIENT_SECRET,
        "CLV_STORE": "state/store.duckdb",
    }


def orders(folder: Path) -> dict[str, str | None]:
    """Which orders the store knows, and whose they are."""
    with Store.open(folder / "state" / "store.duckdb", now=NOW) as store:
        found = store.connection.execute("select order_id, customer_id from latest_orders")
        return dict(found.fetchall())


@pytest.mark.end_to_end
def test_a_delivery_reaches_the_store_with_the_next_pull(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    books = sandbox.books
    assert run(environment, "pull", "--json").code == 0
    assert orders(tmp_path) == {"101": "11", "102": "12", "103": None}
    with (
        serving(tmp_path, environment) as url,
        Store.open(tmp_path / "state" / "store.duckdb", now=NOW),
    ):  # a run holds the store meanwhile
        gone = hook(books, "us", "orders/delete", 102)
        delete_order(books, "us", 102)
        kept = hook(books, "us", "orders/delete", 103)  # a lie, or an old story: it is still there
        told = [gone, kept, gone, gone.twin(), hook(books, "us", "orders/updated", 101)]
        assert deliver(f"{url}/webhooks/us", [*told, gone.forged()]) == [200] * 5 + [401]
    ended = run(environment, "pull", "--json")
    assert ended.code == 0
    assert ended.events("summary")[0]["shops"]["us"]["hints"] == 3
    assert orders(tmp_path) == {"101": "11", "103": None}
    assert (
        run(environment, "pull", "--json").events("summary")[0]["shops"]["us"].get("hints") is None
    )


@pytest.mark.end_to_end
def test_two_customers_who_became_one_are_followed(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    assert run(environment, "pull").code == 0
    merge_customers(sandbox.books, "us", 11, 12)
    with Hints.open(beside(tmp_path / "state" / "store.duckdb")) as hints:
        told = Hint("us", "e", "customers/merge", "customer gone", customers=("12", "11"))
        hints.add([told], NOW)
    assert run(environment, "pull").code == 0
    assert orders(tmp_path) == {"101": "11", "102": "11", "103": None}
    with Store.open(tmp_path / "state" / "store.duckdb", now=NOW) as store:
        assert store.counts("us")["customers"] == 1  # 11 is still there, whatever the hint says


@pytest.mark.end_to_end
def test_hints_stay_where_the_pull_fails(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    queue = beside(tmp_path / "state" / "store.duckdb")
    with Hints.open(queue) as hints:
        hints.add([Hint("us", "e", "orders/updated", "order", ("101",))], NOW)
    assert run({**environment, "CLV_US_TOKEN": "wrong"}, "pull").code == 12
    with Hints.open(queue) as hints:
        assert hints.waiting() == 1
    assert run(environment, "pull").code == 0
    with Hints.open(queue) as hints:
        assert hints.waiting() == 0


@pytest.mark.end_to_end
def test_serve_says_what_it_lacks(environment: dict[str, str], run: Run) -> None:
    ended = run({**environment, "CLV_US_CLIENT_SECRET": ""}, "serve", "--port", "0")
    assert ended.code == 1
    assert "Set CLV_US_CLIENT_SECRET to the app's client secret." in ended.err


# ------------------------------------------------------------------------- what the law asks for


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def told(folder: Path, *hints: Hint) -> None:
    with Hints.open(beside(folder / "state" / "store.duckdb")) as queue:
        queue.add(hints, NOW)


@pytest.mark.end_to_end
def test_who_is_redacted_leaves_with_the_next_run_and_does_not_come_back(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    sandbox.books.execute("UPDATE customers SET id = 1234567891 WHERE id = 11")
    sandbox.books.execute("UPDATE orders SET customer_id = 1234567891 WHERE customer_id = 11")
    assert run(environment, "pull").code == 0
    state = tmp_path / "state"
    assert b"1234567891" in bytes_of(state)
    with serving(tmp_path, environment) as url:
        redact = hook(sandbox.books, "us", "customers/redact", 1234567891)
        about = hook(sandbox.books, "us", "customers/update", 1234567891)
        assert deliver(f"{url}/webhooks/us", [about, redact, redact.twin()]) == [200] * 3
    for _ in range(2):  # the practice shop still tells of them: they stay out
        ended = run(environment, "pull", "--json")
        assert ended.code == 0
        assert orders(tmp_path) == {"101": None, "102": "12", "103": None}
        assert b"1234567891" not in bytes_of(state)
        assert b"1234567891" not in (ended.out + ended.err).encode()


@pytest.mark.end_to_end
def test_the_law_is_served_even_where_the_shop_lets_us_in_no_more(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    assert run(environment, "pull").code == 0
    told(tmp_path, Hint("us", "e", "customers/redact", "erase customer", ("101",), ("11",)))
    assert run({**environment, "CLV_US_TOKEN": "wrong"}, "pull").code == 12
    assert orders(tmp_path)["101"] is None


@pytest.mark.end_to_end
def test_who_asks_for_their_data_gets_a_private_file_that_the_run_names(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    assert run(environment, "pull").code == 0
    with serving(tmp_path, environment) as url:
        request = hook(sandbox.books, "us", "customers/data_request", 11)
        assert deliver(f"{url}/webhooks/us", [request]) == [200]
    ended = run(environment, "pull", "--json", "--quiet")
    (named,) = ended.events("summary")[0]["data_requests"]
    file = tmp_path / named
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    (known,) = json.loads(file.read_text())
    assert known["customer_ids"] == ["11"]
    assert [order["order_id"] for order in known["known"]["orders"]] == ["101"]
    told(tmp_path, Hint("us", "r", "customers/redact", "erase customer", ("101",), ("11",)))
    assert run(environment, "pull").code == 0
    assert not file.exists()  # what was handed out of somebody leaves with them


@pytest.mark.end_to_end
def test_a_shop_that_goes_takes_everything_with_it(
    sandbox: Sandbox, environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    assert run(environment, "pull").code == 0
    with serving(tmp_path, environment) as url:
        change = hook(sandbox.books, "us", "orders/updated", 101)
        redact = hook(sandbox.books, "us", "shop/redact")
        assert deliver(f"{url}/webhooks/us", [change, redact]) == [200, 200]
    ended = run(environment, "pull")
    assert ended.code == 1
    assert "all of us was erased" in ended.err
    assert orders(tmp_path) == {}
    with Hints.open(beside(tmp_path / "state" / "store.duckdb")) as hints:
        assert hints.waiting() == 0
