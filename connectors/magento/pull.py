"""Pulls a shop's orders, credit memos and customers, by our module's export where it is there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from connectors.errors import PayloadError, ShopUnavailable
from connectors.http import Http
from connectors.magento import lean, wanted
from connectors.magento.api import Api
from connectors.magento.fields import Fields
from connectors.magento.pages import Pages
from connectors.magento.search import Filter, Keyset
from connectors.magento.stand import Phase, Stand, scan, stamp, stand
from connectors.magento.sweep import Piece, Sweep
from connectors.magento.walk import HIGHEST_ID, Batch, Route, again
from connectors.once import once
from connectors.platform import Cursor, Page, Placed, Window

IDS_A_REQUEST = 100  # more of them make an address that web servers refuse as too long


class Stream(NamedTuple):
    """One collection: its routes, and what is wanted of its rows."""

    phase: Phase
    stock: str
    export: str
    fields: str
    id_field: str = "entity_id"


ORDERS = Stream("orders", "orders", "clv/orders", wanted.ORDER)
REFUNDS = Stream("refunds", "creditmemos", "clv/creditmemos", wanted.MEMO)
CUSTOMERS = Stream("customers", "customers/search", "clv/customers", wanted.CUSTOMER, "id")


class Pull:
    """One shop's streams as pages. The export is looked for once, at the first use."""

    def __init__(self, http: Http, api: Api, pages: Pages, workers: int) -> None:
        self._http = http
        self._api = api
        self._pages = pages
        self._workers = workers
        self._read: Mapping[str, Callable[[Batch], Page]] = {
            "orders": pages.orders,
            "refunds": pages.refunds,
            "customers": pages.customers,
        }

    def orders(
        self, cursor: Cursor | None, now: datetime, since: datetime | None
    ) -> Iterator[Page]:
        """Orders, then credit memos; the last page is empty and carries the watermark."""
        place = stand(cursor, now, since)
        if place.phase == "orders":
            place = yield from self._stream(ORDERS, place)
            place = place.then("refunds")
        place = yield from self._stream(REFUNDS, place)
        yield Page(place.then("done").cursor())

    def customers(self, cursor: Cursor | None) -> Iterator[Page]:
        """All customers; the last page is empty, its cursor starts anew."""
        yield from self._stream(CUSTOMERS, scan(cursor))
        yield Page({})

    def placed(self, windows: Sequence[Window]) -> Iterator[Placed]:
        """How many orders the shop has in each window; our module adds whole months up, too."""
        told = self._months()
        for window in windows:
            month = _whole_month(window)
            if told is None or month is None:
                yield Placed(self._counted(window))
            else:
                yield told.get(month, lean.NONE)

    def _months(self) -> Mapping[date, Placed] | None:
        """The module's sums; none where it is missing, or where our amounts are converted ones."""
        if self._module is None or self._pages.rates:
            return None
        return lean.months(self._http, self._api.path("clv/orders/months"))

    def _counted(self, window: Window) -> int:
        count = self._index(ORDERS, _within(window)).count(0, HIGHEST_ID)
        if count is None:
            raise ShopUnavailable("the shop doesn't count its orders", shop=self._http.shop)
        return count

    def pull_placed(self, window: Window) -> Iterator[Page]:
        """The orders of a window with their refunds, always as the stock routes tell them."""
        for batch in self._index(ORDERS, _within(window)).batches():
            yield self._pages.orders(batch)
            for refunds in self._index(REFUNDS, [_of_these(batch)]).batches():
                yield self._pages.refunds(refunds)

    def _stream(self, stream: Stream, place: Stand) -> Generator[Page, None, Stand]:
        """What remains of a stream; where the pull stands at its end."""
        place = yield from self._retried(stream, place)
        sweep = self._sweep(stream, place.filters())
        place, rows = self._planned(sweep, place)
        expected = _Once()
        with closing(self._pieces(sweep, place, rows)) as pieces:
            for piece in pieces:
                place = place.behind(piece)
                for page in self._told(stream, piece):
                    known = None if stream is REFUNDS else expected(rows or piece.total)
                    yield replace(page, cursor=place.cursor(), expected=known)
        return place

    def _planned(self, sweep: Sweep, place: Stand) -> tuple[Stand, int | None]:
        """With what is to be read, and how many rows that is; None where it isn't known."""
        if place.is_window:
            return place.planned(None), None
        if place.ranges:
            return place, sweep.expected(place.todo())
        extent = sweep.index.extent()
        if extent.rows == 0:
            return place, 0
        planned = place.planned(extent.highest)
        return planned, sweep.expected(planned.todo()) if place.after else extent.rows

    def _pieces(self, sweep: Sweep, place: Stand, rows: int | None) -> Generator[Piece, None, None]:
        todo = place.todo()
        yield from sweep.plain(todo) if place.is_window else sweep.backfill(todo, rows)

    def _told(self, stream: Stream, piece: Piece) -> Iterator[Page]:
        if piece.page:
            yield piece.page
        if piece.counted is not None:
            yield self._pages.differing(stream.phase, piece.at, piece.counted)

    def _retried(self, stream: Stream, place: Stand) -> Generator[Page, None, Stand]:
        """Rows that the shop could not serve at an earlier run, each asked for once more."""
        route = self._route(stream, ())
        for row_id in place.broken_ids():
            batch = again(route, row_id)
            place = place if batch.broken else place.mended(row_id)
            gone = () if batch.broken or batch.rows else ((stream.phase, str(row_id)),)
            page = self._read[stream.phase](batch)
            yield replace(page, cursor=place.cursor(), settled=gone)
        return place

    def _sweep(self, stream: Stream, filters: Sequence[Filter]) -> Sweep:
        return Sweep(
            self._index(stream, filters),
            self._route(stream, filters),
            self._read[stream.phase],
            self._workers,
        )

    def _index(self, stream: Stream, filters: Sequence[Filter]) -> Keyset:
        path = self._api.path(stream.stock)
        return Keyset(
            self._http, path, filters=filters, id_field=stream.id_field, fields=stream.fields
        )

    def _route(self, stream: Stream, filters: Sequence[Filter]) -> Route:
        if self._module is None or not self._has_all(stream, self._module):
            return self._index(stream, filters)
        path = self._api.path(stream.export)
        size = min(self._module.max_limit, lean.PAGE_SIZE)
        return lean.Export(self._http, path, filters=filters, id_field=stream.id_field, size=size)

    def _has_all(self, stream: Stream, module: lean.Module) -> bool:
        """Of customers the module exports its own attributes alone."""
        return stream is not CUSTOMERS or module.knows(self._pages.prefix)

    @once
    def _module(self) -> lean.Module | None:
        module = lean.ask_module(self._http, self._api.path("clv/module"))
        if module:
            lean.check_key(module, self._pages.hasher, self._pages.shop)
        return module


