"""Whatever was paid and however many were bought: the lines add up."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.basket import Basket, lines, quantities, share

#: Dice with a known seed.
RANDOMS = st.integers(0, 99).map(Random)
CENTS = st.integers(0, 2_000_00).map(lambda n: Decimal(n) / 100)


@given(CENTS, st.lists(CENTS, min_size=1, max_size=6))
def test_shares_lose_nothing(total: Decimal, weights: list[Decimal]) -> None:
    shares = share(total, weights)
    assert sum(shares) == total
    assert all(part >= 0 for part in shares)


@given(RANDOMS, st.integers(1, 99), CENTS)
def test_rows_hold_all_units_at_whole_prices(rng: Random, quantity: int, net: Decimal) -> None:
    rows = quantities(rng, quantity, net)
    assert len(rows) <= 3
    assert sum(n for n, _ in rows) == quantity
    assert sum(row for _, row in rows) == net
    assert all(row >= 0 and (row * 100) % n == 0 for n, row in rows)


@given(RANDOMS, st.integers(1, 20), CENTS, st.sampled_from([0, 10]), st.booleans())
def test_a_basket_is_worth_what_was_paid(
    rng: Random, quantity: int, value: Decimal, percent_off: int, inside: bool
) -> None:
    basket = Basket(value, quantity, percent_off, Decimal(19), inside)
    bought = lines(rng, basket, count(1))
    assert sum(Decimal(row["net"]) - Decimal(row["discount"]) for row in bought) == value
    assert sum(row["quantity"] for row in bought) == quantity
    for row in bought:
        assert Decimal(row["discount"]) <= Decimal(row["net"])
        full = Decimal(row["tax"]) + (Decimal(row["discount_tax"]) if inside else 0)
        taxed = Decimal(row["net"]) - (0 if inside else Decimal(row["discount"]))
        assert abs(full - taxed * 19 / 100) <= Decimal("0.005")
