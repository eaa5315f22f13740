"""The scores beside a file of orders: `<stem>.scores.csv`, one row for each customer that has any.

A spreadsheet would run a text cell that starts with `=`, `+`, `-`, `@`, a tab, a return or a NUL as
a formula: such a cell, and one that starts with an apostrophe, gets an apostrophe in front, which
reading takes off again. Numbers and dates stay as they are, negative ones too.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from connectors.errors import ConfigurationError
from connectors.files import written_whole
from connectors.schema import FIELDS, Shown

HEADER = ("customer_id", *FIELDS)

_RISKY = re.compile(r"[=+\-@\t\r\0']")
_PLAIN = re.compile(r"-?\d[\d.-]*")


def scores_beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.scores.csv")


def read_scores(path: Path) -> Iterator[tuple[str, Shown]]:
    """Customer id and what the file shows, row by row; nothing where there is no file.

    ConfigurationError where the file isn't one that `write_scores` has written.
    """
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file, strict=True)
            if tuple(next(rows, ())) == HEADER:
                yield from ((_read(row[0]), _shown(row)) for row in rows)
                return
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, IndexError):
        pass
    raise ConfigurationError(
        f"{path.name} is no scores file of ours; it was left alone",
        mend="Move it away: the scores are written there.",
    )


def _shown(row: list[str]) -> Shown:
    cells = zip(HEADER, row, strict=True)
    return {name: _read(cell) for name, cell in cells if cell and name in FIELDS}


def write_scores(path: Path, scores: Iterable[tuple[str, Shown]]) -> None:
    """Writes all scores anew, whole or not at all; no scores, no file."""
    rows = iter(scores)
    first = next(rows, None)
    if first is None:
        path.unlink(missing_ok=True)
        return
    with written_whole(path) as fresh, fresh.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for customer_id, shown in chain([first], rows):
            fields = (_cell(name, shown.get(name, "")) for name in FIELDS)
            writer.writerow([_cell("customer_id", customer_id), *fields])


def _cell(name: str, value: str) -> str:
    is_text = FIELDS.get(name, "text") == "text"
    if not is_text and _PLAIN.fullmatch(value):
        return value
    return f"'{value}" if _RISKY.match(value) else value


def _read(cell: str) -> str:
    return cell.removeprefix("'")
