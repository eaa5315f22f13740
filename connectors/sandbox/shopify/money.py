"""Shopify's way with money, instants and ids, shared by the sandbox's REST and GraphQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.bodies import OrderBody
from connectors.sandbox.books import Row

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
Json = dict[str, Any]


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def utc(text: str) -> str:
    """The books' instant as GraphQL's DateTime."""
    return text.replace(" ", "T") + "Z"


def plain(amount: Decimal) -> str:
    """A decimal as Ruby writes it: no trailing zeros, but at least one digit behind the point."""
    text = f"{amount.normalize():f}"
    return text if "." in text else f"{text}.0"


@dataclass(frozen=True, slots=True)
class Pen:
    """How a shop writes: money in its own currency and the buyer's, instants in its own time."""

    currency: str
    zone: ZoneInfo
    presentment: str = ""
    rate: Decimal = Decimal(1)

    def instant(self, text: str) -> str:
        """The books' UTC text as REST writes it, with the offset."""
        instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return instant.astimezone(self.zone).isoformat()

    def for_buyer(self, body: OrderBody) -> Pen:
        return replace(self, presentment=body["display_currency"], rate=Decimal(body["rate"]))

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


def pen_of(shop: Row) -> Pen:
    """The pen of a shop's row."""
    return Pen(shop["currency"], ZoneInfo(shop["settings"].get("timezone", "America/New_York")))
