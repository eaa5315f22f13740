"""Shopify's way with money, instants and ids, shared by the sandbox's REST and GraphQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
SHOP_ZONE = "America/Panama"
#: That zone's offset, all the year round.
SHOP_TIME = timezone(timedelta(hours=-5))
Json = dict[str, Any]


def shop_instant(text: str) -> str:
    """The books' UTC text as REST writes it: in the shop's own time, with its offset."""
    instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return instant.astimezone(SHOP_TIME).isoformat()


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def plain(amount: Decimal) -> str:
    """A decimal as Ruby writes it: no trailing zeros, but at least one digit behind the point."""
    text = f"{amount.normalize():f}"
    return text if "." in text else f"{text}.0"


@dataclass(frozen=True, slots=True)
class Purse:
    """The shop's money and what the buyer saw of it."""

    currency: str
    presentment: str
    rate: Decimal

    def both(self, amount: Decimal) -> Json:
        seen = (amount * self.rate).quantize(CENT)
        return {
            "shop_money": {"amount": f"{amount:.2f}", "currency_code": self.currency},
            "presentment_money": {"amount": f"{seen:.2f}", "currency_code": self.presentment},
        }

    def named(self, name: str, amount: Decimal) -> Json:
        """An amount as text and, beside it, as a set."""
        return {name: f"{amount:.2f}", f"{name}_set": self.both(amount)}


def price_of(part: Mapping[str, Any], included: bool) -> Decimal:
    """A row's price before discounts; `discount_tax` is the tax that the discount took away."""
    net = Decimal(part["net"])
    return net + Decimal(part["tax"]) + Decimal(part["discount_tax"]) if included else net


def discount_of(part: Mapping[str, Any], included: bool) -> Decimal:
    return Decimal(part["discount"]) + (Decimal(part["discount_tax"]) if included else ZERO)


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
