"""What people and programs see of a run: lines and tables, or JSON lines; results on stdout,
progress and errors on stderr. A progress bar is drawn on a terminal only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

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
        """The last line of a command; a quiet run prints it too."""
        if self.json:
            self._line({"event": "summary", **facts})
        else:
            self._out.print(text)

    def table(self, event: str, title: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
        """Rows under columns; for programs one line a row."""
        if self.json:
            for row in rows:
                self._line({"event": event, **dict(zip(columns, row, strict=True))})
        elif rows and not self.quiet:
            self._out.print(_table(title, columns, rows))

    def finding(self, shop: str, finding: Finding) -> None:
        """One line of `doctor`."""
        text = f"{MARKS[finding.status]} {escape(shop)}: {finding.name}: {escape(finding.detail)}"
        mend = f" [bold]{escape(finding.mend)}[/]" if finding.mend else ""
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
        if self.json or self.quiet or not sys.stderr.isatty():
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
        sys.stdout.write(json.dumps(content, default=str, ensure_ascii=False) + "\n")
        sys.stdout.flush()


class _Speed(ProgressColumn):
    """Rows a second, lately."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for place, name in enumerate(columns):
        right = all(_is_number(row[place]) for row in rows)
        last = place == len(columns) - 1  # the longest text stands last and may be cut
        justify: Literal["right", "left"] = "right" if right else "left"
        longest = max((len(_cell(row[place])) for row in rows), default=0)
        # a number is shown whole or it is another number
        table.add_column(
            name, justify=justify, no_wrap=right or not last, min_width=longest if right else None
        )
    for row in rows:
        table.add_row(*(Text(_cell(cell), no_wrap=True, overflow="ellipsis") for cell in row))
    return table


def _cell(cell: object) -> str:
    return "" if cell is None else str(cell)


def _is_number(cell: object) -> bool:
    text = _cell(cell)
    return not text or text.replace(",", "").replace(".", "").lstrip("-").isdigit()
