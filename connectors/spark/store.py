"""The order store on a cluster: what reads all of a shop runs there, by the same expressions.

What concerns one customer or one month runs here, in DuckDB, over the very same files
(`connectors.store.sealed`).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Unpack

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.config.target import SparkTarget
from connectors.errors import StoreError
from connectors.files import on_the_disk, private_folder
from connectors.identity import EmailHasher
from connectors.platform import Page
from connectors.spark import asking, cluster
from connectors.spark.partition import Scored, Tallied, Written
from connectors.spark.running import Cluster
from connectors.store import Numbers, Store, T, added_up, reading, scores, sealed, staging
from connectors.store.connection import next_seq, opened, transaction
from connectors.store.migrations import migrate
from connectors.store.reading import Asked
from connectors.store.rows import TABLES
from connectors.store.sealed import File


@dataclass(frozen=True, kw_only=True)
class SparkStore(Store):
    """The open store of a warehouse. The cluster is reached once something has to run there."""

    cluster: Cluster
    folder: Path

    @classmethod
    @contextmanager
    def on(
        cls,
        target: SparkTarget,
        *,
        now: datetime,
        memory_mb: int = 2048,
        hasher: EmailHasher | None = None,
    ) -> Iterator[SparkStore]:
        """The store of that target (made where there is none), for this process alone.

        Raises as `Store.open` does, and ConfigurationError where the extra is missing.
        """
        cluster.require_extra()
        folder = target.warehouse.absolute()
        beside = (folder / "log", target.staged)
        with opened(folder / target.books.name, now, memory_mb, 1, beside) as connection:
            migrate(connection, target.books, now)
            sealed.prepare(connection)
            shutil.rmtree(target.staged, ignore_errors=True)  # of a run that died
            running = Cluster(target)
            try:
                yield cls(connection, hasher, cluster=running, folder=folder)
            finally:
                running.close()
                shutil.rmtree(target.staged, ignore_errors=True)
            sealed.sweep(connection)

    # --------------------------------------------------------------------------------- the log

    def commit(self, shop: str, stream: str, page: Page, *, at: datetime) -> int:
        added = super().commit(shop, stream, page, at=at)
        self._seal_if_many()
        return added

    def mend(self, shop: str, page: Page, *, at: datetime) -> int:
        added = super().mend(shop, page, at=at)
        self._seal_if_many()
        return added

    def _seal_if_many(self) -> None:
        if sealed.gathered(self.connection) >= sealed.GATHERED:
            sealed.seal(self.connection)

    def tidy(self) -> None:
        """Compacts once about half of the logged orders are superseded; an estimate will do."""
        sql = "select count(*), approx_count_distinct(hash(shop, order_id)) from orders"
        ((logged, standing),) = self.connection.execute(sql).fetchall()
        if logged > 2 * standing:
            self.compact()

    def compact(self) -> None:
        self._show_log()
        number, fresh = next_seq(self.connection), {}
        for log in TABLES:
            folder = self.folder / "log" / log / f"{number:012}"
            private_folder(folder.parent)
            self.cluster.keep(asking.latest(log), folder, sealed.SORTED_BY[log].split(", "))
            fresh[log] = [self._file(path, number) for path in _parts(folder)]
            for path in (*_parts(folder), folder, folder.parent):
                on_the_disk(path)
        with transaction(self.connection):
            for log, files in fresh.items():
                sealed.replace(self.connection, log, sealed.files(self.connection, log), files)
        sealed.sweep(self.connection)

    def _file(self, path: Path, number: int) -> File:
        rows = pq.read_metadata(path).num_rows
        return File(path.relative_to(self.folder).as_posix(), number, number, rows)

    def _show_log(self) -> None:
        """All that is known goes to files, and the cluster's queries find it."""
        sealed.seal(self.connection)
        for log in TABLES:
            self.cluster.name(log, sealed.paths_of(self.connection, log), asking.schema(log))

    # ----------------------------------------------------------------------------- worked out

    def _kept(
        self, kind: str, key: Sequence[object], query: Callable[[], str], order: Sequence[str] = ()
    ) -> Path:
        """The folder with a query's answer, worked out where it isn't there.

        It is named after what it follows from: what was asked, and the files that count.
        """
        sealed.seal(self.connection)
        state = [sealed.files(self.connection, log) for log in TABLES]
        digest = hashlib.blake2b(repr((state, key)).encode(), digest_size=8).hexdigest()
        folder = self.folder / "staged" / f"{kind}-{digest}"
        if not (folder / "_SUCCESS").exists():
            private_folder(folder.parent)
            self._show_log()
            self.cluster.keep(query(), folder, order)
        return folder

    def _valued(self, asked: Asked) -> Path:
        """The counting orders, which sample and summary are both told from."""
        shop, as_of = asked.shop, asked.as_of

        def query() -> str:
            # Kept apart, few rows as a rule: no order has to travel to meet them.
            for name, key, few in (
                ("guests", [shop], partial(asking.guests, shop)),
                ("later", [shop, as_of], partial(asking.later, shop, as_of)),
            ):
                self.cluster.name(name, _parts(self._kept(name, key, few)))
            return asking.valued(asked)

        return self._kept("valued", asked, query)

    def _scorable(self, asked: Asked, with_traits: bool = False) -> Path:
        """The summary of `to_score`: files that follow one another in order of person_key."""
        shown = self._shown(asked)

        def query() -> str:
            self.cluster.name("by_person", _parts(self._valued(asked)), by="person_key")
            self.cluster.name("tiers", shown, asking.TIERS)
            return asking.people(asked, with_traits)

        key = (*asked, with_traits, shown)
        return self._kept("people", key, query, ["person_key", "currency"])

    def _shown(self, asked: Asked) -> list[Path]:
        """The files of the scoring that stood on that day."""
        sql = (
            "select arg_max(seq, (day, seq)) from ("
            " select seq, coalesce(as_of, date '0001-01-01') as day from scores where shop = ?)"
            " where day <= ?"
        )
        ((seq,),) = self.connection.execute(sql, [asked.shop, asked.as_of]).fetchall()
        files = sealed.files(self.connection, "scores")
        return [self.folder / file.name for file in files if file.first == seq]

    def _sample(self, asked: Asked) -> Path:
        """The counting orders of all persons, or of the same sample as `staging.sample`."""
        valued = self._valued(asked)

        def query() -> str:
            self.cluster.name("valued", _parts(valued))
            self.cluster.name("chosen", [self._chosen(asked.shop, valued)])
            return asking.sample()

        key = (*asked, staging.in_sample(self.connection, asked.shop))
        return self._kept("sample", key, query)

    def _chosen(self, shop: str, valued: Path) -> Path:
        """Who is in the sample. Found here, because Spark's hash is another one than DuckDB's."""
        path = self.folder / "staged" / "chosen.parquet"
        chosen = staging.in_sample(self.connection, shop)
        sql = f"select distinct person_key from {asking.files(valued)} where {chosen}"
        sealed.write(self.connection, path, sql)
        return path

    # ------------------------------------------------------------------------ what is told of it

    def _summary(self, asked: Asked) -> str:
        return asking.summary(self._scorable(asked))

    def _people(self, asked: Asked, with_traits: bool) -> str:
        return asking.files(self._scorable(asked, with_traits))

    def _sampled(self, asked: Asked) -> str:
        self.connection.execute(asking.seen("sampled", self._sample(asked)))
        return "sampled"

    def _traits(self, asked: Asked) -> str:
        sample = self._sample(asked)

        def query() -> str:
            self.cluster.name("sampled", _parts(sample))
            return asking.traits(asked)

        traits = self._kept("traits", (*asked, sample.name), query)
        return f"from {asking.files(traits)}"

    def excluded(self, shop: str, *, as_of: date, currency: str | None = None) -> dict[str, int]:
        return self._of_kinds(shop, asking.excluded(as_of, currency))

    def currencies(self, shop: str) -> dict[str, int]:
        return self._of_kinds(shop, asking.currencies())

    def _of_kinds(self, shop: str, sql: str) -> dict[str, int]:
        kinds = self._kept("kinds", [shop], partial(asking.kinds, shop))
        self.connection.execute(asking.seen("kinds", kinds))
        return dict(self.connection.execute(sql).fetchall())

    # --------------------------------------------------------------------------------- scores

    def tally(
        self, shop: str, count: Callable[[pa.RecordBatch], T], **known: Unpack[Numbers]
    ) -> T | None:
        asked, with_traits = reading.split(shop, known)
        self.cluster.name("people", _parts(self._scorable(asked, with_traits)))
        return added_up(self.cluster.over(reading.numbers("people", with_traits), Tallied(count)))

    def score(
        self,
        run_id: str,
        shop: str,
        scored: Callable[[pa.RecordBatch], tuple[pa.Table, T]],
        **known: Unpack[Numbers],
    ) -> T | None:
        asked, with_traits = reading.split(shop, known)
        people = self._scorable(asked, with_traits)
        self.cluster.name("people", _parts(people))
        seq = next_seq(self.connection)
        folder = private_folder(self.folder / "log" / "scores" / f"{seq:012}-{shop}")
        work = Scored(scored, str(folder), {"seq": seq, "run_id": run_id})
        written: list[Written] = self.cluster.over("select * from people", work)
        _require_all(people, written)
        name = folder.relative_to(self.folder).as_posix()
        with transaction(self.connection):
            files = [File(f"{name}/{one.name}", seq, seq, one.rows) for one in written]
            sealed.replace(self.connection, "scores", [], files)
        return added_up(one.more for one in written)

    def save_scores(self, run_id: str, batches: Iterable[pa.Table]) -> None:
        seq, files = next_seq(self.connection), []
        for number, batch in enumerate(batches):
            path = self.folder / "log" / "scores" / f"{seq:012}" / f"{number:05}.parquet"
            table = scores.fitting(self.connection, batch, {"seq": seq, "run_id": run_id})
            sealed.write_table(path, table)
            files.append(self._file(path, seq))
        with transaction(self.connection):
            sealed.replace(self.connection, "scores", [], files)


def _require_all(people: Path, written: Sequence[Written]) -> None:
    """StoreError unless as many were scored as there are people: a part was lost, or came twice."""
    there = sum(pq.read_metadata(path).num_rows for path in _parts(people))
    scored = sum(one.rows for one in written)
    if there != scored:
        raise StoreError(f"{scored:,} of {there:,} customers were scored; nothing is kept")


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))
