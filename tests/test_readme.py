"""The commands that README and docs tell are run as they stand there, page by page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from started import ROOT, Run, called_in

from connectors.sandbox.server import open_books, serve

pytestmark = pytest.mark.end_to_end

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
#: Started by tests of their own: these don't end by themselves.
GO_ON = {"serve", "sandbox", "demo"}
#: These only look: what one page has asked needn't be asked for another page once more.
LOOK = {"doctor", "backtest", "explain", "reconcile", "report", "segments", "state"}
#: A person is asked whether they are sure; nobody is here.
ASK = {"erase"}


def blocks(page: str) -> list[str]:
    """What stands between fences, of whatever language."""
    return re.findall(r"^```\w*\n(.*?)^```", page, re.M | re.S)


def commands(page: str) -> list[list[str]]:
    """Every line of a code block that calls the program, without its comment."""
    lines = [line for block in blocks(page) for line in block.splitlines()]
    told = [re.match(r"(?:.*(?:/|&& ))?(?:clv-sync|sync\.py) (.*)", line) for line in lines]
    return [shlex.split(found[1], comments=True) for found in told if found]


@dataclass(frozen=True)
class Tried:
    """The practice shops and the file of docs/connect-file.md, with a store for all pages."""

    run: Run
    environment: Mapping[str, str]
    customers: Iterator[str]
    looked: set[tuple[str, ...]] = field(default_factory=set)

    def page(self, page: str) -> set[str]:
        """Runs the page's commands one after the other; the words that were in them."""
        day = (datetime.now(UTC) - timedelta(days=200)).date().isoformat()
        own = {"4711": next(self.customers), "2025-12-31": day}
        ran = set()
        for told in commands(page):
            if GO_ON & set(told) or tuple(told) in self.looked:
                continue
            if "RUN" in told:
                own["RUN"] = self.last_run_that_wrote()
            asks = bool(ASK & set(told)) and len(told) > 1  # alone it lists what was erased
            sure = ["--yes"] if asks and "--yes" not in told else []
            ended = self.run(self.environment, *(own.get(word, word) for word in told), *sure)
            assert ended.code == 0, f"{told}: {ended.err}{ended.out}"
            ran |= set(told)
            if told[0] in LOOK:
                self.looked.add(tuple(told))
        return ran

    def last_run_that_wrote(self) -> str:
        return str(self.run(self.environment, "undo", "--json").events("run")[0]["run"])


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    folder = tmp_path_factory.mktemp("pages")
    books = open_books(folder / "s.sqlite", today=datetime.now(UTC).date(), limit=25)
    rows = blocks((DOCS / "connect-file.md").read_text(encoding="utf-8"))
    sample = next(block for block in rows if block.startswith("customer_id,"))
    (folder / "orders.csv").write_text(sample, encoding="utf-8")
    run = called_in(folder)
    with serve(books) as shops:
        of_file = {"CLV_X_PLATFORM": "file", "CLV_X_PATH": "orders.csv"}
        environment = {**shops.environment, **of_file, "CLV_SHOPS": "eu,us,x"}
        assert run(environment, "backfill", "--quiet").code == 0
        assert run(environment, "apply", "--yes", "--quiet").code == 0
        yield Tried(run, environment, _buyers(books))
    books.close()


def _buyers(books: Any) -> Iterator[str]:
    """Customers of the first shop, another one for each page: they may be erased there."""
    sql = "SELECT DISTINCT customer_id FROM orders WHERE customer_id IS NOT NULL AND shop = 'eu'"
    return iter([str(row["customer_id"]) for row in books.query(sql)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_runs(tried: Tried, page: Path) -> None:
    tried.page(page.read_text(encoding="utf-8"))


def test_the_pages_leave_no_command_out() -> None:
    told = {word for page in PAGES for line in commands(page.read_text()) for word in line}
    wanted = {"doctor", "backfill", "plan", "apply", "undo", "reconcile", "state", "report", "run"}
    assert wanted | {"segments", "explain", "backtest", "score", "export", "erase"} <= told


@pytest.mark.parametrize("told", ["clv-sync frobnicate", "clv-sync plan --in order"])
def test_a_command_that_does_not_exist_is_found(tried: Tried, told: str) -> None:
    with pytest.raises(AssertionError):
        tried.page(f"# Page\n\n```\nclv-sync state\n{told}   # does something\n```\n")
