"""What a worker does with its part of the rows. It runs there: only light modules of ours."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.files import on_the_disk, written_whole
from connectors.plain import plain

#: What a part tells goes to the driver as bytes in this column.
TOLD = "told"


@dataclass(frozen=True)
class Tallied:
    """What `count` makes of the batches, added up."""

    count: Callable[[pa.RecordBatch], Any]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = [self.count(batch) for batch in batches if batch.num_rows]
        if found:
            yield said(reduce(add, found))


@dataclass(frozen=True)
class Written:
    """A file that a part has written, how many rows it has, and what else was told of them."""

    name: str
    rows: int
    more: Any


@dataclass(frozen=True)
class Scored:
    """What `scored` makes of the batches, as one file that nobody else writes; with its name.

    The name is the attempt's own. One that died leaves a file that nobody names, and another
    attempt tells its own: so no part is lost, and none counts twice. `run`: columns of all rows.
    """

    scored: Callable[[pa.RecordBatch], tuple[pa.Table, Any]]
    folder: str
    run: Mapping[str, object]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        whole = (batch for batch in batches if batch.num_rows)
        first = next(whole, None)
        if first is None:
            return
        path = Path(self.folder) / attempt()
        table, more = self._of(first)
        rows = table.num_rows
        with written_whole(path) as fresh, pq.ParquetWriter(fresh, table.schema) as writer:
            writer.write_table(table)
            for batch in whole:
                table, another = self._of(batch)
                writer.write_table(table)
                more, rows = more + another, rows + table.num_rows
        on_the_disk(path.parent)
        yield said(Written(path.name, rows, more))

    def _of(self, batch: pa.RecordBatch) -> tuple[pa.Table, Any]:
        table, more = self.scored(batch)
        return plain(table, self.run), more


def attempt() -> str:
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None  # noqa: S101 -- this is a worker
    return f"{context.partitionId():05}-{context.taskAttemptId():08}.parquet"


def said(told: object) -> pa.RecordBatch:
    return pa.record_batch({TOLD: pa.array([pickle.dumps(told)], pa.binary())})


def heard(told: bytes) -> Any:
    return pickle.loads(told)  # noqa: S301 -- from our own workers, who run our code
