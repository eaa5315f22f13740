from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import betainc
from scipy.stats import nbinom

from clv.errors import BadSettings
from clv.forecast import ByModels, paired, shop_average, spending_of
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.nbd import NBD
from clv.models.pareto_nbd import ParetoNBD
from clv.past import Past
from clv.uncertainty import intervals as under_test
from clv.uncertainty.futures import Table, Wanted
from clv.uncertainty.intervals import Outcomes, coverage, groups_of, intervals, learned, nested
from clv.uncertainty.plausible import Plausible

BUYING = BetaGeoNBD(r=0.6, alpha=50.0, a=0.6, b=2.5)
SPENDING = GammaGamma(p=6.25, q=3.74, v=15.44, robust_mean=35.0)
MODELS = ByModels("test", BUYING, SPENDING)
DAYS = 180
LEVELS = (0.8, 0.95)


def population(
    customers: int,
    seed: int,
    truth: BetaGeoNBD | ParetoNBD = BUYING,
    ages: tuple[int, int] = (30, 600),
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A summary, and each customer's purchases and spend in the DAYS behind it."""
    rng = np.random.default_rng(seed)
    age = 60 * np.ceil(rng.uniform(*ages, customers) / 60)  # few ages: few kinds to draw
    who, at = truth.draw_histories(age + DAYS, rng)
    past = at <= age[who]
    recency = np.zeros(customers)
    np.maximum.at(recency, who[past], at[past])
    x, later = (np.bincount(who[part], minlength=customers).astype(float) for part in (past, ~past))
    rate = rng.gamma(SPENDING.q, 1 / SPENDING.v, customers)
    net, spend = (rng.gamma(SPENDING.p * days) / rate for days in (x + 1, later))
    return pd.DataFrame({"frequency": x, "recency": recency, "T": age, "net": net}), later, spend


@pytest.fixture(scope="module")
def shop() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    return population(2500, 1)


@pytest.fixture(scope="module")
def fitted(shop: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> ByModels:
    summary = shop[0]
    return paired(BetaGeoNBD.fit(summary), spending_of(Past(summary, pd.Timestamp("2026-01-01"))))


# ------------------------------------------------------------------------- what is within them


def test_of_100_customers_80_and_95_land_within_their_intervals(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray], fitted: ByModels
) -> None:
    summary, purchases, spend = shop
    inside = coverage(intervals(fitted, summary, DAYS), purchases, spend)
    for measure in ("purchases", "clv"):
        # Between the level and SPARE of the rest above it; sampling adds a point either way.
        assert 0.79 < inside[f"{measure}_80"]["all"] < 0.835
        assert inside[f"{measure}_95"]["all"] == pytest.approx(0.95, abs=0.012)


def test_the_best_tenth_gains_most_of_what_all_are_held_above_the_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Customers like CDNOW's, three quarters of whom buy nothing."""
    models = replace(MODELS, buying=BetaGeoNBD(r=0.2426, alpha=30.9, a=0.793, b=2.426))
    summary, _, _ = population(2500, 1, models.buying, (180, 270))
    ahead = models.forecast(summary, 270, 0.0)
    best = groups_of(summary, ahead.value)["top decile"]

    def held() -> dict[str, np.ndarray]:
        shop = learned(models, summary, 270)
        each = under_test.foreseen(shop, summary, ahead).items()
        bounds = {measure: one.bounds(shop.nominal[measure][0.8]) for measure, one in each}
        return {m: one.table.probability(one.rows, one.active, *bounds[m]) for m, one in each}

    spared = held()
    monkeypatch.setattr(under_test, "SPARE", 0.0)
    exact = held()
    for measure in ("purchases", "clv"):
        assert spared[measure].mean() < 0.835
        assert (spared[measure] - exact[measure]).mean() < 0.02
        assert (spared[measure] - exact[measure])[best].mean() > 0.05


def test_where_nearly_everybody_buys_nothing_few_more_than_asked_for_are_held() -> None:
    """CDNOW's Pareto/NBD: 78% buy nothing. Bounds that reach the nearest count hold 85%."""
    models = replace(MODELS, buying=ParetoNBD(r=0.5532, alpha=74.0, s=0.6062, beta=81.7))
    summary, _, _ = population(2500, 1, models.buying, (180, 270))
    shop = learned(models, summary, 273)
    one = under_test.foreseen(shop, summary, models.forecast(summary, 273, 0.0))["purchases"]
    assert one.probability(shop.nominal["purchases"][0.8]) < 0.84


def test_small_shops_need_the_parameters_uncertainty() -> None:
    """Eight shops of 100 customers: taken as certain, their parameters leave out too many."""
    known, certain = [], []
    for seed in range(8):
        summary, purchases, spend = population(100, seed)
        models = paired(
            BetaGeoNBD.fit(summary), spending_of(Past(summary, pd.Timestamp("2026-01-01")))
        )
        sure = Plausible(models, (models,) * 64)
        for given_models, found in ((models, known), (sure, certain)):
            bounds = learned(given_models, summary, DAYS).of(summary)
            found.append(coverage(bounds, purchases, spend)["clv_95"]["all"])
    assert 0.93 < np.mean(known) < 0.97
    assert np.mean(known) > np.mean(certain)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_counts_are_bounded_by_the_distribution_that_is_known_exactly(level: float) -> None:
    """NBD's futures are negative binomial; without rounding down, ends are its quantiles."""
    model = NBD(r=2.0, alpha=50.0)
    summary = pd.DataFrame({"frequency": [18.0], "recency": [300.0], "T": [350.0], "net": [400.0]})
    shop = learned(ByModels("NBD", model, SPENDING), summary, 400, levels=[level])
    rows, active = np.zeros(1, dtype=np.intp), np.ones(1)
    table = shop.futures.purchases
    # The kind's age is rounded by up to 1.5%, the draws scatter.
    exact = nbinom(20.0, 400.0 / 800.0)
    low, high = table.bounds(rows, active, Wanted(level, 0.0, 0.0))
    assert exact.cdf(low[0] - 1) == pytest.approx((1 - level) / 2, abs=0.045)
    assert exact.cdf(high[0]) - exact.cdf(low[0] - 1) == pytest.approx(level, abs=0.045)


def test_value_is_bounded_by_the_distribution_that_is_known_exactly() -> None:
    """Given n purchases the value over v + x m_x is beta prime; n is negative binomial."""
    model = NBD(r=2.0, alpha=50.0)
    summary = pd.DataFrame({"frequency": [18.0], "recency": [300.0], "T": [350.0], "net": [400.0]})
    shop = learned(ByModels("NBD", model, SPENDING), summary, 400)
    rows, active = np.zeros(1, dtype=np.intp), np.ones(1)
    low, high = shop.futures.ratios.bounds(rows, active, Wanted(0.8, 0.0, 0.0))
    n = np.arange(1, 200)
    likely = nbinom(20.0, 400.0 / 800.0).pmf(n)
    p, q = SPENDING.p, SPENDING.p * 19 + SPENDING.q
    below = [float(likely @ betainc(p * n, q, y[0] / (1 + y[0]))) for y in (low, high)]
    assert below == pytest.approx([0.1, 0.9], abs=0.03)


def test_who_has_surely_left_is_expected_to_do_nothing() -> None:
    summary, _, _ = population(500, 2)
    summary.loc[0, ["frequency", "recency", "T"]] = [40.0, 60.0, 600.0]
    bounds = intervals(MODELS, summary, DAYS)
    assert (bounds.loc[0, ["purchases_high_95", "purchases_low_95"]] == 0).all()
    assert bounds.loc[0, "clv_high_95"] < 0.01


def test_the_expected_value_lies_within_and_so_do_the_whole_expected_purchases(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    summary = shop[0]
    ahead = MODELS.forecast(summary, DAYS, 0.0003)
    bounds = learned(MODELS, summary, DAYS, 0.0003).of(summary, ahead)
    slack = 1e-9 * (1 + ahead.value)
    assert (bounds.clv_low_80 <= ahead.value + slack).all()
    assert (bounds.clv_high_80 >= ahead.value - slack).all()
    assert (bounds.purchases_low_80 <= ahead.purchases).all()
    assert (bounds.purchases_high_80 >= np.floor(ahead.purchases)).all()


def test_purchases_are_whole_and_nothing_is_negative_or_missing(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    summary = shop[0].copy()
    summary.loc[:50, "net"] = -20.0
    bounds = intervals(MODELS, summary, DAYS, 0.0003)
    assert np.isfinite(bounds.to_numpy()).all()
    assert (bounds >= 0).all(axis=None)
    whole = bounds.filter(like="purchases").to_numpy()
    assert (whole == np.rint(whole)).all()


def test_nobodys_interval_leaves_out_more_than_the_limit_allows(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    summary = shop[0]
    shop_intervals = learned(MODELS, summary, DAYS)
    outcomes = under_test.foreseen(shop_intervals, summary, MODELS.forecast(summary, DAYS, 0.0))
    for measure, levels in shop_intervals.nominal.items():
        for level, wanted in levels.items():
            customers = outcomes[measure]
            each = customers.table.probability(
                customers.rows, customers.active, *customers.bounds(wanted)
            )
            assert each.min() > 1 - under_test.MOST_TAIL * (1 - level) - 0.01


def test_money_is_measured_in_any_unit(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    summary = shop[0]
    yen = replace(MODELS, spending=replace(SPENDING, v=100 * SPENDING.v, robust_mean=3500.0))
    bounds = intervals(MODELS, summary, DAYS).filter(like="clv")
    in_yen = intervals(yen, summary.assign(net=summary.net * 100), DAYS).filter(like="clv")
    np.testing.assert_allclose(in_yen, 100 * bounds, rtol=1e-5)


def test_a_discount_makes_value_less_and_leaves_purchases(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    plain = intervals(MODELS, shop[0], DAYS)
    less = intervals(MODELS, shop[0], DAYS, 0.001)
    assert plain.filter(like="purchases").equals(less.filter(like="purchases"))
    some = plain.clv_high_95 > 0
    assert (less.clv_high_95[some] < plain.clv_high_95[some]).all()


def test_without_a_usable_mean_intervals_hold_the_robust_one(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    heavy = replace(MODELS, spending=GammaGamma(p=2.0, q=0.8, v=5.0, robust_mean=35.0))
    assert heavy.spending.is_robust
    value = heavy.forecast(shop[0], DAYS, 0.0).value
    bounds = intervals(heavy, shop[0], DAYS)
    assert np.isfinite(bounds.to_numpy()).all()
    assert (bounds.clv_low_80 <= value * (1 + 1e-9)).all()
    assert (bounds.clv_high_80 >= value * (1 - 1e-9)).all()


def test_the_shops_average_has_intervals_for_any_number_of_customers() -> None:
    for customers in (0, 1, 7):
        summary = population(10, 3)[0][:customers]
        average = shop_average(Past(summary, pd.Timestamp("2026-01-01")), "average", "")
        bounds = intervals(average, summary, DAYS)
        assert len(bounds) == customers
        assert np.isfinite(bounds.to_numpy()).all()


@pytest.mark.parametrize("levels", [(), (0.8, 1.0), (0.0,), (80,)])
def test_levels_that_cannot_be_meant_are_refused(levels: tuple[float, ...]) -> None:
    with pytest.raises(BadSettings, match="levels"):
        learned(MODELS, population(10, 3)[0], DAYS, levels=levels)


def test_any_levels_lie_within_each_other(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    bounds = learned(MODELS, shop[0], DAYS, levels=(0.6, 0.5, 0.55, 0.9, 0.99)).of(shop[0])
    for measure in ("purchases", "clv"):
        lows, highs = (bounds.filter(like=f"{measure}_{end}").to_numpy() for end in ("low", "high"))
        assert list(bounds.filter(like=f"{measure}_low")) == [
            f"{measure}_low_{level}" for level in (50, 55, 60, 90, 99)
        ]
        assert (np.diff(lows, axis=1) <= 0).all()
        assert (np.diff(highs, axis=1) >= 0).all()


def test_an_interval_that_starts_lower_may_end_lower_but_is_shown_around_the_narrower_one() -> None:
    draws = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [5, 20, 20, 20, 20, 15])
    one = np.ones(1)
    outcomes = Outcomes(Table.of(draws[None]), np.zeros(1, dtype=np.intp), one, one)
    half, more = Wanted(0.5, 0.0, 0.0), Wanted(0.6, 0.0, 0.0)
    assert [end[0] for wanted in (half, more) for end in outcomes.bounds(wanted)] == [2, 4, 1, 3]
    shown = dict(nested(outcomes, "purchases", {0.5: half, 0.6: more}))
    assert [end[0] for end in shown.values()] == [2, 4, 1, 4]


# ----------------------------------------------------------------------------- batches and seeds


def test_a_batch_gets_what_the_whole_shop_gets(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = shop[0]
    known = learned(MODELS, summary, DAYS)
    whole = known.of(summary)
    parts = [known.of(summary[start : start + 700]) for start in range(0, len(summary), 700)]
    pd.testing.assert_frame_equal(pd.concat(parts), whole)
    shuffled = summary.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(known.of(shuffled).sort_index(), whole)
    monkeypatch.setattr(under_test, "BLOCK", 333)
    pd.testing.assert_frame_equal(known.of(summary), whole)


def test_customers_of_a_kind_that_the_shop_never_had_get_the_same_in_any_batch(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    known = learned(MODELS, shop[0], DAYS)
    others = pd.DataFrame(
        {
            "frequency": [200.0, 3.0, 10_000.0],
            "recency": [1000.0, 2000.0, 18_000.0],
            "T": [1001.0, 2500.0, 18_250.0],
            "net": [1e6, 10.0, 1e6],
        }
    )
    together = known.of(pd.concat([others, shop[0]]))[:3]
    alone = pd.concat([known.of(others[row : row + 1]) for row in range(3)])
    pd.testing.assert_frame_equal(alone, together)
    assert alone.purchases_high_80[0] > 20


def test_the_same_seed_gives_the_same_and_another_nearly(
    shop: tuple[pd.DataFrame, np.ndarray, np.ndarray], fitted: ByModels
) -> None:
    first, again, other = (intervals(fitted, shop[0], DAYS, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    assert first.clv_high_80.sum() == pytest.approx(other.clv_high_80.sum(), rel=0.05)


# --------------------------------------------------------------------------------------- coverage


def test_coverage_counts_those_within_by_group() -> None:
    bounds = pd.DataFrame(
        {
            "purchases_low_80": [0.0, 1.0, 0.0],
            "purchases_high_80": [0.0, 2.0, 3.0],
            "clv_low_80": [0.0, 10.0, 0.0],
            "clv_high_80": [5.0, 20.0, 9.0],
        }
    )
    groups = {"first": np.array([True, False, False]), "nobody": np.zeros(3, dtype=bool)}
    inside = coverage(bounds, np.array([0.0, 2.0, 4.0]), np.array([6.0, 20.0, 0.0]), groups)
    assert inside == {
        "purchases_80": {"all": pytest.approx(2 / 3), "first": 1.0, "nobody": None},
        "clv_80": {"all": pytest.approx(2 / 3), "first": 0.0, "nobody": None},
    }


def test_groups_are_one_timers_repeaters_and_the_top_tenth() -> None:
    summary = pd.DataFrame({"frequency": [0.0, 2.0] * 10})
    groups = groups_of(summary, np.arange(20.0))
    assert groups["one-timers"].sum() == groups["repeaters"].sum() == 10
    assert np.flatnonzero(groups["top decile"]).tolist() == [18, 19]
