from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv.choice.candidates import BASELINES, CANDIDATES, COVARIATE, MODELS, SEASONAL, with_log_waits
from clv.choice.origins import known_at, read_history
from clv.errors import NotEnoughData
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.nbd import NBD
from clv.models.simulate import simulate
from clv.past import Past

START = date(2022, 1, 1)
SPEND = GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)


def shop(model: object, customers: int, days: int) -> Past:
    rows = simulate(model, customers, start=START, days=days, seed=9, spend=SPEND)  # type: ignore[arg-type]
    as_of = START + timedelta(days=days - 1)
    return known_at(read_history(rows, as_of), as_of)


@pytest.fixture(scope="module")
def regular() -> Past:
    return shop(MBGCNBDk(k=3, r=1.5, alpha=20.0, a=0.5, b=3.0), 1500, 300)


def test_keys_fit_a_command_line_and_are_unique() -> None:
    keys = [entry.key for entry in CANDIDATES.values()]
    assert keys == list(CANDIDATES)
    assert all(key == key.lower() and " " not in key for key in keys)
    assert len({entry.name for entry in CANDIDATES.values()}) == len(keys)


@pytest.mark.parametrize("entry", [*MODELS, *BASELINES], ids=lambda entry: entry.key)
def test_every_candidate_forecasts_something_sound(entry, regular: Past) -> None:  # type: ignore[no-untyped-def]
    predictor = entry.fit(regular, 90)
    ahead = predictor.forecast(regular.summary, 90, 0.0)
    for values in (ahead.purchases, ahead.spend, ahead.value):
        assert np.all(np.isfinite(values))
        assert np.all(values >= 0)
    assert entry.name in predictor.name
    half = regular.summary.iloc[::2]
    again = predictor.forecast(half, 90, 0.0)
    assert again.value == pytest.approx(ahead.value[::2], rel=1e-9)


def test_waits_add_up_their_logarithms() -> None:
    days = pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-10", "2024-02-01", "2024-01-05"])
    rows = pd.DataFrame({"customer_id": [1, 1, 1, 2, 3], "ordered_at": days, "net_value": 1.0})
    past = known_at(read_history(rows, "2024-03-01"), date(2024, 3, 1))
    assert with_log_waits(past).log_waits.tolist() == pytest.approx([np.log(2) + np.log(7), 0, 0])
    assert "log_waits" not in with_log_waits(replace(past, days=None))


def test_regular_buyers_are_told_by_their_waits(regular: Past) -> None:
    assert CANDIDATES["cnbd"].fit(regular, 90).buying.k == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("entry", SEASONAL, ids=lambda entry: entry.key)
def test_a_season_needs_its_days_and_more_than_a_year_of_them(entry, regular: Past) -> None:  # type: ignore[no-untyped-def]
    for past in (regular, replace(regular, activity=None)):
        with pytest.raises(NotEnoughData, match="season"):
            entry.fit(past, 90)


def test_seasonal_models_forecast_where_there_are_two_years() -> None:
    past = shop(NBD(r=0.8, alpha=90.0), 600, 730)
    predictor = CANDIDATES["seasonal-nbd"].fit(past, 90)
    assert predictor.name.startswith("seasonal NBD")
    assert np.all(np.isfinite(predictor.forecast(past.summary, 90, 0.0).purchases))


@pytest.mark.parametrize("entry", COVARIATE, ids=lambda entry: entry.key)
def test_covariates_count_where_they_are_known(entry, regular: Past) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotEnoughData, match="channel"):
        entry.fit(regular, 90)
    often = regular.summary.frequency > regular.summary.frequency.median()
    told = replace(regular, summary=regular.summary.assign(channel=np.where(often, "mail", "ad")))
    predictor = entry.fit(told, 90)
    assert "channel=mail" in " ".join(predictor.buying.coefficients)
    assert np.all(predictor.forecast(told.summary, 90, 0.0).purchases >= 0)
