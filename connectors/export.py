"""Tables of the store as files for other programs: CSV or Parquet, written whole, for the owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from connectors.files import written_whole

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd

Format = Literal["csv", "parquet"]

#: A spreadsheet runs a cell that starts so; https://owasp.org/www-community/attacks/CSV_Injection
RUNS_IN_A_SPREADSHEET = r"^[=+\-@\t\r\n\x00]"


def export(table: pa.RecordBatchReader | pd.DataFrame, path: Path, format: Format) -> int:
    """Writes the table to `path`, 0600, whole or not at all; how many rows there are.

    Instants are ISO 8601 in UTC, decimals exact, an absent value an empty cell. In CSV a text that
    a spreadsheet would run gets an apostrophe before it; numbers stay numbers.
    Raises ConfigurationError where `path` can't be written.
    """
    reader = (
        table
        if isinstance(table, pa.RecordBatchReader)
        else pa.Table.from_pandas(table, preserve_index=False).to_reader()
    )
    with written_whole(path) as fresh:
        return WRITERS[format](reader, fresh)


def _write_csv(reader: pa.RecordBatchReader, path: Path) -> int:
    schema = pa.schema([(field.name, _cell_type(field.type)) for field in reader.schema])
    with pa.csv.CSVWriter(path, schema) as writer:
        return _write_all(reader, lambda batch: writer.write_batch(_cells(batch, schema)))


def _write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    with pa.parquet.ParquetWriter(path, reader.schema) as writer:
        return _write_all(reader, writer.write_batch)


def _write_all(reader: pa.RecordBatchReader, write: Callable[[pa.RecordBatch], None]) -> int:
    rows = 0
    for batch in reader:
        write(batch)
        rows += batch.num_rows
    return rows


def _cells(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([_cell(column) for column in batch.columns], schema=schema)


def _cell_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if _is_text(kind) or pa.types.is_timestamp(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
    )


def _cell(values: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(values.type):
        return _iso(values)
    if not _is_text(values.type):
        return values
    texts = values.cast(pa.string())
    return pc.if_else(
        pc.match_substring_regex(texts, RUNS_IN_A_SPREADSHEET),
        pc.binary_join_element_wise("'", texts, ""),
        texts,
    )


def _iso(instants: pa.Array) -> pa.Array:
    """2026-11-22T01:30:00Z, with a fraction only where there is one."""
    texts = pc.strftime(instants.cast(pa.timestamp("us", "UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    return pc.replace_substring(texts, pattern=".000000Z", replacement="Z")


WRITERS: Mapping[Format, Callable[[pa.RecordBatchReader, Path], int]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
}
