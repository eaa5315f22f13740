"""The textbook's lifetime value: average order value x purchases a year x lifespan in years.

500 x 3 x 2 = 3,000. At a margin of 40% that is 1,200, and 400 is the largest cost of winning such a
customer (CAC) that keeps the lifetime value at three times the cost. Decimal in, Decimal out.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
DAYS_A_YEAR = 365
#: A customer should be worth this many times what winning them costs.
CLV_PER_CAC = 3


def average_order_value(net: Decimal, orders: int) -> Decimal:
    """What an order brought; zero without orders or when more went back than came in."""
    return max(net, Decimal(0)) / orders if orders else Decimal(0)


def purchases_a_year(orders: int, age_days: int) -> Decimal:
    """Orders a year since the first. A customer's first year counts as a whole year.

    So somebody who came three days ago is taken to order once a year, not 120 times, until a year
    has shown otherwise.
    """
    return Decimal(orders * DAYS_A_YEAR) / max(age_days, DAYS_A_YEAR)


def lifetime_value(
    average_order_value: Decimal,
    purchases_a_year: Decimal,
    lifespan_years: Decimal,
    margin: Decimal = Decimal(1),
) -> Decimal:
    """The formula, to the cent. `margin` between 0 and 1 turns sales into what is earned."""
    value = average_order_value * purchases_a_year * lifespan_years * margin
    return value.quantize(CENT, ROUND_HALF_EVEN)


def max_cac(value: Decimal) -> Decimal:
    """The largest cost of winning a customer, in whole cents, that keeps CLV >= 3 x CAC.

    Give the value at margin where the margin is known: sales pay no bills.
    """
    return (value / CLV_PER_CAC).quantize(CENT, ROUND_DOWN)
