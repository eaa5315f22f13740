"""The command from the outside: an environment, arguments, an exit code.

Where a start, a signal or a second process matters, it runs as a process of its own.
"""

from __future__ import annotations

import csv
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from started import ROOT, Ended, Run, bare, called_in

from connectors.sandbox.books import Books
from connectors.sandbox.server import Sandbox, serve
from connectors.store import Store

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 40  # of each shop
FilledBooks = Callable[[Path, int, date], Books]


@pytest.fixture
def sandbox(tmp_path: Path, filled_books: FilledBooks) -> Iterator[Sandbox]:
    books = filled_books(tmp_path / "shops.sqlite", CUSTOMERS, datetime.now(UTC).date())
    with serve(books) as running:
        yield running
    books.close()


def named(sandbox: Sandbox) -> dict[str, str]:
    """Settings that name the model, where it doesn't matter how one is chosen."""
    return {**sandbox.environment, "CLV_MODEL": "mbg"}


def what_admins_see(books: Books) -> dict[str, list[dict[str, Any]]]:
    tables = ("customers", "customer_values", "customer_tags")
    every = {table: books.query(f"SELECT * FROM {table}") for table in tables}  # noqa: S608
    return {table: sorted(map(lasting, rows), key=str) for table, rows in every.items()}


def lasting(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what every write moves, in the real shops too."""
    moving = {"updated_at"} if "email" in row else {"updated_at", "id"}
    return {name: value for name, value in row.items() if name not in moving}


def foreign(seen: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    ours = ("clv_", "clv.", "clv-")
    return {
        table: [
            row for row in rows if not str(row.get("name", row.get("tag", ""))).startswith(ours)
        ]
        for table, rows in seen.items()
    }


def test_the_scheduled_job_writes_once_and_then_nothing(
    start: Run, run: Run, sandbox: Sandbox
) -> None:
    before = what_admins_see(sandbox.books)
    first = start(sandbox.environment, "run", "--json")
    assert first.code == 0, first.err
    shops = first.events("summary")[0]["shops"]
    assert all(shop["applied"] == shop["planned"] > 0 for shop in shops.values())
    after = what_admins_see(sandbox.books)
    assert after != before
    assert foreign(after) == foreign(before)

    written = sandbox.mutations()
    second = run(sandbox.environment, "run", "--json")
    assert second.code == 0
    assert {s["planned"] for s in second.events("summary")[0]["shops"].values()} == {0}
    assert sandbox.mutations() == written


def test_undo_leaves_every_shop_as_it_was(run: Run, sandbox: Sandbox) -> None:
    before = what_admins_see(sandbox.books)
    applied = run(named(sandbox), "run", "--json").events("summary")[0]["run_id"]
    listed = run(named(sandbox), "undo", "--json").events("run")
    assert [row["run"] for row in listed] == [applied]
    assert run(named(sandbox), "undo", applied, "--yes").code == 0
    assert what_admins_see(sandbox.books) == before


def test_a_plan_and_a_dry_run_write_nothing(run: Run, sandbox: Sandbox) -> None:
    assert run(named(sandbox), "backfill").code == 0
    assert run(named(sandbox), "plan", "--detailed-exitcode").code == 2
    assert run(named(sandbox), "apply", "--dry-run").code == 0
    assert set(sandbox.mutations().values()) == {0}


def test_a_kept_plan_is_applied_once_and_then_stale(run: Run, sandbox: Sandbox) -> None:
    run(named(sandbox), "backfill")
    assert run(named(sandbox), "plan", "--out", "monday.plan").code == 0
    applied = run(named(sandbox), "apply", "monday.plan", "--json")
    assert applied.code == 0
    assert applied.events("summary")[0]["changes"] > 0
    assert run(named(sandbox), "apply", "monday.plan").code == 15


def test_nobody_to_ask_means_nothing_is_written(run: Run, sandbox: Sandbox) -> None:
    run(named(sandbox), "backfill")
    ended = run(named(sandbox), "apply", "--non-interactive", "--json")
    assert ended.code == 1
    assert "--yes" in ended.err
    assert ended.lines[-1] == {"event": "summary", "exit_code": 1}
    assert set(sandbox.mutations().values()) == {0}


def test_more_changes_than_allowed_write_nothing(run: Run, sandbox: Sandbox) -> None:
    ended = run(named(sandbox), "run", "--max-changes", "3")
    assert ended.code == 14
    assert set(sandbox.mutations().values()) == {0}


def test_one_shop_can_be_chosen_after_the_command_too(run: Run, sandbox: Sandbox) -> None:
    for arguments in (("--shop", "us", "pull", "--json"), ("pull", "--json", "--shop=us")):
        ended = run(named(sandbox), *arguments)
        assert [line["shop"] for line in ended.events("pulled")] == ["us"]


def test_explain_tells_about_a_customer_by_id_and_by_e_mail(run: Run, sandbox: Sandbox) -> None:
    run(named(sandbox), "backfill")
    buyer = sandbox.books.query(
        "SELECT c.id, c.email FROM customers c JOIN orders o ON o.customer_id = c.id"
        " AND o.shop = c.shop WHERE c.shop = 'eu' GROUP BY c.id ORDER BY count(*) DESC"
    )[0]
    by_id = run(named(sandbox), "explain", str(buyer["id"]), "--json")
    by_email = run(named(sandbox), "explain", buyer["email"].upper(), "--json")
    assert by_id.code == by_email.code == 0
    told = by_id.events("explained")[0]
    assert told["customer_id"] == str(buyer["id"])
    assert by_email.events("explained")[0]["reason"] == told["reason"]
    assert len(by_id.events("order")) >= told["orders"]


def test_doctor_finds_nothing_wrong_with_the_practice_shops(run: Run, sandbox: Sandbox) -> None:
    ended = run(named(sandbox), "doctor", "--json")
    assert ended.code == 0
    told = {line["name"]: line["status"] for line in ended.events("finding")}
    assert {name for name, status in told.items() if status != "ok"} == {"module"}
    assert told["module"] == "warn"  # the practice shop works without it


def test_doctor_names_the_gap_and_the_mend(run: Run, sandbox: Sandbox) -> None:
    wrong = {**named(sandbox), "CLV_US_TOKEN": "shpat_not_the_one"}
    ended = run(wrong, "doctor", "--json")
    assert ended.code == 12
    failed = [line for line in ended.events("finding") if line["status"] == "fail"]
    assert {line["shop"] for line in failed} == {"us"}
    assert all(line["mend"] for line in failed)
    assert "shpat_not_the_one" not in ended.out + ended.err


def test_a_new_store_takes_nothing_away_from_customers_who_show_a_score(
    run: Run, sandbox: Sandbox
) -> None:
    assert run(named(sandbox), "run").code == 0
    before = what_admins_see(sandbox.books)
    fresh = {**named(sandbox), "CLV_STORE": "elsewhere/store.duckdb"}
    assert run(fresh, "apply", "--yes").code == 14
    assert what_admins_see(sandbox.books) == before


def test_a_second_run_at_the_same_time_leaves_with_its_own_code(
    start: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    with Store.open(tmp_path / ".clv/store.duckdb", now=datetime.now(UTC)):
        assert start(named(sandbox), "pull").code == 11


# ------------------------------------------------------------------------------ killed and stopped


@pytest.fixture
def many(
    tmp_path: Path, filled_books: FilledBooks, request: pytest.FixtureRequest
) -> Iterator[Sandbox]:
    """Shops large enough to be interrupted: 15 pages of orders, 13 batches of writes."""
    customers = getattr(request, "param", 300)
    books = filled_books(tmp_path / "many.sqlite", customers, datetime.now(UTC).date())
    with serve(books) as running:
        yield running
    books.close()


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Runs the command on a store; as a process of its own where a signal is to end it."""

    sandbox: Sandbox
    folder: Path

    def settings(self, store: str) -> dict[str, str]:
        own = {"CLV_STORE": store, "CLV_EMAIL_KEY": "a key for this test alone"}
        return {**bare(), **named(self.sandbox), **own}

    def whole(self, store: str, *arguments: str) -> int:
        return called_in(self.folder)(self.settings(store), "--quiet", *arguments).code

    def ended_by(self, number: int, after: int, store: str, *arguments: str) -> int:
        """The exit code; the signal comes `after` this many more requests."""
        begun = self.requests()
        with subprocess.Popen(
            [sys.executable, str(ROOT / "sync.py"), "--quiet", *arguments],
            env=self.settings(store),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            while process.poll() is None and self.requests() - begun < after:
                time.sleep(0.005)
            process.send_signal(number)
        return process.returncode

    def requests(self) -> int:
        return int(self.sandbox.books.scalar("SELECT count(*) FROM request_journal"))

    def orders(self, store: str) -> int:
        with Store.open(self.folder / store, now=datetime.now(UTC)) as opened:
            return sum(opened.counts(shop)["orders"] for shop in ("eu", "us"))

    def content(self, store: str) -> str:
        with Store.open(self.folder / store, now=datetime.now(UTC)) as opened:
            return opened.content_hash()


@pytest.fixture
def interrupted(many: Sandbox, tmp_path: Path) -> Interrupted:
    return Interrupted(many, tmp_path)


@pytest.mark.thorough  # check 01 kills it on each platform
def test_killed_ten_times_a_backfill_ends_as_if_nothing_had_been(interrupted: Interrupted) -> None:
    assert interrupted.whole("whole.duckdb", "pull") == 0
    after = [3, 7, 9, 5, 11, 8, 6, 12, 4, 10]
    codes = [
        interrupted.ended_by(signal.SIGKILL, requests, "killed.duckdb", "backfill")
        for requests in after
    ]
    assert codes == [-signal.SIGKILL] * 10
    assert interrupted.whole("killed.duckdb", "backfill") == 0
    assert interrupted.content("killed.duckdb") == interrupted.content("whole.duckdb")


@pytest.mark.thorough  # checks 21 and 30 do so on each way of writing
def test_killed_while_writing_the_next_run_finishes_and_both_can_be_undone(
    interrupted: Interrupted, many: Sandbox, tmp_path: Path
) -> None:
    before = what_admins_see(many.books)
    assert interrupted.whole("s.duckdb", "backfill") == 0
    for after in (30, 110, 9):
        interrupted.ended_by(signal.SIGKILL, after, "s.duckdb", "apply", "--yes")
    assert interrupted.whole("s.duckdb", "apply", "--yes") == 0
    tiers = many.books.query("SELECT count(*) AS n FROM customer_tags WHERE tag LIKE 'clv-%'")
    tagged = many.books.query(
        "SELECT count(DISTINCT customer_id) AS n FROM customer_tags WHERE tag LIKE 'clv-%'"
    )
    assert tiers == tagged
    with Store.open(tmp_path / "s.duckdb", now=datetime.now(UTC)) as store:
        runs = [run_id for run_id, *_ in store.write_runs()]
    assert len(runs) >= 2
    for run_id in runs:
        assert interrupted.whole("s.duckdb", "undo", run_id, "--yes") == 0
    assert what_admins_see(many.books) == before


@pytest.mark.thorough  # check 2 does so fifty times
@pytest.mark.parametrize("many", [200], indirect=True)
def test_asked_to_stop_it_finishes_the_page_and_goes_on_the_next_time(
    interrupted: Interrupted,
) -> None:
    assert interrupted.whole("whole.duckdb", "pull") == 0
    assert interrupted.ended_by(signal.SIGTERM, 24, "stopped.duckdb", "backfill") == 130
    assert 0 < interrupted.orders("stopped.duckdb") < interrupted.orders("whole.duckdb")
    assert interrupted.whole("stopped.duckdb", "backfill") == 0
    assert interrupted.content("stopped.duckdb") == interrupted.content("whole.duckdb")


class Busy(http.server.BaseHTTPRequestHandler):
    """A shop that is too busy for a minute."""

    def do_GET(self) -> None:
        self.send_response(429)
        self.send_header("Retry-After", "60")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("platform", ["magento", "shopify"])
def test_asked_to_stop_while_it_waits_for_the_shop_it_does_not_wait_on(
    tmp_path: Path, platform: str
) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        own = {
            "CLV_SHOPS": "eu",
            "CLV_EU_PLATFORM": platform,
            "CLV_EU_URL": f"http://127.0.0.1:{server.server_port}",
            "CLV_EU_TOKEN": "shpat_1",
        }
        pull = subprocess.Popen(
            [sys.executable, str(ROOT / "sync.py"), "--verbose", "pull"],
            env=bare() | own,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert pull.stderr
        said = pull.stderr.readline()  # it tells that it is going to wait
        begun = time.monotonic()
        pull.send_signal(signal.SIGTERM)
        said += pull.communicate(timeout=30)[1]
        took = time.monotonic() - begun
        server.shutdown()
    assert (pull.returncode, took < 30) == (130, True), said  # the machine may be busy
    assert "Traceback" not in said


# ------------------------------------------------------------------------------------ wrong inputs


def file_shop(
    tmp_path: Path, *rows: str, header: str = "customer_id,ordered_at,net_value"
) -> dict[str, str]:
    (tmp_path / "orders.csv").write_text("\n".join([header, *rows, ""]))
    return {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "file", "CLV_X_PATH": "orders.csv"}


def one_line(ended: Ended) -> str:
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1, ended.err
    return lines[0]


def test_a_wrong_token_is_an_authentication_error(run: Run, sandbox: Sandbox) -> None:
    for shop in ("EU", "US"):
        ended = run(
            {**named(sandbox), f"CLV_{shop}_TOKEN": "mistyped"}, "pull", "--shop", shop.lower()
        )
        assert ended.code == 12
        assert "mistyped" not in one_line(ended)


def test_an_unknown_host_is_told_with_the_variable(run: Run, sandbox: Sandbox) -> None:
    wrong = {**named(sandbox), "CLV_EU_URL": "https://no-such-shop.invalid"}
    ended = run(wrong, "pull", "--shop", "eu")
    assert ended.code == 13
    assert "CLV_EU_URL" in one_line(ended)


def test_a_missing_variable_is_told_with_the_place_to_find_it(run: Run) -> None:
    ended = run({"CLV_SHOPS": "eu", "CLV_EU_PLATFORM": "magento"}, "pull")
    assert ended.code == 1
    assert "CLV_EU_URL is missing" in one_line(ended)


def test_help_is_shown_without_waiting_for_scipy_or_pandas() -> None:
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "sync.py"), "--help"],
        env=bare(), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in shown.stderr.splitlines()}
    assert "connectors.store" in loaded
    assert not loaded & {"scipy.special", "pandas", "ibis", "sklearn"}


