"""What the sandbox's GraphQL mutations do, and what they refuse in which words.

The words were recorded from Admin API 2025-01 (`metafieldsSet`, tags) where a test names the
recording; the owner's absence and a missing type are after the documentation.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from random import Random

from graphql import GraphQLError

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.money import Json, plain

APP = "app--347082227713"
METAFIELDS_A_CALL = 25
TAGS_A_CUSTOMER = 250
TAG_LENGTH = 255
DATE_FORMAT = "Value must be in YYYY-MM-DD format."
LARGEST_DECIMAL = Decimal("9999999999999")
RESERVED = {"shopify_standard", "protected", "shopify-l10n-fields"}
STALE = (
    "The resource has been updated since it was loaded. "
    "Try again with an updated `compareDigest` value."
)
Values = Mapping[tuple[int, str], Row]


def namespace_of(asked: str | None) -> str:
    """`$app` and `$app:x` are the app's own: `app--<id>` and `app--<id>--x`."""
    if asked is None or asked == "$app":
        return APP
    return f"{APP}--{asked.removeprefix('$app:')}" if asked.startswith("$app:") else asked


def digest_of(value: Row) -> str:
    """Changes with the value; the same value has the same digest."""
    return hashlib.sha256(f"{value['type']}\0{value['value']}".encode()).hexdigest()


class Refused(Exception):
    """A user error of `metafieldsSet`: where, what, and its code."""

    def __init__(self, field: str, message: str, code: str | None) -> None:
        super().__init__(message)
        self.field = field
        self.code = code


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
        wanted, errors = [], []
        for place, (item, owner) in enumerate(zip(items, owners, strict=True)):
            try:
                wanted.append(_checked(item, owner, values))
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
        number = customer_number(gid)
        known = number is not None and self._books.customer(self._shop, number)
        return number if known else None


def customer_number(gid: str) -> int | None:
    """The number in a customer's global id; None for other kinds. Raises GraphQLError."""
    found = re.fullmatch(r"gid://shopify/(\w+)/(\d+)", gid)
    if not found:
        told = f"Invalid global id '{gid}'"
        code = {"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"}
        raise GraphQLError(told, extensions=code)
    return int(found[2]) if found[1] == "Customer" else None


def split_tags(tags: Iterable[str]) -> list[str]:
    """Commas split tags; of tags that differ in case only, the first stays."""
    parts = (part.strip() for tag in tags for part in tag.split(","))
    return list({part.lower(): part for part in reversed([p for p in parts if p])}.values())[::-1]


def _checked(item: Json, owner: int | None, values: Values) -> tuple[int, str, str, str]:
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
    type_ = item.get("type") or (known and known["type"])
    if not type_:
        raise Refused("type", "Type can't be blank", "BLANK")
    _check_digest(item, known)
    return owner, name, type_, _value(type_, item["value"])


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


# ------------------------------------------------------------------ values by type


def _value(type_: str, text: str) -> str:
    if type_ not in _TYPES:
        raise GraphQLError(f"The sandbox lacks the metafield type '{type_}'.")
    if not text.strip():
        raise _invalid("Value can't be blank.")
    return _TYPES[type_](text)


def _invalid(message: str) -> Refused:
    return Refused("value", message, "INVALID_VALUE")


def _decimal(text: str) -> str:
    """Kept without trailing zeros, as decimals come back there."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _invalid("Value must be a decimal.") from None
    if not number.is_finite():
        raise _invalid("Value must be a decimal.")
    if abs(number) > LARGEST_DECIMAL:
        below = "be less than -" if number < 0 else "exceed "
        raise _invalid(f"Value can't {below}{LARGEST_DECIMAL}.")
    return plain(number)


def _integer(text: str) -> str:
    if not re.fullmatch(r"[+-]?\d+", text):
        raise _invalid("Value must be an integer.")
    return str(int(text))


def _single_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise _invalid("Value must be a single line text string.")
    return text


def _boolean(text: str) -> str:
    if text not in ("true", "false"):
        raise _invalid("Value must be true or false.")
    return text


def _date(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise _invalid(DATE_FORMAT)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _invalid(DATE_FORMAT) from None


def _date_time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        example = "For example: 2022-06-01T15:30:00"
        told = f"Value must be in “YYYY-MM-DDTHH:MM:SS” format. {example}"
        raise _invalid(told) from None
    return text


def _json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError as error:
        raise _invalid(f"Value is invalid JSON: {error}.") from None


_TYPES: dict[str, Callable[[str], str]] = {
    "number_decimal": _decimal,
    "number_integer": _integer,
    "single_line_text_field": _single_line,
    "multi_line_text_field": str,
    "boolean": _boolean,
    "date": _date,
    "date_time": _date_time,
    "json": _json,
}


def _set_error(field: list[str], message: str, code: str | None) -> Json:
    return {"field": field, "message": message, "code": code, "elementIndex": None}


def _error(field: list[str], message: str) -> Json:
    return {"field": field, "message": message}
