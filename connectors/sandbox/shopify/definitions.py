"""Definitions of metafields: which there are, which are pinned, and what is refused.

The words of PINNED_LIMIT_REACHED and TAKEN were recorded (2025-01), those of the rest follow the
schema's descriptions (2026-10).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from graphql import GraphQLError

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.money import Json, gid
from connectors.sandbox.shopify.pages import listed
from connectors.sandbox.shopify.values import APP, CATEGORIES, namespace_of

MOST_PINNED = 50
LENGTHS = {"name": (1, 255), "namespace": (3, 255), "key": (2, 64), "description": (0, 100)}
SERVED_SORTS = ("ID", "NAME", "PINNED_POSITION")


class Definitions:
    """Those of one shop. `name` of a row is `OWNER:namespace.key`."""

    def __init__(self, books: Books, shop: str) -> None:
        self._books = books
        self._shop = shop

    def reads(self) -> dict[str, Any]:
        """The root fields that read."""
        return {"metafieldDefinition": self._one, "metafieldDefinitions": self._page}

    def writes(self) -> dict[str, Any]:
        """The root fields that write."""
        return {"metafieldDefinitionCreate": self._create, "metafieldDefinitionPin": self._pin}

    # -------------------------------------------------------------- read

    def _page(self, _: Any, ownerType: str, **asked: Any) -> Json:  # noqa: N803  as the argument is called
        """A list for one kind of owner."""
        if asked.get("query") or asked.get("sortKey", "ID") not in SERVED_SORTS:
            raise GraphQLError("The sandbox lacks this way to list metafield definitions.")
        pinned = {"PINNED": True, "UNPINNED": False}.get(asked.get("pinnedStatus", "ANY"))
        found = [
            row["body"] | {"id": row["id"], "type": row["type"]}
            for row in self._books.definitions(self._shop)
            if row["body"]["ownerType"] == ownerType
            and asked.get("key") in (None, row["body"]["key"])
            and (not asked.get("namespace") or row["body"]["namespace"] == _space(asked))
            and pinned in (None, row["body"]["pinned"] is not None)
        ]
        nodes = [self._node(one) for one in _sorted(found, asked.get("sortKey", "ID"))]
        return listed(nodes, asked)

    def _one(self, _: Any, id: str | None = None, identifier: Json | None = None) -> Json | None:
        row = self._row(id, identifier)
        return row and self._shown(row)

    def _shown(self, row: Row) -> Json:
        return self._node(row["body"] | {"id": row["id"], "type": row["type"]})

    def _row(self, id_: str | None, identifier: Json | None) -> Row | None:
        named = identifier and _name(identifier)
        rows = self._books.definitions(self._shop)
        same = (r for r in rows if r["name"] == named or _gid(r["id"]) == id_)
        return next(same, None)

    def _node(self, body: Json) -> Json:
        filterable = {"eligible": True, "enabled": False, "status": "NOT_FILTERABLE"}
        return {
            **body,
            "__typename": "MetafieldDefinition",
            "_id": body["id"],
            "id": _gid(body["id"]),
            "type": {"name": body["type"], "category": CATEGORIES[body["type"]]},
            "pinnedPosition": body["pinned"],
            "capabilities": {"adminFilterable": filterable},
            "metafieldsCount": partial(self._count, f"{body['namespace']}.{body['key']}"),
            "validationStatus": "ALL_VALID",
        }

    def _count(self, name: str, _: Any, **__: Any) -> int:
        sql = "SELECT count(*) FROM customer_values WHERE shop = ? AND name = ?"
        return int(self._books.scalar(sql, (self._shop, name)))

    # -------------------------------------------------------------- written

    def _create(self, _: Any, definition: Json) -> Json:
        given = {**definition, "namespace": namespace_of(definition.get("namespace"))}
        errors = list(filter(None, self._problems(given)))
        if errors:
            return {"createdDefinition": None, "userErrors": errors}
        body = {
            **{key: given.get(key) for key in ("name", "namespace", "key", "ownerType")},
            "description": given.get("description"),
            "access": _access(given),
            "pinned": self._next_pin(given["ownerType"]) if given.get("pin") else None,
        }
        row = {"shop": self._shop, "name": _name(given), "type": given["type"], "body": body}
        self._books.insert("definitions", [row])
        return {"createdDefinition": self._one(None, None, given), "userErrors": []}

    def _pin(self, _: Any, **which: Any) -> Json:
        row = self._row(which.get("definitionId"), which.get("identifier"))
        if row is None:
            return _unpinned("Definition not found.", "NOT_FOUND")
        if row["body"]["pinned"] is not None:
            return _unpinned("Definition already pinned.", "ALREADY_PINNED")
        place = self._next_pin(row["body"]["ownerType"])
        if place > MOST_PINNED:
            return _unpinned(f"Limit of {MOST_PINNED} pinned definitions.", "PINNED_LIMIT_REACHED")
        sql = "UPDATE definitions SET body = json_set(body, '$.pinned', ?) WHERE id = ?"
        self._books.execute(sql, (place, row["id"]))
        return {"pinnedDefinition": self._one(None, _gid(row["id"])), "userErrors": []}

    def _next_pin(self, owner: str) -> int:
        rows = self._books.definitions(self._shop)
        pinned = [r["body"]["pinned"] for r in rows if r["body"]["ownerType"] == owner]
        return sum(place is not None for place in pinned) + 1

    def _problems(self, given: Json) -> Sequence[Json | None]:
        """What the shop says against a definition; nothing for a good one."""
        return [
            *(_length(field, given.get(field) or "") for field in LENGTHS),
            _characters(given),
            _kind(given),
            self._taken(given),
            self._of_another_type(given),
            _admin_access(given),
            self._too_many_pinned(given),
        ]

    def _taken(self, given: Json) -> Json | None:
        if self._row(None, given) is None:
            return None
        owner = given["ownerType"].capitalize()
        told = f"Key is in use for {owner} metafields on the '{given['namespace']}' namespace."
        return _error("key", told, "TAKEN")

    def _of_another_type(self, given: Json) -> Json | None:
        """Values without a definition may be there already, of another type."""
        sql = "SELECT count(*) FROM customer_values WHERE shop = ? AND name = ? AND type != ?"
        name = f"{given['namespace']}.{given['key']}"
        if given["ownerType"] != "CUSTOMER" or not self._books.scalar(
            sql, (self._shop, name, given["type"])
        ):
            return None
        told = "The definition's type doesn't match the type of metafields that exist already."
        return _error("type", told, "UNSTRUCTURED_ALREADY_EXISTS")

    def _too_many_pinned(self, given: Json) -> Json | None:
        if not given.get("pin") or self._next_pin(given["ownerType"]) <= MOST_PINNED:
            return None
        told = f"Limit of {MOST_PINNED} pinned definitions."
        return {**_error("pin", told, "PINNED_LIMIT_REACHED"), "field": ["definition"]}


def types_of(books: Books, shop: str) -> dict[str, str]:
    """What types customers' metafields are defined to have, by `namespace.key`."""
    named = ((row["name"].partition(":"), row["type"]) for row in books.definitions(shop))
    return {name: type_ for (owner, _, name), type_ in named if owner == "CUSTOMER"}


