"""The commands that the README tells are run as they stand there, one after the other."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from started import ROOT, called_in

from connectors.sandbox.server import open_books, serve

pytestmark = pytest.mark.end_to_end

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: Started by tests of their own: these don't end by themselves.
GO_ON = {"serve", "sandbox", "demo"}
#: A person is asked whether they are sure; nobody is here.
ASK = {"erase"}


def commands() -> list[list[str]]:
    """Every line of a code block that calls clv-sync, without its comment."""
    blocks = re.findall(r"^```\n(.*?)^```", README, re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    told = [re.search(r".*clv-sync (.*)", line) for line in lines]
    return [shlex.split(found[1], comments=True) for found in told if found]


def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    books = open_books(tmp_path / "s.sqlite", today=now.date(), limit=25)
    run = called_in(tmp_path)
    ran = set()
    with serve(books) as shops:
        who = books.query("SELECT customer_id FROM orders WHERE customer_id IS NOT NULL")[0]
        for told in commands():
            if GO_ON & set(told):
                continue
            day = (now - timedelta(days=200)).date().isoformat()
            own = {"4711": str(who["customer_id"]), "2025-12-31": day}
            sure = ["--yes"] if ASK & set(told) else []
            ended = run(shops.environment, *(own.get(word, word) for word in told), *sure)
            assert ended.code == 0, f"{told}: {ended.err}{ended.out}"
            ran |= set(told)
    books.close()
    assert {"doctor", "backfill", "apply", "report", "segments", "explain", "run"} <= ran
