"""The rows of a CSV or Parquet file as text, one by one, whatever the file's own types are.

A file that isn't whole is refused before its first row, so that nothing is read by halves.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import ConfigurationError

NEEDED = ("customer_id", "ordered_at", "net_value")
OPTIONAL = ("order_id", "currency", "channel", "category", "quantity", "country")
COLUMNS = (*NEEDED, *OPTIONAL)

BATCH = 10_000
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands (`line 7` of a CSV, `row 6` of a Parquet file), and its cells.

    `cells` is None where the row hasn't as many cells as the file has columns.
    """

    place: str
    cells: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Table:
    """A file of orders that is there, whole, and has the columns."""

    path: Path
    columns: Sequence[str]
    is_parquet: bool
    delimiter: str = ","

    def rows(self) -> Iterator[Row]:
        return _parquet_rows(self) if self.is_parquet else _csv_rows(self)


def open_table(path: Path) -> Table:
    """Looks at a file's ends and header. ConfigurationError says what is wrong with it."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            size = file.seek(0, 2)
            file.seek(max(size - 1, 0))
            tail = file.read(1)
    except OSError as error:
        raise _wrong(path, f"can't be read: {error.strerror}", "Check CLV_<SHOP>_PATH.") from None
    if not size:
        raise _wrong(path, "is empty", "Export it anew.")
    if head == b"PAR1" or path.suffix.lower() in (".parquet", ".pq"):
        return _open_parquet(path)
    if tail not in (b"\n", b"\r"):
        line = _line_ends(path) + 1
        raise _wrong(
            path,
            f"ends in the middle of line {line}: it may be half written",
            "Export it anew; if it is whole, end its last line with a line break.",
        )
    return _open_csv(path)


def _wrong(path: Path, told: str, mend: str) -> ConfigurationError:
    return ConfigurationError(f"{path.name} {told}", mend=mend)


def _line_ends(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))


def _checked(path: Path, columns: Sequence[str]) -> list[str]:
    missing = [name for name in NEEDED if name not in columns]
    twice = [name for name in COLUMNS if list(columns).count(name) > 1]
    if missing or twice:
        told = f"lacks the column {missing[0]}" if missing else f"has the column {twice[0]} twice"
        needed = ", ".join(NEEDED)
        raise _wrong(path, f"{told} (line 1)", f"A file of orders has the columns {needed}.")
    return list(columns)


# ------------------------------------------------------------------------------------------- CSV


def _open_csv(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
    except UnicodeDecodeError:
        raise _no_text(path) from None
    delimiter = max(DELIMITERS, key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    return Table(path, _checked(path, [name.strip() for name in header]), False, delimiter)


def _no_text(path: Path) -> ConfigurationError:
    return _wrong(path, "is no UTF-8 text", "Save it as CSV in UTF-8, or as Parquet.")


def _csv_rows(table: Table) -> Iterator[Row]:
    with table.path.open(encoding="utf-8-sig", newline="") as file:
        yield from _csv_cells(table, file)


def _csv_cells(table: Table, file: TextIO) -> Iterator[Row]:
    reader = csv.reader(file, delimiter=table.delimiter, strict=True)
    width = len(table.columns)
    try:
        next(reader)
        for cells in reader:
            if not cells:
                continue  # an empty line
            whole = len(cells) == width
            named = dict(zip(table.columns, cells, strict=True)) if whole else None
            yield Row(f"line {reader.line_num}", named)
    except csv.Error as error:
        told = f"is no CSV from line {reader.line_num} on: {error}"
        raise _wrong(table.path, told, "Mend the quotes there, or export it anew.") from None
    except UnicodeDecodeError:
        raise _no_text(table.path) from None


# --------------------------------------------------------------------------------------- Parquet


def _open_parquet(path: Path) -> Table:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
    except (pa.ArrowException, OSError):
        raise _cut(path) from None
    return Table(path, _checked(path, names), True)


def _cut(path: Path) -> ConfigurationError:
    return _wrong(path, "is no whole Parquet file: it may be half written", "Export it anew.")


def _parquet_rows(table: Table) -> Iterator[Row]:
    present = [name for name in COLUMNS if name in table.columns]
    number = 0
    try:
        with pq.ParquetFile(table.path) as file:
            for batch in file.iter_batches(BATCH, columns=present):
                columns = [_cells(batch.column(name)) for name in present]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield Row(f"row {number}", dict(zip(present, cells, strict=True)))
    except (pa.ArrowException, OSError):
        raise _cut(table.path) from None


def _cells(column: pa.Array) -> list[str]:
    if pa.types.is_timestamp(column.type):  # Python knows no nanoseconds
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return [_text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    """A cell as text. A binary float holds noise behind its last digits: four decimals are kept.

    An id that became a float, because some rows have none, is whole again.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(round(value, 4))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
