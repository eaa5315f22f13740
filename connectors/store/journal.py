"""What was run, and what was written to the shops: each change before it was sent and after."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.schema import TAG, Change, Outcome, Shown
from connectors.store import reading
from connectors.store.connection import in_utc, next_seq, registered, transaction


@dataclass(frozen=True, slots=True)
class Run:
    """One command; `finished_at` is None while it runs, and for ever if it died.

    `failures`: why, by shop; under an empty name what no shop is to blame for.
    """

    run_id: str
    command: str
    shops: Sequence[str]
    started_at: datetime
    finished_at: datetime | None
    status: str | None
    counts: Mapping[str, int]
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int | None:
        """With which it left; None where it died, or failed without coming to its end."""
        found = (self.status or "").removeprefix("exit ")
        return int(found) if found.isdigit() else None

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None

    @property
    def counts_by_shop(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for name, count in self.counts.items():
            shop, _, what = name.partition(".")
            found.setdefault(shop, {})[what] = count
        return found


@dataclass(frozen=True, slots=True)
class Written:
    """A change that was sent. `status` is None where its outcome was never heard: the shop may
    show `before` or `after`."""

    change: Change
    status: str | None
    reason: str


def start_run(
    connection: DuckDBPyConnection, command: str, shops: Sequence[str], at: datetime
) -> str:
    """Enters a run in the history; its id sorts by time."""
    seq = next_seq(connection)
    run_id = f"{at.astimezone(UTC):%Y%m%dT%H%M%S}-{seq:06x}"
    connection.execute(
        "insert into runs (seq, run_id, command, shops, started_at, counts)"
        " values (?, ?, ?, ?, ?, '{}')",
        [seq, run_id, command, json.dumps(list(shops)), in_utc(at)],
    )
    return run_id


def finish_run(
    connection: DuckDBPyConnection,
    run_id: str,
    status: str,
    counts: Mapping[str, int],
    failures: Mapping[str, str],
    at: datetime,
) -> None:
    connection.execute(
        "update runs set finished_at = ?, status = ?, counts = ?, failures = ? where run_id = ?",
        [in_utc(at), status, json.dumps(dict(counts)), json.dumps(dict(failures)), run_id],
    )


def runs(connection: DuckDBPyConnection) -> list[Run]:
    """All runs, the oldest first."""
    found = connection.execute(
        "select run_id, command, shops, started_at, finished_at, status, counts, failures"
        " from runs order by seq"
    ).fetchall()
    return [
        Run(
            *(run_id, command, json.loads(shops), _aware(start), end and _aware(end), status),
            *(json.loads(told or "{}") for told in (counts, failures)),
        )
        for run_id, command, shops, start, end, status, counts, failures in found
    ]


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)


def write_runs(connection: DuckDBPyConnection) -> list[tuple[str, str, datetime, int, int]]:
    """Runs that wrote to a shop: id, command, start, customers, applied; the newest first."""
    found = connection.execute(
        """
        select run_id, command, started_at, customers, coalesce(applied, 0)
        from runs
        join (select run_id, count(*) as customers from intents group by run_id) using (run_id)
        left join (
            select run_id, count(*) as applied from outcomes
            where status = 'applied' group by run_id
        ) using (run_id)
        order by seq desc
        """
    ).fetchall()
    return [(run_id, command, _aware(at), *counts) for run_id, command, at, *counts in found]


def journal_intent(connection: DuckDBPyConnection, run_id: str, changes: Sequence[Change]) -> None:
    """Keeps what is about to be written; on the disk when this returns."""
    rows = {
        "shop": [change.shop for change in changes],
        "customer_id": [change.customer_id for change in changes],
        "shown_before": [_json(change.before) for change in changes],
        "shown_after": [_json(change.after) for change in changes],
    }
    _append(connection, "intents", run_id, rows)


def journal_outcome(
    connection: DuckDBPyConnection, run_id: str, shop: str, outcomes: Sequence[Outcome]
) -> None:
    """Keeps what became of the changes; on the disk when this returns."""
    rows = {
        "shop": [shop for _ in outcomes],
        "customer_id": [outcome.customer_id for outcome in outcomes],
        "status": [str(outcome.status) for outcome in outcomes],
        "reason": [outcome.reason for outcome in outcomes],
    }
    _append(connection, "outcomes", run_id, rows)


def _append(
    connection: DuckDBPyConnection, name: str, run_id: str, rows: Mapping[str, list[str]]
) -> None:
    texts = pa.table({column: pa.array(values, pa.string()) for column, values in rows.items()})
    with registered(connection, "batch", texts), transaction(connection):
        seq = next_seq(connection)
        connection.execute(
            f"insert into {name} by name select $seq as seq, $run_id as run_id, * from batch",
            {"seq": seq, "run_id": run_id},
        )


def _json(shown: Shown) -> str:
    return json.dumps(dict(shown), sort_keys=True)


WRITTEN = """
    select shop, customer_id, shown_before, shown_after, status, coalesce(reason, '') as reason
    from intents
    left join (
        select shop, customer_id, arg_max(status, seq) as status, arg_max(reason, seq) as reason
        from outcomes where run_id = $run_id group by all
    ) using (shop, customer_id)
    where run_id = $run_id
    order by intents.seq, intents.rowid
