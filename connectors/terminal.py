"""What people and programs see of a run: lines and tables, or JSON lines; results on stdout,
progress and errors on stderr. A progress bar is drawn on a terminal only.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from textwrap import wrap
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from connectors.platform import Finding
from connectors.redaction import of_nobody, redacted

Advance = Callable[[int, int | None], None]

MARKS = {"ok": "[green]ok  [/]", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}


class Terminal:
    """Two voices for the same news: `json` lines for programs, plain ones for people."""

    def __init__(
        self, *, json: bool = False, quiet: bool = False, hidden: Sequence[str] = ()
    ) -> None:
        self.json = json
        self._hidden = hidden
        self.quiet = quiet
        self._lock = threading.Lock()
        self._shop: str | None = None
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def of(self, shop: str) -> Terminal:
        """The voice of one of several shops at work: each line for programs says which.

        It draws no bars, which would be drawn over those of the others and over what is told.
        """
        own = copy(self)
        own._shop = shop
        return own

    def tell(self, event: str, text: str, **facts: object) -> None:
        """One piece of news: `text` for people (rich markup), `facts` for programs."""
        if self.json:
            self._line({"event": event, **facts})
        elif not self.quiet:
            self._out.print(text)

    def of_nobody(self, text: str) -> str:
        """The text as it may be kept, or told to others."""
        return of_nobody(text, self._hidden)

    def warning(self, text: str, **facts: object) -> None:
        """News that somebody should look at; no secret and no e-mail in it."""
        text = redacted(text, self._hidden)
        self.tell("warning", f"[yellow]{escape(text)}[/]", **facts, warning=text)

    def summary(self, text: str, **facts: object) -> None:
        """The last line of a command, or of a shop (another `event`); a quiet run prints it too."""
        if self.json:
            self._line({"event": "summary", **facts})
        else:
            self._out.print(text)

    def table(
        self,
        event: str,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Any],
        *,
        whole: bool = False,
    ) -> None:
        """Rows under columns; for programs one line a row. `whole`: the last text isn't cut."""
        if self.json:
            for row in rows:
                self._line({"event": event, **dict(zip(columns, row, strict=True))})
        elif rows and not self.quiet:
            self._out.print(_table(title, columns, rows, self._out.width, whole))

    def finding(self, shop: str, finding: Finding) -> None:
        """One line of `doctor`."""
        text = f"{MARKS[finding.status]} {escape(shop)}: {finding.name}: {escape(finding.detail)}"
        mend = f". [bold]{escape(finding.mend)}[/]" if finding.mend else ""
        facts = {"status": finding.status, "detail": finding.detail, "mend": finding.mend}
        self.tell("finding", text + mend, shop=shop, name=finding.name, **facts)

    def error(self, text: str, **facts: object) -> None:
        """One line on stderr, whatever else is switched off; no secret and no e-mail in it."""
        text = redacted(text, self._hidden)
        if self.json:
            self._line({"event": "error", "error": text, **facts})
        self._err.print(f"[red]error[/] {escape(text)}")

    @contextmanager
    def progress(self, label: str) -> Iterator[Advance]:
        """A bar on stderr while rows go by; nothing where nobody looks."""
        if self.json or self.quiet or self._shop or not sys.stderr.isatty():
            yield lambda rows, expected: None
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Speed(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._err, transient=True) as progress:
            task = progress.add_task(label, total=None)
            yield lambda rows, expected: progress.update(task, advance=rows, total=expected)

    def _line(self, content: Mapping[str, object]) -> None:
        whose = {"shop": self._shop} if self._shop and "shop" not in content else {}
        line = json.dumps({**content, **whose}, default=str, ensure_ascii=False) + "\n"
        with self._lock:
            sys.stdout.write(line)
            sys.stdout.flush()


class _Speed(ProgressColumn):
    """Rows a second, lately."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], width: int, whole: bool
) -> Table:
    """Numbers are shown whole, or they are other numbers; on a terminal too narrow for the titles,
    a title is no wider than what it names. The longest text stands last, and is cut or folded."""
    table = Table(title=title or None, title_justify="left", header_style="bold")
    longest = [max((len(_cell(row[n])) for row in rows), default=1) for n in range(len(columns))]
    needed = sum(3 + max(pair) for pair in zip(longest, map(len, columns), strict=True)) + 1
    for place, name in enumerate(columns):
        right = all(_is_number(row[place]) for row in rows)
        last = place == len(columns) - 1
        justify: Literal["right", "left"] = "right" if right else "left"
        table.add_column(
            name if needed <= width else _broken(name, longest[place]),
            justify=justify,
            no_wrap=right or not last,
            min_width=longest[place]
            if right
            else min(longest[place], 24)
            if whole and last
            else None,
        )
    for row in rows:
        *first, end = (_cell(cell) for cell in row)
        cut = [Text(cell, no_wrap=True, overflow="ellipsis") for cell in first]
        table.add_row(*cut, Text(end, no_wrap=not whole, overflow="fold" if whole else "ellipsis"))
    return table


def _broken(title: str, width: int) -> str:
    """Between its words, never within one."""
    return "\n".join(wrap(title, max(width, 1), break_long_words=False))


def _cell(cell: object) -> str:
    return f"{cell:,}" if type(cell) is int else "" if cell is None else str(cell)


def _is_number(cell: object) -> bool:
    text = _cell(cell)
    digits = text.replace(",", "").replace(".", "").lstrip("+-").removesuffix("%")
    return not text or digits.isdigit()
