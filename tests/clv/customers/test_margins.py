from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.customers.margins import (
    margin_by_category,
    margin_by_cost,
    margin_by_order,
    margin_by_rate,
)
from clv.errors import BadSettings, BadTransactions

money = st.decimals(-1000, 1000, places=2)


@pytest.fixture
def shop() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": ["o1", "o1", "o2", "o3"],
            "net_value": [Decimal("10.00"), Decimal("20.00"), Decimal("-5.00"), Decimal("8.00")],
            "category": ["shoes", "hats", "shoes", None],
            "cost": [Decimal("4.00"), None, Decimal("-2.00"), Decimal("9.50")],
            "quantity": [2, 1, 1, 1],
        },
        index=[7, 7, 3, 1],
    )


def test_a_rate_takes_its_share_exactly_and_of_refunds_too(shop: pd.DataFrame) -> None:
    margins = margin_by_rate(shop, Decimal("0.4"))
    assert margins.margin.tolist() == [
        Decimal("4.000"),
        Decimal("8.000"),
        Decimal("-2.000"),
        Decimal("3.200"),
    ]
    assert margins.margin.index.tolist() == [7, 7, 3, 1]
    assert (margins.unknown, margins.total) == (0, Decimal("13.200"))


def test_a_float_rate_of_decimal_money_stays_exact(shop: pd.DataFrame) -> None:
    assert margin_by_rate(shop, 0.1).margin.tolist()[0] == Decimal("1.000")


def test_float_money_gives_float_margins(shop: pd.DataFrame) -> None:
    floats = shop.assign(net_value=[10.0, 20.0, np.nan, 8.0])
    margins = margin_by_rate(floats, Decimal("0.5"))
    assert margins.margin.dtype == np.float64
    assert margins.margin.tolist()[:2] == [5.0, 10.0]
    assert margins.unknown == 1


def test_categories_have_their_rate_and_the_others_the_default(shop: pd.DataFrame) -> None:
    margins = margin_by_category(shop, {"shoes": Decimal("0.5")}, default=Decimal("0.1"))
    assert margins.margin.tolist() == [
        Decimal("5.000"),
        Decimal("2.000"),
        Decimal("-2.500"),
        Decimal("0.800"),
    ]


def test_without_a_default_other_categories_are_unknown_and_counted(shop: pd.DataFrame) -> None:
    margins = margin_by_category(shop, {"shoes": Decimal("0.5")})
    assert margins.unknown == 2
    assert margins.margin.isna().tolist() == [False, True, False, True]
    assert margins.total == Decimal("2.500")


def test_a_row_without_value_has_no_margin_whatever_its_category(shop: pd.DataFrame) -> None:
    shop["net_value"] = [None, Decimal("20.00"), Decimal("NaN"), Decimal("8.00")]
    rates = {"shoes": Decimal("0.5")}
    assert margin_by_category(shop, rates).margin.tolist() == [None] * 4
    assert margin_by_rate(shop, 0.5).margin.tolist()[::2] == [None, None]


def test_an_unknown_cost_gives_an_unknown_margin_never_zero(shop: pd.DataFrame) -> None:
    margins = margin_by_cost(shop)
    assert margins.margin.tolist() == [Decimal("6.00"), None, Decimal("-3.00"), Decimal("-1.50")]
    assert margins.unknown == 1


def test_a_cost_per_unit_is_multiplied(shop: pd.DataFrame) -> None:
    assert margin_by_cost(shop, per_unit=True).margin.tolist()[0] == Decimal("2.00")
    with pytest.raises(BadTransactions, match="column=quantity"):
        margin_by_cost(shop.drop(columns="quantity"), per_unit=True)


def test_an_order_with_one_unknown_line_has_an_unknown_margin(shop: pd.DataFrame) -> None:
    orders = margin_by_order(shop, margin_by_cost(shop))
    assert orders.margin.to_dict() == {"o1": None, "o2": Decimal("-3.00"), "o3": Decimal("-1.50")}
    floats = shop.assign(net_value=shop.net_value.astype(float), cost=shop.cost.astype(float))
    assert np.isnan(margin_by_order(floats, margin_by_cost(floats)).margin["o1"])


@given(st.lists(st.tuples(money, st.integers(0, 3)), min_size=1), st.decimals(0, 1, places=3))
def test_the_rows_of_the_orders_add_up_to_the_rate_of_the_total(
    rows: list[tuple[Decimal, int]], rate: Decimal
) -> None:
    shop = pd.DataFrame(rows, columns=["net_value", "order_id"])
    shop["net_value"] = shop.net_value.astype(object)
    margins = margin_by_rate(shop, rate)
    assert margins.total == shop.net_value.sum() * rate
    assert margin_by_order(shop, margins).total == margins.total


@given(st.lists(st.tuples(money, st.none() | money), min_size=1))
def test_margin_and_known_cost_add_up_to_net_value(
    rows: list[tuple[Decimal, Decimal | None]],
) -> None:
    shop = pd.DataFrame(rows, columns=["net_value", "cost"], dtype=object)
    margins = margin_by_cost(shop)
    known = [(net, cost) for net, cost in rows if cost is not None]
    assert margins.unknown == len(rows) - len(known)
    assert margins.total == sum((net - cost for net, cost in known), Decimal(0))


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), 40])
def test_a_rate_beyond_0_to_1_is_refused(shop: pd.DataFrame, rate: float) -> None:
    for ask in (
        lambda: margin_by_rate(shop, rate),
        lambda: margin_by_category(shop, {"hats": rate}),
        lambda: margin_by_category(shop, {}, default=rate),
    ):
        with pytest.raises(BadSettings, match="0 to 1"):
            ask()


def test_a_cost_that_is_no_number_is_refused(shop: pd.DataFrame) -> None:
    with pytest.raises(BadTransactions, match="not numbers"):
        margin_by_cost(shop.assign(cost="cheap"))
    with pytest.raises(BadTransactions, match="column=category"):
        margin_by_category(shop.drop(columns="category"), {})


def test_an_empty_shop_has_empty_margins(shop: pd.DataFrame) -> None:
    none = shop.iloc[:0]
    for margins in (margin_by_rate(none, 0.3), margin_by_category(none, {}), margin_by_cost(none)):
        assert margins.margin.empty
        assert margins.total == 0
    assert margin_by_order(none, margin_by_cost(none)).margin.empty
