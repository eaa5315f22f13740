"""A ledger by hand: what each refund of an order must come to, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import PayloadError
from connectors.identity import EmailHasher
from connectors.schema import Order, Refund, net_value
from connectors.shopify.parse import parse_order

HASHER = EmailHasher(b"a key of sixteen bytes or more")


def ledger(payload: Any) -> tuple[Order, list[Refund]]:
    order, _, refunds = parse_order("toys", payload, HASHER)
    return order, refunds


def sums(order: Order) -> tuple[str, str, str]:
    """Goods, shipping and all that went back."""
    cent = Decimal("0.01")
    parts = (order.refunded_value, order.refunded_shipping, order.refunded_total)
    goods, shipping, total = (str(part.quantize(cent)) for part in parts)
    return goods, shipping, total


def test_a_partial_refund_takes_its_goods_off_once(make: Any) -> None:
    refund = make.refund(
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        transactions=[make.paid("54.00")],
    )
    order, refunds = ledger(make.order(refunds=[refund]))
    assert sums(order) == ("45.00", "0.00", "54.00")
    assert refunds[0].refunded_tax == Decimal("9.00")
    assert net_value(order) == Decimal("63.00")  # 120 - 12 - 45
    assert net_value(order, "gross") == Decimal("81.60")  # 135.60 - 54


def test_sale_capture_and_failed_payments_double_nothing(make: Any) -> None:
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
    order, _ = ledger(make.order(refunds=[refund]))
    assert sums(order) == ("45.00", "0.00", "54.00")


def test_a_refund_whose_money_is_under_way_has_brought_back_the_goods_alone(make: Any) -> None:
    refund = make.refund(
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        transactions=[make.paid("54.00", status="pending")],
    )
    order, _ = ledger(make.order(refunds=[refund]))
    assert sums(order) == ("45.00", "0.00", "0.00")


def test_a_refund_that_names_its_tax_apart_is_read_as_the_money_says(make: Any) -> None:
    refund = make.refund(
        refund_line_items=[make.refunded_line("18.00", "3.60")],
        transactions=[make.paid("21.60")],
    )
    order, refunds = ledger(make.taxed_order(refunds=[refund]))
    assert sums(order) == ("18.00", "0.00", "21.60")
    assert refunds[0].refunded_tax == Decimal("3.60")


def test_tax_is_taken_out_of_a_refund_of_prices_that_hold_it(make: Any) -> None:
    refund = make.refund(
        refund_line_items=[make.refunded_line("21.60", "3.60")],
        transactions=[make.paid("21.60")],
    )
    order, refunds = ledger(make.taxed_order(refunds=[refund]))
    assert sums(order) == ("18.00", "0.00", "21.60")
    assert refunds[0].refunded_tax == Decimal("3.60")
    assert net_value(order) == 0
    assert net_value(order, "net_with_shipping") == Decimal(5)


def shipping_lines(make: Any) -> list[Any]:
    return [{"subtotal_amount_set": make.bag("6.00"), "tax_amount_set": make.bag("1.00")}]


def test_refunded_shipping_is_not_goods(make: Any) -> None:
    """Shopify names it twice, as an adjustment and as a line: it went back once."""
    refund = make.refund(
        order_adjustments=[make.adjustment("shipping_refund", "-5.00", "-1.00")],
        refund_shipping_lines=shipping_lines(make),
        transactions=[make.paid("6.00")],
    )
    order, _ = ledger(make.taxed_order(refunds=[refund]))
    assert sums(order) == ("0.00", "5.00", "6.00")


def test_refunded_shipping_counts_where_only_its_line_names_it(make: Any) -> None:
    refund = make.refund(
        refund_shipping_lines=shipping_lines(make), transactions=[make.paid("6.00")]
    )
    order, _ = ledger(make.taxed_order(refunds=[refund]))
    assert sums(order) == ("0.00", "5.00", "6.00")


def test_what_was_kept_of_a_refund_stays_with_the_shop(make: Any) -> None:
    """Rows of 54.00, of which a discrepancy of 10.00 was not paid out."""
    refund = make.refund(
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        order_adjustments=[make.adjustment("refund_discrepancy", "10.00")],
        transactions=[make.paid("44.00")],
    )
    order, _ = ledger(make.order(refunds=[refund]))
    assert sums(order) == ("35.00", "0.00", "44.00")


def test_a_goodwill_payment_counts_as_goods_whether_a_row_names_it_or_not(make: Any) -> None:
    silent = make.refund(transactions=[make.paid("15.00")])
    named = make.refund(
        order_adjustments=[make.adjustment("refund_discrepancy", "-15.00")],
        transactions=[make.paid("15.00")],
    )
    for refund in (silent, named):
        order, _ = ledger(make.order(refunds=[refund]))
        assert sums(order) == ("15.00", "0.00", "15.00")


def test_a_line_taken_off_before_payment_withdraws_its_charge(make: Any) -> None:
    refund = make.refund(refund_line_items=[make.refunded_line("18.00", "3.60")])
    order, _ = ledger(make.order(refunds=[refund]))
    assert sums(order) == ("18.00", "0.00", "21.60")


def test_returned_duties_stand_with_the_shipping(make: Any) -> None:
    refund = make.refund(total_duties_set=make.bag("7.00"), transactions=[make.paid("7.00")])
    order, _ = ledger(make.order(refunds=[refund]))
    assert sums(order) == ("0.00", "7.00", "7.00")


def test_two_refunds_add_up_and_keep_their_own_rows(make: Any) -> None:
    first = make.refund(
        1,
        refund_line_items=[make.refunded_line("45.00", "9.00")],
        transactions=[make.paid("54.00")],
    )
    second = make.refund(
        2,
        refund_line_items=[make.refunded_line("18.00", "3.60")],
        transactions=[make.paid("21.60")],
    )
    order, refunds = ledger(make.order(refunds=[first, second]))
    assert sums(order) == ("63.00", "0.00", "75.60")
    assert [(row.refund_id, row.order_id) for row in refunds] == [("1", "1001"), ("2", "1001")]


def test_an_order_refunded_and_then_cancelled_is_worth_nothing_and_not_less(make: Any) -> None:
    refund = make.refund(
        refund_line_items=[
            make.refunded_line("90.00", "18.00"),
            make.refunded_line("18.00", "3.60"),
        ],
        order_adjustments=[make.adjustment("shipping_refund", "-5.00", "-1.00")],
        transactions=[make.paid("135.60")],
    )
    refunded, _ = ledger(make.order(refunds=[refund], financial_status="refunded"))
    assert refunded.state == "refunded"
    for rule in ("net", "net_with_shipping", "gross"):
        assert net_value(refunded, rule) == 0
    cancelled, _ = ledger(
        make.order(
            refunds=[refund], financial_status="refunded", cancelled_at="2026-03-06T00:00:00Z"
        )
    )
    assert cancelled.state == "cancelled"
    assert net_value(cancelled, "gross") == 0
    assert cancelled.refunded_total == Decimal("135.60")


def in_dollars(make: Any, paid_out: str) -> Any:
    """The order of 135.60 EUR was paid with 271.20 USD."""
    row = {
        "subtotal_set": make.bag("45.00", paid="90.00"),
        "total_tax_set": make.bag("9.00", paid="18.01"),  # rounded on its own
    }
    refund = make.refund(
        refund_line_items=[row],
        total_duties_set=None,
        transactions=[make.paid(paid_out, currency="USD")],
    )
    total = make.money("total_price", "135.60", paid="271.20")
    return make.order(refunds=[refund], presentment_currency="USD", **total)


def test_a_refund_in_the_customers_currency_is_booked_in_the_shops(make: Any) -> None:
    order, _ = ledger(in_dollars(make, "108.01"))
    assert sums(order) == ("45.00", "0.00", "54.00")


def test_a_refund_beyond_its_rows_is_converted_at_the_orders_rate(make: Any) -> None:
    order, _ = ledger(in_dollars(make, "128.00"))
    assert sums(order) == ("55.00", "0.00", "64.00")


@pytest.mark.parametrize("key", ["subtotal_set", "total_tax_set"])
def test_the_plain_float_fields_of_a_refund_are_never_used(make: Any, key: str) -> None:
    row = make.refunded_line("45.00", "9.00")
    del row[key]
    with pytest.raises(PayloadError) as caught:
        ledger(make.order(refunds=[make.refund(refund_line_items=[row])]))
    assert caught.value.field == f"refunds[0].refund_line_items[0].{key}"
