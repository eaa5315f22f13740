"""The sandbox's rows as GraphQL objects, and lists of them as connections.

An object is a mapping of its fields; those that cost a query, or take arguments, are functions
that graphql-core calls when they are asked for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from graphql import GraphQLError

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.money import ZERO, Json, Pen, gid, pen_of, plain, total_of
from connectors.sandbox.shopify.render import financial_status, left_of, sums_of
from connectors.sandbox.shopify.search import Found
from connectors.sandbox.shopify.writes import digest_of, namespace_of

LARGEST_PAGE = 250
SORTS = {
    None: "id",
    "ID": "id",
    "CREATED_AT": "created_at",
    "PROCESSED_AT": "created_at",
    "UPDATED_AT": "updated_at",
}
MakeNodes = Callable[[Sequence[Row]], list[Json]]


def utc(text: str) -> str:
    """The books' instant as GraphQL's DateTime."""
    return text.replace(" ", "T") + "Z"


@dataclass(frozen=True, slots=True)
class Nodes:
    """Makes the objects of one shop."""

    books: Books
    shop: str

    @property
    def pen(self) -> Pen:
        return pen_of(self.books.shop(self.shop))

    # -------------------------------------------------------------- customers

    def customers(self, rows: Sequence[Row]) -> list[Json]:
        ids = [row["id"] for row in rows]
        tags = self.books.tags_of(self.shop, ids)
        values = self.books.values_of(self.shop, ids)
        pen = self.pen
        return [self._customer(row, tags[row["id"]], values[row["id"]], pen) for row in rows]

    def _customer(self, row: Row, tags: list[str], values: list[Row], pen: Pen) -> Json:
        metafields = [metafield(value, row["created_at"]) for value in values]
        return {
            "__typename": "Customer",
            "id": gid("Customer", row["id"]),
            "legacyResourceId": str(row["id"]),
            "email": row["email"],
            "defaultEmailAddress": {"emailAddress": row["email"]},
            "firstName": row["first_name"],
            "lastName": row["last_name"],
            "displayName": f"{row['first_name']} {row['last_name']}",
            "locale": "en",
            "state": "DISABLED",
            "verifiedEmail": True,
            "tags": sorted(tags),
            "createdAt": utc(row["created_at"]),
            "updatedAt": utc(row["updated_at"]),
            "numberOfOrders": partial(self._number_of_orders, row["id"]),
            "amountSpent": partial(self._amount_spent, row["id"], pen),
            "metafield": partial(_one_metafield, metafields),
            "metafields": partial(_some_metafields, metafields),
            "orders": partial(self._orders_of, row["id"]),
        }

    def _number_of_orders(self, customer_id: int, _: Any) -> str:
        sql = "SELECT count(*) FROM orders WHERE shop = ? AND customer_id = ?"
        return str(self.books.scalar(sql, (self.shop, customer_id)))

    def _amount_spent(self, customer_id: int, pen: Pen, _: Any) -> Json:
        sql = "SELECT * FROM orders WHERE shop = ? AND customer_id = ?"
        bodies = [row["body"] for row in self.books.query(sql, (self.shop, customer_id))]
        spent = total_of(
            Decimal(body["total"]) - Decimal(body["refunded"]["total"])
            for body in bodies
            if body["state"] not in ("open", "cancelled") and not body["test"]
        )
        return {"amount": plain(spent), "currencyCode": pen.currency}

    def _orders_of(self, customer_id: int, _: Any, **arguments: Any) -> Json:
        if arguments.get("query"):
            raise GraphQLError("The sandbox lacks a search in a customer's orders.")
        of = Found(" AND customer_id = ?", (customer_id,))
        return self.page("orders", arguments, of, self.orders)

    # -------------------------------------------------------------- orders

    def orders(self, rows: Sequence[Row]) -> list[Json]:
        refunds = self.books.refunds_of(self.shop, [row["id"] for row in rows])
        pen = self.pen
        return [self._order(row, refunds[row["id"]], pen) for row in rows]

    def _order(self, row: Row, refunds: Sequence[Row], shop_pen: Pen) -> Json:
        body = row["body"]
        pen = shop_pen.for_buyer(body)
        cancelled = body.get("cancelled_at") if body["state"] == "cancelled" else None
        return {
            "__typename": "Order",
            "id": gid("Order", row["id"]),
            "legacyResourceId": str(row["id"]),
            "name": f"#{row['number']}",
            "email": body["email"],
            "createdAt": utc(row["created_at"]),
            "updatedAt": utc(row["updated_at"]),
            "processedAt": utc(row["created_at"]),
            "cancelledAt": utc(cancelled) if cancelled else None,
            "test": body["test"],
            "sourceName": body["channel"],
            "currencyCode": pen.currency,
            "presentmentCurrencyCode": pen.presentment,
            "displayFinancialStatus": financial_status(body).upper(),
            "taxesIncluded": body["prices_include_tax"],
            "customer": partial(self._buyer, row["customer_id"]),
            **_order_money(row, refunds, pen),
        }

    def _buyer(self, customer_id: int | None, _: Any) -> Json | None:
        row = None if customer_id is None else self.books.customer(self.shop, customer_id)
        return self.customers([row])[0] if row else None

    # -------------------------------------------------------------- lists

    def count(self, table: str, found: Found) -> int:
        sql = f"SELECT count(*) FROM {table} WHERE shop = ?{found.sql}"  # noqa: S608  our own words
        return int(self.books.scalar(sql, (self.shop, *found.values)))

    def page(self, table: str, arguments: Mapping[str, Any], found: Found, make: MakeNodes) -> Json:
        """A connection over a table: a keyset over the sort column and the id."""
        slice_ = sliced(arguments)
        column = _sorted_by(arguments)
        down = bool(arguments.get("reverse")) != slice_.backwards
        where, values = found.sql, found.values
        if slice_.cursor:
            where += f" AND ({column}, id) {'<' if down else '>'} (?, ?)"
            values = (*values, *_position(slice_.cursor))
        way = "DESC" if down else "ASC"
        rows = self.books.query(
            f"SELECT * FROM {table} WHERE shop = ?{where} "  # noqa: S608  our own words
            f"ORDER BY {column} {way}, id {way} LIMIT {slice_.size + 1}",
            (self.shop, *values),
        )
        return _connection(rows, slice_, make, lambda row: _cursor(row["id"], row[column]))


@dataclass(frozen=True, slots=True)
class Slice:
    """`first`/`after`, or `last`/`before`."""

    size: int
    cursor: str | None
    backwards: bool


def sliced(arguments: Mapping[str, Any]) -> Slice:
    """Raises GraphQLError as the shop does for a list without a size, or with a wrong one."""
    given = {name: arguments[name] for name in ("first", "last") if arguments.get(name) is not None}
    if len(given) != 1:
        raise _bad("you must provide one of first or last")
    ((name, size),) = given.items()
    if not 0 <= size <= LARGEST_PAGE:
        raise _bad(f"{name} must be between 0 and {LARGEST_PAGE}")
    backwards = name == "last"
    return Slice(size, arguments.get("before" if backwards else "after"), backwards)


def _sorted_by(arguments: Mapping[str, Any]) -> str:
    key = arguments.get("sortKey")
    if key not in SORTS:
        raise GraphQLError(f"The sandbox lacks the sort key {key}.")
    return SORTS[key]


def _bad(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def _cursor(last_id: int, last_value: Any) -> str:
    text = json.dumps({"last_id": last_id, "last_value": last_value}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def _position(cursor: str) -> tuple[Any, int]:
    try:
        state = json.loads(base64.b64decode(cursor))
        return state["last_value"], int(state["last_id"])
    except (ValueError, KeyError, TypeError):
        raise _bad("Invalid cursor for current pagination sort.") from None


def _connection(
    rows: list[Row], slice_: Slice, make: MakeNodes, cursor_of: Callable[[Row], str]
) -> Json:
    """`rows` hold one more than the page, where there is more."""
    more, rows = len(rows) > slice_.size, rows[: slice_.size]
    if slice_.backwards:
        rows.reverse()
    nodes = make(rows)
    cursors = [cursor_of(row) for row in rows]
    edges = [{"cursor": c, "node": n} for c, n in zip(cursors, nodes, strict=True)]
    before = slice_.cursor is not None
    info = {
        "hasNextPage": before if slice_.backwards else more,
        "hasPreviousPage": more if slice_.backwards else before,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
    return {"nodes": nodes, "edges": edges, "pageInfo": info}


# ------------------------------------------------------------------ metafields


def metafield(value: Row, created_at: str) -> Json:
    """A stored value, whose name is `namespace.key`."""
    namespace, _, key = value["name"].rpartition(".")
    return {
        "__typename": "Metafield",
        "id": gid("Metafield", value["id"]),
        "legacyResourceId": str(value["id"]),
        "namespace": namespace,
        "key": key,
        "type": value["type"],
        "value": value["value"],
        "compareDigest": digest_of(value),
        "createdAt": utc(created_at),
        "updatedAt": utc(value["updated_at"]),
        "ownerType": "CUSTOMER",
        "_id": value["id"],
    }


def _one_metafield(
    metafields: Sequence[Json], _: Any, key: str, namespace: str | None = None
) -> Json | None:
    wanted = namespace_of(namespace)
    named = (m for m in metafields if (m["namespace"], m["key"]) == (wanted, key))
    return next(named, None)


def _some_metafields(metafields: Sequence[Json], _: Any, **arguments: Any) -> Json:
    """Those of a namespace, or those of `keys` (`namespace.key`), by id."""
    namespace, keys = arguments.get("namespace"), arguments.get("keys")
    found = [
        m
        for m in metafields
        if (namespace is None or m["namespace"] == namespace_of(namespace))
        and (keys is None or f"{m['namespace']}.{m['key']}" in keys)
    ]
    slice_ = sliced(arguments)
    down = bool(arguments.get("reverse")) != slice_.backwards
    found.sort(key=lambda m: m["_id"], reverse=down)
    if slice_.cursor:
        _, last = _position(slice_.cursor)
        found = [m for m in found if (m["_id"] < last if down else m["_id"] > last)]
    page = found[: slice_.size + 1]
    return _connection(page, slice_, list, lambda m: _cursor(m["_id"], str(m["_id"])))


# ------------------------------------------------------------------ orders' money


def _order_money(row: Row, refunds: Sequence[Row], pen: Pen) -> Json:
    body = row["body"]
    sums, left = sums_of(body), left_of(body, refunds)
    amounts = {
        "totalPriceSet": sums.total,
        "currentTotalPriceSet": left["current_total_price"],
        "subtotalPriceSet": sums.subtotal,
        "totalDiscountsSet": sums.discount,
        "totalTaxSet": sums.tax,
        "totalShippingPriceSet": sums.shipping,
        "totalRefundedSet": Decimal(body["refunded"]["total"]) or ZERO,
    }
    return {name: _bag(amount, pen) for name, amount in amounts.items()}


def _bag(amount: Decimal, pen: Pen) -> Json:
    sides = {"shopMoney": "shop_money", "presentmentMoney": "presentment_money"}
    both = pen.both(amount)
    return {
        name: {
            "amount": plain(Decimal(both[side]["amount"])),
            "currencyCode": both[side]["currency_code"],
        }
        for name, side in sides.items()
    }
