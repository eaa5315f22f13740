"""A ledger by hand: what each order comes to, whichever way it is read, to the cent.

Every scenario is an order as REST gives it and, put into GraphQL's own words, as a document of ours
brings it through graphql-core. The figures beside it were worked out on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.identity import EmailHasher
from connectors.platform import Page
from connectors.schema import net_value
from connectors.shopify import ShopifyShop
from connectors.shopify.parse import Parsed, parse_orders
from tests.shopify.two_doors import Shop

Payload = dict[str, Any]

#: goods, discount, tax, shipping, total | goods, shipping and all that went back | net, gross.
Figures = tuple[str, str, str]


def plain(make: Any) -> Payload:
    """2 x 50 and 1 x 20, 12 off, 22.60 tax on top, 5 for shipping."""
    return make.order()


def tax_inside(make: Any) -> Payload:
    """24.00 less 2.40 holds 3.60 tax, shipping of 6.00 holds 1.00."""
    return make.taxed_order()


def sale_and_capture(make: Any) -> Payload:
    """Whatever came in is no refund, a failed refund neither."""
    refund = make.refund(
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        transactions=[
            make.paid("135.60", kind="sale"),
            make.paid("135.60", kind="authorization"),
            make.paid("135.60", kind="capture"),
            make.paid("54.00", status="failure"),
            make.paid("54.00"),
        ],
    )
    return make.order(refunds=[refund], financial_status="partially_refunded")


def two_partial_refunds(make: Any) -> Payload:
    """45 + 9 tax, then 18 + 3.60 tax."""
    parts = [("45.00", "9.00", "54.00"), ("18.00", "3.60", "21.60")]
    refunds = [
        make.refund(
            n,
            refund_line_items=[make.refunded_line(subtotal, tax)],
            transactions=[make.paid(paid)],
        )
        for n, (subtotal, tax, paid) in enumerate(parts, start=1)
    ]
    return make.order(refunds=refunds, financial_status="partially_refunded")


def everything_back(make: Any) -> Payload:
    """90 + 18 goods, 21.60 tax on them, 5 + 1 shipping."""
    refund = make.refund(
        refund_line_items=[
            make.refunded_line("90.00", "18.00"),
            make.refunded_line("18.00", "3.60"),
        ],
        order_adjustments=[make.adjustment("shipping_refund", "-5.00", "-1.00")],
        transactions=[make.paid("135.60")],
    )
    return make.order(refunds=[refund], financial_status="refunded")


def refunded_and_cancelled(make: Any) -> Payload:
    return {**everything_back(make), "cancelled_at": "2026-03-06T00:00:00Z"}


def shipping_back_with_tax_inside(make: Any) -> Payload:
    """6.00 went back, 1.00 of it tax."""
    lines = [{"subtotal_amount_set": make.bag("6.00"), "tax_amount_set": make.bag("1.00")}]
    refund = make.refund(refund_shipping_lines=lines, transactions=[make.paid("6.00")])
    return make.taxed_order(refunds=[refund], financial_status="partially_refunded")


def kept_a_fee(make: Any) -> Payload:
    """Rows of 54.00, of which 10.00 was kept."""
    refund = make.refund(
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        order_adjustments=[make.adjustment("refund_discrepancy", "10.00")],
        transactions=[make.paid("44.00")],
    )
    return make.order(refunds=[refund], financial_status="partially_refunded")


def goodwill(make: Any) -> Payload:
    """15.00 without a row: goods."""
    return make.order(refunds=[make.refund(transactions=[make.paid("15.00")])])


def edited_before_payment(make: Any) -> Payload:
    """The second line was taken off again: 18 + 3.60 are withdrawn, nothing was paid out."""
    refund = make.refund(refund_line_items=[make.refunded_line("18.00", "3.60")])
    return make.order(refunds=[refund])


def paid_by_gift_card(make: Any) -> Payload:
    """Back onto a gift card and onto a card: both are money that went back."""
    refund = make.refund(
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        transactions=[make.paid("30.00"), make.paid("24.00")],
    )
    return make.order(refunds=[refund], financial_status="partially_refunded")


def gift_card_sold(make: Any) -> Payload:
    """A gift card of 50.00 is goods without tax or shipping."""
    return make.order(
        **make.money("total_price", "50.00"),
        **make.money("total_tax", "0.00"),
        **make.money("total_discounts", "0.00"),
        line_items=[make.line(1, "50.00") | {"requires_shipping": False}],
        shipping_lines=[],
    )


def two_currencies(make: Any) -> Payload:
    """135.60 EUR were paid with 271.20 USD; 108.00 USD went back for rows of 54.00 EUR."""
    row = {
        "subtotal_set": make.bag("45.00", paid="90.00"),
        "total_tax_set": make.bag("9.00", paid="18.00"),
    }
    paid_out = make.paid("108.00", currency="USD") | {"graphql": make.bag("54.00", paid="108.00")}
    refund = make.refund(refund_line_items=[row], total_duties_set=None, transactions=[paid_out])
    total = make.money("total_price", "135.60", paid="271.20")
    return make.order(refunds=[refund], presentment_currency="USD", **total)


def rounded_by_conversion(make: Any) -> Payload:
    """Two cents are left over by conversion: another charge."""
    return make.order(presentment_currency="USD", **make.money("total_price", "135.62"))


def tipped(make: Any) -> Payload:
    """A tip of 4.00 is a line of its own and no goods."""
    tip = make.line(9, "4.00") | {"tip_payment_gateway": "shopify_payments"}
    tip |= {"sku": None, "requires_shipping": False}
    lines = [*make.order()["line_items"], tip]
    total = make.money("total_price", "139.60")
    return make.order(line_items=lines, total_tip_received="4.00", **total)


def duties_and_fees(make: Any) -> Payload:
    """Duties of 10 and a fee of 1; 7 of the duties and the fee went back, with 45 + 9 goods."""
    refund = make.refund(
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        total_duties_set=make.bag("7.00"),
        total_additional_fees_set=make.bag("1.00"),
        transactions=[make.paid("62.00")],
    )
    return make.order(
        **make.money("total_price", "146.60"),
        original_total_duties_set=make.bag("10.00"),
        original_total_additional_fees_set=make.bag("1.00"),
        current_total_additional_fees_set=make.bag("0.00"),
        refunds=[refund],
        financial_status="partially_refunded",
    )


def fee_back_and_then_goodwill(make: Any) -> Payload:
    """A fee of 1 went back with 45 + 9 goods; 10 on top later are no fee."""
    refunds = [
        make.refund(
            1,
            refund_line_items=[make.refunded_line("45.00", "9.00")],
            total_additional_fees_set=make.bag("1.00"),
            transactions=[make.paid("55.00")],
        ),
        make.refund(2, transactions=[make.paid("10.00")]),
    ]
    return make.order(
        **make.money("total_price", "136.60"),
        original_total_additional_fees_set=make.bag("1.00"),
        current_total_additional_fees_set=make.bag("0.00"),
        refunds=refunds,
        financial_status="partially_refunded",
    )


def free_shipping(make: Any) -> Payload:
    """Five off the shipping are none off the goods."""
    return make.order(
        **make.money("total_price", "144.00"),
        **make.money("total_tax", "24.00"),
        **make.money("total_discounts", "5.00"),
        line_items=[make.line(1, "120.00", tax="24.00")],
        shipping_lines=[make.shipping("5.00", off="5.00")],
    )


def never_paid(make: Any) -> Payload:
    return make.order(financial_status="pending")


ORDER = "120.00 12.00 22.60 5.00 135.60"

LEDGER: Mapping[Callable[[Any], Payload], Figures] = {
    plain: (ORDER, "0.00 0.00 0.00", "108.00 135.60"),
    tax_inside: ("20.00 2.00 4.60 5.00 27.60", "0.00 0.00 0.00", "18.00 27.60"),
    sale_and_capture: (ORDER, "45.00 0.00 54.00", "63.00 81.60"),
    two_partial_refunds: (ORDER, "63.00 0.00 75.60", "45.00 60.00"),
    everything_back: (ORDER, "108.00 5.00 135.60", "0.00 0.00"),
    refunded_and_cancelled: (ORDER, "108.00 5.00 135.60", "0.00 0.00"),
    shipping_back_with_tax_inside: (
        "20.00 2.00 4.60 5.00 27.60",
        "0.00 5.00 6.00",
        "18.00 21.60",
    ),
    kept_a_fee: (ORDER, "35.00 0.00 44.00", "73.00 91.60"),
    goodwill: (ORDER, "15.00 0.00 15.00", "93.00 120.60"),
    edited_before_payment: (ORDER, "18.00 0.00 21.60", "90.00 114.00"),
    paid_by_gift_card: (ORDER, "45.00 0.00 54.00", "63.00 81.60"),
    gift_card_sold: ("50.00 0.00 0.00 0.00 50.00", "0.00 0.00 0.00", "50.00 50.00"),
    two_currencies: (ORDER, "45.00 0.00 54.00", "63.00 81.60"),
    rounded_by_conversion: ("120.00 12.00 22.60 5.02 135.62", "0.00 0.00 0.00", "108.00 135.62"),
    tipped: ("120.00 12.00 22.60 9.00 139.60", "0.00 0.00 0.00", "108.00 139.60"),
    duties_and_fees: ("120.00 12.00 22.60 16.00 146.60", "45.00 8.00 62.00", "63.00 84.60"),
    fee_back_and_then_goodwill: (
        "120.00 12.00 22.60 6.00 136.60",
        "55.00 1.00 65.00",
        "53.00 71.60",
    ),
    free_shipping: ("120.00 0.00 24.00 0.00 144.00", "0.00 0.00 0.00", "120.00 144.00"),
    never_paid: (ORDER, "0.00 0.00 0.00", "0.00 0.00"),
}


def cents(*amounts: Decimal) -> str:
    assert all(amount == round(amount, 2) for amount in amounts)
    return " ".join(f"{amount:.2f}" for amount in amounts)


def figures(page: Page | Parsed) -> Figures:
    (order,) = page.orders
    return (
        cents(
            order.goods_value,
            order.discount_value,
            order.tax_value,
            order.shipping_value,
            order.total_value,
        ),
        cents(order.refunded_value, order.refunded_shipping, order.refunded_total),
        cents(net_value(order), net_value(order, "gross")),
    )


@pytest.fixture
def both(shop: ShopifyShop, orders: Shop, hasher: EmailHasher) -> Callable[[Payload], list[Any]]:
    """What REST's payload brings, and what GraphQL's answer about the same order brings."""

    def read(payload: Payload) -> list[Any]:
        orders.orders = [payload]
        (page,) = shop.pull_named([str(payload["id"])])
        return [parse_orders("toys", [payload], hasher), page]

    return read


@pytest.mark.parametrize("scenario", LEDGER, ids=lambda scenario: scenario.__name__)
def test_both_ways_come_to_the_figures_of_the_ledger(
    make: Any, both: Callable[[Payload], list[Any]], scenario: Callable[[Any], Payload]
) -> None:
    rest, graphql = both(scenario(make))
    assert (rest.rejects, graphql.rejects) == ([], [])
    assert figures(rest) == figures(graphql) == LEDGER[scenario]


@pytest.mark.parametrize("scenario", LEDGER, ids=lambda scenario: scenario.__name__)
def test_both_ways_give_the_very_same_rows(
    make: Any, both: Callable[[Payload], list[Any]], scenario: Callable[[Any], Payload]
) -> None:
    rest, graphql = both(scenario(make))
    assert graphql.orders == rest.orders
    assert graphql.refunds == rest.refunds
    # a product would need a scope that we don't ask for
    assert graphql.lines == [replace(line, product_id=None) for line in rest.lines]
