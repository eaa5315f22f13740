from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

import clv
from clv import columns as c
from clv.forecast import by_day, paired
from clv.what_if import tier_of, what_if

BEGINS = {
    "high": Decimal("100.00"),
    "medium": Decimal("40.00"),
    "low": Decimal("0.05"),
    "new": None,
}
MODEL = paired(
    clv.ParetoNBD(r=0.9, alpha=60.0, s=0.6, beta=60.0),
    clv.GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0),
)
SETTINGS = clv.ScoreSettings()


def person(frequency: int, recency: int, age: int, net: float) -> pd.DataFrame:
    row = {c.FREQUENCY: frequency, c.RECENCY: recency, c.T: age, c.NET: net}
    return pd.DataFrame([row]).astype(float)


@pytest.mark.parametrize("who", [person(5, 200, 230, 180.0), person(0, 0, 90, 30.0)])
def test_the_first_row_is_the_customer_as_they_stand(who: pd.DataFrame) -> None:
    standing = what_if(MODEL, who, SETTINGS, BEGINS)[0]
    ahead = MODEL.forecast(who, 365, by_day(0.10))
    assert standing[c.PREDICTED_CLV] == pytest.approx(ahead.value[0], abs=0.005)
    assert standing[c.P_ALIVE] == pytest.approx(ahead.p_alive[0])


@pytest.mark.parametrize(
    "who", [person(5, 200, 230, 180.0), person(0, 0, 90, 30.0), person(0, 0, 0, 30.0)]
)
def test_orders_raise_what_is_predicted_and_silence_lowers_it(who: pd.DataFrame) -> None:
    standing, *steps = what_if(MODEL, who, SETTINGS, BEGINS)
    more = [step[c.PREDICTED_CLV] for step in steps if step["orders"]]
    quiet = [step[c.PREDICTED_CLV] for step in steps if step["silent_days"]]
    assert [standing[c.PREDICTED_CLV], *more] == sorted([standing[c.PREDICTED_CLV], *more])
    assert quiet == sorted(quiet, reverse=True)
    assert quiet[0] < standing[c.PREDICTED_CLV]


def test_the_steps_are_up_to_three_orders_and_up_to_half_a_year_of_silence() -> None:
    one = person(5, 200, 230, 180.0)
    steps = what_if(MODEL, one, SETTINGS, BEGINS)
    assert [step["orders"] for step in steps] == [0, 1, 2, 3, 0, 0, 0]
    assert [step["silent_days"] for step in steps] == [0, 0, 0, 0, 30, 90, 180]


@pytest.mark.parametrize(
    ("value", "tier"),
    [(100.0, "high"), (99.994, "medium"), (99.996, "high"), (40.0, "medium"), (0.0, "low")],
)
def test_a_value_belongs_to_the_first_tier_that_it_reaches(value: float, tier: str) -> None:
    assert tier_of(value, BEGINS) == tier


def test_without_cuts_there_is_no_tier() -> None:
    assert tier_of(5.0, {}) is None
