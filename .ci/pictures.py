"""docs/demo.svg and docs/report.png, taken anew: a demo in a fresh folder, and the page it makes.

`.venv/bin/python .ci/pictures.py`, on a machine that is quiet (the demo tells how long it took) and
has Chromium. Of the second shop the terminal's picture shows how it went, without the tables.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
COLUMNS = 112
SECOND_SHOP = re.compile(r"(ok|warn|fail)? *us: ")
#: What is shown of the second shop.
OUTLINE = re.compile(r" pulled in | scored by | read back| report as of ")
TABLE = "┏┃┡│└"


def recorded(folder: Path) -> list[Text]:
    """The demo's lines as a terminal shows them, without its bars; its files lie in `folder`."""
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "sync.py").symlink_to(ROOT / "sync.py")
    terminal, there = pty.openpty()
    demo = subprocess.Popen(  # our own command
        [".venv/bin/python", "sync.py", "demo"],
        cwd=folder,
        env={**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"},
        stdout=there,
        stderr=subprocess.DEVNULL,
    )
    os.close(there)
    said = b"".join(_pieces(terminal)).decode()
    if demo.wait():
        sys.exit(said)
    return [Text.from_ansi(line) for line in said.splitlines()]


def _pieces(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 2**16)
        except OSError:  # how a terminal says that nobody writes to it any more
            return
        if not piece:
            return
        yield piece


def outlined(lines: Sequence[Text]) -> Iterator[Text]:
    """The same, of the second shop in outline."""
    left_out = False
    for line in lines:
        if not (line.plain[:1] in TABLE and line.plain):
            told = SECOND_SHOP.match(line.plain) and not line.plain.startswith(" ")
            left_out = bool(told) and not OUTLINE.search(line.plain)
        if not left_out:
            yield line


def drawn(lines: Sequence[Text], into: Path) -> None:
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor")
    console.print(Text.assemble(("$", "bold"), " make demo"))
    for line in outlined(lines):
        console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
    console.save_svg(str(into), title="make demo")


def photographed(page: Path, into: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome") or sys.exit("no Chromium")
    looks = ("--headless=new", "--disable-gpu", "--hide-scrollbars", "--window-size=960,935")
    subprocess.run(  # noqa: S603  # the system's browser, on a page of our own
        [browser, *looks, "--no-sandbox", f"--screenshot={into}", page.as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    )


def main() -> None:
    with TemporaryDirectory() as folder:
        lines = recorded(Path(folder))
        drawn(lines, DOCS / "demo.svg")
        photographed(Path(folder) / ".clv" / "demo" / "report-eu.html", DOCS / "report.png")


if __name__ == "__main__":
    main()
