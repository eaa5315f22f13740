"""Reading a payload from outside: a part that knows its path, so that every complaint names it.

Nothing is guessed: what is missing or of another kind is a PayloadError, whose text never quotes
the value, because that could name a person. Millions of parts are read, so a path is put together
only for a complaint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from connectors.errors import PayloadError

Side = Literal["shop_money", "presentment_money"]

ZERO = Decimal(0)
ABSURD = Decimal(10) ** 12
PLACES = 4

#: An amount as Shopify writes it. Python would take other digits, underscores and blanks as well.
_AMOUNT = re.compile(r"-?[0-9]{1,16}(\.[0-9]+)?")

#: An id in GraphQL's form.
_GID = re.compile(r"gid://shopify/[A-Za-z]+/(\d+)")


class Part:
    """One JSON object inside a payload; `currency` is what its shop money must be in."""

    __slots__ = ("_key", "_place", "_within", "currency", "data")

    def __init__(
        self,
        data: dict[str, Any],
        currency: str | None = None,
        within: Part | None = None,
        key: str = "",
        place: int | None = None,
    ) -> None:
        self.data = data
        self.currency = currency
        self._within = within
        self._key = key
        self._place = place

    def wrong(self, key: str, told: str) -> PayloadError:
        return PayloadError(f"{self.at(key)} {told}", field=self.at(key))

    def at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._within else key

    @property
    def _path(self) -> str:
        own = self._key if self._place is None else f"{self._key}[{self._place}]"
        return self._within.at(own) if self._within else own

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

    def word(self, key: str) -> str | None:
        """One of Shopify's own words in lower case: GraphQL writes them in capitals."""
        value = self.text(key)
        return value.lower() if value else None

    def one_of(self, key: str, known: Sequence[str]) -> str:
        value = self.needed(key).lower()
        if value not in known:
            raise self.wrong(key, "is of an unknown kind")
        return value

    def id(self, key: str) -> str | None:
        """A platform id as text, None where it is missing or null. Of a GraphQL id its number."""
        value = self.data.get(key)
        if value is None:
            return None
        text = str(value)
        if isinstance(value, str) and (found := _GID.fullmatch(value)):
            text = found[1]
        if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
            raise self.wrong(key, "is no id")
        return text

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
        if not isinstance(value, dict):
            raise self.wrong(key, "is no object")
        return Part(value, self.currency, self, key)

    def parts(self, key: str, *, needed: bool = False) -> list[Part]:
        """A list of objects; a list that older answers lack is empty unless `needed`."""
        value = self.data.get(key)
        if value is None and not needed:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "is no list")
        for place, item in enumerate(value):
            if not isinstance(item, dict):
                raise self.wrong(f"{key}[{place}]", "is no object")
        return [Part(item, self.currency, self, key, place) for place, item in enumerate(value)]

    # ---------------------------------------------------------------------------------- numbers

    def sum_of(self, key: str, amount: str) -> Decimal:
        """What an amount of the objects in a list comes to."""
        if self.data.get(key) == []:
            return ZERO
        return sum([part.money(amount) for part in self.parts(key)], ZERO)

    def money(self, key: str, side: Side = "shop_money") -> Decimal:
        """Shop money from `<key>_set`, or the plain field of answers that have no sets."""
        value = self.optional_money(key, side)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def nullable_money(self, key: str) -> Decimal:
        """The same; nothing where the payload says so with a null, but it has to say so."""
        if key in self.data or f"{key}_set" in self.data:
            return self.optional_money(key) or ZERO
        raise self.wrong(key, "is missing")

    def optional_money(self, key: str, side: Side = "shop_money") -> Decimal | None:
        """The same; None where the charge has no field, or null."""
        if self.data.get(f"{key}_set") is not None:
            return self.set_money(key, side)
        return None if self.data.get(key) is None else self.number(key)

    def set_money(self, key: str, side: Side = "shop_money", *, signed: bool = False) -> Decimal:
        """Money from the set alone: the plain `subtotal` and `total_tax` of refunds are floats."""
        glanced = self._glance(f"{key}_set") if side == "shop_money" else None
        if glanced is not None and (signed or glanced >= 0):
            return glanced
        bag = self.part(f"{key}_set")
        amount = bag.part(side) if bag else None
        if amount is None:
            raise self.wrong(f"{key}_set", "is missing or has no amount")
        if side == "shop_money" and amount.needed("currency_code") != self.currency:
            raise amount.wrong("currency_code", "is not the order's currency")
        return amount.number("amount", signed=signed)

    def _glance(self, key: str) -> Decimal | None:
        """Shop money where all is as it mostly is, without a part for each level; else None."""
        bag = self.data.get(key)
        here = bag.get("shop_money") if isinstance(bag, dict) else None
        if not isinstance(here, dict) or here.get("currency_code") != self.currency:
            return None
        amount = here.get("amount")
        return sensible(amount) if isinstance(amount, str) else None

    def number(self, key: str, *, signed: bool = False) -> Decimal:
        """An exact number of at most four decimals, below 10^12; not negative unless `signed`."""
        value = self.data.get(key)
        if value is None:
            raise self.wrong(key, "is missing")
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise self.wrong(key, "is no number")
        number = sensible(value)
        if number is None or (number < 0 and not signed):
            raise self.wrong(key, "is no sensible amount")
        return number


@lru_cache(maxsize=2**14, typed=True)
def sensible(value: str | int | Decimal) -> Decimal | None:
    """An order's amounts repeat (nothing, the price again): each is looked at once."""
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        return None
    try:
        number = Decimal(value)
        sane = number.is_finite() and abs(number) < ABSURD and round(number, PLACES) == number
    except ArithmeticError:
        return None
    return number if sane else None
