"""Segments of the sandbox's customers: kept, listed, and the filters that a query may use.

https://shopify.dev/docs/api/admin-graphql/latest/mutations/segmentCreate and
https://help.shopify.com/en/manual/customers/customer-segmentation (2026-11-21); the words of
refusals were recorded (2025-01). Names may be the same: nothing stops a second segment.
"""

from __future__ import annotations

from typing import Any

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.money import Json, gid, utc
from connectors.sandbox.shopify.pages import listed
from connectors.sandbox.shopify.segment_query import Filter, problems
from connectors.sandbox.shopify.setup import setup_of

LONGEST = {"name": 255, "query": 5_000}
ORDER = {"CREATION_DATE": "created_at", "LAST_EDIT_DATE": "updated_at", "ID": "id"}

#: Some of the filters that every shop has, by type.
NATIVE = (
    Filter("customer_tags", "Customer tags", "SegmentAssociationFilter", lists=True),
    Filter("customer_countries", "Location", "SegmentEnumFilter", lists=True),
    Filter("companies", "Companies", "SegmentAssociationFilter", lists=True),
    Filter("email_subscription_status", "Email subscription status", "SegmentEnumFilter"),
    Filter("number_of_orders", "Number of orders", "SegmentIntegerFilter"),
    Filter("amount_spent", "Amount spent", "SegmentFloatFilter"),
    Filter("last_order_date", "Last order date", "SegmentDateFilter"),
    Filter("first_order_date", "First order date", "SegmentDateFilter"),
    Filter("abandoned_checkout_date", "Abandoned checkout date", "SegmentDateFilter"),
    Filter("predicted_spend_tier", "Predicted spend tier", "SegmentEnumFilter"),
    Filter("rfm_group", "RFM group", "SegmentEnumFilter"),
)
BY_TYPE = {
    "number_decimal": "SegmentFloatFilter",
    "number_integer": "SegmentIntegerFilter",
    "single_line_text_field": "SegmentStringFilter",
    "multi_line_text_field": "SegmentStringFilter",
    "boolean": "SegmentBooleanFilter",
    "date": "SegmentDateFilter",
    "date_time": "SegmentDateFilter",
}


class Segments:
    """Those of one shop."""

    def __init__(self, books: Books, shop: str) -> None:
        self._books = books
        self._shop = shop

    def reads(self) -> dict[str, Any]:
        """The root fields that read."""
        return {
            "segment": lambda _, id: self.one(id),
            "segments": self._page,
            "segmentsCount": self._count,
            "segmentFilters": self._filter_page,
        }

    def writes(self) -> dict[str, Any]:
        """The root fields that write."""
        return {
            "segmentCreate": self._create,
            "segmentUpdate": self._update,
            "segmentDelete": self._delete,
        }

    # -------------------------------------------------------------- read

    def _page(self, _: Any, **asked: Any) -> Json:
        """A list; `query` looks for a name that begins so."""
        wanted = (asked.get("query") or "").removeprefix("name:").strip("'\"*").lower()
        rows = self._rows(ORDER.get(asked.get("sortKey", "ID"), "id"))
        return listed([_node(r) for r in rows if r["name"].lower().startswith(wanted)], asked)

    def one(self, gid_: str) -> Json | None:
        return next((node for node in map(_node, self._rows()) if node["id"] == gid_), None)

    def _count(self, _: Any, limit: int | None = None) -> Json:
        held = len(self._rows())
        whole = limit is None or held <= limit
        return {"count": held if whole else limit, "precision": "EXACT" if whole else "AT_LEAST"}

    def _filter_page(self, _: Any, **asked: Any) -> Json:
        nodes = [
            {
                "__typename": one.kind,
                "_id": place,
                "queryName": one.name,
                "localizedName": one.label,
                "multiValue": one.lists,
            }
            for place, one in enumerate(self.filters())
        ]
        return listed(nodes, asked)

    def filters(self) -> list[Filter]:
        """The shop's own, and one for each metafield of customers that is defined and fits."""
        prefix = setup_of(self._books.shop(self._shop)).segment_prefix
        defined = [
            Filter(f"{prefix}{of['namespace']}.{of['key']}", of["name"], BY_TYPE[row["type"]])
            for row in self._books.definitions(self._shop)
            if (of := row["body"])["ownerType"] == "CUSTOMER" and row["type"] in BY_TYPE
        ]
        return [*NATIVE, *defined]

    def _rows(self, order: str = "id") -> list[Row]:
        sql = f"SELECT * FROM segments WHERE shop = ? ORDER BY {order}, id"  # noqa: S608  our own words
        return self._books.query(sql, (self._shop,))

    # -------------------------------------------------------------- written

    def _create(self, _: Any, name: str, query: str) -> Json:
        errors = self._problems(name=name, query=query)
        if errors:
            return {"segment": None, "userErrors": errors}
        now = self._books.now()
        made = {"shop": self._shop, "name": name, "query": query}
        self._books.insert("segments", [{**made, "created_at": now, "updated_at": now}])
        return {"segment": _node(self._rows()[-1]), "userErrors": []}

    def _update(self, _: Any, id: str, name: str | None = None, query: str | None = None) -> Json:
        old = self.one(id)
        if old is None:
            return {"segment": None, "userErrors": [_missing()]}
        changed = {
            "name": old["name"] if name is None else name,
            "query": old["query"] if query is None else query,
        }
        errors = self._problems(**changed)
        if errors:
            return {"segment": None, "userErrors": errors}
        sql = "UPDATE segments SET name = ?, query = ?, updated_at = ? WHERE id = ?"
        self._books.execute(sql, (*changed.values(), self._books.now(), old["_id"]))
        return {"segment": self.one(id), "userErrors": []}

    def _delete(self, _: Any, id: str) -> Json:
        old = self.one(id)
        if old is None:
            return {"deletedSegmentId": None, "userErrors": [_missing()]}
        self._books.execute("DELETE FROM segments WHERE id = ?", (old["_id"],))
        return {"deletedSegmentId": id, "userErrors": []}

    def _problems(self, **given: str) -> list[Json]:
        for field, text in given.items():
            if not text.strip():
                return [_error(field, f"{field.capitalize()} can't be blank")]
            if len(text) > LONGEST[field]:
                told = f"is too long (maximum is {LONGEST[field]} characters)"
                return [_error(field, f"{field.capitalize()} {told}")]
        by_name = {one.name: one for one in self.filters()}
        return [_error("query", f"Query {told}") for told in problems(given["query"], by_name)]


def _node(row: Row) -> Json:
    return {
        "__typename": "Segment",
        "_id": row["id"],
        "id": gid("Segment", row["id"]),
        "name": row["name"],
        "query": row["query"],
        "creationDate": utc(row["created_at"]),
        "lastEditDate": utc(row["updated_at"]),
    }


def _missing() -> Json:
    return _error("id", "Segment does not exist")


def _error(field: str, message: str) -> Json:
    return {"field": [field], "message": message}
