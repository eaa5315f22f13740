from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.forecast import SHOP_AVERAGE, TOO_LITTLE_DATA
from clv.money import CENTS
from clv.reason import Facts, sentences

MODEL = "BG/NBD + Gamma-Gamma"


def sentence(
    tier: str = "high",
    orders: int = 7,
    net: str = "912.40",
    last_on: date = date(2026, 11, 10),
    purchases: float = 1.94,
    spend: str = "110.00",
    p_alive: float | None = 0.931,
    model: str = MODEL,
    came_back: bool = False,
) -> str:
    known = facts(tier, orders, net, last_on, purchases, spend, p_alive, came_back)
    (only,) = sentences(known, currency="EUR", horizon_days=365, model=model).to_pylist()
    return str(only)


def facts(
    tier: str,
    orders: int,
    net: str,
    last_on: date,
    purchases: float,
    spend: str,
    p_alive: float | None,
    came_back: bool = False,
) -> Facts:
    return Facts(
        tier=pa.array([tier]),
        orders=pa.array([orders]),
        net=pa.array([Decimal(net)], CENTS),
        last_order_on=pa.array([last_on]),
        came_back=np.array([came_back]),
        purchases=np.array([purchases]),
        spend=pa.array([Decimal(spend)], CENTS),
        p_alive=np.array([np.nan if p_alive is None else p_alive]),
    )


def test_a_sentence_says_what_was_what_will_be_and_how_sure() -> None:
    assert sentence() == (
        "high: 7 orders worth EUR 912.40 net, the last on 2026-11-10; 1.9 more orders of about "
        "EUR 110.00 expected in the next 365 days, 93% likely still active."
    )


def test_money_of_no_currency_is_a_plain_number() -> None:
    known = facts("low", 2, "9.00", date(2026, 1, 2), 1.0, "4.50", 0.5)
    (told,) = sentences(known, currency="XXX", horizon_days=90, model=MODEL).to_pylist()
    assert told.startswith("low: 2 orders worth 9.00 net, the last on 2026-01-02; 1.0 more orders")
    assert "of about 4.50 expected" in told


def test_one_order_is_said_to_be_one_order() -> None:
    assert sentence("new", orders=1, net="30.00", p_alive=None) == (
        "new: 1 order worth EUR 30.00 net, on 2026-11-10; 1.9 more orders of about EUR 110.00 "
        "expected in the next 365 days, judged by one order only."
    )


def test_several_orders_of_one_day_are_said_to_be_of_one_day() -> None:
    told = sentence(orders=3, p_alive=None)
    assert "3 orders worth EUR 912.40 net, the last on 2026-11-10" in told
    assert told.endswith(", judged by one day of orders only.")


def test_a_rule_does_not_call_who_came_back_somebody_of_one_day() -> None:
    told = sentence(orders=8, p_alive=None, model="repeat rate x horizon", came_back=True)
    assert told.endswith("of about EUR 110.00 expected in the next 365 days.")


def test_nobody_is_certain_or_impossible() -> None:
    assert sentence(p_alive=0.9999).endswith("over 99% likely still active.")
    assert sentence(p_alive=0.0001).endswith("under 1% likely still active.")


def test_hardly_anything_expected_is_said_without_figures() -> None:
    assert "; hardly any more orders expected in the next 365 days" in sentence(purchases=0.04)


@pytest.mark.parametrize("purchases", [0.0, 0.0499999, 0.05])
def test_what_would_be_rounded_to_no_order_is_called_hardly_any(purchases: float) -> None:
    assert "; hardly any more orders expected in" in sentence(purchases=purchases)


def test_customers_who_share_parts_of_a_sentence_get_their_own() -> None:
    given = [
        ("high", 7, "912.40", date(2026, 11, 10), 1.94, "110.00", 0.931),
        ("new", 1, "30.00", date(2026, 11, 10), 1.94, "0.00", None),
        ("low", 7, "-2.00", date(1969, 12, 31), 0.01, "110.00", 0.001),
        ("low", 2, "30.00", date(1969, 12, 31), 10.0, "4.50", None),
        ("low", 2, "30.00", date(1969, 12, 31), 10.0, "4.50", None, MODEL, True),
    ]
    parts = [facts(*row[:7], *row[8:]) for row in given]
    together = Facts(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            if name in ("purchases", "p_alive", "came_back")
            else pa.concat_arrays([getattr(part, name) for part in parts])
            for name in Facts.__dataclass_fields__
        }
    )
    told = sentences(together, currency="EUR", horizon_days=365, model=MODEL).to_pylist()
    assert told == [sentence(*row) for row in given]


def test_orders_without_net_value_are_called_so() -> None:
    assert "1.9 more orders of no net value expected" in sentence(spend="0.00")


def test_too_little_data_is_told() -> None:
    told = sentence(p_alive=None, model=TOO_LITTLE_DATA)
    assert told.endswith(
        "expected in the next 365 days by the shop's average (too little data for a model)."
    )
    told = sentence(p_alive=None, model=SHOP_AVERAGE)
    assert told.endswith("by the shop's average (no model could be fitted).")


@given(
    st.integers(1, 10**7),
    st.decimals(-(10**12), 10**12, places=2),
    st.dates(date(1970, 1, 1)),
    st.floats(0, 10**7),
    st.decimals(0, 10**12, places=2),
    st.one_of(st.none(), st.floats(0, 1)),
    st.sampled_from([MODEL, TOO_LITTLE_DATA, SHOP_AVERAGE]),
)
def test_every_sentence_is_short_plain_text(
    orders: int,
    net: Decimal,
    last_on: date,
    purchases: float,
    spend: Decimal,
    p_alive: float | None,
    model: str,
) -> None:
    told = sentence("x" * 40, orders, str(net), last_on, purchases, str(spend), p_alive, model)
    assert len(told) <= 255
    assert told.isascii()
    assert told.endswith(".")
    assert "nan" not in told
