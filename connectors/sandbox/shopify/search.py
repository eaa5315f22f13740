"""The search syntax of GraphQL's `query` argument, as far as the sandbox needs it.

https://shopify.dev/docs/api/usage/search-syntax (2026-11-21). An unknown field is ignored with a
warning, so that everything is found (recorded 2026-04); `updated_at` of customers matches whole
days. What exists there but not here is refused, so that nobody trusts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError

from connectors.sandbox.books import instant_text

_TERM = re.compile(
    r"""(?:(?P<field>[\w.]+):\s*)?(?:(?P<sign><=|>=|<|>)\s*)?(?P<value>'[^']*'|"[^"]*"|[^\s'"]+)"""
)
_RANGE = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}

#: Fields that `customers` knows in 2026-10, beside those in CUSTOMER_TERMS.
CUSTOMER_FIELDS = {
    "accepts_marketing", "country", "last_abandoned_order_date", "order_date", "orders_count",
    "phone", "total_spent",
}  # fmt: skip
#: The same for `orders`.
ORDER_FIELDS = {
    "cart_token", "channel", "channel_id", "chargeback_status", "checkout_token",
    "confirmation_number", "credit_card_last4", "current_total_price", "delivery_method",
    "discount_code", "email", "financial_status", "fraud_protection_level",
    "fulfillment_location_id", "fulfillment_status", "gateway", "location_id",
    "metafields.{namespace}.{key}", "payment_id", "payment_provider_id", "po_number",
    "reference_location_id", "return_status", "risk_level", "sales_channel", "sku",
    "source_identifier", "source_name", "status", "subtotal_line_items_quantity", "tag", "tag_not",
    "test", "total_weight",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """One `field:value`, with its comparator; `phrase` where the value was quoted."""

    field: str
    sign: str
    value: str

    @property
    def parsed(self) -> dict[str, Any]:
        """As `extensions.search` tells it."""
        if self.sign:
            return {"field": self.field, "range": {_RANGE[self.sign]: self.value}}
        return {"field": self.field, "match_all": self.value}


@dataclass(frozen=True, slots=True)
class Found:
    """A search as SQL behind `shop = ?`, and what was ignored."""

    sql: str = ""
    values: tuple[object, ...] = ()
    parsed: Any = None
    warnings: list[dict[str, str]] = field(default_factory=list)


Clause = tuple[str, tuple[object, ...]]
Reader = Callable[[Term, str], Clause]


def search(query: str | None, readers: Mapping[str, Reader], known: set[str], now: str) -> Found:
    """Reads `query`. Raises GraphQLError for syntax and fields that the sandbox lacks."""
    terms = _terms(query or "")
    warnings = []
    clauses: list[Clause] = []
    for term in terms:
        if term.field in readers:
            clauses.append(readers[term.field](term, now))
        elif term.field in known:
            raise GraphQLError(f"The sandbox lacks the search field '{term.field}'.")
        else:
            told = "Invalid search field for this query."
            warnings.append({"field": term.field, "message": told, "code": "invalid_field"})
    parsed = [term.parsed for term in terms]
    return Found(
        sql="".join(f" AND {sql}" for sql, _ in clauses),
        values=tuple(value for _, values in clauses for value in values),
        parsed=parsed[0] if len(parsed) == 1 else {"and": parsed},
        warnings=warnings,
    )


def _terms(query: str) -> list[Term]:
    if re.search(r"[()]|\b(OR|NOT)\b|(^|\s)-\w", query):
        raise GraphQLError("The sandbox lacks OR, NOT and parentheses in a search.")
    found = _TERM.finditer(re.sub(r"\bAND\b", " ", query))
    return [
        Term(term["field"] or "default", term["sign"] or "", term["value"].strip("'\""))
        for term in found
    ]


# ------------------------------------------------------------------ readers


def number(column: str) -> Reader:
    def read(term: Term, _: str) -> Clause:
        if not term.value.isdecimal():
            raise GraphQLError(f"Invalid value for '{term.field}'.")
        return f"{column} {term.sign or '='} ?", (int(term.value),)

    return read


def instant(column: str, *, whole_days: bool = False) -> Reader:
    """Compares instants; or the days they lie in, ends included."""

    def read(term: Term, now: str) -> Clause:
        text = now if term.value == "now" else _instant(term)
        sign = term.sign or "="
        if whole_days:
            return f"date({column}) {sign.rstrip('=') + '='} date(?)", (text,)
        return f"{column} {sign} ?", (text,)

    return read


def _instant(term: Term) -> str:
    try:
        found = datetime.fromisoformat(term.value)
    except ValueError:
        raise GraphQLError(f"Invalid value for '{term.field}'.") from None
    return instant_text(found if found.tzinfo else found.replace(tzinfo=UTC))


def words(*columns: str) -> Reader:
    """Somewhere in one of the columns, in any case; `*` is anything."""

    def read(term: Term, _: str) -> Clause:
        like = "%" + term.value.replace("%", "").replace("*", "%") + "%"
        clause = " OR ".join(f"{column} LIKE ?" for column in columns)
        return f"({clause})", (like,) * len(columns)

    return read


def tagged(*, wanted: bool) -> Reader:
    """One of the tags named, or none of them."""

    def read(term: Term, _: str) -> Clause:
        tags = tuple(tag.strip() for tag in term.value.split(","))
        marks = ", ".join("?" * len(tags))
        has = (
            "EXISTS (SELECT 1 FROM customer_tags t WHERE t.shop = customers.shop "  # noqa: S608  marks only
            f"AND t.customer_id = customers.id AND t.tag IN ({marks}))"
        )
        return has if wanted else f"NOT {has}", tags

    return read


def _state(term: Term, _: str) -> Clause:
    """Everybody's account is disabled: the shop has no classic customer accounts."""
    return "upper(?) = 'DISABLED'", (term.value,)


CUSTOMER_TERMS: Mapping[str, Reader] = {
    "id": number("id"),
    "updated_at": instant("updated_at", whole_days=True),
    "customer_date": instant("created_at"),
    "email": words("email"),
    "first_name": words("first_name"),
    "last_name": words("last_name"),
    "tag": tagged(wanted=True),
    "tag_not": tagged(wanted=False),
    "state": _state,
    "default": words("first_name", "last_name", "email"),
}
#: `customersCount` knows fewer fields.
COUNT_TERMS: Mapping[str, Reader] = {
    "id": number("id"),
    "updated_at": instant("updated_at", whole_days=True),
    "created_at": instant("created_at"),
}
ORDER_TERMS: Mapping[str, Reader] = {
    "id": number("id"),
    "customer_id": number("customer_id"),
    "created_at": instant("created_at"),
    "processed_at": instant("created_at"),
    "updated_at": instant("updated_at"),
    "name": words("number"),
}
