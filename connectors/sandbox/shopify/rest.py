"""The sandbox's orders over Shopify's REST API: filters, keyset pages, counts.

https://shopify.dev/docs/api/admin-rest/latest/resources/order and .../usage/pagination-rest
(2026-11-21). What bites there is kept: only open orders without `status`, a page of 50 without
`limit`, at most 250 (more is cut to that, silently), `page_info` tolerates nothing beside it but
`limit` and `fields`, and without `read_all_orders` whatever is older than 60 days isn't there.
Filters that exist there but not here are refused, so that nobody trusts them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.books import Books, Row, instant_text
from connectors.sandbox.shopify.limits import first_visible
from connectors.sandbox.shopify.money import Json, pen_of
from connectors.sandbox.shopify.render import customer_json, order_json, unprotected
from connectors.sandbox.shopify.setup import setup_of

LARGEST_PAGE = 250
USUAL_PAGE = 50
PAGING = "https://shopify.dev/api/usage/pagination-rest"
STATES = {
    "open": ("open", "paid"),
    "closed": ("complete", "refunded"),
    "cancelled": ("cancelled",),
    "any": ("open", "paid", "complete", "refunded", "cancelled"),
}
RANGES = {
    f"{name}_{end}": (column, sign)
    for name, column in (
        ("created_at", "created_at"),
        ("processed_at", "created_at"),
        ("updated_at", "updated_at"),
    )
    for end, sign in (("min", ">="), ("max", "<="))
}
SORTS = {
    "id": "id",
    "created_at": "created_at",
    "processed_at": "created_at",
    "updated_at": "updated_at",
}
UNSERVED = {"financial_status", "fulfillment_status", "attribution_app_id", "name"}


class Refusal(Exception):
    """What the shop answers instead: a status, the `errors` of the body, headers."""

    def __init__(
        self, status: int, errors: object, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {errors}")
        self.status = status
        self.errors = errors
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list and where its reader stands: opaque to them as `page_info`, readable here."""

    filters: Mapping[str, str]
    column: str
    descending: bool
    last: tuple[str | int, int] | None = None
    backwards: bool = False

    def at(self, row: Row, *, backwards: bool) -> str:
        """The `page_info` of what lies behind (or before) this row."""
        state = {
            "filters": self.filters,
            "column": self.column,
            "descending": self.descending,
            "last_value": row[self.column],
            "last_id": row["id"],
            "direction": "prev" if backwards else "next",
        }
        return base64.urlsafe_b64encode(json.dumps(state).encode()).decode()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders and the `page_info` of the pages around them."""

    orders: list[Json]
    links: Mapping[str, str]


class Orders:
    """The orders of one shop as its app may see them."""

    def __init__(self, books: Books, shop: str, scopes: Sequence[str]) -> None:
        self._books = books
        self._shop = shop
        self._pen = pen_of(books.shop(shop))
        self._since = first_visible(scopes, books.now())

    def page(self, params: Mapping[str, str]) -> OrderPage:
        """One page of the list. Raises Refusal for what the shop would refuse."""
        listing = _listing(params)
        limit = _limit(params.get("limit"))
        rows = self._rows(listing, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        if listing.backwards:
            rows.reverse()
        left = kept(params.get("fields"))
        orders = [left(order) for order in self.rendered(rows)]
        return OrderPage(orders, _links(listing, rows, more))

    def count(self, params: Mapping[str, str]) -> int:
        where, values = self._where(params)
        sql = f"SELECT count(*) FROM orders WHERE {where}"  # noqa: S608  our own words
        return int(self._books.scalar(sql, values))

    def one(self, order_id: int) -> Row:
        """An order's row. Raises Refusal (404)."""
        order = self._books.order(self._shop, order_id)
        if order is None or order["created_at"] < self._since:
            raise Refusal(404, "Not Found")
        return order

    def rendered(self, rows: Sequence[Row]) -> list[Json]:
        refunds = self._books.refunds_of(self._shop, [row["id"] for row in rows])
        people = self._people(rows)
        hide = setup_of(self._books.shop(self._shop)).hide_addresses
        made = (
            order_json(row, refunds[row["id"]], people.get(row["customer_id"]), self._pen)
            for row in rows
        )
        return [unprotected(order) if hide else order for order in made]

    def _people(self, rows: Sequence[Row]) -> dict[int | None, Json]:
        ids = [row["customer_id"] for row in rows if row["customer_id"] is not None]
        tags = self._books.tags_of(self._shop, ids)
        found = self._books.query(
            "SELECT * FROM customers WHERE shop = ? AND id IN (SELECT value FROM json_each(?))",
            (self._shop, json.dumps(ids)),
        )
        return {
            person["id"]: customer_json(person, sorted(tags[person["id"]]), self._pen)
            for person in found
        }

    def _rows(self, listing: Listing, limit: int) -> list[Row]:
        where, values = self._where(listing.filters)
        down = listing.descending != listing.backwards
        if listing.last:
            where += f" AND ({listing.column}, id) {'<' if down else '>'} (?, ?)"
            values += listing.last
        way = "DESC" if down else "ASC"
        return self._books.query(
            f"SELECT * FROM orders WHERE {where} "  # noqa: S608  our own words
            f"ORDER BY {listing.column} {way}, id {way} LIMIT {limit}",
            values,
        )

    def _where(self, filters: Mapping[str, str]) -> tuple[str, tuple[Any, ...]]:
        """The filters as SQL. Raises Refusal where one can't be read."""
        terms: list[tuple[str, object]] = [("shop = ?", self._shop)]
        if self._since:
            terms.append(("created_at >= ?", self._since))
        for name, read in _TERMS.items():
            if name in filters:
                terms.append(read(name, filters[name], self._pen.zone))
        states = STATES[_status(filters.get("status", "open"))]
        if states != STATES["any"]:
            state = "json_extract(body, '$.state') IN (SELECT value FROM json_each(?))"
            terms.append((state, json.dumps(states)))
        return " AND ".join(term for term, _ in terms), tuple(value for _, value in terms)


