"""The order store: one DuckDB file with what the shops said, the scores, and what was written.

connection   the file: private, locked to one process, without outside access
migrations   its tables, in numbered steps
rows         the schema's rows as columns and digests
log          pages and cursors in, content hash, compaction
quarantine   rows that could not be read
mending      a comparison with the shop: totals by month, single orders mended
journal      runs, and every change written to a shop
erasure      all of one person or shop: found, and made to leave
tombstones   who was erased stays out
rewriting    the file written anew, so that no trace is left in it
files        the files that were made from the store
sealed       the log as Parquet files beside the books: the store of a Spark target
scores       scores, run by run
tables       the tables as expressions: the log, and what of it stands
summary      the summary per person, as expressions
staging      what a scoring reads several times, worked out once
reading      frames and batches out
scratch      files beside the store for what is too much for memory
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.errors import ConfigurationError
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Page, Placed, Window
from connectors.schema import Change, Outcome, Rule
from connectors.store import (
    erasure,
    files,
    journal,
    log,
    mending,
    quarantine,
    reading,
    scores,
    sealed,
    tombstones,
)
from connectors.store.connection import opened
from connectors.store.erasure import Person
from connectors.store.journal import Refused, Run, Written
from connectors.store.mending import Edge, Known, MonthTotals
from connectors.store.migrations import migrate
from connectors.store.reading import Asked, Numbers, Which
from connectors.store.rows import TABLES
from connectors.store.scores import LATEST_SCORES, SCORES_UNTIL, Card
from connectors.store.scratch import Scratch
from connectors.store.tombstones import Erased

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd

__all__ = ["Card", "Numbers", "Refused", "Run", "Store", "Written"]


class Adds(Protocol):
    """What a part of a shop says, that adds up to what the whole says."""

    def __add__(self, other: Any) -> Any: ...


T = TypeVar("T", bound=Adds)


def added_up(parts: Iterable[T]) -> T | None:
    """One after the other; None where there is none."""
    waiting = iter(parts)
    first = next(waiting, None)
    return None if first is None else reduce(add, waiting, first)


@dataclass(frozen=True, slots=True)
class Store:
    """The open store. Whatever a method changes is on the disk when it returns, or not at all."""

    connection: DuckDBPyConnection
    hasher: EmailHasher | None = None

    @classmethod
    @contextmanager
    def open(
        cls,
        path: Path,
        *,
        now: datetime,
        memory_mb: int = 2048,
        threads: int = 1,
        hasher: EmailHasher | None = None,
    ) -> Iterator[Store]:
        """The store at `path` (made where there is none), for this process alone.

        `hasher` knows again who was erased; without it such a store takes nothing in.

        Raises StoreLocked where another run holds it. Raises StoreError where it is of a newer
        version, no store, damaged or unwritable, also for what happens inside the `with` block.
        """
        with opened(path, now, memory_mb, threads) as connection:
            sealed.refuse(connection, path)
            migrate(connection, path, now)
            yield cls(connection, hasher)

    def another(self) -> Store:
        """The same store for another thread: transactions are each one's own."""
        return replace(self, connection=self.connection.cursor())

    # ----------------------------------------------------------------------------- what shops said

    def commit(self, shop: str, stream: str, page: Page, *, at: datetime) -> int:
        """The page's rows, rejects and cursor as one; how many rows were new or different.

        Of people who were erased nothing is kept, and their orders are nobody's.
        """
        erased = self._erased(shop)
        page, also = tombstones.without(page, erased)

        def stay_out() -> None:
            for one in also:
                who = Person(shop, [one.customer_id], [one.email_key] if one.email_key else [])
                erasure.forget(self.connection, erased.hasher, who, at)

        return log.commit(self.connection, shop, stream, page, at, stay_out)

    def without_erased(self, shop: str, page: Page) -> Page:
        """The page as it may be kept: who was erased is not on it.

        Raises ConfigurationError where the whole shop was erased.
        """
        return tombstones.without(page, self._erased(shop))[0]

    def _erased(self, shop: str) -> Erased:
        return tombstones.erased_of(self.connection, shop, self.hasher)

    def cursor(self, shop: str, stream: str) -> Cursor | None:
        return log.cursor(self.connection, shop, stream)

    def forget_cursor(self, shop: str, stream: str) -> None:
        """The next pull reads everything anew; rows that didn't change are not stored again.

        The stream's quarantine is emptied: what still can't be read comes back to it.
        """
        log.forget_cursor(self.connection, shop, stream)

    def rejects(self, shop: str) -> pd.DataFrame:
        """Rows in quarantine: stream, row_id, field, reason, first_seen_at, last_seen_at."""
        sql = "select * exclude (shop) from rejects where shop = $shop order by stream, row_id"
        return reading.frame(self.connection, sql, shop=shop)

    def counts(self, shop: str) -> dict[str, int]:
        """How many rows of each table stand now."""
        return {name: self._count(f"latest_{name}", shop) for name in TABLES}

    def _count(self, table: str, shop: str) -> int:
        sql = f"select count(*) from {table} where shop = ?"
        return int(self.connection.execute(sql, [shop]).fetchall()[0][0])

    def websites(self, shop: str) -> list[str]:
        """The websites that the shop's customers belong to."""
        return self._texts(
            "select distinct website from latest_customers"
            " where shop = $shop and website is not null order by all",
            shop=shop,
        )

    def persons(self, shop: str, email_keys: Sequence[str]) -> list[str]:
        """Under which person keys these hashed e-mails stand: the customer's, or the guest's."""
        return self._texts(
            "select coalesce(min(customer_id), email_key)"
            " from (select unnest($keys::varchar[]) as email_key)"
            " left join (from latest_customers where shop = $shop) using (email_key)"
            " group by email_key order by all",
            shop=shop,
            keys=list(email_keys),
        )

    def _texts(self, sql: str, **parameters: Any) -> list[str]:
        return [text for (text,) in self.connection.execute(sql, parameters).fetchall()]

    def content_hash(self) -> str:
        """Equal for two stores that know the same, however they came to know it."""
        return log.content_hash(self.connection)

    def compact(self) -> None:
        """Drops superseded rows and gives their space back; what stands now stays as it is."""
        log.compact(self.connection)

    def tidy(self) -> None:
        """Compacts once most of the logged orders are superseded."""
        if log.superseded_share(self.connection) > 0.5:
            self.compact()

    def pin(self, name: str, value: str) -> None:
        """Keeps a value that must never change under this store's rows.

        Raises ConfigurationError where the store was filled with another.
        """
        kept = self._texts("select value from pins where name = $name", name=name)
        if kept and kept[0] != value:
            raise ConfigurationError(
                f"the {name} is not the one that this order store was filled with",
                mend="Give the earlier one back, or start a new store (CLV_STORE).",
            )
        if not kept:
            self.connection.execute("insert into pins values (?, ?)", [name, value])

    # ------------------------------------------------------------------- compared with the shop

    def first_order_at(self, shop: str) -> datetime | None:
        return mending.first_order_at(self.connection, shop)

    def months(
        self, shop: str, begin: datetime, end: datetime, rule: Rule = "net"
    ) -> Sequence[MonthTotals]:
        """Totals of the months from `begin` until before `end`, by currency."""
        return mending.months(self.connection, shop, rule, begin, end)

    def moved(
        self, shop: str, window: Window, edges: Sequence[Edge]
    ) -> Mapping[tuple[date, str], Placed]:
        """By month and currency, what belongs there by the shop's clock and not by UTC."""
        return mending.moved(self.connection, shop, window, edges)

    def placed(self, shop: str, begin: datetime, end: datetime) -> Mapping[str, Known]:
        """The orders placed from `begin` until before `end`, by id."""
        return mending.placed(self.connection, shop, begin, end)

    def orders_of_others(self, shop: str, customer_ids: Iterable[str]) -> list[str]:
        """Ids of the orders of registered customers who are none of these."""
        return mending.orders_of_others(self.connection, shop, customer_ids)

    def mend(self, shop: str, page: Page, *, at: datetime) -> int:
        """The page's rows and rejects, all or nothing; no cursor moves."""
        return log.mend(self.connection, shop, self.without_erased(shop, page), at)

    def settle_counts(self, shop: str) -> None:
        """Counts that differed are settled, since every month agrees now."""
        quarantine.settle_counts(self.connection, shop)

    def forget_other_customers(self, shop: str, customer_ids: Iterable[str]) -> None:
        """Customers who are none of these leave: guests of their e-mail are guests again."""
        mending.forget_other_customers(self.connection, shop, customer_ids)

    def forget_orders(self, shop: str, order_ids: Collection[str]) -> None:
        """Orders that the shop no longer has leave, with their lines and refunds."""
        mending.forget_orders(self.connection, shop, order_ids)

    def behind(
        self, shop: str, told: Mapping[str, datetime | None], always: Collection[str] = ()
    ) -> list[str]:
        """Orders that changed at an instant that we may not know of; those of `always` are due."""
        return mending.behind(self.connection, shop, told, always)

    def forget_customers(self, shop: str, customer_ids: Collection[str]) -> None:
        """Customers whom the shop no longer has leave."""
        mending.forget_customers(self.connection, shop, customer_ids)

    # ------------------------------------------------------------------------------------- summary

    def summary(self, shop: str, **which: Unpack[Which]) -> pd.DataFrame:
        """`connectors.store.summary.summary` as a frame: a row per person, money as Decimal."""
        sql = self._summary(reading.asked_of(shop, which))
        return reading.frame(self.connection, f"{sql} order by person_key, currency")

    def summary_of(self, shop: str, person_key: str, **which: Unpack[Which]) -> dict[str, Any]:
        """The summary's row of one person; empty where they have no purchase."""
        sql = self._summary(reading.asked_of(shop, which))
        sql = f"select * from ({sql}) where person_key = $person_key"
        found = reading.table(self.connection, sql, person_key=person_key).to_pylist()
        return dict(found[0]) if found else {}

    def _summary(self, asked: Asked) -> str:
        """The summary as SQL."""
        return reading.summary(asked)

    def excluded(self, shop: str, *, as_of: date, currency: str | None = None) -> dict[str, int]:
        """How many orders the summary leaves out, by reason."""
        return reading.excluded(self.connection, reading.Asked(shop, as_of, "net", currency))

    def currencies(self, shop: str) -> dict[str, int]:
        """How many orders the shop has in each currency, the commonest first."""
        return reading.currencies(self.connection, shop)

    def orders_of(self, shop: str, person_key: str, rule: Rule = "net") -> pd.DataFrame:
        """One person's orders, the oldest first: number, instant, state, money, does it count."""
        sql = (
            "select order_number, ordered_at, state, currency, total_value, refunded_total,"
            f" net_value, counts from ({reading.orders(rule)})"
            " where shop = $shop and person_key = $person_key order by ordered_at, order_id"
        )
        return reading.frame(self.connection, sql, shop=shop, person_key=person_key)

    def purchases(self, shop: str, **which: Unpack[Which]) -> pd.DataFrame:
        """A row per purchase up to `as_of`: customer_id (the person key), order_id, ordered_at,
        net_value as a float, channel, coupon, country, store_view."""
        _, as_of, rule, currency = reading.asked_of(shop, which)
        sql = reading.purchases(rule) + " order by ordered_at, order_id"
        return reading.frame(self.connection, sql, shop=shop, as_of=as_of, currency=currency)

    def purchase_lines(self, shop: str, **which: Unpack[Which]) -> pd.DataFrame:
        """The lines of these purchases: the same with product and category; before refunds."""
        _, as_of, rule, currency = reading.asked_of(shop, which)
        sql = reading.purchase_lines(rule) + " order by ordered_at, bought.order_id, line_id"
        return reading.frame(self.connection, sql, shop=shop, as_of=as_of, currency=currency)

    def net_of_unscored(
        self, shop: str, *, as_of: date, currency: str, rule: Rule = "net"
    ) -> Decimal:
        """The net value of those whose purchases went back as a whole, to the cent."""
        asked = {"shop": shop, "as_of": as_of, "currency": currency}
        found = self.connection.execute(reading.net_of_unscored(rule), asked).fetchall()
        return Decimal(found[0][0])

    def reader(
        self, what: str, *, shops: Sequence[str], **which: Unpack[Which]
    ) -> pa.RecordBatchReader:
        """A table in batches: orders, order_lines, refunds, customers, summary or scores.

        Rows as they stand now; orders with whose they are, `counts` and `net_value`; `as_of`
        and `currency` matter to the summary alone.
        """
        each = [reading.asked_of(shop, which) for shop in shops]
        summaries = [self._summary(asked) for asked in each] if what == "summary" else []
        sql = reading.whole(what, which.get("rule", "net"), summaries)
        return reading.batches(self.connection, sql, shops=list(shops))

    # -------------------------------------------------------------------------------------- scores

    def to_score(self, shop: str, **known: Unpack[Numbers]) -> pa.RecordBatchReader:
        """The summary in batches, in order of person_key.

        With the `previous_tier` of each; `with_traits` adds channel, category, coupon and
        country of their first order.
        """
        people = self._people(*reading.split(shop, known))
        return reading.batches(self.connection, f"from {people}")

    def numbers(self, shop: str, **known: Unpack[Numbers]) -> pd.DataFrame:
        """The summary's counts, days, monetary_value and net as plain numbers, for the models.

        `with_traits` adds channel, category, coupon and country.
        """
        return reading.frame(self.connection, self._numbers(shop, known))

    def _numbers(self, shop: str, known: Numbers) -> str:
        asked, with_traits = reading.split(shop, known)
        return reading.numbers(self._people(asked, with_traits), with_traits)

    def _people(self, asked: Asked, with_traits: bool) -> str:
        """What `to_score` tells, in SQL behind `from`."""
        return f"({reading.to_score(self.connection, asked, with_traits)})"

    def tally(
        self, shop: str, count: Callable[[pa.RecordBatch], T], **known: Unpack[Numbers]
    ) -> T | None:
        """What `count`, a pure function, makes of each batch of `numbers`, added up.

        None where nobody is in them.
        """
        sql = self._numbers(shop, known)
        return added_up(map(count, reading.batches(self.connection, sql)))

    def spread(self, shop: str, many: int, **known: Unpack[Numbers]) -> pd.DataFrame:
        """At most so many rows of `numbers`, evenly spread in order of person_key."""
        return reading.spread(self.connection, self._numbers(shop, known), many)

    def score(
        self,
        run_id: str,
        shop: str,
        scored: Callable[[pa.RecordBatch], tuple[pa.Table, T]],
        **known: Unpack[Numbers],
    ) -> T | None:
        """Keeps what `scored`, a pure function, makes of `to_score`, all of it or nothing.

        Gives what else it says of the batches, added up.
        """
        told: list[T] = []

        def tables() -> Iterator[pa.Table]:
            for batch in self.to_score(shop, **known):
                table, more = scored(batch)
                told[:] = [told[0] + more] if told else [more]
                yield table

        self.save_scores(run_id, tables())
        return told[0] if told else None

    def traits(self, shop: str, **which: Unpack[Which]) -> pd.DataFrame:
        """What each person's first order tells (`summary.TRAITS`), by customer_id: their key."""
        sql = self._traits(reading.asked_of(shop, which))
        found = reading.frame(self.connection, f"select * exclude (currency) from ({sql})")
        return found.rename(columns={"person_key": "customer_id"}).set_index("customer_id")

    def _traits(self, asked: Asked) -> str:
        return reading.traits(asked, self._sampled(asked))

    def purchase_days(self, shop: str, **which: Unpack[Which]) -> pd.DataFrame:
        """A row per person and purchase day: customer_id (their key), day, value as a float.

        Of a shop with more than some 200,000 persons a sample, always of the same ones.
        """
        asked = reading.asked_of(shop, which)
        return reading.frame(self.connection, reading.purchase_days(asked, self._sampled(asked)))

    def _sampled(self, asked: Asked) -> str:
        """Where the sample's counting orders are, as the connection knows it."""
        return reading.sampled(self.connection, asked)

    def save_scores(self, run_id: str, batches: Iterable[pa.Table]) -> None:
        """Keeps a run's scores beside those of earlier runs, all of them or none.

        Columns may come and go.
        """
        scores.save_scores(self.connection, run_id, batches)

    def save_card(self, run_id: str, shop: str, as_of: date, card: Mapping[str, Any]) -> None:
        """Keeps what the scores rest on, beside the cards of earlier runs."""
        scores.save_card(self.connection, run_id, shop, as_of, card)

    def cards(self, shop: str) -> list[Card]:
        """The shop's model cards, the oldest first."""
        return scores.cards(self.connection, shop)

    def latest_scores(self, shop: str) -> pd.DataFrame:
        """The scores that speak of the latest day; `run_id` says who gave them."""
        sql = f"select * from ({LATEST_SCORES}) where shop = $shop order by person_key"
        return reading.frame(self.connection, sql, shop=shop)

    def scored(self, shop: str) -> int:
        """How many registered customers of the shop have a score that stands."""
        return reading.scored(self.connection, shop)

    def beside_scores(
        self, shop: str, shown: Callable[[], pa.RecordBatchReader], columns: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        """What each customer shows beside columns of their latest score, in small batches.

        `shown`: place, shown_id and shown, as often as it is asked for. In order of the place that
        a customer was first told in, with what was told of them last. Whoever has no score has no
        customer_id.
        """
        return reading.beside_scores(self.connection, shop, shown, columns)

    def scores_until(self, shop: str, until: date) -> pd.DataFrame:
        """The scores of the latest day up to `until` that was scored; no rows where none was."""
        return reading.frame(self.connection, SCORES_UNTIL, shop=shop, until=until)

    def score_of(self, shop: str, person_keys: Sequence[str]) -> list[dict[str, Any]]:
        """The latest scores of these persons, absent values None."""
        sql = (
            f"select * from ({LATEST_SCORES})"
            " where shop = $shop and person_key in (select unnest($keys::varchar[]))"
            " order by person_key"
        )
        found = reading.table(self.connection, sql, shop=shop, keys=list(person_keys))
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    # ----------------------------------------------------------------------------- runs and writes

    def start_run(self, command: str, shops: Sequence[str], at: datetime) -> str:
        """Enters a run in the history; its id sorts by time."""
        return journal.start_run(self.connection, command, shops, at)

    def finish_run(
        self,
        run_id: str,
        status: str,
        counts: Mapping[str, int],
        at: datetime,
        failures: Mapping[str, str] | None = None,
    ) -> None:
        journal.finish_run(self.connection, run_id, status, counts, failures or {}, at)

    def runs(self, command: str | None = None) -> list[Run]:
        """All runs, or those of one command, the oldest first."""
        every = journal.runs(self.connection)
        return [run for run in every if command in (None, run.command)]

    def write_runs(self) -> list[tuple[str, str, datetime, int, int]]:
        """Runs that wrote to a shop: id, command, start, customers, applied; the newest first."""
        return journal.write_runs(self.connection)

    def journal_intent(self, run_id: str, changes: Sequence[Change]) -> None:
        """What is about to be written: call it before the push."""
        journal.journal_intent(self.connection, run_id, changes)

    def journal_outcome(self, run_id: str, shop: str, outcomes: Sequence[Outcome]) -> None:
        """What became of it: call it after the push."""
        journal.journal_outcome(self.connection, run_id, shop, outcomes)

    def journal(self, run_id: str) -> Iterator[Written]:
        """What a run sent, in its order, with the outcome where one was heard."""
        return journal.journal(self.connection, run_id)

    def refused(self, shop: str) -> Mapping[str, Refused]:
        """Customers whose last write the shop refused, by id: the next run tries them again."""
        return journal.refused(self.connection, shop)

    def tags_written(self, shop: str) -> frozenset[str]:
        """The tags that we ever wrote on this shop's customers."""
        return journal.tags_written(self.connection, shop)

    def standing(self, shop: str) -> str:
        """Names the state that a plan stands on: the shop's scores and its last write-back."""
        return journal.standing(self.connection, shop)

    # --------------------------------------------------------------------------------------- files

    def scratch(self) -> Scratch:
        """A nameless file beside the store."""
        return Scratch(sealed.folder(self.connection))

    def note_file(self, path: Path, kind: str, at: datetime) -> None:
        """Remembers a file before it is made from the store, so that an erasure finds it."""
        files.note(self.connection, path, kind, at)

    def files(self) -> list[tuple[Path, str]]:
        """The files that were made from the store, and of what kind each is."""
        return files.noted(self.connection)

    def forget_file(self, path: Path) -> None:
        files.forget(self.connection, path)
