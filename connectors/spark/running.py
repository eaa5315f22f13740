"""What the cluster is asked for: a query's answer as a folder, a function over rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.config.target import SparkTarget
from connectors.files import private_folder, written_whole
from connectors.spark import cluster
from connectors.spark.attending import attended
from connectors.spark.partition import TOLD, heard

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NO_COLUMNS = pa.schema([])
Part = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(slots=True)
class Cluster:
    """A cluster that is reached when it is first asked something."""

    target: SparkTarget
    _session: list[SparkSession] = field(default_factory=list)

    def session(self) -> SparkSession:
        if not self._session:
            self._session.append(cluster.opened(self.target))
        return self._session[0]

    @contextmanager
    def _asked(self) -> Iterator[None]:
        with attended(self.session(), self.target.master), cluster.told():
            yield

    def close(self) -> None:
        for session in self._session:
            session.stop()
        self._session.clear()

    # ------------------------------------------------------------------------------------ reading

    def name(
        self, name: str, paths: Sequence[Path], empty: pa.Schema = NO_COLUMNS, by: str = ""
    ) -> None:
        """Has queries read these Parquet files under a name; where there are none, no rows.

        By the schema of the first: Spark would start a job to find one. `by`: the parts are ranges
        of this column, so what is worked out for each of its values is in its order already.
        """
        session = self.session()  # where pyspark is missing, that says so
        from pyspark.sql.pandas.types import from_arrow_schema

        if not paths:
            paths = [private_folder(self.target.staged) / f"no-{name}.parquet"]
            with written_whole(paths[0]) as fresh:
                pq.write_table(empty.empty_table(), fresh)
        schema = from_arrow_schema(pq.read_schema(paths[0]), prefer_timestamp_ntz=True)
        with self._asked():
            frame = session.read.schema(schema).parquet(*map(_address, paths))
            frame = frame.repartitionByRange(by) if by else frame
            frame.createOrReplaceTempView(name)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A short answer."""
        with self._asked():
            return [tuple(row) for row in self.session().sql(query).collect()]

    def keep(self, query: str, folder: Path, order: Sequence[str] = ()) -> None:
        """The answer as the Parquet files of a folder, whole or not at all; where an order is
        wanted, the files follow one another in it."""
        shutil.rmtree(folder, ignore_errors=True)
        with self._asked():
            frame = self.session().sql(query)
            frame = frame.orderBy(*order) if order else frame
            frame.write.parquet(_address(folder))

    # ------------------------------------------------------------------------------------ working

    def over(self, query: str, part: Part) -> list[Any]:
        """What `part` tells of each part of the query's rows; it runs on the workers."""
        with self._asked():
            frame = self.session().sql(query).mapInArrow(part, f"{TOLD} binary")
            return [heard(bytes(row[TOLD])) for row in frame.collect()]


def _address(path: Path) -> str:
    return path.absolute().as_uri()