def kept(fields: str | None) -> Callable[[Json], Json]:
    """What `fields=id,name` leaves of an object; all of it without the parameter."""
    names = {name.strip() for name in fields.split(",")} if fields else None
    return lambda whole: {k: v for k, v in whole.items() if names is None or k in names}


def _listing(params: Mapping[str, str]) -> Listing:
    if params.get("page_info"):
        return _resumed(params)
    unserved = UNSERVED & set(params)
    if unserved:
        raise Refusal(400, {name: "is a filter that the sandbox lacks" for name in unserved})
    filters = {k: v for k, v in params.items() if k == "status" or k in _TERMS}
    if "since_id" in params:
        return Listing(filters, "id", descending=False)
    column, _, way = params.get("order", "created_at desc").strip().lower().partition(" ")
    if column not in SORTS or way not in ("", "asc", "desc"):
        raise Refusal(400, {"order": "Invalid value."})
    return Listing(filters, SORTS[column], descending=way == "desc")


def _resumed(params: Mapping[str, str]) -> Listing:
    excess = [name for name in params if name not in ("page_info", "limit", "fields")]
    if excess:
        told = "cannot be passed when page_info is present. See {} for more information."
        raise Refusal(400, {name: f"{name} {told.format(PAGING)}" for name in excess})
    try:
        state = json.loads(base64.urlsafe_b64decode(params["page_info"]))
        return Listing(
            filters=state["filters"],
            column=SORTS[state["column"]],
            descending=bool(state["descending"]),
            last=(state["last_value"], int(state["last_id"])),
            backwards=state["direction"] == "prev",
        )
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, {"page_info": "Invalid value."}) from None


def _links(listing: Listing, rows: Sequence[Row], more: bool) -> dict[str, str]:
    """`page_info` by `rel`; the way back stands first, as it does there."""
    if not rows:
        return {}
    before, after = (more, True) if listing.backwards else (listing.last is not None, more)
    links = {}
    if before:
        links["previous"] = listing.at(rows[0], backwards=True)
    if after:
        links["next"] = listing.at(rows[-1], backwards=False)
    return links


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_PAGE
    limit = _number("limit", text)
    if limit < 1:
        raise Refusal(400, {"limit": "Invalid value."})
    return min(limit, LARGEST_PAGE)


def _number(name: str, text: str) -> int:
    if not text.strip().isdecimal():
        raise Refusal(400, {name: "Invalid value."})
    return int(text)


def _status(text: str) -> str:
    if text not in STATES:
        raise Refusal(400, {"status": "Invalid value."})
    return text


def _instant(name: str, text: str, zone: ZoneInfo) -> tuple[str, object]:
    """An instant without an offset is in the shop's own time."""
    column, sign = RANGES[name]
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, {name: "Invalid value."}) from None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=zone)
    return f"{column} {sign} ?", instant_text(aware)


def _ids(name: str, text: str, _: ZoneInfo) -> tuple[str, object]:
    numbers = [_number(name, part) for part in text.split(",")]
    return "id IN (SELECT value FROM json_each(?))", json.dumps(numbers)


def _since_id(name: str, text: str, _: ZoneInfo) -> tuple[str, object]:
    return "id > ?", _number(name, text)


_TERMS: dict[str, Callable[[str, str, ZoneInfo], tuple[str, object]]] = {
    "ids": _ids,
    "since_id": _since_id,
    **dict.fromkeys(RANGES, _instant),
}
