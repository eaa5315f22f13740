"""Metafields' names and values: whose namespace, what each type takes and how it is kept.

The words of refusals were recorded from Admin API 2025-01 (`metafieldsSet`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from graphql import GraphQLError

from connectors.sandbox.books import Row
from connectors.sandbox.shopify.money import plain

APP = "app--347082227713"
DATE_FORMAT = "Value must be in YYYY-MM-DD format."
LARGEST_DECIMAL = Decimal("9999999999999")


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


def kept_value(type_: str, text: str) -> str:
    """A value as it will be kept. Raises Refused; GraphQLError for a type that is missing here."""
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
#: What the definition of a type says of its family.
CATEGORIES = {
    "number_decimal": "NUMBER",
    "number_integer": "NUMBER",
    "single_line_text_field": "TEXT",
    "multi_line_text_field": "TEXT",
    "boolean": "TRUE_FALSE",
    "date": "DATE_TIME",
    "date_time": "DATE_TIME",
    "json": "JSON",
}
