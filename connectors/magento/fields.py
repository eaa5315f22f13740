"""Reads one JSON object field by field; what is missing or odd is named, and never becomes zero."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.errors import PayloadError

NUMBER = re.compile(r"-?\d{1,16}(\.\d{1,16})?", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
PERSON_KEY = re.compile(r"guest-[0-9a-f]{32}")
STAMP = "%Y-%m-%d %H:%M:%S"  # Magento's own form: UTC, without saying so
SMALLEST = Decimal("0.0001")  # the database keeps four decimals
LARGEST = 10**12
ZERO = Decimal(0)


class Fields:
    """One object of a payload. Every miss is a PayloadError with the path, never with the value.

    An order is read here some eighty times, a first pull reads millions: what is as it should be
    is found with one look, and only what isn't is looked at again, to be named.
    """

    __slots__ = ("_data", "_path")

    def __init__(self, data: Any, path: str = "") -> None:
        if not isinstance(data, dict):
            raise PayloadError("is no object", field=path or ".")
        self._data = data
        self._path = path

    def money(self, name: str) -> Decimal:
        """An amount or quantity that must be there, at most four decimals."""
        amount = _amount(self._data.get(name))
        if amount is None:
            self._there(name)
            raise self.odd(name, "is no amount")
        return amount

    def money_or_zero(self, name: str) -> Decimal:
        """An amount that Magento leaves out while it is unset."""
        return ZERO if self._data.get(name) is None else self.money(name)

    def money_sum(self, names: Iterable[str]) -> Decimal:
        """Several of them together."""
        return sum(map(self.money_or_zero, names), ZERO) if self._data else ZERO

    def money_or_none(self, name: str) -> Decimal | None:
        return None if self._data.get(name) is None else self.money(name)

    def number(self, name: str) -> int:
        """A whole number of zero or more: an id, a flag."""
        value = self._there(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:18])
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**18:
            raise self.odd(name, "is no id")
        return value

    def id(self, name: str) -> str:
        value = self._data.get(name)
        is_usual = type(value) is int and 0 <= value < 10**18
        return str(value if is_usual else self.number(name))

    def id_or_none(self, name: str) -> str | None:
        return None if self._data.get(name) is None else self.id(name)

    def flag(self, name: str) -> bool:
        """Yes or no; Magento leaves some of its noes out."""
        return self._data.get(name) is not None and self.number(name) == 1

    def text(self, name: str) -> str:
        value = self._there(name)
        if not isinstance(value, str) or not value.strip():
            raise self.odd(name, "is no text")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._data.get(name) in (None, "") else self.text(name)

    def person_key_or_none(self, name: str) -> str | None:
        """A guest's key as `connectors.identity` makes it, made in the shop by our module."""
        key = self.text_or_none(name)
        if key is not None and not PERSON_KEY.fullmatch(key):
            raise self.odd(name, "is no key of a person")
        return key

    def currency(self, name: str) -> str:
        code = self.text(name)
        if not re.fullmatch(r"[A-Z]{3}", code):
            raise self.odd(name, "is no currency code")
        return code

    def instant(self, name: str) -> datetime:
        text = self.text(name)
        try:
            if INSTANT.fullmatch(text):
                return datetime.fromisoformat(f"{text}+00:00")  # far quicker than strptime
        except ValueError:
            pass
        raise self.odd(name, "is no date and time")

    def below(self, name: str) -> Fields:
        """A nested object; empty where it is absent. Magento may say `[]` for an empty one."""
        return Fields(self._data.get(name) or {}, self._at(name))

    def rows(self, name: str) -> Iterator[Fields]:
        rows = self._there(name)
        if not isinstance(rows, list):
            raise self.odd(name, "is no list")
        return (Fields(row, f"{self._at(name)}[{i}]") for i, row in enumerate(rows))

    def rows_or_none(self, name: str) -> Iterator[Fields]:
        """The same; none where Magento leaves the list out."""
        return iter(()) if self._data.get(name) is None else self.rows(name)

    def odd(self, name: str, what: str) -> PayloadError:
        return PayloadError(what, field=self._at(name))

    def _there(self, name: str) -> Any:
        value = self._data.get(name)
        if value is None:
            raise self.odd(name, "is missing")
        return value

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _amount(value: Any) -> Decimal | None:
    if type(value) is int:
        return Decimal(value) if -LARGEST < value < LARGEST else None
    if type(value) is Decimal:
        exact = value
    elif isinstance(value, str) and NUMBER.fullmatch(value):
        exact = Decimal(value)
    else:
        return None
    if abs(exact) >= LARGEST:
        return None
    rounded = exact.quantize(SMALLEST)  # PHP may print 104.78 as 104.78000000000000114
    return exact if exact == rounded else rounded
