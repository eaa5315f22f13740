from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv.forecast import ByModels, paired, spending_of
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.past import Past
from clv.uncertainty.intervals import learned
from clv.uncertainty.plausible import by_bootstrap, by_hessian

DAYS = 180


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    age = 60 * np.ceil(rng.uniform(30, 600, 2500) / 60)
    who, at = BetaGeoNBD(r=0.6, alpha=50.0, a=0.6, b=2.5).draw_histories(age, rng)
    recency = np.zeros(len(age))
    np.maximum.at(recency, who, at)
    x = np.bincount(who, minlength=len(age)).astype(float)
    net = rng.gamma(6.25 * (x + 1)) / rng.gamma(3.74, 1 / 15.44, len(age))
    return pd.DataFrame({"frequency": x, "recency": recency, "T": age, "net": net})


@pytest.fixture(scope="module")
def fitted(summary: pd.DataFrame) -> ByModels:
    return paired(BetaGeoNBD.fit(summary), spending_of(Past(summary, pd.Timestamp("2026-01-01"))))


def test_hessian_and_bootstrap_agree_on_the_parameters_and_the_intervals(
    summary: pd.DataFrame, fitted: ByModels
) -> None:
    by_curvature, by_refits = by_hessian(fitted, 1), by_bootstrap(fitted, summary, 1, 40)
    for part in ("buying", "spending"):
        spreads = [
            np.log([getattr(pair, part).parameters for pair in found.drawn]).std(axis=0)
            for found in (by_curvature, by_refits)
        ]
        # Of 40 refits a standard deviation is known to 11%.
        np.testing.assert_allclose(spreads[0], spreads[1], rtol=0.4)
    widths = [learned(found, summary, DAYS).of(summary) for found in (by_curvature, by_refits)]
    high = [bounds.clv_high_95.sum() for bounds in widths]
    assert high[0] == pytest.approx(high[1], rel=0.03)


def test_draws_are_the_same_for_the_same_seed(summary: pd.DataFrame, fitted: ByModels) -> None:
    assert by_hessian(fitted, 1) == by_hessian(fitted, 1)
    assert by_hessian(fitted, 1) != by_hessian(fitted, 2)
    assert by_bootstrap(fitted, summary, 3, 2) == by_bootstrap(fitted, summary, 3, 2)


def test_draws_differ_from_the_best_models_and_keep_what_else_is_known(fitted: ByModels) -> None:
    for models in by_hessian(fitted, 1, 5).drawn:
        assert models.name == fitted.name
        assert models.buying != fitted.buying
        assert models.spending.robust_mean == fitted.spending.robust_mean


def test_models_without_a_covariance_are_taken_as_certain(fitted: ByModels) -> None:
    certain = replace(fitted, spending=GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0))
    assert {pair.spending for pair in by_hessian(certain, 1, 5).drawn} == {certain.spending}
