from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.forecast import ByModels
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.nbd import NBD
from clv.models.pareto_nbd import ParetoNBD
from clv.uncertainty.futures import Kinds, Table, Wanted, drawn, rounded
from clv.uncertainty.plausible import Plausible


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 6) | st.integers(0, 1000), min_size=1, max_size=40),
    st.floats(0, 1),
    st.floats(0.02, 0.98),
    st.floats(0, 1),
)
def test_bounds_are_what_their_definition_says(
    draws: list[int], active: float, level: float, tightness: float
) -> None:
    """Against the distribution written out, value by value."""
    table = Table.of(np.array([draws], dtype=float))
    rows, alive = np.zeros(1, dtype=np.intp), np.array([active])
    wanted = Wanted(level, tightness, 0.0)
    (low,), (high,) = table.bounds(rows, alive, wanted)
    chance = {value: active * draws.count(value) / len(draws) for value in draws}
    chance[0] = chance.get(0, 0.0) + 1 - active

    def upto(limit: float) -> float:
        return sum(share for value, share in chance.items() if value <= limit)

    def below(limit: float) -> float:
        return sum(share for value, share in chance.items() if value < limit)

    inside = upto(high) - below(low)
    assert table.probability(rows, alive, np.array([low]), np.array([high]))[0] == pytest.approx(
        inside, abs=1e-9
    )
    assert below(low) <= (1 - level) / 2 + 1e-9
    assert low <= high or inside <= 0
    if tightness == 0:
        assert inside >= level - 1e-9
        above_low = below(high) - below(low)
        assert high in (0, low) or above_low <= level + 1e-9


def test_tighter_intervals_stop_short_of_the_value_that_exceeds_the_level() -> None:
    table = Table.of(np.array([[0.0] * 6 + [1.0] * 3 + [2.0]]))
    rows, alive = np.zeros(1, dtype=np.intp), np.ones(1)

    def high(level: float, tightness: float, least: float = 0.0) -> float:
        return float(table.bounds(rows, alive, Wanted(level, tightness, least))[1][0])

    assert high(0.8, 0.0) == 1
    assert high(0.8, 0.5) == 1  # 0.6 + half of 0.3 is below 0.8
    assert high(0.8, 0.7) == 0
    assert high(0.8, 0.7, least=0.65) == 1
    assert high(0.95, 1.0) == 1
    assert high(0.5, 0.0) == 0


# ------------------------------------------------------------------------------ kinds of customers


@pytest.mark.parametrize(
    "model",
    [
        BetaGeoNBD(r=0.25, alpha=31.0, a=0.8, b=2.4),
        ParetoNBD(r=0.55, alpha=74.0, s=0.6, beta=20.0),
        MBGCNBDk(k=2, r=1.3, alpha=15.0, a=0.4, b=1.5),
    ],
    ids=lambda model: model.NAME,
)
def test_customers_of_a_kind_have_nearly_the_same_future(model: Any) -> None:
    rng = np.random.default_rng(1)
    x = np.append(rng.integers(0, 60, 800), rng.integers(0, 5000, 200)).astype(float)
    age = rng.integers(1, 3000, 1000).astype(float)
    # Nobody is silent for more than some gaps, so that silence isn't cut off.
    silent = np.minimum(age * rng.random(1000), 4 * (age + 1) / (x + 1))
    summary = pd.DataFrame({"frequency": x, "recency": (age - silent) * (x > 0), "T": age})
    columns, keys = rounded(model, summary, 365)
    exact = model.purchases_while_active(365.0, summary)
    near = model.purchases_while_active(365.0, columns)
    np.testing.assert_allclose(near, exact, rtol=0.06)
    assert len(np.unique(keys)) < 1000


def test_what_is_not_rounded_is_told_apart() -> None:
    model = BetaGeoNBD(r=0.25, alpha=31.0, a=0.8, b=2.4)
    summary = pd.DataFrame(
        {"frequency": [0.0, 1.0, 2.0, 2.0, 2.0], "T": [500.0, 500.0, 500.0, 501.0, 900.0]}
    )
    _, keys = rounded(model, summary.assign(recency=0.0), 365)
    assert len(np.unique(keys)) == 4
    assert keys[2] == keys[3]


def test_models_that_take_customers_to_spend_more_draw_more_value() -> None:
    buying = NBD(r=2.0, alpha=50.0)
    best = ByModels("best", buying, GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0))
    richer = replace(best, spending=replace(best.spending, v=45.0))
    summary = pd.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [300.0]})
    kinds = Kinds.of(*rounded(buying, summary, 365))
    usual, more = (
        drawn(Plausible(best, (models,)), kinds, 365, np.random.default_rng(1), 4000)
        for models in (best, richer)
    )
    # One purchase of 30 is what most have spent.
    assert more.ratios.draws.mean() / usual.ratios.draws.mean() == pytest.approx(75 / 45, rel=1e-5)
