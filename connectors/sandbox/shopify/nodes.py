"""The sandbox's rows as GraphQL objects, and lists of them as connections.

An object is a mapping of its fields; those that cost a query, or take arguments, are functions
that graphql-core calls when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from graphql import GraphQLError

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.metafields import metafield, one_metafield, some_metafields
from connectors.sandbox.shopify.money import ZERO, Json, Pen, gid, pen_of, plain, total_of, utc
from connectors.sandbox.shopify.order_nodes import Parts, bag, refund_nodes
from connectors.sandbox.shopify.pages import MakeNodes, connection, cursor_at, position, sliced
from connectors.sandbox.shopify.render import country_of, financial_status, left_of, sums_of
from connectors.sandbox.shopify.search import Found

SORTS = {
    None: "id",
    "ID": "id",
    "CREATED_AT": "created_at",
    "PROCESSED_AT": "created_at",
    "UPDATED_AT": "updated_at",
}


@dataclass(frozen=True, slots=True)
class Nodes:
    """Makes the objects of one shop."""

    books: Books
    shop: str
    since: str = ""
    """Orders from before this instant aren't there for the app."""
    hide_addresses: bool = False
    """Nor are addresses, which are denied one by one."""

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
            "metafield": partial(one_metafield, metafields),
            "metafields": partial(some_metafields, metafields),
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
            "displayAddress": partial(self._address, row),
            **_order_money(row, refunds, pen),
            **Parts(row, refunds, shop_pen).fields(),
        }

    def _buyer(self, customer_id: int | None, _: Any) -> Json | None:
        row = None if customer_id is None else self.books.customer(self.shop, customer_id)
        return self.customers([row])[0] if row else None

    def _address(self, row: Row, _: Any) -> Json:
        if self.hide_addresses:
            told = "This app is not approved to access the MailingAddress object."
            raise GraphQLError(told, extensions={"code": "ACCESS_DENIED"})
        return {
            "__typename": "MailingAddress",
            "id": gid("MailingAddress", row["id"]),
            "countryCodeV2": country_of(row["body"]),
        }

    # -------------------------------------------------------------- lists

    def order(self, order_id: int) -> Json | None:
        row = self.books.order(self.shop, order_id)
        return self.orders([row])[0] if row and row["created_at"] >= self.since else None

    def refund(self, refund_id: int) -> Json | None:
        """A refund of an order that the app may see."""
        sql = "SELECT order_id FROM refunds WHERE shop = ? AND id = ?"
        order_id = self.books.scalar(sql, (self.shop, refund_id))
        row = order_id and self.books.order(self.shop, order_id)
        if not row or row["created_at"] < self.since:
            return None
        every = refund_nodes(row, self.books.refunds_of(self.shop, [order_id])[order_id], self.pen)
        return next(node for node in every if node["_id"] == refund_id)

    def _visible(self, table: str, found: Found) -> Found:
        if table != "orders" or not self.since:
            return found
        return replace(
            found, sql=f"{found.sql} AND created_at >= ?", values=(*found.values, self.since)
        )

    def count(self, table: str, found: Found) -> int:
        found = self._visible(table, found)
        sql = f"SELECT count(*) FROM {table} WHERE shop = ?{found.sql}"  # noqa: S608  our own words
        return int(self.books.scalar(sql, (self.shop, *found.values)))

    def page(self, table: str, arguments: Mapping[str, Any], found: Found, make: MakeNodes) -> Json:
        """A connection over a table: a keyset over the sort column and the id."""
        slice_ = sliced(arguments)
        found = self._visible(table, found)
        column = _sorted_by(arguments)
        down = bool(arguments.get("reverse")) != slice_.backwards
        where, values = found.sql, found.values
        if slice_.cursor:
            where += f" AND ({column}, id) {'<' if down else '>'} (?, ?)"
            values = (*values, *position(slice_.cursor))
        way = "DESC" if down else "ASC"
        rows = self.books.query(
            f"SELECT * FROM {table} WHERE shop = ?{where} "  # noqa: S608  our own words
            f"ORDER BY {column} {way}, id {way} LIMIT {slice_.size + 1}",
            (self.shop, *values),
        )
        return connection(rows, slice_, make, lambda row: cursor_at(row["id"], row[column]))


def _sorted_by(arguments: Mapping[str, Any]) -> str:
    key = arguments.get("sortKey")
    if key not in SORTS:
        raise GraphQLError(f"The sandbox lacks the sort key {key}.")
    return SORTS[key]


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
    return {name: bag(pen.both(amount)) for name, amount in amounts.items()}
