"""The normalised schema: what every shop's orders look like here.

It is the vocabulary of everything else.

Money is `Decimal` (at most four decimals) in the row's `currency`, net of nothing unless named so.
Instants are aware and in UTC. Ids are the platform's own, kept as text. `shop` is the name that the
owner gave the shop in the configuration. No name, address, phone or clear e-mail has a place here.

For every order, to the cent:

    goods_value - discount_value + tax_value + shipping_value = total_value
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

State = Literal["open", "paid", "complete", "cancelled", "refunded"]
Rule = Literal["net", "net_with_shipping", "gross"]

#: ISO 4217 for money of which nobody said what it is.
NO_CURRENCY = "XXX"

#: Orders in these states count towards a customer's value; an open order is not paid yet.
COUNTED_STATES: tuple[State, ...] = ("paid", "complete", "refunded")

#: Orders in these states are purchases; one that was refunded as a whole is not.
PURCHASE_STATES: tuple[State, ...] = ("paid", "complete")

RULES: tuple[Rule, ...] = ("net", "net_with_shipping", "gross")


def _like_a_dataclass(row: type[T]) -> type[T]:
    """`dataclasses.replace` and `fields` know it.

    A row is a struct of msgspec, because one is made for each line of a shop's history, which a
    frozen dataclass takes six times as long for.
    """
    twin = make_dataclass(row.__name__, [*row.__annotations__.items()])
    row.__dataclass_fields__ = twin.__dataclass_fields__  # type: ignore[attr-defined]
    return row


@_like_a_dataclass
class Order(msgspec.Struct, frozen=True):
    """One order as it stands now.

    `goods_value` is at the price before discounts, without tax. `discount_value` is positive.
    `shipping_value` holds shipping and every other charge that is neither goods nor tax (tips,
    fees), without tax. `refunded_value` is goods without tax, `refunded_shipping` shipping without
    tax, `refunded_total` all that went back, tax included. `person_key` says whose order it is:
    the customer id, or for guests the keyed hash of the e-mail (`connectors.identity`); it is None
    where the shop knows neither. `country` (ISO 3166-1 alpha-2) is where it was sent, else
    billed to.

    Raises ValueError where the parts don't add up to the total, or an instant is not UTC.
    """

    shop: str
    order_id: str
    order_number: str
    customer_id: str | None
    person_key: str | None
    ordered_at: datetime
    updated_at: datetime
    state: State
    is_guest: bool
    is_test: bool
    currency: str
    goods_value: Decimal
    discount_value: Decimal
    tax_value: Decimal
    shipping_value: Decimal
    total_value: Decimal
    refunded_value: Decimal
    refunded_shipping: Decimal
    refunded_total: Decimal
    channel: str | None = None
    store_view: str | None = None
    coupon: str | None = None
    country: str | None = None

    def __post_init__(self) -> None:
        parts = self.goods_value - self.discount_value + self.tax_value + self.shipping_value
        if parts != self.total_value:
            raise ValueError(f"the parts add up to {parts}, the total says {self.total_value}")
        _require_utc(self.ordered_at, self.updated_at)


@_like_a_dataclass
class OrderLine(msgspec.Struct, frozen=True):
    """One top-level line of an order. `net_value` is after discounts, without tax, before refunds.

    `category` is the category or the product type, whichever the shop knows.
    """

    shop: str
    order_id: str
    line_id: str
    sku: str | None
    product_id: str | None
    category: str | None
    quantity: Decimal
    net_value: Decimal
    unit_cost: Decimal | None


@_like_a_dataclass
class Refund(msgspec.Struct, frozen=True):
    """Money that went back to the customer. `refunded_value` is goods, without tax."""

    shop: str
    refund_id: str
    order_id: str
    refunded_at: datetime
    currency: str
    refunded_value: Decimal
    refunded_shipping: Decimal
    refunded_tax: Decimal
    refunded_total: Decimal

    def __post_init__(self) -> None:
        _require_utc(self.refunded_at)


@_like_a_dataclass
class Customer(msgspec.Struct, frozen=True):
    """A registered customer. `email_key` is the `person_key` that their guest orders carry."""

    shop: str
    customer_id: str
    email_key: str | None
    website: str | None
    group: str | None
    created_at: datetime
    updated_at: datetime

    def __post_init__(self) -> None:
        _require_utc(self.created_at, self.updated_at)


@lru_cache(maxsize=2**10)
def country_of(code: str | None) -> str | None:
    """A code of ISO 3166-1 alpha-2 as it is kept; None for what is no such code.

    An order is worth more than its country, so an odd one is left out, not the order. Shopify
    says ZZ where it doesn't know.
    """
    code = (code or "").strip().upper()
    is_code = len(code) == 2 and code.isascii() and code.isalpha()
    return code if is_code and code != "ZZ" else None


def _require_utc(*instants: datetime) -> None:
    for instant in instants:
        if instant.tzinfo is not UTC and instant.utcoffset() != timedelta(0):
            raise ValueError(f"{instant.isoformat()} is not in UTC")


def amount(order: Any, rule: Rule = "net") -> Any:
    """What an order is worth under `rule`, as arithmetic over its columns.

    net                goods after discounts and refunds, without tax and shipping
    net_with_shipping  the same plus the shipping that was kept
    gross              all that the customer paid and did not get back, tax and shipping included

    Works on anything with an order's column names: an `Order` gives a Decimal, a table expression
    gives a column. That is how the store and a single order can't come to differ.
    """
    if rule == "gross":
        return order.total_value - order.refunded_total
    goods = order.goods_value - order.discount_value - order.refunded_value
    if rule == "net_with_shipping":
        return goods + order.shipping_value - order.refunded_shipping
    return goods


def net_value(order: Order, rule: Rule = "net") -> Decimal:
    """`amount` of an order that counts; zero for test, cancelled and unpaid ones."""
    counts = order.state in COUNTED_STATES and not order.is_test
    value: Decimal = amount(order, rule) if counts else Decimal(0)
    return value


# ---------------------------------------------------------------- what customers show in the shop

Kind = Literal["money", "number", "date", "text"]

#: What we write on a customer; the platform adds its prefix or namespace (`clv_tier`, `clv.tier`).
#: Values travel as text in one normal form per kind: money with two decimals, number with four,
#: date as YYYY-MM-DD, text of at most 255 characters.
FIELDS: Mapping[str, Kind] = {
    "tier": "text",
    "previous_tier": "text",
    "predicted_12m": "money",
    "historic_net": "money",
    "currency": "text",
    "p_alive": "number",
    "next_order_date": "date",
    "reason": "text",
    "model": "text",
    "scored_at": "date",
}


#: The segment, where the owner wants it and the platform keeps it as a field.
SEGMENT = "segment"

#: The same, with what isn't written everywhere.
KINDS: Mapping[str, Kind] = {**FIELDS, SEGMENT: "text"}


def normal(field: str, value: object) -> str:
    """`value` as a field's text; ValueError or ArithmeticError where it isn't of the field's kind.

    Shops give decimals as `77.2500` and dates as `2026-11-22 00:00:00`: the same in normal form.
    """
    kind = KINDS[field]
    if kind == "text":
        return " ".join(str(value).split())[:255]
    if kind == "date":
        return date.fromisoformat(str(value)[:10]).isoformat()
    number = Decimal(str(value)).quantize(Decimal("0.01" if kind == "money" else "0.0001"))
    return f"{number + 0:f}"  # + 0 turns -0.00 into 0.00


def as_shown(field: str, value: object) -> str:
    """A value found in a shop, in normal form; one that isn't of its kind as it is.

    So it differs from all that we write, and nothing that somebody else wrote is taken for ours.
    """
    try:
        return normal(field, value)
    except (ValueError, ArithmeticError):
        return str(value)


#: On platforms with customer tags: our tags on a customer, sorted and joined by commas.
TAG = "tag"


def tier_tag(tier: str) -> str:
    """The one tag that a customer of this tier wears: lower case, as Shopify compares tags."""
    return f"clv-{tier}".lower()


#: On platforms with customer groups, where the owner asked for it: the id of the one group.
GROUP = "group"

#: Where the shop's owner can except a customer: all that such a one shows, and by what.
LEFT_ALONE = "left alone"

#: What a customer shows: field name -> text; a field that isn't set is absent.
Shown = Mapping[str, str]


def _tags(shown: Shown) -> set[str]:
    return {tag for tag in shown.get(TAG, "").split(",") if tag}


@dataclass(frozen=True, slots=True)
class Change:
    """What one customer shows today and should show. Both hold only the fields that are set."""

    shop: str
    customer_id: str
    before: Shown
    after: Shown

    def edited(self, shown: Shown) -> bool:
        """Whether somebody else wrote meanwhile: a field shows neither `before` nor `after`.

        A write that was cut off halfway shows some of each; that is ours to finish, or to undo.
        """
        fields = {*shown, *self.before, *self.after} - {TAG}
        known = {*_tags(self.before), *_tags(self.after)}
        return not _tags(shown) <= known or any(
            shown.get(field) not in (self.before.get(field), self.after.get(field))
            for field in fields
        )

    def reversed(self) -> Change:
        return Change(self.shop, self.customer_id, before=self.after, after=self.before)


class Changes(Protocol):
    """Changes in their order, as often as somebody goes through them; in memory or elsewhere."""

    def __iter__(self) -> Iterator[Change]: ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change. `shown` was read back from the shop afterwards.

    applied    the shop shows `after`
    conflict   somebody else wrote since (`Change.edited`): left alone
    rejected   the shop refused it, or doesn't show `after` although it said yes; `reason` tells
    """

    customer_id: str
    status: Literal["applied", "conflict", "rejected"]
    shown: Shown
    reason: str = ""
