"""Magento's payloads as rows of the schema: pure functions. What can't be read is a PayloadError.

Amounts are the `base_*` ones, in the currency of the website. With Magento's signs, for each order:

    base_grand_total = base_subtotal + base_discount_amount + base_discount_tax_compensation_amount
                     + base_shipping_discount_tax_compensation_amnt + base_tax_amount
                     + base_shipping_amount

Discounts are negative there; the two compensations take the tax out of a discount on prices that
include tax, so they belong to it. Magento has no test orders: `is_test` is always False.
https://developer.adobe.com/commerce/webapi/rest/ (read 2026-11-21)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.identity import EmailHasher
from connectors.magento.fields import ZERO, Fields
from connectors.schema import Customer, Order, OrderLine, Refund, State, country_of

#: Commerce takes these off the grand total; they are ways to pay, no discounts.
PAYMENTS = (
    "base_gift_cards_amount",
    "base_customer_balance_amount",
    "base_reward_currency_amount",
)
PAYMENTS_REFUNDED = ("base_gift_cards_refunded", "base_customer_balance_refunded")

#: Gift wrapping (Commerce), without tax: neither goods nor tax.
CHARGES = ("gw_base_price", "gw_items_base_price", "gw_card_base_price")

SETTLED: Mapping[str, State] = {
    "complete": "complete",
    "closed": "refunded",
    "canceled": "cancelled",
}
WAITING = ("new", "pending_payment", "payment_review", "holded")

CENTS = Decimal("0.05")  # Magento's refunds may miss their total by rounding, not by more


@dataclass(frozen=True, slots=True)
class StoreView:
    """What an order's `store_id` stands for."""

    code: str
    website: str


def parse_store_views(rows: Any) -> dict[str, StoreView]:
    """Store views by id, from GET /V1/store/storeViews."""
    views = list(Fields({"rows": rows}).rows("rows"))
    return {view.id("id"): StoreView(view.text("code"), view.id("website_id")) for view in views}


def zone_of(rows: Any) -> str | None:
    """The time zone of all store views, from GET /V1/store/storeConfigs; None where they differ."""
    views = Fields({"rows": rows}).rows("rows")
    zones = {view.text_or_none("timezone") for view in views}
    return zones.pop() if len(zones) == 1 else None


def parse_order(raw: Any, shop: str, views: Mapping[str, StoreView], hasher: EmailHasher) -> Order:
    """One order.

    A part that was cancelled after the rest had been invoiced was never paid: it counts as refunded
    (goods, shipping and total), so that what is left is what the customer paid for and kept.
    """
    order = Fields(raw)
    more = order.below("extension_attributes")
    view = _view(order, views)
    customer_id = order.id_or_none("customer_id")
    discount = _discount(order)
    returned, returned_shipping, returned_total = _returned(order, more)
    try:
        return Order(
            shop=shop,
            order_id=order.id("entity_id"),
            order_number=order.text("increment_id"),
            customer_id=customer_id,
            person_key=customer_id or _email_key(order, "customer_email", view.website, hasher),
            ordered_at=order.instant("created_at"),
            updated_at=order.instant("updated_at"),
            state=_state(order),
            is_guest=order.flag("customer_is_guest"),
            is_test=False,
            currency=order.currency("base_currency_code"),
            goods_value=order.money("base_subtotal"),
            discount_value=discount,
            tax_value=order.money("base_tax_amount"),
            shipping_value=order.money("base_shipping_amount") + more.money_sum(CHARGES),
            total_value=order.money("base_grand_total") + more.money_sum(PAYMENTS),
            refunded_value=returned,
            refunded_shipping=returned_shipping,
            refunded_total=returned_total,
            store_view=view.code or None,
            coupon=order.text_or_none("coupon_code"),
            country=_country(order, more),
        )
    except ValueError as error:
        raise order.odd("base_grand_total", str(error)) from None


