"""The textbook's lifetime value: average order value x purchases a year x lifespan in years.

500 x 3 x 2 = 3,000. At a margin of 40% that is 1,200, and 400 is the largest cost of winning such a
customer (CAC) that keeps the lifetime value at three times the cost. Money in whole cents.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAYS_A_YEAR = 365
#: A customer should be worth this many times what winning them costs.
CLV_PER_CAC = 3


def average_order_value(net: Ints, orders: Ints) -> Floats:
    """What an order brought; zero without orders or when more went back than came in."""
    return np.where(orders > 0, np.maximum(net, 0) / np.maximum(orders, 1), 0.0)


def purchases_a_year(orders: Ints, age_days: Ints) -> Floats:
    """Orders a year since the first. A customer's first year counts as a whole year.

    So somebody who came three days ago is taken to order once a year, not 120 times, until a year
    has shown otherwise.
    """
    return orders * DAYS_A_YEAR / np.maximum(age_days, DAYS_A_YEAR)


def lifetime_value(
    net: Ints, orders: Ints, age_days: Ints, lifespan_years: Decimal, margin: Decimal = Decimal(1)
) -> Ints:
    """`average_order_value` x `purchases_a_year` x lifespan x margin, to the cent, half to even.

    `margin` between 0 and 1 turns sales into what is earned. The number of orders cancels out; one
    division of whole numbers (below 2^53, which is 10^10 in money) is all that can round.
    """
    factor = Fraction(lifespan_years) * Fraction(margin) * DAYS_A_YEAR
    kept = np.where(orders > 0, np.maximum(net, 0), 0).astype(np.float64)
    years = np.maximum(age_days, DAYS_A_YEAR).astype(np.float64)
    value = kept * float(factor.numerator) / (years * float(factor.denominator))
    return np.rint(value).astype(np.int64)


def max_cac(value: Ints) -> Ints:
    """The largest cost of winning a customer, in whole cents, that keeps CLV >= 3 x CAC.

    Give the value at margin where the margin is known: sales pay no bills.
    """
    return np.maximum(value, 0) // CLV_PER_CAC
