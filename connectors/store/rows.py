"""Rows of the schema as the store keeps them: column types, fitness, content digest, Arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache
from operator import attrgetter
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pyarrow as pa
from msgspec.structs import fields

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

#: What DECIMAL(18,4) holds.
LAST_DIGIT = Decimal("0.0001")
EXACT = Context(prec=18, traps=[Inexact, InvalidOperation])


class Misfit(Exception):
    """A value of `field` that the store has no exact place for."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """One Python type in DuckDB, in Arrow, and as the text that goes into the digest."""

    sql: str
    arrow: pa.DataType
    text: Callable[[Any], str]


@lru_cache(maxsize=2**14)
def _money_text(value: Decimal) -> str:
    """Most amounts come again: nothing, a price, a quantity of one."""
    if not value.is_finite():
        raise ValueError(f"{value} is no amount")
    try:
        exact = EXACT.quantize(value, LAST_DIGIT)
    except Inexact:
        raise ValueError(f"{value} has more than four decimals") from None
    except InvalidOperation:
        raise ValueError(f"{value} is absurdly large") from None
    return str(exact or 0)  # minus zero is zero


#: Instants are stored in UTC without a zone, so that no session's time zone can move them.
TYPES: Mapping[type, ColumnType] = {
    str: ColumnType("VARCHAR", pa.string(), str.__str__),
    Decimal: ColumnType("DECIMAL(18,4)", pa.decimal128(18, 4), _money_text),
    datetime: ColumnType("TIMESTAMP", pa.timestamp("us"), datetime.isoformat),
    bool: ColumnType("BOOLEAN", pa.bool_(), bool.__repr__),
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    nullable: bool


def _columns(kind: type[Row]) -> tuple[Column, ...]:
    hints = get_type_hints(kind)
    return tuple(_column(field.name, hints[field.name]) for field in fields(kind))


def _column(name: str, hint: Any) -> Column:
    choices = get_args(hint)
    nullable = NoneType in choices
    if get_origin(hint) is not None:  # `X | None`, or a Literal of texts
        first = next(choice for choice in choices if choice is not NoneType)
        hint = first if isinstance(first, type) else type(first)
    return Column(name, TYPES[hint], nullable)


#: The columns of the schema's classes, read off their annotations.
COLUMNS: Mapping[type[Row], tuple[Column, ...]] = {k: _columns(k) for k in TABLES.values()}


def arrow_schema(kind: type[Row]) -> pa.Schema:
    return pa.schema([(column.name, column.type.arrow) for column in COLUMNS[kind]])


def digest(row: Row, parts: Iterable[Row] = ()) -> bytes:
    """128 bits over the content of a row and of the rows that belong to it, in any order.

    Raises Misfit at the first value that the store can't hold exactly.
    """
    whole = hashlib.blake2b(_content(row), digest_size=16)
    for content in sorted(map(_content, parts)):
        whole.update(b"\x1e" + content)
    return whole.digest()


def _text_of(column: Column) -> Callable[[Any], str]:
    """A value's text for the digest. An error where the value has no exact place."""
    text = column.type.text
    return (lambda value: "\0" if value is None else text(value)) if column.nullable else text


#: The country, an order's last column, came later: one without has the content it always had.
NO_COUNTRY = b"\x1f\0"

#: What makes a row's content. A shop moves `updated_at` for less, for our own writes too.
CONTENT = {k: [c for c in columns if c.name != "updated_at"] for k, columns in COLUMNS.items()}
VALUES = {k: attrgetter(*(c.name for c in columns)) for k, columns in CONTENT.items()}
TEXTS = {k: [_text_of(c) for c in columns] for k, columns in CONTENT.items()}


def _content(row: Row) -> bytes:
    kind = type(row)
    try:
        texts = [text(value) for text, value in zip(TEXTS[kind], VALUES[kind](row), strict=True)]
        content = "\x1f".join(texts).encode()
    except (ValueError, TypeError, AttributeError):
        raise _misfit(row) from None
    return content.removesuffix(NO_COUNTRY) if kind is Order else content


def _misfit(row: Row) -> Misfit:
    """The first value that has no exact place, and why: looked for only where there is one."""
    for column, value in zip(CONTENT[type(row)], VALUES[type(row)](row), strict=True):
        if value is None and not column.nullable:
            return Misfit(column.name, "it is missing")
        try:
            _text_of(column)(value).encode()
        except UnicodeEncodeError:
            return Misfit(column.name, "the text is not valid Unicode")
        except ValueError as error:
            return Misfit(column.name, str(error))
        except TypeError:
            return Misfit(column.name, "it is of another kind")
    raise AssertionError("a row without a misfit was refused")


def arrays(kind: type[Row], rows: Sequence[Row]) -> dict[str, pa.Array]:
    """The rows as Arrow columns by name."""
    return {
        column.name: pa.array(map(attrgetter(column.name), rows), column.type.arrow)
        for column in COLUMNS[kind]
    }


def repeated(value: int, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int64()), times)
