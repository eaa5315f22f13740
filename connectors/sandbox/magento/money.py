"""How Magento shows amounts: in base and display currency side by side, ints and floats mixed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from connectors.sandbox.basket import NOTHING, cents
from connectors.sandbox.bodies import Line

#: The one pair of names that differ by more than their prefix.
_ODD = {
    "base_shipping_discount_tax_compensation_amount": "base_shipping_discount_tax_compensation_amnt"
}


def number(amount: Decimal) -> int | float:
    """JSON from PHP: whole amounts come as ints."""
    whole = int(amount)
    return whole if amount == whole else float(amount)


class Pairs:
    """Collects `name` in display and `base_name` in base currency."""

    def __init__(self, rate: str) -> None:
        self.rate = Decimal(rate)
        self.fields: dict[str, Any] = {}

    def shown(self, base: Decimal) -> Decimal:
        return base if self.rate == 1 else cents(base * self.rate)

    def put(self, **amounts: Decimal) -> None:
        for name, base in amounts.items():
            self.put_both(name, base, self.shown(base))

    def put_both(self, name: str, base: Decimal, shown: Decimal) -> None:
        """Where the display amount is not just the converted one."""
        base_name = f"base_{name}"
        known = self.fields[_ODD.get(base_name, base_name)] = number(base)
        self.fields[name] = known if shown is base else number(shown)

    def put_sum(self, name: str, parts: Iterable[Decimal]) -> None:
        """A total is the sum of its converted parts, not the converted sum."""
        listed = list(parts)
        shown = sum((self.shown(part) for part in listed), NOTHING)
        self.put_both(name, sum(listed, NOTHING), shown)


class LineSums:
    """The amounts of one line, or of all lines of an order. Discounts with and without tax."""

    def __init__(self, lines: Iterable[Line]) -> None:
        listed = list(lines)
        self.net = _sum(line["net"] for line in listed)
        self.discount = _sum(line["discount"] for line in listed)
        self.inside = _sum(line["discount_tax"] for line in listed)
        self.tax = _sum(line["tax"] for line in listed)

    @property
    def taken_off(self) -> Decimal:
        """What Magento calls the discount amount: its tax is part of it."""
        return self.discount + self.inside

    @property
    def with_tax(self) -> Decimal:
        """Before discounts."""
        return self.net + self.tax + self.inside


def _sum(amounts: Iterable[str]) -> Decimal:
    return sum((Decimal(text) for text in amounts), NOTHING)