def test_the_shell_completes_commands() -> None:
    told = "import sys; sys.argv = ['clv-sync']; import sync; sync.main()"
    asked = {"_CLV_SYNC_COMPLETE": "complete_bash", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", told],
        env={**bare(), **asked, "COMP_WORDS": "clv-sync sta", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.split() == ["state"]


def test_the_shell_completes_the_words_of_commands(tmp_path: Path) -> None:
    asked = {"COMP_WORDS": "clv-sync export ref", "COMP_CWORD": "2"}
    ended = called_in(tmp_path, "clv-sync")({"_CLV_SYNC_COMPLETE": "complete_bash", **asked})
    assert ended.out.split() == ["refunds"]


def test_an_unknown_command_is_a_usage_error(run: Run) -> None:
    ended = run({}, "sing")
    assert ended.code == 2
    assert "sing" in one_line(ended)


def test_half_a_file_changes_nothing(run: Run, tmp_path: Path) -> None:
    settings = file_shop(tmp_path, "1,2026-01-05,10.00", "2,2026-02-05,20.00")
    assert run(settings, "backfill").code == 0
    with (tmp_path / "orders.csv").open("a") as half:
        half.write("3,2026-03-0")
    ended = run(settings, "backfill")
    assert ended.code == 1
    assert "orders.csv" in one_line(ended)
    assert run(settings, "export", "orders", "--out", "orders.out", "--json").lines[-1]["rows"] == 2


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("1,2026-01-05,-10.00,EUR", "net_value"),
        ("1,2026-01-05,1e30,EUR", "net_value"),
        ("1,2026-01-05,ten,EUR", "net_value"),
        ("1,yesterday,10.00,EUR", "ordered_at"),
        (",2026-01-05,10.00,EUR", "customer_id"),
        ("1,2026-01-05,10.00,DOUBLOON", "currency"),
    ],
)
def test_an_absurd_row_is_put_aside_and_the_others_go_on(
    run: Run, tmp_path: Path, row: str, column: str
) -> None:
    header = "customer_id,ordered_at,net_value,currency"
    settings = file_shop(tmp_path, row, "2,2026-02-05,20.00,EUR", header=header)
    ended = run(settings, "pull", "--json")
    assert ended.code == 3
    assert [line["field"] for line in ended.events("reject")] == [column]
    assert run(settings, "export", "orders", "--out", "out.csv", "--json").lines[-1]["rows"] == 1


