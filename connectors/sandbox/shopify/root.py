"""The root fields of the sandbox's GraphQL, each behind the scope that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.bulk.lines import Run
from connectors.sandbox.shopify.bulk.operations import Operations
from connectors.sandbox.shopify.definitions import Definitions
from connectors.sandbox.shopify.limits import allows, first_visible, scopes_of
from connectors.sandbox.shopify.metafields import metafield
from connectors.sandbox.shopify.money import Json, gid, pen_of
from connectors.sandbox.shopify.nodes import Nodes
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
from connectors.sandbox.shopify.segments import Segments
from connectors.sandbox.shopify.setup import setup_of
from connectors.sandbox.shopify.storage import Storage
from connectors.sandbox.shopify.writes import Writes, number_of

LARGEST_INPUT = 250
SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"
Info = GraphQLResolveInfo[Any]
Resolver = Callable[..., Any]


def domain_of(shop: Row) -> str:
    domain: str = shop["settings"].get("domain") or f"{shop['shop']}.myshopify.com"
    return domain


@dataclass(frozen=True, slots=True)
class Around:
    """What a document needs beside the books: dice, its server's address, a way to run others."""

    rng: Random
    base: str
    run: Run


class Root:
    """The root fields during one document, and the searches that ignored something."""

    def __init__(self, books: Books, shop: str, around: Around) -> None:
        self._books = books
        self._shop = shop
        self._writes = Writes(books, shop, around.rng)
        self._bulks = Operations(books, shop, around.run, Storage(books, shop, around.base))
        self._scopes = scopes_of(books.shop(shop)["settings"])
        hides = setup_of(books.shop(shop)).hide_addresses
        self._nodes = Nodes(books, shop, first_visible(self._scopes, books.now()), hides)
        self._definitions = Definitions(books, shop)
        self._segments = Segments(books, shop)
        self.searches: list[Json] = []

    def fields(self) -> dict[str, Any]:
        """By the schema's names, each behind the scope that it needs."""
        return {
            "shop": self._shop_node(),
            "currentAppInstallation": self._installation(),
            "publicApiVersions": [
                {"handle": "2026-10", "displayName": "2026-10 (Latest)", "supported": True}
            ],
            "node": self._node,
            "nodes": self._nodes_by_id,
            **self._bulks.fields(),
            **self._behind("read_customers", self._reads()),
            **self._behind("write_customers", self._changes()),
            **self._behind(
                "read_orders",
                {"orders": self._orders, "order": self._order, "ordersCount": self._orders_count},
            ),
        }

    def _reads(self) -> dict[str, Resolver]:
        return {
            "customers": self._customers,
            "customersCount": self._customers_count,
            "customer": self._customer,
            **self._definitions.reads(),
            **self._segments.reads(),
        }

    def _changes(self) -> dict[str, Resolver]:
        return {
            "metafieldsSet": self._metafields_set,
            "metafieldsDelete": self._metafields_delete,
            "tagsAdd": self._tags_add,
            "tagsRemove": self._tags_remove,
            **self._definitions.writes(),
            **self._segments.writes(),
        }

    def _behind(self, scope: str, resolvers: Mapping[str, Resolver]) -> dict[str, Resolver]:
        return {name: self._needs(scope, resolver) for name, resolver in resolvers.items()}

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
        asked: Mapping[str, Any],
        readers: Mapping[str, Reader],
        known: set[str],
    ) -> Found:
        query = asked.get("query")
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
        found = self._search(info, arguments, CUSTOMER_TERMS, CUSTOMER_FIELDS)
        return self._nodes.page("customers", arguments, found, self._nodes.customers)

    def _customers_count(self, info: Info, **asked: Any) -> Json:
        return self._counted("customers", asked, self._search(info, asked, COUNT_TERMS, set()))

    def _orders_count(self, info: Info, **asked: Any) -> Json:
        found = self._search(info, asked, ORDER_TERMS, ORDER_FIELDS)
        return self._counted("orders", asked, found)

    def _counted(self, table: str, asked: Mapping[str, Any], found: Found) -> Json:
        """Exact, but where there is more than `limit`, which is 10,000 if nothing is said."""
        count, limit = self._nodes.count(table, found), asked.get("limit", 10_000)
        if limit is not None and count > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": count, "precision": "EXACT"}

    def _orders(self, info: Info, **arguments: Any) -> Json:
        found = self._search(info, arguments, ORDER_TERMS, ORDER_FIELDS)
        return self._nodes.page("orders", arguments, found, self._nodes.orders)

    def _order(self, _: Info, id: str) -> Json | None:
        number = id.rpartition("/")[2]
        return self._nodes.order(int(number)) if number.isdecimal() else None

    def _customer(self, _: Info, id: str) -> Json | None:
        return self._customers_by_id([id]).get(id)

    def _node(self, info: Info, id: str) -> Json | None:
        if "/BulkOperation/" in id:
            return self._bulks.one(info, id)
        return self._nodes_by_id(info, [id])[0]

    def _nodes_by_id(self, info: Info, ids: list[str]) -> list[Json | None]:
        """Customers, orders and refunds by their ids, null for what isn't there."""
        if len(ids) > LARGEST_INPUT:
            told = f"The input array size of {len(ids)} is greater than the maximum allowed of "
            code = {"code": "MAX_INPUT_SIZE_EXCEEDED"}
            raise GraphQLError(f"{told}{LARGEST_INPUT}.", extensions=code)
        found = self._customers_by_id(ids)
        for kind, one in (("Order", self._nodes.order), ("Refund", self._nodes.refund)):
            found |= {id_: one(number) for id_ in ids if (number := number_of(id_, kind))}
        scopes = {"read_customers" if "/Customer/" in id_ else "read_orders" for id_ in ids}
        for scope in scopes:
            self._needs(scope, lambda _: None)(info)
        return [found.get(id_) for id_ in ids]

    def _customers_by_id(self, ids: list[str]) -> dict[str, Json | None]:
        numbers = [number_of(id_, "Customer") for id_ in ids]
        rows = [self._books.customer(self._shop, n) for n in numbers if n is not None]
        return {node["id"]: node for node in self._nodes.customers([r for r in rows if r])}

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