def _gid(number: int) -> str:
    return gid("MetafieldDefinition", number)


def _name(given: Mapping[str, Any]) -> str:
    return f"{given['ownerType']}:{_space(given)}.{given['key']}"


def _space(given: Mapping[str, Any]) -> str:
    return namespace_of(given.get("namespace"))


def _sorted(found: list[Json], key: str) -> list[Json]:
    if key == "PINNED_POSITION":  # the newest pin first, then what isn't pinned
        return sorted(found, key=lambda one: (-(one["pinned"] or 0), one["id"]))
    return sorted(found, key=lambda one: (one["name"] if key == "NAME" else "", one["id"]))


def _access(given: Json) -> Json:
    asked = given.get("access") or {}
    own = given["namespace"].startswith(APP)
    admin = asked.get("admin") or ("MERCHANT_READ_WRITE" if own else "PUBLIC_READ_WRITE")
    return {"admin": admin, "storefront": asked.get("storefront") or "NONE"}


def _length(field: str, text: str) -> Json | None:
    least, most = LENGTHS[field]
    if least and not text:
        return _error(field, f"{field.capitalize()} can't be blank", "BLANK")
    if len(text) < least:
        told = f"{field.capitalize()} is too short (minimum is {least} characters)"
        return _error(field, told, "TOO_SHORT")
    if len(text) > most:
        told = f"{field.capitalize()} is too long (maximum is {most} characters)"
        return _error(field, told, "TOO_LONG")
    return None


def _characters(given: Json) -> Json | None:
    for field in ("namespace", "key"):
        if not re.fullmatch(r"[\w-]*", given[field], re.ASCII):
            told = f"{field.capitalize()} contains one or more invalid characters."
            return _error(field, told, "INVALID_CHARACTER")
    return None


def _kind(given: Json) -> Json | None:
    if given["type"] in CATEGORIES:
        return None
    told = f"Type name {given['type']} is not a valid type."
    return _error("type", told, "INCLUSION")


def _admin_access(given: Json) -> Json | None:
    """https://shopify.dev/docs/api/admin-graphql/latest/enums/MetafieldDefinitionCreateUserErrorCode"""
    if not (given.get("access") or {}).get("admin") or given["namespace"].startswith(APP):
        return None
    told = "Admin access can only be specified for app-owned metafield definitions."
    error = _error("access", told, "ADMIN_ACCESS_INPUT_NOT_ALLOWED")
    return {**error, "field": ["definition", "access", "admin"]}


def _error(field: str, message: str, code: str) -> Json:
    return {"field": ["definition", field], "message": message, "code": code}


def _unpinned(message: str, code: str) -> Json:
    error = {"field": None, "message": message, "code": code}
    return {"pinnedDefinition": None, "userErrors": [error]}
