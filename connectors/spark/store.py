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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.config.target import SparkTarget
from connectors.errors import StoreError
from connectors.files import on_the_disk, private_folder
from connectors.identity import EmailHasher
from connectors.platform import Page
from connectors.schema import Rule
from connectors.spark import asking, cluster
from connectors.spark.partition import Scored, Tallied, Written
from connectors.spark.running import Cluster
from connectors.store import Numbers, Store, T, added_up, reading, scores, sealed, staging
from connectors.store.connection import next_seq, opened, transaction
from connectors.store.migrations import migrate
from connectors.store.reading import Asked
from connectors.store.rows import TABLES
from connectors.store.sealed import File

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd


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
        state = [sealed.files(self.connection, log) for log in sealed.LOGS]
        digest = hashlib.blake2b(repr((state, key)).encode(), digest_size=8).hexdigest()
        folder = self.folder / "staged" / f"{kind}-{digest}"
        if not (folder / "_SUCCESS").exists():
            private_folder(folder.parent)
            self._show_log()
            self.cluster.keep(query(), folder, order)
        return folder

    def _people(self, asked: Asked, with_traits: bool = False) -> Path:
        """The summary of `to_score`: files that follow one another in order of person_key."""

        def query() -> str:
            self.cluster.name("tiers", self._latest_scores(asked.shop), asking.TIERS)
            return asking.people(asked, with_traits)

        return self._kept("people", (*asked, with_traits), query, ["person_key", "currency"])

    def _latest_scores(self, shop: str) -> list[Path]:
        """The files of the scoring that stands."""
        seq = scores.latest_seq(self.connection, shop)
        files = sealed.files(self.connection, "scores")
        return [self.folder / file.name for file in files if file.first == seq]

    def _sample(self, asked: Asked) -> Path:
        """The counting orders of all persons, or of the same sample as `staging.sample`."""

        def query() -> str:
            self.cluster.name("chosen", [self._chosen(asked.shop)], asking.CHOSEN)
            return asking.sample(asked)

        return self._kept("sample", (*asked, self._in_sample(asked.shop)), query)

    def _in_sample(self, shop: str) -> str:
        return staging.in_sample(self.connection, shop)

    def _chosen(self, shop: str) -> Path:
        """Who is in the sample. Found here, because Spark's hash is another one than DuckDB's."""
        path = self.folder / "staged" / "chosen.parquet"
        sql = (
            f"select distinct person_key from (select person_key from orders where shop = $shop"
            " union all select customer_id from customers where shop = $shop)"
            f" where person_key is not null and {self._in_sample(shop)}"
        )
        sealed.write(self.connection, path, sql, {"shop": shop})
        return path

    # -------------------------------------------------------------------------------- summary

    def summary(
        self, shop: str, *, as_of: date, rule: Rule = "net", currency: str | None = None
    ) -> pd.DataFrame:
        people = self._people(Asked(shop, as_of, rule, currency))
        return reading.frame(self.connection, asking.summary([people]))

    def summary_of(
        self,
        shop: str,
        person_key: str,
        *,
        as_of: date,
        rule: Rule = "net",
        currency: str | None = None,
    ) -> dict[str, Any]:
        people = self._people(Asked(shop, as_of, rule, currency))
        sql = f"from ({asking.summary([people])}) where person_key = $person_key"
        found = reading.table(self.connection, sql, person_key=person_key).to_pylist()
        return dict(found[0]) if found else {}

    def excluded(self, shop: str, *, as_of: date, currency: str | None = None) -> dict[str, int]:
        self._show_log()
        return dict(sorted(self.cluster.rows(asking.excluded(Asked(shop, as_of, "net", currency)))))

    def currencies(self, shop: str) -> dict[str, int]:
        self._show_log()
        found = self.cluster.rows(asking.currencies(shop))
        return dict(sorted(found, key=lambda row: (-row[1], row[0])))

    def reader(
        self,
        what: str,
        *,
        shops: Sequence[str],
        as_of: date,
        rule: Rule = "net",
        currency: str | None = None,
    ) -> pa.RecordBatchReader:
        if what != "summary":
            return super().reader(what, shops=shops, as_of=as_of, rule=rule, currency=currency)
        people = [self._people(Asked(shop, as_of, rule, currency)) for shop in sorted(shops)]
        return reading.batches(self.connection, asking.summary(people))

    def traits(
        self, shop: str, *, as_of: date, rule: Rule = "net", currency: str | None = None
    ) -> pd.DataFrame:
        asked = Asked(shop, as_of, rule, currency)
        sample = self._sample(asked)

        def query() -> str:
            self.cluster.name("sampled", [sample], asking.TIERS)
            return asking.traits(asked)

        traits = asking.files([self._kept("traits", (*asked, sample.name), query)])
        found = reading.frame(self.connection, f"select * exclude (currency) from {traits}")
        return found.rename(columns={"person_key": "customer_id"}).set_index("customer_id")

    def purchase_days(
        self, shop: str, *, as_of: date, rule: Rule = "net", currency: str | None = None
    ) -> pd.DataFrame:
        asked = Asked(shop, as_of, rule, currency)
        view = f"create or replace temp view sampled as from {asking.files([self._sample(asked)])}"
        self.connection.execute(view)
        return reading.frame(self.connection, asking.purchase_days(asked))

    # --------------------------------------------------------------------------------- scores

    def to_score(self, shop: str, **known: Unpack[Numbers]) -> pa.RecordBatchReader:
        asked, with_traits = reading.split(shop, known)
        people = asking.files([self._people(asked, with_traits)])
        return reading.batches(self.connection, f"from {people}")

    def numbers(self, shop: str, **known: Unpack[Numbers]) -> pd.DataFrame:
        return reading.frame(self.connection, self._numbers(shop, known))

    def _numbers(self, shop: str, known: Numbers) -> str:
        asked, with_traits = reading.split(shop, known)
        people = asking.files([self._people(asked, with_traits)])
        return f"select {asking.numbers(with_traits)} from {people}"

    def tally(
        self, shop: str, count: Callable[[pa.RecordBatch], T], **known: Unpack[Numbers]
    ) -> T | None:
        asked, with_traits = reading.split(shop, known)
        self.cluster.name("people", [self._people(asked, with_traits)], asking.TIERS)
        sql = f"select {asking.numbers(with_traits)} from people"
        return added_up(self.cluster.over(sql, Tallied(count)))

    def spread(self, shop: str, many: int, **known: Unpack[Numbers]) -> pd.DataFrame:
        return reading.spread(self.connection, self._numbers(shop, known), many)

    def score(
        self,
        run_id: str,
        shop: str,
        scored: Callable[[pa.RecordBatch], tuple[pa.Table, T]],
        **known: Unpack[Numbers],
    ) -> T | None:
        asked, with_traits = reading.split(shop, known)
        people = self._people(asked, with_traits)
        self.cluster.name("people", [people], asking.TIERS)
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
