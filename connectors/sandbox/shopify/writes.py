"""What the sandbox's GraphQL mutations do, and what they refuse in which words.

The words were recorded from Admin API 2025-01 (`metafieldsSet`, tags) where a test names the
recording; the owner's absence and a missing type are after the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from graphql import GraphQLError

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.definitions import types_of
from connectors.sandbox.shopify.money import Json
from connectors.sandbox.shopify.values import Refused, digest_of, kept_value, namespace_of

METAFIELDS_A_CALL = 25
TAGS_A_CUSTOMER = 250
TAG_LENGTH = 255
RESERVED = {"shopify_standard", "protected", "shopify-l10n-fields"}
STALE = (
    "The resource has been updated since it was loaded. "
    "Try again with an updated `compareDigest` value."
)
Values = Mapping[tuple[int, str], Row]


class Writes:
    """The writes of one shop. Each runs inside the caller's transaction."""

    def __init__(self, books: Books, shop: str, rng: Random) -> None:
        self._books = books
        self._shop = shop
        self._rng = rng

    # -------------------------------------------------------------- metafields

    def set_metafields(self, items: Sequence[Json]) -> tuple[list[Row] | None, list[Json]]:
        """The values written and the user errors: all or nothing."""
        if len(items) > METAFIELDS_A_CALL:
            told = f"Exceeded the maximum metafields input limit of {METAFIELDS_A_CALL}."
            return None, [_set_error(["metafields"], told, "LESS_THAN_OR_EQUAL_TO")]
        owners = [self._owner(item["ownerId"]) for item in items]
        values = self._values(owner for owner in owners if owner)
        defined = types_of(self._books, self._shop)
        wanted, errors = [], []
        for place, (item, owner) in enumerate(zip(items, owners, strict=True)):
            try:
                wanted.append(_checked(item, owner, values, defined))
            except Refused as refused:
                path = ["metafields", str(place), *filter(None, [refused.field])]
                errors.append(_set_error(path, str(refused), refused.code))
        return ([], errors) if errors else (self._stored(wanted), [])

    def _values(self, owners: Iterable[int]) -> Values:
        found = self._books.values_of(self._shop, sorted(set(owners)))
        return {(owner, row["name"]): row for owner, rows in found.items() for row in rows}

    def _stored(self, wanted: Sequence[tuple[int, str, str, str]]) -> list[Row]:
        for owner, name, type_, value in wanted:
            self._books.set_value(self._shop, owner, name, type_, value)
        for owner in {owner for owner, *_ in wanted}:
            self._books.touch_customer(self._shop, owner)
        values = self._values(owner for owner, *_ in wanted)
        return [values[owner, name] for owner, name, *_ in wanted]

    def delete_metafields(self, keys: Sequence[Json]) -> list[Json | None]:
        """The identifiers deleted; null for what wasn't there."""
        return [key if self._dropped(key) else None for key in keys]

    def _dropped(self, key: Json) -> bool:
        owner = self._owner(key["ownerId"])
        if owner is None:
            return False
        name = f"{namespace_of(key['namespace'])}.{key['key']}"
        dropped = self._books.drop_value(self._shop, owner, name)
        if dropped:
            self._books.touch_customer(self._shop, owner)
        return dropped

    # -------------------------------------------------------------- tags

    def add_tags(self, gid: str, tags: Sequence[str]) -> list[Json]:
        """The user errors. With `drop_tags` in the settings some tags get lost on the way."""
        owner = self._owner(gid)
        if owner is None:
            return [_error(["id"], "Customer does not exist")]
        wanted = split_tags(tags)
        if any(len(tag) > TAG_LENGTH for tag in wanted):
            return [_error(["tags"], f"Tags is too long (maximum is {TAG_LENGTH} characters)")]
        has = self._books.tags_of(self._shop, [owner])[owner]
        if len(split_tags([*has, *wanted])) > TAGS_A_CUSTOMER:
            return [_error(["tags"], f"Tags cannot be more than {TAGS_A_CUSTOMER}")]
        lost = float(self._books.shop(self._shop)["settings"].get("drop_tags", 0))
        kept = [tag for tag in wanted if self._rng.random() >= lost]
        self._tagged(owner, [self._books.add_tag(self._shop, owner, tag) for tag in kept])
        return []

    def remove_tags(self, gid: str, tags: Sequence[str]) -> list[Json]:
        owner = self._owner(gid)
        if owner is None:
            return [_error(["id"], "Customer does not exist")]
        gone = [self._books.drop_tag(self._shop, owner, tag) for tag in split_tags(tags)]
        self._tagged(owner, gone)
        return []

    def _tagged(self, owner: int, changed: Sequence[bool]) -> None:
        if any(changed):
            self._books.touch_customer(self._shop, owner)

    def _owner(self, gid: str) -> int | None:
        number = number_of(gid, "Customer")
        known = number is not None and self._books.customer(self._shop, number)
        return number if known else None