"""


def journal(connection: DuckDBPyConnection, run_id: str) -> Iterator[Written]:
    """What a run sent, in its order, with the outcome where one was heard."""
    batches = reading.small_batches(connection, WRITTEN, run_id=run_id)
    return (
        Written(
            Change(
                row["shop"],
                row["customer_id"],
                json.loads(row["shown_before"]),
                json.loads(row["shown_after"]),
            ),
            row["status"],
            row["reason"],
        )
        for batch in batches
        for row in batch.to_pylist()
    )


def tags_written(connection: DuckDBPyConnection, shop: str) -> frozenset[str]:
    """Every tag that was ever about to be written on the shop's customers."""
    found = connection.execute(
        "select distinct json_extract_string(shown_after, $path) from intents where shop = $shop",
        {"path": f"$.{TAG}", "shop": shop},
    ).fetchall()
    return frozenset(tag for (tags,) in found if tags for tag in tags.split(","))


def standing(connection: DuckDBPyConnection, shop: str) -> str:
    """Names the state that a plan for the shop stands on.

    Its scores, its last write-back, and who was erased: a plan must not bring anybody back.
    """
    found = connection.execute(
        "select (select max(seq) from scores where shop = $shop),"
        " (select max(seq) from intents where shop = $shop),"
        " (select count(*) from erasures where shop = $shop)",
        {"shop": shop},
    ).fetchall()
    scores, writes, erasures = found[0]
    return f"scores {scores or 0}, writes {writes or 0}, erasures {erasures}"


class Refused(NamedTuple):
    """A customer whom the shop refused the last time: how often since it last took one, and why."""

    times: int
    reason: str


def refused(connection: DuckDBPyConnection, shop: str) -> dict[str, Refused]:
    """Customers whose last write the shop refused, by id."""
    found = connection.execute(
        """
        select customer_id, count(*), arg_max(reason, seq)
        from outcomes
        left join (
            select customer_id, max(seq) as taken from outcomes
            where shop = $shop and status = 'applied' group by all
        ) using (customer_id)
        where shop = $shop and status = 'rejected' and seq > coalesce(taken, -1)
        group by customer_id
        """,
        {"shop": shop},
    ).fetchall()
    return {customer_id: Refused(times, reason) for customer_id, times, reason in found}


def last_applied(
    connection: DuckDBPyConnection, shop: str, customer_ids: Collection[str]
) -> dict[str, Shown]:
    """What we wrote last on each of these customers."""
    found = connection.execute(
        "select customer_id, arg_max(shown_after, intents.seq)"
        " from intents join outcomes using (run_id, shop, customer_id)"
        " where shop = ? and customer_id in (select unnest(?::varchar[])) and status = 'applied'"
        " group by customer_id",
        [shop, list(customer_ids)],
    ).fetchall()
    return {customer_id: json.loads(shown) for customer_id, shown in found}
