"""Plans, exports and reports that were made from the store, and a person's part in them.

Rows of a table (CSV or Parquet) are taken out; any other file that may hold them is deleted, since
it can be made anew. A file that isn't there any more is forgotten.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from connectors.errors import ConfigurationError
from connectors.files import written_whole
from connectors.store import Store

#: Columns that say who somebody is.
IDENTITY = ("customer_id", "person_key", "email_key")

EXPORT = "export"
REPORT = "report"
PLAN = "plan"
SUBJECT_EXPORT = "subject-export"


@dataclass(frozen=True, slots=True)
class Theirs:
    """Whose rows: of these ids and keyed hashes in this shop, or (None) of the whole shop."""

    shop: str
    people: Collection[str] | None

    def has(self, row: Mapping[str, str | None]) -> bool:
        if row.get("shop") != self.shop:
            return False
        return self.people is None or any(row.get(name) in self.people for name in IDENTITY)


def cleaned(store: Store, theirs: Theirs) -> dict[Path, str]:
    """What was done to each file that was made from the store."""
    done: dict[Path, str] = {}
    for path, kind in store.files():
        if path.exists():
            told = _cleaned(path, kind, theirs)
            if told:
                done[path] = told
        if not path.exists():
            store.forget_file(path)
    return done


def _cleaned(path: Path, kind: str, theirs: Theirs) -> str:
    """`rewritten`, `deleted`, empty where they weren't in it, or why nothing could be done."""
    try:
        if kind == EXPORT:
            rewrite = _without_in_parquet if _is_parquet(path) else _without_in_csv
            return "rewritten" if rewrite(path, theirs) else ""
        path.unlink()
        return "deleted"
    except (OSError, ValueError, csv.Error, pa.ArrowException, ConfigurationError) as error:
        return f"can't be cleaned ({type(error).__name__}): look at it, or delete it"


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _without_in_csv(path: Path, theirs: Theirs) -> int:
    """How many rows were taken out; the file is left as it is where there is none."""

    def copy(fresh: Path) -> int:
        with (
            path.open(encoding="utf-8", newline="") as old,
            fresh.open("w", encoding="utf-8", newline="") as new,
        ):
            rows = csv.reader(old, strict=True)
            header = next(rows, [])
            writer = csv.writer(new, lineterminator="\n")
            writer.writerow(header)
            taken = 0
            for row in rows:
                cells = (cell.removeprefix("'") for cell in row)  # see `connectors.export`
                if theirs.has(dict(zip(header, cells, strict=True))):
                    taken += 1
                else:
                    writer.writerow(row)
            return taken

    return _if_any(path, copy)


def _without_in_parquet(path: Path, theirs: Theirs) -> int:
    def copy(fresh: Path) -> int:
        taken = 0
        with (
            pa.parquet.ParquetFile(path) as old,
            pa.parquet.ParquetWriter(fresh, old.schema_arrow) as new,
        ):
            for batch in old.iter_batches():
                gone = _of_them(batch, theirs)
                taken += pc.sum(gone).as_py() or 0
                new.write_batch(batch.filter(pc.invert(gone)))
        return taken

    return _if_any(path, copy)


def _of_them(batch: pa.RecordBatch, theirs: Theirs) -> pa.BooleanArray:
    names = [name for name in ("shop", *IDENTITY) if name in batch.schema.names]
    rows = batch.select(names).to_pylist()
    return pa.array([theirs.has(row) for row in rows], pa.bool_())


class _Untouched(Exception):
    """Nobody was in the file."""


def _if_any(path: Path, copy: Callable[[Path], int]) -> int:
    try:
        with written_whole(path) as fresh:
            taken = copy(fresh)
            if not taken:
                raise _Untouched
            return taken
    except _Untouched:
        return 0
