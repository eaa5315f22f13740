"""A file of orders as a shop: CSV or Parquet in, a file of scores beside it out."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError, PayloadError
from connectors.file.orders import OrderReader
from connectors.file.rows import NEEDED, OPTIONAL, Table, open_table
from connectors.file.scores import read_scores, scores_beside, write_scores
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Finding, Page, Placed, Reject, Window
from connectors.schema import FIELDS, Change, Customer, Order, OrderLine, Outcome, Shown

ROWS_A_PAGE = 10_000


class FileShop:
    """The orders of one file. A file holds no e-mails, so the hasher has nothing to do here."""

    shows: Sequence[str] = tuple(FIELDS)
    batch_size = 50_000  # each push writes the whole file of scores

    def __init__(self, settings: ShopSettings, hasher: EmailHasher) -> None:
        if settings.path is None:
            prefix = f"CLV_{settings.shop.upper()}"
            raise ConfigurationError(
                f"{prefix}_PATH is missing", mend="Set it to a file of orders."
            )
        self.shop = settings.shop
        self._settings = settings
        self._path: Path = settings.path
        self._scores = scores_beside(settings.path)

    def check(self, now: datetime) -> Iterator[Finding]:
        try:
            table = open_table(self._path)
        except ConfigurationError as error:
            yield Finding("file", "fail", error.message, error.mend)
            return
        yield Finding("file", "ok", f"{self._path.name} can be read")
        yield _columns(table)
        yield self._rows(table, now)
        yield self._writable()

    def _rows(self, table: Table, now: datetime) -> Finding:
        reader = OrderReader(self._settings, now, now)
        rows = bad = 0
        try:
            for row in table.rows():
                rows += 1
                bad += isinstance(_order_or_reject(reader, row.place, row.cells, self.shop), Reject)
        except ConfigurationError as error:
            return Finding("rows", "fail", error.message, error.mend)
        if not rows:
            return Finding("rows", "fail", "there are none", "Export the orders anew.")
        if bad:
            told = f"{rows - bad} of {rows} can be read"
            return Finding("rows", "warn", told, "`pull` lists the others with their line.")
        return Finding("rows", "ok", f"{rows}")

    def _writable(self) -> Finding:
        folder = self._path.resolve().parent
        try:
            deque(read_scores(self._scores), maxlen=0)
        except ConfigurationError as error:
            return Finding("scores", "fail", error.message, error.mend)
        if os.access(folder, os.W_OK | os.X_OK):
            return Finding("scores", "ok", f"{self._scores.name} can be written")
        return Finding("scores", "fail", "the folder can't be written", f"chmod u+w {folder}")

    def pull_orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None = None
    ) -> Iterator[Page]:
        """Pages of 10,000 rows. A file that changed since is read anew; the same one isn't.

        The file is the truth: orders that are no longer in it leave the store.
        """
        version = self._version(cursor)
        start = _start(cursor, version)
        if start is None:
            return
        reader = OrderReader(self._settings, now, _instant(version["read_at_ns"]))
        rows = enumerate(open_table(self._path).rows(), start=1)
        ahead = next(rows, None)
        if ahead is None:
            raise ConfigurationError(f"{self._path.name} has no rows", mend="Export it anew.")
        while ahead:
            chunk = [ahead, *islice(rows, ROWS_A_PAGE - 1)]
            ahead = next(rows, None)
            read = [
                (number, _order_or_reject(reader, row.place, row.cells, self.shop))
                for number, row in chunk
            ]
            last = chunk[-1][0]
            if last > start:
                found = [result for number, result in read if number > start]
                page = _page(found, {**version, "row": last, "done": int(ahead is None)}, since)
                all_orders = None if ahead else reader.ids
                yield replace(page, begins=chunk[0][0] == 1, all_orders=all_orders)

    def _version(self, cursor: Cursor | None) -> dict[str, int]:
        """Which version of the file this is; a later one never counts as read earlier."""
        stat = self._stat()
        version = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        earlier = int(cursor["read_at_ns"]) if cursor else 0
        if _is_of(cursor, version):
            return {**version, "read_at_ns": earlier}
        return {**version, "read_at_ns": max(stat.st_mtime_ns, earlier + 1000)}

    def _stat(self) -> os.stat_result:
        try:
            return self._path.stat()
        except OSError as error:
            raise ConfigurationError(
                f"{self._path.name} can't be read: {error.strerror}",
                mend=f"Check CLV_{self.shop.upper()}_PATH.",
            ) from None

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        """By one look through the file."""
        begins = [window.begin for window in windows]
        counts = [Placed(0, Decimal(0))] * len(windows)
        for order, _ in self._orders():
            place = bisect_right(begins, order.ordered_at) - 1
            if place >= 0 and order.ordered_at < windows[place].end:
                orders, total = counts[place]
                counts[place] = Placed(orders + 1, (total or 0) + order.total_value)
        yield from counts

    def pull_placed(self, window: Window) -> Iterator[Page]:
        found = (one for one in self._orders() if window.begin <= one[0].ordered_at < window.end)
        while chunk := list(islice(found, ROWS_A_PAGE)):
            yield _page(chunk, {}, None)

    def _orders(self) -> Iterator[tuple[Order, OrderLine | None]]:
        """The orders that can be read, as the last pull read them."""
        read_at = _instant(self._version(None)["read_at_ns"])
        reader = OrderReader(self._settings, read_at, read_at)
        for row in open_table(self._path).rows():
            read = _order_or_reject(reader, row.place, row.cells, self.shop)
            if not isinstance(read, Reject):
                yield read

    def pull_customers(self, cursor: Cursor | None, now: datetime) -> Iterator[Page]:
        """Every customer of the file, and what the scores beside it say of them."""
        self._stat()
        # They come in another order than customers; as text they take a quarter of the memory.
        scores = {one: json.dumps(shown) for one, shown in read_scores(self._scores)}
        first, last = self._spans(now)
        known = islice(first, int(cursor["customer"]) if cursor else 0, None)
        done = int(cursor["customer"]) if cursor else 0
        while chunk := list(islice(known, ROWS_A_PAGE)):
            done += len(chunk)
            yield Page(
                cursor={"customer": done if done < len(first) else 0},
                customers=[self._customer(one, first[one], last[one]) for one in chunk],
                shown={one: json.loads(scores.get(one, "{}")) for one in chunk},
                expected=len(first),
            )

    def _spans(self, now: datetime) -> tuple[dict[str, datetime], dict[str, datetime]]:
        """Customer id -> first and last order, in the order of the file."""
        reader = OrderReader(self._settings, now, now)
        first: dict[str, datetime] = {}
        last: dict[str, datetime] = {}
        for row in open_table(self._path).rows():
            try:
                one, ordered_at = reader.who_and_when(row.cells)
            except PayloadError:
                continue  # told by pull_orders
            first[one] = min(first.get(one, ordered_at), ordered_at)
            last[one] = max(last.get(one, ordered_at), ordered_at)
        return first, last

    def _customer(self, customer_id: str, first: datetime, last: datetime) -> Customer:
        return Customer(
            shop=self.shop,
            customer_id=customer_id,
            email_key=None,
            website=None,
            group=None,
            created_at=first,
            updated_at=last,
        )

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        shown = self._shown(changes)
        settled = [_settled(change, shown.get(change.customer_id, {})) for change in changes]
        fresh = {
            change.customer_id: change.after
            for change, outcome in zip(changes, settled, strict=True)
            if outcome is None
        }
        if fresh:
            write_scores(self._scores, _with(fresh, read_scores(self._scores)))
            shown = self._shown(changes)
        for change, outcome in zip(changes, settled, strict=True):
            yield outcome or _judged(change, shown.get(change.customer_id, {}))

    def _shown(self, changes: Sequence[Change]) -> dict[str, Shown]:
        """What those show who are to change, by one look through the file of scores."""
        asked = {change.customer_id for change in changes}
        return {one: shown for one, shown in read_scores(self._scores) if one in asked}


def _columns(table: Table) -> Finding:
    there = [name for name in OPTIONAL if name in table.columns]
    return Finding("columns", "ok", ", ".join((*NEEDED, *there)))


def _is_of(cursor: Cursor | None, version: Mapping[str, int]) -> bool:
    known = cursor or {}
    return all(known.get(key) == value for key, value in version.items())


def _start(cursor: Cursor | None, version: Mapping[str, int]) -> int | None:
    """Rows that are read already; None where all are and the file is still the same."""
    if cursor is None or not _is_of(cursor, version):
        return 0
    return None if cursor["done"] else int(cursor["row"])


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC)


def _order_or_reject(
    reader: OrderReader, place: str, cells: object, shop: str
) -> tuple[Order, OrderLine | None] | Reject:
    try:
        return reader.order(cells)
    except PayloadError as error:
        return Reject(shop, "orders", place, error.field, error.message)


def _page(
    results: Sequence[tuple[Order, OrderLine | None] | Reject],
    cursor: Cursor,
    since: datetime | None,
) -> Page:
    read = [result for result in results if not isinstance(result, Reject)]
    kept = [(order, line) for order, line in read if since is None or order.ordered_at >= since]
    return Page(
        cursor=cursor,
        orders=[order for order, _ in kept],
        lines=[line for _, line in kept if line],
        rejects=[result for result in results if isinstance(result, Reject)],
    )


def _with(
    fresh: Mapping[str, Shown], scores: Iterable[tuple[str, Shown]]
) -> Iterator[tuple[str, Shown]]:
    """The scores with fresh ones in the place of those before, or behind all others."""
    left = dict(fresh)
    for customer_id, shown in scores:
        now = left.pop(customer_id, shown)
        if now:
            yield customer_id, now
    yield from ((customer_id, shown) for customer_id, shown in left.items() if shown)


def _settled(change: Change, shown: Shown) -> Outcome | None:
    """The outcome of a change that needs no write or must not have one, else None."""
    if shown == change.after:
        return Outcome(change.customer_id, "applied", shown)
    if change.edited(shown):
        return Outcome(change.customer_id, "conflict", shown, "somebody changed it meanwhile")
    foreign = [name for name in change.after if name not in FIELDS]
    if foreign:
        return Outcome(change.customer_id, "rejected", shown, f"not ours to write: {foreign}")
    return None


def _judged(change: Change, shown: Shown) -> Outcome:
    if shown == change.after:
        return Outcome(change.customer_id, "applied", shown)
    return Outcome(change.customer_id, "rejected", shown, "the file does not hold it as it was")
