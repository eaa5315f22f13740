"""Checks 35 to 37 and 41: people and tokens come out nowhere, and who is erased is gone."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.hints import Hints
from connectors.sandbox import MAGENTO_TOKEN, SHOPIFY_TOKEN
from connectors.sandbox.faults import Fault
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify.hooks import hook
from connectors.serve.app import create_app
from connectors.serve.keeping import Keeper
from tests import test_serve
from tests.reliability.canaries import MARKS, columns, files_below, hits, marked, told_by
from tests.reliability.conftest import FULL, Told
from tests.reliability.forked import Commands
from tests.reliability.worlds import START, shops

TOKEN = "canary-token-of-nobody-at-all"


# ------------------------------------------------------------------ 35 to 37: people, files, modes

COMMANDS = (
    ["doctor"], ["backfill"], ["pull"], ["score"], ["backtest"], ["plan"],
    ["plan", "--out", "kept.plan"], ["apply", "--yes", "--allow-drift"], ["run"], ["reconcile"],
    ["state"], ["undo"], ["explain", "1"], ["explain", f"{MARKS['email']}1@example.com"],
    ["export", "orders", "--out", "out/orders.csv"], ["export", "scores", "--out", "out/s.csv"],
    ["export", "customers", "--out", "out/customers.csv"],
    ["export", "order_lines", "--format", "parquet", "--out", "out/lines.parquet"],
    ["export", "refunds", "--out", "out/refunds.csv"],
    ["subject-export", "1", "--shop", "eu", "--out", "out/subject.json"],
    ["erase"], ["nonsense"], ["pull", "--shop", "nobody"], ["notify", "--dry-run"],
)  # fmt: skip


class Tour(NamedTuple):
    """A folder in which every command was run, with debug logs and without a umask."""

    folder: Path
    commands: int


@pytest.fixture(scope="module")
def tour(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """On shops full of marks, at last while they fail, refuse the token, or send odd rows."""
    folder = tmp_path_factory.mktemp("tour")
    with shops(60 if FULL else 8) as world:
        marked(world.books)
        settings = {**world.sandbox.environment, "CLV_METRICS": "metrics/clv.prom"}
        ran = 0

        def run(*command: str, **changed: str) -> None:
            nonlocal ran
            own = ("--verbose", *command)
            commands.run(folder, {**settings, **changed}, *own, debug=True, umask=0)
            ran += 1

        for command in COMMANDS:
            run(*command)
        for kind in ("truncated", "cut", "reset", "status"):
            fault = Fault(kind, probability=0.5, times=0)  # type: ignore[arg-type]
            world.sandbox.faults.set([fault])
            run("pull")
        world.sandbox.faults.set([])
        run("doctor", CLV_EU_TOKEN=f"{TOKEN}1", CLV_US_TOKEN=f"{TOKEN}2")
        run("pull", CLV_EU_TOKEN=f"{TOKEN}1", CLV_US_TOKEN=f"{TOKEN}2")
        hook = f"http://127.0.0.1:9/{TOKEN}3"
        run("notify", CLV_NOTIFY_WEBHOOK=hook, CLV_NOTIFY_PRIVATE="yes")
        odd = "UPDATE customers SET created_at = ? WHERE id % 3 = 0"
        world.books.execute(odd, [MARKS["last_name"]])
        run("pull")
    return Tour(folder, ran)


def test_check_35_no_canary_comes_out_anywhere(told: Told, tour: Tour) -> None:
    files = [*files_below(tour.folder), told_by(tour.folder / ".clv/store.duckdb")]
    tokens = (TOKEN, MAGENTO_TOKEN, SHOPIFY_TOKEN)
    told(
        f"commands with debug logs; {len(files)} files searched for 20 people's marks, 3 tokens",
        tour.commands,
        hits_of_people=hits(files, MARKS.values()),
        hits_of_tokens=hits(files, tokens),
    )


def test_check_37_files_are_the_owners_alone_whatever_the_umask(told: Told, tour: Tour) -> None:
    made = [path for path in tour.folder.rglob("*") if ".told" not in path.parts]
    wrong = [
        path
        for path in made
        if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)
    ]
    told("files and folders made under umask 000", len(made), open_to_others=len(wrong))


def test_check_36_the_store_knows_nobody_by_name_address_or_e_mail(
    told: Told, commands: Commands, tmp_path: Path
) -> None:
    with shops(told.often(12, 300)) as world:
        marked(world.books)
        assert commands.run(tmp_path, world.sandbox.environment, "run").code in (0, 3)
        people = world.books.query("SELECT count(*) AS n FROM customers")[0]["n"]
    store = tmp_path / ".clv/store.duckdb"
    text = told_by(store)
    personal = re.compile(r"name|mail|phone|street|city|zip|postcode|address|birth|note")
    known = {"email_key", "table_name", "name"}  # a hash; DuckDB's own; the name of a pin
    named = [one for one in columns(store) if personal.search(one[1]) and one[1] not in known]
    e_mails = re.findall(rb"[\w.+-]+@[\w-]+\.\w", text)
    told("customers whose store was searched", people, marks=hits([text], MARKS.values()),
         e_mails=len(e_mails), columns_for_it=len(named))  # fmt: skip


# --------------------------------------------------------------------------------- 41: the erased


@pytest.mark.parametrize("by", ["command", "webhook"])
def test_check_41_of_the_erased_no_byte_is_left_and_nothing_brings_them_back(
    told: Told, commands: Commands, tmp_path: Path, by: str
) -> None:
    left = back = 0
    people = told.often(2, 12)
    with shops(20) as world:
        run = lambda *words: commands.run(tmp_path, world.sandbox.environment, *words)  # noqa: E731
        assert run("run").code == 0
        for what in ("orders", "scores", "customers"):
            assert run("export", what, "--out", f"out/{what}.csv").code == 0
        assert run("plan", "--out", "kept.plan").code == 0
        buyers = world.books.query(
            "SELECT DISTINCT c.id, c.email FROM customers c JOIN orders o ON o.customer_id = c.id"
            " AND o.shop = c.shop WHERE c.shop = 'us' ORDER BY 1"
        )[:people]
        marks = [str(row["id"]) for row in buyers]
        before = hits([*files_below(tmp_path), told_by(tmp_path / ".clv/store.duckdb")], marks)
        assert before > 0
        for row in buyers:
            if by == "command":
                assert run("erase", str(row["id"]), "--shop", "us", "--yes").code == 0
            else:
                told_by_webhook(world.sandbox, tmp_path, row["id"])
        if by == "webhook":
            assert run("pull").code == 0
        logs = tmp_path / ".told"
        for path in logs.iterdir():  # what a terminal showed while they were customers
            path.unlink()
        for path in tmp_path.rglob("*"):
            if path.is_file():
                left += hits([path.read_bytes()], marks)
        left += hits([told_by(tmp_path / ".clv/store.duckdb")], marks)
        assert run("backfill", "--full-refresh").code == 0
        assert run("pull").code == 0
        back = hits(
            [*files_below(tmp_path / ".clv"), told_by(tmp_path / ".clv/store.duckdb")], marks
        )
    told(f"persons erased by {by}", len(buyers), bytes_left=left, came_back=back)


def told_by_webhook(sandbox: Sandbox, folder: Path, customer: int) -> None:
    """What Shopify sends where somebody is to be forgotten, taken in as `serve` does."""
    from connectors.hints import beside
    from connectors.identity import EmailHasher
    from tests.reliability.forked import PLAIN

    us = replace(test_serve.US, url=f"{sandbox.url}/us")
    with Hints.open(beside(folder / ".clv/store.duckdb")) as hints:
        hasher = EmailHasher(PLAIN["CLV_EMAIL_KEY"].encode())
        app = create_app([us], hasher, hints, Keeper(hints, lambda: START))
        one = hook(sandbox.books, "us", "customers/redact", customer)
        assert test_serve.asked(app, one, "/webhooks/us") == 200
