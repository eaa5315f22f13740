"""Rows of the schema as the store keeps them: column types, fitness, content digest, Arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pyarrow as pa

from connectors.schema import Customer, Order, OrderLine, Refund

Row = Order | OrderLine | Refund | Customer

#: The log's tables, the schema they hold, and the column that tells their rows apart.
TABLES: Mapping[str, type[Row]] = {
    "orders": Order,
    "order_lines": OrderLine,
    "refunds": Refund,
    "customers": Customer,
}
KEYS = {"orders": "order_id", "refunds": "refund_id", "customers": "customer_id"}

MONEY_DIGITS = 10**18  # DECIMAL(18,4), counted in its last digit


class Misfit(ValueError):
    """A value that the store has no exact place for."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """One Python type in DuckDB, in Arrow, and as the text that goes into the digest."""

    sql: str
    arrow: pa.DataType
    text: Callable[[Any], str]


def _money_text(value: Decimal) -> str:
    if not value.is_finite():
        raise Misfit(f"{value} is no amount")
    last_digits = value.scaleb(4)
    if last_digits != last_digits.to_integral_value():
        raise Misfit(f"{value} has more than four decimals")
    if abs(last_digits) >= MONEY_DIGITS:
        raise Misfit(f"{value} is absurdly large")
    return str(int(last_digits))


def _plain_text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Misfit("the text is not valid Unicode") from None
    return value


#: Instants are stored in UTC without a zone, so that no session's time zone can move them.
TYPES: Mapping[type, ColumnType] = {
    str: ColumnType("VARCHAR", pa.string(), _plain_text),
    Decimal: ColumnType("DECIMAL(18,4)", pa.decimal128(18, 4), _money_text),
    datetime: ColumnType("TIMESTAMP", pa.timestamp("us"), datetime.isoformat),
    bool: ColumnType("BOOLEAN", pa.bool_(), str),
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    nullable: bool


@cache
def columns(kind: type[Row]) -> tuple[Column, ...]:
    """The columns of a schema class, read off its annotations."""
    hints = get_type_hints(kind)
    return tuple(_column(field.name, hints[field.name]) for field in fields(kind))


def _column(name: str, hint: Any) -> Column:
    choices = get_args(hint)
    nullable = NoneType in choices
    if get_origin(hint) is not None:  # `X | None`, or a Literal of texts
        first = next(choice for choice in choices if choice is not NoneType)
        hint = first if isinstance(first, type) else type(first)
    return Column(name, TYPES[hint], nullable)


def arrow_schema(kind: type[Row]) -> pa.Schema:
    return pa.schema([(column.name, column.type.arrow) for column in columns(kind)])


def misfit(row: Row) -> tuple[str, str] | None:
    """The first field that the store can't hold exactly, and why; None where all fit."""
    for column in columns(type(row)):
        try:
            _text(row, column)
        except Misfit as error:
            return column.name, str(error)
    return None


def digest(row: Row, parts: Iterable[Row] = ()) -> bytes:
    """128 bits over the content of a row and of the rows that belong to it, in any order."""
    whole = hashlib.blake2b(_content(row), digest_size=16)
    for content in sorted(map(_content, parts)):
        whole.update(b"\x1e" + content)
    return whole.digest()


def _content(row: Row) -> bytes:
    return "\x1f".join([_text(row, column) for column in columns(type(row))]).encode()


def _text(row: Row, column: Column) -> str:
    value = getattr(row, column.name)
    if value is not None:
        return column.type.text(value)
    if not column.nullable:
        raise Misfit("it is missing")
    return "\0"


def table(kind: type[Row], rows: Sequence[Row], **more: pa.Array) -> pa.Table:
    """The rows as an Arrow table; `more` are columns of the log itself."""
    arrays = {
        column.name: pa.array([getattr(row, column.name) for row in rows], column.type.arrow)
        for column in columns(kind)
    }
    return pa.table(arrays | more)


def constant(value: int, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int64()), times)
