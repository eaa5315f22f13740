from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv.choice.baselines import Hiatus, OrderFormula, RepeatRate
from clv.past import Past

RULES = (RepeatRate, OrderFormula, Hiatus)


@pytest.fixture
def past() -> Past:
    """A one-time buyer, a regular one, one long gone, and one of today."""
    summary = pd.DataFrame(
        {
            "frequency": [0, 9, 3, 0],
            "recency": [0, 90, 30, 0],
            "T": [99, 95, 90, 0],
            "monetary_value": [np.nan, 20.0, 10.0, np.nan],
            "net": [30.0, 210.0, -5.0, 12.0],
        }
    )
    return Past(summary, date(2024, 6, 30))


def test_the_repeat_rate_goes_on_over_the_whole_history(past: Past) -> None:
    ahead = RepeatRate.fit(past, 50).forecast(past.summary, 50, 0.0)
    assert ahead.purchases.tolist() == [0, 4.5, 1.5, 0]
    assert ahead.spend.tolist() == [0, 20, 10, 0]


def test_the_formula_counts_the_first_order_too(past: Past) -> None:
    ahead = OrderFormula.fit(past, 50).forecast(past.summary, 50, 0.0)
    assert ahead.purchases == pytest.approx([50 / 99, 500 / 95, 200 / 90, 50])
    assert ahead.spend == pytest.approx([30, 21, 0, 12])


def test_whoever_was_silent_for_too_long_is_gone(past: Past) -> None:
    ahead = Hiatus(silence_days=13).forecast(past.summary, 50, 0.0)
    assert ahead.purchases == pytest.approx([0, 9 * 50 / 95, 0, 0])


def test_a_silence_is_what_hardly_any_wait_exceeds(past: Past) -> None:
    assert Hiatus.fit(past, 50).silence_days == 10
    nobody_back = Past(past.summary.iloc[[0, 3]], past.as_of)
    assert Hiatus.fit(nobody_back, 50).silence_days == 0


@pytest.mark.parametrize("rule", RULES)
def test_rules_know_nothing_of_leaving_and_discount_evenly(rule: type, past: Past) -> None:
    fitted = rule.fit(past, 100)
    ahead = fitted.forecast(past.summary, 100, 0.01)
    assert np.isnan(ahead.p_alive).all()
    assert np.isnan(ahead.wait_days).all()
    assert ahead.discounted == pytest.approx(ahead.purchases * (1 - np.exp(-1)))
    undiscounted = fitted.forecast(past.summary, 100, 0.0)
    assert undiscounted.discounted.tolist() == undiscounted.purchases.tolist()
    json.dumps(fitted.card())


@pytest.mark.parametrize("rule", RULES)
def test_rules_take_an_empty_shop_and_half_a_shop(rule: type, past: Past) -> None:
    empty = Past(past.summary.iloc[:0], past.as_of)
    assert len(rule.fit(empty, 30).forecast(empty.summary, 30, 0.0).purchases) == 0
    fitted = rule.fit(past, 30)
    whole = fitted.forecast(past.summary, 30, 0.0).value
    assert fitted.forecast(past.summary.iloc[2:], 30, 0.0).value.tolist() == whole[2:].tolist()
