from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clv.formula import (
    CLV_PER_CAC,
    average_order_value,
    lifetime_value,
    max_cac,
    purchases_a_year,
)


def one(value: int) -> np.ndarray:
    return np.array([value], dtype=np.int64)


def worth(
    cents: int, orders: int, age: int, years: Decimal, margin: Decimal = Decimal(1)
) -> Decimal:
    return Decimal(int(lifetime_value(one(cents), one(orders), one(age), years, margin)[0])) / 100


def test_five_hundred_three_times_a_year_for_two_years_is_three_thousand() -> None:
    assert worth(500_00 * 6, 6, 730, Decimal(2)) == Decimal("3000.00")


def test_at_forty_percent_it_is_twelve_hundred_and_carries_a_cac_of_four_hundred() -> None:
    assert worth(500_00 * 6, 6, 730, Decimal(2), Decimal("0.4")) == Decimal("1200.00")
    assert max_cac(one(1200_00))[0] == 400_00


def test_the_average_order_is_net_over_orders() -> None:
    assert average_order_value(one(90_30), one(3))[0] == 30_10


def test_who_was_refunded_more_than_they_paid_has_no_negative_average() -> None:
    assert average_order_value(one(-5_00), one(2))[0] == 0
    assert average_order_value(one(5_00), one(0))[0] == 0
    assert worth(-5_00, 2, 10, Decimal(3)) == 0


def test_a_customer_of_three_days_is_not_taken_to_buy_all_year_round() -> None:
    assert purchases_a_year(one(1), one(3))[0] == 1
    assert purchases_a_year(one(1), one(0))[0] == 1


def test_after_the_first_year_the_real_age_counts() -> None:
    assert purchases_a_year(one(6), one(730))[0] == 3
    assert purchases_a_year(one(6), one(365))[0] == 6


@given(
    st.integers(0, 10**11),
    st.integers(1, 10_000),
    st.integers(0, 20_000),
    st.decimals("0.5", 20, places=1),
    st.decimals(0, 1, places=2),
)
def test_the_value_is_that_of_decimal_arithmetic_to_the_cent(
    cents: int, orders: int, age: int, years: Decimal, margin: Decimal
) -> None:
    a_year = Decimal(orders * 365) / max(age, 365)
    exact = Decimal(cents) / orders * a_year * years * margin
    expected = exact.quantize(Decimal(1), ROUND_HALF_EVEN)
    # A value within rounding error of half a cent may go either way.
    tie = abs(abs(exact - int(exact)) - Decimal("0.5")) < Decimal("1e-3")
    assert abs(worth(cents, orders, age, years, margin) * 100 - expected) <= int(tie)


def test_half_a_cent_goes_to_the_even_one() -> None:
    assert worth(5, 1, 0, Decimal(1), Decimal("0.5")) == Decimal("0.02")
    assert worth(7, 1, 0, Decimal(1), Decimal("0.5")) == Decimal("0.04")


@given(st.integers(0, 10**11))
def test_the_largest_cac_is_the_last_cent_that_keeps_three_times(value: int) -> None:
    ceiling = int(max_cac(one(value))[0])
    assert ceiling * CLV_PER_CAC <= value < (ceiling + 1) * CLV_PER_CAC