def test_rows_that_were_put_aside_are_told_when_all_the_others_are_scored(
    run: Run, tmp_path: Path
) -> None:
    ended = run(file_shop(tmp_path, "1,2026-01-05,ten", "2,2026-02-05,20"), "backfill", "--json")
    assert ended.code == 3
    assert [line["customers"] for line in ended.events("scored")] == [1]


def test_two_currencies_need_a_word_from_the_owner(run: Run, tmp_path: Path) -> None:
    header = "customer_id,ordered_at,net_value,currency"
    rows = ("1,2026-02-05,20.00,EUR", "1,2026-02-06,20.00,USD")
    settings = file_shop(tmp_path, *rows, header=header)
    ended = run(settings, "backfill")
    assert ended.code == 1
    assert "CLV_X_CURRENCY" in one_line(ended)
    assert run({**settings, "CLV_X_CURRENCY": "EUR"}, "backfill").code == 0


def test_a_currency_that_no_order_is_in_scores_nobody_and_says_so(run: Run, tmp_path: Path) -> None:
    header = "customer_id,ordered_at,net_value,currency"
    settings = file_shop(tmp_path, "1,2026-02-05,20.00,EUR", header=header)
    ended = run({**settings, "CLV_X_CURRENCY": "SEK"}, "backfill")
    assert ended.code == 1
    assert one_line(ended).startswith("error x: no order is in SEK (EUR 1). Set CLV_X_CURRENCY")
    assert "scored" not in ended.out