def ordered_on(http: Http, api: Api, order_ids: Iterable[str]) -> dict[str, date]:
    """The days on which these orders were placed; those that the shop can't tell are absent."""
    wanted_ids = sorted(order_ids)
    found: dict[str, date] = {}
    for start in range(0, len(wanted_ids), IDS_A_REQUEST):
        ids = Filter("entity_id", "in", ",".join(wanted_ids[start : start + IDS_A_REQUEST]))
        orders = Keyset(http, api.path("orders"), filters=[ids], fields="entity_id,created_at")
        for row in (row for batch in orders.batches() for row in batch.rows):
            with suppress(PayloadError):  # the order itself is named where it is read
                found[Fields(row).id("entity_id")] = Fields(row).instant("created_at").date()
    return found


def _whole_month(window: Window) -> date | None:
    """The first day of a window that is a calendar month in UTC; None for any other."""
    begin, next_one = window.begin, (window.begin + timedelta(days=31)).replace(day=1)
    begins = begin == datetime(begin.year, begin.month, 1, tzinfo=UTC)
    return begin.date() if begins and window.end == next_one else None


def _within(window: Window) -> list[Filter]:
    """Magento's instants are whole seconds, and both ends count."""
    last = window.end - timedelta(microseconds=1)
    return [
        Filter("created_at", "gteq", stamp(window.begin)),
        Filter("created_at", "lteq", stamp(last)),
    ]


def _of_these(orders: Batch) -> Filter:
    ids = [str(row.get("entity_id")) for row in orders.rows if isinstance(row, Mapping)]
    return Filter("order_id", "in", ",".join(ids))


class _Once:
    """The first number it is given, and None ever after."""

    def __init__(self) -> None:
        self._given = False

    def __call__(self, number: int | None) -> int | None:
        given, self._given = self._given, True
        return None if given else number
