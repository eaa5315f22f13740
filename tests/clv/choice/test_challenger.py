from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv.choice.challenger import FEATURES, Challenger, features_of
from clv.choice.origins import known_at, read_history
from clv.errors import BadSettings, NotEnoughData
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.simulate import simulate
from clv.past import Past

START, DAYS = date(2023, 1, 1), 400
AS_OF = START + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def past() -> Past:
    truth = BetaGeoNBD(r=0.5, alpha=40.0, a=0.8, b=2.5)
    spend = GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
    rows = simulate(truth, 1500, start=START, days=DAYS, seed=2, spend=spend)
    return known_at(read_history(rows, AS_OF), AS_OF)


@pytest.fixture(scope="module")
def taught(past: Past) -> Challenger:
    pytest.importorskip("sklearn")
    return Challenger.fit(past, 90)


def test_trees_tell_good_customers_from_others(taught: Challenger, past: Past) -> None:
    ahead = taught.forecast(past.summary, 90, 0.0)
    back = past.summary.frequency.to_numpy() > 2
    assert ahead.purchases[back].mean() > 2 * ahead.purchases[~back].mean()
    assert np.all(np.isfinite(ahead.value) & (ahead.value >= 0))
    assert np.isnan(ahead.p_alive).all()


def test_the_same_past_teaches_the_same_trees(taught: Challenger, past: Past) -> None:
    again = Challenger.fit(past, 90).forecast(past.summary, 90, 0.0)
    first = taught.forecast(past.summary, 90, 0.0)
    assert again.purchases.tolist() == first.purchases.tolist()
    assert again.spend.tolist() == first.spend.tolist()


def test_a_forecast_is_a_pure_function_of_any_part(taught: Challenger, past: Past) -> None:
    whole, part = (
        taught.forecast(summary, 90, 0.0).value
        for summary in (past.summary, past.summary.iloc[5:40])
    )
    assert part.tolist() == whole[5:40].tolist()


def test_trees_are_taught_by_an_earlier_split_alone(taught: Challenger, past: Past) -> None:
    """Who came after the split isn't in the lesson, and the lesson lasts the horizon."""
    split = AS_OF - timedelta(days=90)
    assert past.days is not None
    first = past.days.groupby("customer_id").day.min()
    assert taught.customers == int((first.dt.date <= split).sum())
    assert taught.taught_days == 90
    assert taught.warnings == ()


def test_a_longer_horizon_than_can_be_taught_is_stretched_and_said(past: Past) -> None:
    pytest.importorskip("sklearn")
    long = Challenger.fit(past, 365)
    assert long.taught_days < 200
    assert "instead of 365 days" in long.warnings[0]
    short, whole = (long.forecast(past.summary, days, 0.0) for days in (100, 300))
    assert whole.purchases == pytest.approx(3 * short.purchases)
    assert whole.spend == pytest.approx(short.spend)


def test_the_card_is_plain_json(taught: Challenger) -> None:
    assert "poisson" in json.dumps(taught.card())


def test_features_have_their_names(past: Past) -> None:
    assert features_of(past.summary).shape == (len(past.summary), len(FEATURES))


def test_without_days_or_with_few_customers_there_is_nothing_to_learn(past: Past) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(NotEnoughData, match="each day"):
        Challenger.fit(replace(past, days=None), 90)
    assert past.days is not None
    few = read_history(past.days[past.days.customer_id < 100], AS_OF)
    with pytest.raises(NotEnoughData, match="customers="):
        Challenger.fit(known_at(few, AS_OF), 90)


def test_without_scikit_learn_the_extra_is_named(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(BadSettings, match=r"clv-sync\[challenger\]"):
        Challenger.fit(past, 90)


def test_what_is_the_same_for_all_customers_is_not_looked_at() -> None:
    """Everybody buys on the same three days: only what they spend tells them apart."""
    pytest.importorskip("sklearn")
    who = np.repeat(np.arange(600), 3)
    on = np.tile(pd.to_datetime(["2024-01-10", "2024-03-10", "2024-09-01"]), 600)
    value = np.repeat(np.random.default_rng(1).gamma(4.0, 10.0, 600).round(2), 3)
    rows = pd.DataFrame({"customer_id": who, "ordered_at": on, "net_value": value})
    day = date(2024, 12, 31)
    alike = known_at(read_history(rows, day), day)
    taught = Challenger.fit(alike, 180)
    assert {FEATURES[place] for place in taught.looks_at} == {"mean_value", "net"}
    assert np.isfinite(taught.forecast(alike.summary, 180, 0.0).value).all()
    same = known_at(read_history(rows.assign(net_value=9.0), day), day)
    with pytest.raises(NotEnoughData, match="differ"):
        Challenger.fit(same, 180)
