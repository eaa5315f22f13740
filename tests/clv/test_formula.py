from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from clv.formula import (
    CLV_PER_CAC,
    average_order_value,
    lifetime_value,
    max_cac,
    purchases_a_year,
)


def test_five_hundred_three_times_a_year_for_two_years_is_three_thousand() -> None:
    assert lifetime_value(Decimal(500), Decimal(3), Decimal(2)) == Decimal("3000.00")


def test_at_forty_percent_it_is_twelve_hundred_and_carries_a_cac_of_four_hundred() -> None:
    value = lifetime_value(Decimal(500), Decimal(3), Decimal(2), Decimal("0.4"))
    assert value == Decimal("1200.00")
    assert max_cac(value) == Decimal("400.00")


def test_the_average_order_is_net_over_orders() -> None:
    assert average_order_value(Decimal("90.30"), 3) == Decimal("30.10")


def test_who_was_refunded_more_than_they_paid_has_no_negative_average() -> None:
    assert average_order_value(Decimal("-5"), 2) == 0
    assert average_order_value(Decimal("5"), 0) == 0


def test_a_customer_of_three_days_is_not_taken_to_buy_all_year_round() -> None:
    assert purchases_a_year(1, 3) == 1
    assert purchases_a_year(1, 0) == 1


def test_after_the_first_year_the_real_age_counts() -> None:
    assert purchases_a_year(6, 730) == 3
    assert purchases_a_year(6, 365) == 6


@given(st.decimals(0, 10**9, places=2))
def test_the_largest_cac_is_the_last_cent_that_keeps_three_times(value: Decimal) -> None:
    ceiling = max_cac(value)
    assert ceiling * CLV_PER_CAC <= value < (ceiling + Decimal("0.01")) * CLV_PER_CAC