def _view(order: Fields, views: Mapping[str, StoreView]) -> StoreView:
    """The order's store view. Deleting a view leaves its orders without a `store_id`."""
    store_id = order.id_or_none("store_id")
    if store_id is None:
        return StoreView("", "")
    if store_id not in views:
        raise order.odd("store_id", "is none of the shop's store views")
    return views[store_id]


def _country(order: Fields, more: Fields) -> str | None:
    """Where it was sent, else billed to. Our module says just that; the stock route has addresses,
    and no place for the first one where nothing is sent."""
    told = order.text_or_none("country_id")
    if told is None:
        for assigned in more.rows_or_none("shipping_assignments"):
            told = told or assigned.below("shipping").below("address").text_or_none("country_id")
    return country_of(told or order.below("billing_address").text_or_none("country_id"))


def _state(order: Fields) -> State:
    state = order.text("state")
    if state in SETTLED:
        return SETTLED[state]
    if state not in (*WAITING, "processing"):
        raise order.odd("state", "is none of Magento's states")
    paid = order.money_or_zero("base_total_paid") > 0
    nothing_due = state == "processing" and order.money("base_grand_total") <= 0
    return "paid" if paid or nothing_due else "open"


def _discount(order: Fields) -> Decimal:
    return -(
        order.money("base_discount_amount")
        + order.money_or_zero("base_discount_tax_compensation_amount")
        + order.money_or_zero("base_shipping_discount_tax_compensation_amnt")
    )


def _returned(order: Fields, more: Fields) -> tuple[Decimal, Decimal, Decimal]:
    """Goods, shipping and total that went back or, in a cancelled part, were never paid."""
    value, shipping, total = _refunded(order, more)
    if order.text("state") == "canceled" or not order.money_or_zero("base_total_canceled"):
        return value, shipping, total
    ordered = order.money("base_subtotal") - _discount(order)
    invoiced = (
        order.money_or_zero("base_subtotal_invoiced")
        + order.money_or_zero("base_discount_invoiced")
        + order.money_or_zero("base_discount_tax_compensation_invoiced")
    )
    return (
        value + ordered - invoiced,
        shipping + order.money_or_zero("base_shipping_canceled"),
        total + order.money("base_total_canceled"),
    )


def _refunded(order: Fields, more: Fields) -> tuple[Decimal, Decimal, Decimal]:
    """Goods (with adjustments), shipping and total of all credit memos; the rest of it is tax."""
    total = order.money_or_zero("base_total_refunded") + more.money_sum(PAYMENTS_REFUNDED)
    shipping = order.money_or_zero("base_shipping_refunded")
    goods = (
        order.money_or_zero("base_subtotal_refunded")
        + order.money_or_zero("base_discount_refunded")
        + order.money_or_zero("base_discount_tax_compensation_refunded")
        + order.money_or_zero("base_adjustment_positive")
        - order.money_or_zero("base_adjustment_negative")
    )
    missing = total - goods - shipping - order.money_or_zero("base_tax_refunded")
    if abs(missing) > CENTS:
        raise order.odd("base_total_refunded", f"is {missing} off the sum of its parts")
    return goods + missing, shipping, total


def parse_lines(raw: Any, shop: str) -> list[OrderLine]:
    """The lines of an order: what the customer chose, a bundle or configurable as one line.

    A line's net value is its goods less its own discount and those of its children (a bundle's
    discounts stand there alone), each without its tax. Summed over the lines that is the order's
    goods less its discount on goods; a PayloadError where it can't be.
    """
    order = Fields(raw)
    order_id = order.id("entity_id")
    items = [_Item.of(fields) for fields in order.rows("items")]
    if order.money("base_discount_amount"):
        for item in items:  # unset is no zero where the order has a discount
            item.fields.money("base_discount_amount")
    discounts: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        discounts[item.parent or item.id] += item.discount
    top = [item for item in items if item.parent is None]
    return [
        OrderLine(
            shop=shop,
            order_id=order_id,
            line_id=item.id,
            sku=item.fields.text_or_none("sku"),
            product_id=item.fields.id_or_none("product_id"),
            category=item.fields.text_or_none("product_type"),
            quantity=item.fields.money("qty_ordered"),
            net_value=goods - discounts[item.id],
            unit_cost=item.fields.money_or_none("base_cost"),
        )
        for item, goods in zip(top, _goods(top, order), strict=True)
    ]