def number_of(gid: str, kind: str) -> int | None:
    """The number in a global id of this kind; None for other kinds. Raises GraphQLError."""
    found = re.fullmatch(r"gid://shopify/(\w+)/(\d+)", gid)
    if not found:
        told = f"Invalid global id '{gid}'"
        code = {"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"}
        raise GraphQLError(told, extensions=code)
    return int(found[2]) if found[1] == kind else None


def split_tags(tags: Iterable[str]) -> list[str]:
    """Commas split tags; of tags that differ in case only, the first stays."""
    parts = (part.strip() for tag in tags for part in tag.split(","))
    return list({part.lower(): part for part in reversed([p for p in parts if p])}.values())[::-1]


def _checked(
    item: Json, owner: int | None, values: Values, defined: Mapping[str, str]
) -> tuple[int, str, str, str]:
    """Owner, name, type and value as they will be kept. Raises Refused."""
    if owner is None:
        raise Refused("ownerId", "Owner does not exist.", "INVALID")
    namespace = namespace_of(item.get("namespace"))
    _check_length("namespace", namespace, 3, 255)
    _check_length("key", item["key"], 2, 64)
    if namespace in RESERVED:
        raise Refused("namespace", f"Namespace {namespace} is a reserved namespace", None)
    name = f"{namespace}.{item['key']}"
    known = values.get((owner, name))
    type_ = _type(item, defined.get(name), known)
    _check_digest(item, known)
    return owner, name, type_, kept_value(type_, item["value"])


def _type(item: Json, defined: str | None, known: Row | None) -> str:
    """The type asked for, which a definition has the last word on."""
    asked = item.get("type") or defined or (known and str(known["type"]))
    if not asked:
        raise Refused("type", "Type can't be blank", "BLANK")
    if defined and asked != defined:
        told = f"Type '{asked}' must be consistent with the definition's type: '{defined}'."
        raise Refused("type", told, "INVALID_TYPE")
    return str(asked)


def _check_length(field: str, text: str, least: int, most: int) -> None:
    if len(text) < least:
        told = f"{field.capitalize()} is too short (minimum is {least} characters)"
        raise Refused(field, told, "TOO_SHORT")
    if len(text) > most:
        told = f"{field.capitalize()} is too long (maximum is {most} characters)"
        raise Refused(field, told, "TOO_LONG")


def _check_digest(item: Json, known: Row | None) -> None:
    """Without a digest anything goes; null means that nothing may be there yet."""
    if "compareDigest" in item and item["compareDigest"] != (known and digest_of(known)):
        raise Refused("", STALE, "STALE_OBJECT")


def _set_error(field: list[str], message: str, code: str | None) -> Json:
    return {"field": field, "message": message, "code": code, "elementIndex": None}


def _error(field: list[str], message: str) -> Json:
    return {"field": field, "message": message}
