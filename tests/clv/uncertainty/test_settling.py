from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv.forecast import ByModels
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.tiers import Cuts, Tiers, cuts
from clv.uncertainty.plausible import Plausible
from clv.uncertainty.settling import Settling, settled

LIMITS = np.array([[100.0, 50.0, 0.0]])
HIGH, MEDIUM, LOW = 0, 1, 2


def moved(before: int, after: int, values: list[float], limits: np.ndarray = LIMITS) -> int:
    """Where a customer with these values by as many models ends."""
    each = np.array(values)[:, None]
    places = settled(
        np.array([before]), np.array([after]), each, np.repeat(limits, len(each) // len(limits), 0)
    )
    return int(places[0])


def test_a_customer_moves_when_all_models_agree() -> None:
    assert moved(MEDIUM, HIGH, [120.0] * 10) == HIGH
    assert moved(MEDIUM, LOW, [30.0] * 10) == LOW


def test_a_customer_stays_while_more_than_a_fifth_of_the_models_disagree() -> None:
    assert moved(MEDIUM, HIGH, [120.0] * 7 + [90.0] * 3) == MEDIUM
    assert moved(MEDIUM, LOW, [30.0] * 7 + [60.0] * 3) == MEDIUM


def test_four_fifths_of_the_models_are_enough() -> None:
    assert moved(MEDIUM, HIGH, [120.0] * 8 + [90.0] * 2) == HIGH
    assert moved(MEDIUM, LOW, [30.0] * 8 + [60.0] * 2) == LOW


def test_a_value_just_beyond_a_cut_moves_nobody_however_sure() -> None:
    assert moved(MEDIUM, HIGH, [109.0] * 10) == MEDIUM
    assert moved(HIGH, MEDIUM, [91.0] * 10) == HIGH


def test_a_customer_moves_as_far_as_the_models_agree() -> None:
    assert moved(LOW, HIGH, [120.0] * 5 + [90.0] * 5) == MEDIUM
    assert moved(HIGH, LOW, [30.0] * 5 + [60.0] * 5) == MEDIUM


def test_nobody_moves_further_than_proposed_or_the_other_way() -> None:
    assert moved(LOW, MEDIUM, [200.0] * 10) == MEDIUM
    assert moved(HIGH, MEDIUM, [1.0] * 10) == MEDIUM
    assert moved(MEDIUM, LOW, [200.0] * 10) == MEDIUM
    assert moved(MEDIUM, HIGH, [1.0] * 10) == MEDIUM


def test_a_model_that_values_everybody_more_moves_nobody() -> None:
    scales = np.array([0.5, 1.0, 2.0, 4.0])
    together = LIMITS * scales[:, None]
    assert moved(MEDIUM, HIGH, list(112 * scales), together) == HIGH
    assert moved(MEDIUM, HIGH, list(101 * scales), together) == MEDIUM


def test_a_tier_with_nobody_is_passed_over() -> None:
    assert moved(LOW, HIGH, [120.0] * 10, np.array([[100.0, np.inf, 0.0]])) == HIGH
    assert moved(LOW, MEDIUM, [70.0] * 10, np.array([[100.0, np.inf, 0.0]])) == LOW


MODELS = ByModels(
    "test",
    BetaGeoNBD(r=0.6, alpha=60.0, a=0.6, b=2.5, log_covariance=tuple(map(tuple, 0.02 * np.eye(4)))),
    GammaGamma(p=6.25, q=3.74, v=15.44, robust_mean=35.0),
)


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x, age = rng.poisson(3, 600).astype(float), rng.integers(40, 700, 600).astype(float)
    return pd.DataFrame(
        {
            "frequency": x,
            "recency": np.where(x > 0, np.rint(age * rng.random(600)), 0),
            "T": age,
            "net": rng.gamma(3, 15, 600) * (x + 1),
        }
    )


def learned(shop: pd.DataFrame, models: Plausible) -> tuple[Settling, Cuts, np.ndarray]:
    value = np.rint(models.best.forecast(shop, 365, 0.0).value * 100).astype(np.int64)
    nobody = np.zeros(len(shop), dtype=bool)
    placed = cuts(value, nobody, Tiers())
    settling = Settling.of(models, placed, shop, nobody, horizon_days=365, discount_rate=0.0)
    return settling, placed, placed.assign(value, nobody)


def certain() -> Plausible:
    return Plausible(MODELS, (MODELS,) * 5)


def test_who_is_new_or_shows_no_known_tier_takes_the_proposed_one_at_once(
    shop: pd.DataFrame,
) -> None:
    settling, _, proposed = learned(shop, certain())
    for shown in (None, float("nan"), "new", "gold"):
        assert (settling.settle(shop, proposed, [shown] * len(shop)) == proposed).all()
    new = np.full(len(shop), "new", dtype=object)
    assert (settling.settle(shop, new, proposed) == new).all()


def test_a_tier_far_from_the_value_is_left_at_once(shop: pd.DataFrame) -> None:
    settling, placed, proposed = learned(shop, certain())
    value = MODELS.forecast(shop, 365, 0.0).value * 100
    far = value > 1.12 * (placed.cents[0] or 0)
    shown = np.full(len(shop), "low", dtype=object)
    assert far.sum() > 20
    assert set(settling.settle(shop[far], proposed[far], shown[far])) == {"high"}


def test_where_parameters_are_uncertain_fewer_move(shop: pd.DataFrame) -> None:
    rng = np.random.default_rng(5)
    drawn = tuple(
        replace(MODELS, buying=buying)
        for buying in MODELS.buying.drawn(40, rng)  # type: ignore[attr-defined]
    )
    sure, _, proposed = learned(shop, certain())
    unsure, _, _ = learned(shop, Plausible(MODELS, drawn))
    shown = np.where(proposed == "high", "medium", "high").astype(object)
    moved_when_sure = (sure.settle(shop, proposed, shown) != shown).sum()
    moved_when_unsure = (unsure.settle(shop, proposed, shown) != shown).sum()
    assert 0 < moved_when_unsure < moved_when_sure


def test_a_batch_settles_as_the_whole_shop_does(shop: pd.DataFrame) -> None:
    settling, _, proposed = learned(shop, certain())
    shown = np.roll(proposed, 7)
    whole = settling.settle(shop, proposed, shown)
    parts = [
        settling.settle(shop[part], proposed[part], shown[part])
        for part in (slice(0, 1), slice(1, 200), slice(200, None))
    ]
    assert (np.concatenate(parts) == whole).all()
    assert (whole != proposed).any()
    assert (whole != shown).any()


def test_only_those_who_would_move_are_forecast(
    shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    settling, _, proposed = learned(shop, certain())
    shown = proposed.copy()
    shown[:3] = np.where(proposed[:3] == "high", "low", "high")
    asked: list[int] = []
    forecast = ByModels.forecast

    def counted(self: ByModels, summary: pd.DataFrame, days: int, rate: float) -> object:
        asked.append(len(summary))
        return forecast(self, summary, days, rate)

    monkeypatch.setattr(ByModels, "forecast", counted)
    settling.settle(shop, proposed, shown)
    assert set(asked) == {3}
    asked.clear()
    settling.settle(shop, proposed, proposed)
    assert asked == []


def test_what_makes_everybody_worth_more_moves_the_cuts_and_stops_nobody(
    shop: pd.DataFrame,
) -> None:
    longer = BetaGeoNBD(r=0.6, alpha=60.0, a=0.01, b=2.5)
    other = replace(MODELS, buying=longer)
    value, more = (models.forecast(shop, 365, 0.0).value for models in (MODELS, other))
    assert more.sum() > 1.3 * value.sum()
    settling, placed, _ = learned(shop, Plausible(MODELS, (MODELS, other)))
    found = cuts(np.rint(more * 100).astype(np.int64), np.zeros(len(shop), dtype=bool), Tiers())
    # The last tier begins nowhere: everybody else is in it.
    np.testing.assert_allclose(settling.limits[0, :2], placed.cents[:2])
    np.testing.assert_allclose(settling.limits[1, :2], found.cents[:2], rtol=1e-6)
