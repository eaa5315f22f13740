"""Reading a payload from outside: a part that knows its path, so that every complaint names it.

Nothing is guessed: what is missing or of another kind is a PayloadError, whose text never quotes
the value, because that could name a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from connectors.errors import PayloadError

Side = Literal["shop_money", "presentment_money"]

ABSURD = Decimal(10) ** 12
PLACES = 4


@dataclass(frozen=True, slots=True)
class Part:
    """One JSON object inside a payload; `currency` is what its shop money must be in."""

    data: dict[str, Any]
    path: str = ""
    currency: str | None = None

    def wrong(self, key: str, told: str) -> PayloadError:
        return PayloadError(f"{self.at(key)} {told}", field=self.at(key))

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def text(self, key: str) -> str | None:
        """Text, or None where it is missing, null or blank."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "is no text")
        return (value or "").strip() or None

    def needed(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def one_of(self, key: str, known: Sequence[str]) -> str:
        value = self.needed(key)
        if value not in known:
            raise self.wrong(key, "is of an unknown kind")
        return value

    def id(self, key: str) -> str | None:
        """A platform id as text, None where it is missing or null."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not str(value).isascii() or not str(value).isdigit():
            raise self.wrong(key, "is no id")
        return str(value)

    def needed_id(self, key: str) -> str:
        value = self.id(key)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def flag(self, key: str) -> bool:
        value = self.data.get(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "is neither true nor false")
        return value

    def instant(self, key: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.needed(key))
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.wrong(key, "is no date with its time zone")

    def part(self, key: str) -> Part | None:
        value = self.data.get(key)
        if value is None:
            return None
        return self._part(value, key)

    def parts(self, key: str, *, needed: bool = False) -> Sequence[Part]:
        """A list of objects; a list that older answers lack is empty unless `needed`."""
        value = self.data.get(key)
        if value is None and not needed:
            return ()
        if not isinstance(value, list):
            raise self.wrong(key, "is no list")
        return [self._part(item, f"{key}[{place}]") for place, item in enumerate(value)]

    def _part(self, value: object, key: str) -> Part:
        if not isinstance(value, dict):
            raise self.wrong(key, "is no object")
        return Part(value, self.at(key), self.currency)

    def money(self, key: str, side: Side = "shop_money") -> Decimal:
        """Shop money from `<key>_set`, or the plain field of answers that have no sets."""
        value = self.optional_money(key, side)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def optional_money(self, key: str, side: Side = "shop_money") -> Decimal | None:
        """The same; None where the charge has no field, or null."""
        if self.data.get(f"{key}_set") is not None:
            return self.set_money(key, side)
        return None if self.data.get(key) is None else self.number(key)

    def set_money(self, key: str, side: Side = "shop_money", *, signed: bool = False) -> Decimal:
        """Money from the set alone: the plain `subtotal` and `total_tax` of refunds are floats."""
        bag = self.part(f"{key}_set")
        amount = bag.part(side) if bag else None
        if bag is None or amount is None:
            raise self.wrong(f"{key}_set", "is missing or has no amount")
        if side == "shop_money" and amount.needed("currency_code") != self.currency:
            raise amount.wrong("currency_code", "is not the order's currency")
        return amount.number("amount", signed=signed)

    def number(self, key: str, *, signed: bool = False) -> Decimal:
        """An exact number of at most four decimals, below 10^12; not negative unless `signed`."""
        value = self.data.get(key)
        if value is None:
            raise self.wrong(key, "is missing")
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise self.wrong(key, "is no number")
        try:
            number = Decimal(value)
            sane = number.is_finite() and abs(number) < ABSURD and round(number, PLACES) == number
        except ArithmeticError:
            sane = False
        if not sane or (number < 0 and not signed):
            raise self.wrong(key, "is no sensible amount")
        return number