def test_another_e_mail_key_is_refused(run: Run, tmp_path: Path) -> None:
    settings = file_shop(tmp_path, "1,2026-02-05,20.00")
    assert run(settings, "pull").code == 0
    ended = run({**settings, "CLV_EMAIL_KEY": "quite another key"}, "pull")
    assert ended.code == 1
    assert "key" in one_line(ended)


def test_everything_kept_is_for_the_owner_alone(run: Run, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        settings = file_shop(tmp_path, "1,2026-02-05,20.00")
        run(settings, "backfill")
        run(settings, "export", "scores", "--out", "out/scores.csv")
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / ".clv").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / ".clv").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "out/scores.csv").stat().st_mode & 0o777 == 0o600


def test_scores_are_exported_with_their_columns(run: Run, tmp_path: Path) -> None:
    settings = file_shop(tmp_path, "1,2026-02-05,20.00", "1,2026-03-05,30.00", "2,2026-03-05,1.00")
    run(settings, "backfill")
    run(settings, "export", "scores", "--out", "scores.csv")
    with (tmp_path / "scores.csv").open() as file:
        scores = {row["customer_id"]: row for row in csv.DictReader(file)}
    assert scores["1"]["historic_net"] == "50.0000" or scores["1"]["historic_net"] == "50.00"
    assert scores["2"]["reason"]
