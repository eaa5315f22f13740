"""The root fields of the sandbox's GraphQL, each behind the scope that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.limits import allows, scopes_of
from connectors.sandbox.shopify.money import Json, gid, pen_of
from connectors.sandbox.shopify.nodes import Nodes, metafield
from connectors.sandbox.shopify.search import (
    COUNT_TERMS,
    CUSTOMER_FIELDS,
    CUSTOMER_TERMS,
    ORDER_FIELDS,
    ORDER_TERMS,
    Found,
    Reader,
    search,
)
from connectors.sandbox.shopify.writes import Writes, customer_number

LARGEST_INPUT = 250
SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"
Info = GraphQLResolveInfo[Any]
Resolver = Callable[..., Any]


def domain_of(shop: Row) -> str:
    domain: str = shop["settings"].get("domain", f"{shop['shop']}.myshopify.com")
    return domain


class Root:
    """The root fields during one document, and the searches that ignored something."""

    def __init__(self, books: Books, shop: str, rng: Random) -> None:
        self._books = books
        self._shop = shop
        self._nodes = Nodes(books, shop)
        self._writes = Writes(books, shop, rng)
        self._scopes = scopes_of(books.shop(shop)["settings"])
        self.searches: list[Json] = []

    def fields(self) -> dict[str, Any]:
        """By the schema's names, each behind the scope that it needs."""
        return {
            "shop": self._shop_node(),
            "currentAppInstallation": self._installation(),
            "publicApiVersions": [
                {"handle": "2026-10", "displayName": "2026-10 (Latest)", "supported": True}
            ],
            "customers": self._needs("read_customers", self._customers),
            "customersCount": self._needs("read_customers", self._customers_count),
            "customer": self._needs("read_customers", self._customer),
            "node": self._needs("read_customers", self._node),
            "nodes": self._needs("read_customers", self._nodes_by_id),
            "orders": self._needs("read_orders", self._orders),
            "order": self._needs("read_orders", self._order),
            "metafieldsSet": self._needs("write_customers", self._metafields_set),
            "metafieldsDelete": self._needs("write_customers", self._metafields_delete),
            "tagsAdd": self._needs("write_customers", self._tags_add),
            "tagsRemove": self._needs("write_customers", self._tags_remove),
        }

    def _needs(self, scope: str, resolver: Resolver) -> Resolver:
        if allows(self._scopes, scope):
            return resolver

        def denied(info: Info, **_: Any) -> None:
            needed = f"`{scope}` access scope."
            raise GraphQLError(
                f"Access denied for {info.field_name} field. Required access: {needed}",
                extensions={
                    "code": "ACCESS_DENIED",
                    "documentation": SCOPES_PAGE,
                    "requiredAccess": needed,
                },
            )

        return denied

    # -------------------------------------------------------------- the shop

    def _shop_node(self) -> Json:
        row = self._books.shop(self._shop)
        plan = row["settings"].get("plan", "shopify_plus")
        return {
            "id": gid("Shop", 1),
            "name": row["settings"].get("name", self._shop),
            "myshopifyDomain": domain_of(row),
            "currencyCode": row["currency"],
            "ianaTimezone": pen_of(row).zone.key,
            "taxesIncluded": bool(row["prices_include_tax"]),
            "plan": {
                "publicDisplayName": plan,
                "partnerDevelopment": False,
                "shopifyPlus": plan == "shopify_plus",
            },
        }

    def _installation(self) -> Json:
        scopes = [{"handle": scope, "description": scope} for scope in self._scopes]
        return {"id": gid("AppInstallation", 1), "accessScopes": scopes}

    # -------------------------------------------------------------- lists and single ones

    def _search(
        self,
        info: Info,
        query: str | None,
        readers: Mapping[str, Reader],
        known: set[str],
    ) -> Found:
        found = search(query, readers, known, self._books.now())
        if found.warnings:
            self.searches.append(
                {
                    "path": info.path.as_list(),
                    "query": query,
                    "parsed": found.parsed,
                    "warnings": found.warnings,
                }
            )
        return found

    def _customers(self, info: Info, **arguments: Any) -> Json:
        found = self._search(info, arguments.get("query"), CUSTOMER_TERMS, CUSTOMER_FIELDS)
        return self._nodes.page("customers", arguments, found, self._nodes.customers)

    def _customers_count(
        self, info: Info, query: str | None = None, limit: int | None = 10_000
    ) -> Json:
        count = self._nodes.count("customers", self._search(info, query, COUNT_TERMS, set()))
        if limit is not None and count > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": count, "precision": "EXACT"}

    def _orders(self, info: Info, **arguments: Any) -> Json:
        found = self._search(info, arguments.get("query"), ORDER_TERMS, ORDER_FIELDS)
        return self._nodes.page("orders", arguments, found, self._nodes.orders)

    def _order(self, _: Info, id: str) -> Json | None:
        number = id.rpartition("/")[2]
        row = self._books.order(self._shop, int(number)) if number.isdecimal() else None
        return self._nodes.orders([row])[0] if row else None

    def _customer(self, info: Info, id: str) -> Json | None:
        return self._nodes_by_id(info, [id])[0]

    _node = _customer

    def _nodes_by_id(self, _: Info, ids: list[str]) -> list[Json | None]:
        """Customers by their ids, null for what isn't there."""
        if len(ids) > LARGEST_INPUT:
            told = f"The input array size of {len(ids)} is greater than the maximum allowed of "
            code = {"code": "MAX_INPUT_SIZE_EXCEEDED"}
            raise GraphQLError(f"{told}{LARGEST_INPUT}.", extensions=code)
        numbers = [customer_number(text) for text in ids]
        rows = [self._books.customer(self._shop, n) for n in numbers if n is not None]
        found = {node["id"]: node for node in self._nodes.customers([r for r in rows if r])}
        return [found.get(text) for text in ids]

    # -------------------------------------------------------------- writes

    def _metafields_set(self, _: Info, metafields: list[Json]) -> Json:
        rows, errors = self._writes.set_metafields(metafields)
        now = self._books.now()
        written = None if rows is None else [metafield(row, now) for row in rows]
        return {"metafields": written, "userErrors": errors}

    def _metafields_delete(self, _: Info, metafields: list[Json]) -> Json:
        deleted = self._writes.delete_metafields(metafields)
        return {"deletedMetafields": deleted, "userErrors": []}

    def _tags_add(self, info: Info, id: str, tags: list[str]) -> Json:
        return self._tagged(info, id, self._writes.add_tags(id, tags))

    def _tags_remove(self, info: Info, id: str, tags: list[str]) -> Json:
        return self._tagged(info, id, self._writes.remove_tags(id, tags))

    def _tagged(self, info: Info, gid_: str, errors: list[Json]) -> Json:
        return {"node": None if errors else self._customer(info, gid_), "userErrors": errors}