class _Item(NamedTuple):
    """One item, read as far as all of an order's items are needed for one line."""

    fields: Fields
    id: str
    parent: str | None
    discount: Decimal

    @classmethod
    def of(cls, fields: Fields) -> _Item:
        discount = fields.money_or_zero("base_discount_amount") - fields.money_or_zero(
            "base_discount_tax_compensation_amount"
        )
        return cls(fields, fields.id("item_id"), fields.id_or_none("parent_item_id"), discount)


def _goods(top: Sequence[_Item], order: Fields) -> list[Decimal]:
    """Each line's goods: whichever way of reading them adds up to the order's subtotal.

    `row_total` over REST is not what the database holds: 2.4.7 takes the discount off, 2.4.8
    forgets the quantity. `_goods_now` holds on both (410 orders of two servers); older versions
    send `row_total` as it is, but don't take the discount off `row_total_incl_tax`.
    """
    subtotal = order.money("base_subtotal")
    for goods_of in (_goods_now, _goods_before):
        goods = [goods_of(item) for item in top]
        if sum(goods, ZERO) == subtotal:
            return goods
    raise order.odd("items", "don't add up to base_subtotal")


def _goods_now(item: _Item) -> Decimal:
    tax = item.fields.money_or_zero("base_tax_amount")
    return item.fields.money("base_row_total_incl_tax") - tax + item.discount


def _goods_before(item: _Item) -> Decimal:
    return item.fields.money("base_row_total")


def parse_refund(raw: Any, shop: str) -> Refund:
    """One credit memo. Its adjustments count as goods; they bear no tax in Magento."""
    memo = Fields(raw)
    total = memo.money("base_grand_total") + memo.below("extension_attributes").money_sum(PAYMENTS)
    shipping = memo.money("base_shipping_amount")
    tax = memo.money("base_tax_amount")
    goods = (
        memo.money("base_subtotal")
        + memo.money("base_discount_amount")
        + memo.money_or_zero("base_discount_tax_compensation_amount")
        + memo.money_or_zero("base_adjustment_positive")
        - memo.money_or_zero("base_adjustment_negative")
    )
    missing = total - goods - shipping - tax
    if abs(missing) > CENTS:
        raise memo.odd("base_grand_total", f"is {missing} off the sum of its parts")
    return Refund(
        shop=shop,
        refund_id=memo.id("entity_id"),
        order_id=memo.id("order_id"),
        refunded_at=memo.instant("created_at"),
        currency=memo.currency("base_currency_code"),
        refunded_value=goods + missing,
        refunded_shipping=shipping,
        refunded_tax=tax,
        refunded_total=total,
    )


def parse_customer(raw: Any, shop: str, hasher: EmailHasher) -> Customer:
    customer = Fields(raw)
    website = customer.id("website_id")
    return Customer(
        shop=shop,
        customer_id=customer.id("id"),
        email_key=_email_key(customer, "email", website, hasher),
        website=website,
        group=customer.id_or_none("group_id"),
        created_at=customer.instant("created_at"),
        updated_at=customer.instant("updated_at"),
    )


def _email_key(row: Fields, name: str, website: str, hasher: EmailHasher) -> str | None:
    """The key that our module made of the e-mail, or the one that we make of it."""
    made = row.person_key_or_none(f"{name}_key")
    key = made or hasher.person_key(row.text_or_none(name), website)
    return key if hasher.keeps else None
