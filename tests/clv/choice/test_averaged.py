"""The mean of the best few: what takes part, with which weight, and what it knows of customers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

import clv
from clv.choice.averaged import MEAN, MOST, TOLD_APART, WITH_TREES, Averaged, averaged, with_means
from clv.choice.backtest import Backtest, backtest
from clv.choice.baselines import OrderFormula, RepeatRate
from clv.choice.candidates import CANDIDATES
from clv.choice.choosing import Choice, choose
from clv.choice.origins import came_after, known_at, read_history
from clv.choice.ranking import MARGIN, ranked
from clv.choice.trials import Entry
from clv.errors import BadSettings, NamedModelFails, NotEnoughData
from clv.forecast import ByModels, Forecast, models_of, shop_average
from clv.models.gamma_gamma import GammaGamma
from clv.models.pareto_nbd import ParetoNBD
from clv.models.simulate import simulate
from clv.past import Past
from clv.scorer import Scorer
from clv.settings import ScoreSettings
from clv.summary import checked
from clv.uncertainty.calibration import Calibration

START, DAYS, AHEAD = date(2023, 1, 1), 540, 90
AS_OF = START + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    truth = ParetoNBD(r=0.6, alpha=60.0, s=0.6, beta=90.0)
    spend = GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
    return simulate(truth, 900, start=START, days=DAYS, seed=4, spend=spend)


@pytest.fixture(scope="module")
def past(shop: pd.DataFrame) -> Past:
    return known_at(read_history(shop, AS_OF), AS_OF)


class Told:
    """Purchases told beforehand, worth 30 each."""

    warnings = ("guessed",)

    def __init__(self, name: str, purchases: np.ndarray) -> None:
        self.name, self.purchases = name, purchases

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        told = self.purchases[: len(summary)]
        unknown = np.full(len(summary), np.nan)
        return Forecast(unknown, told, told, np.full(len(summary), 30.0), unknown)

    def card(self) -> dict[str, Any]:
        return {self.name: {}}


def seer(shop: pd.DataFrame, name: str, seed: int, wrong: float, kind: Any = "baseline") -> Entry:
    """Knows what came, but for noise of its own; on the day itself it tells noise alone."""
    history = read_history(shop, AS_OF)

    def fit(known: Past, horizon_days: int) -> Told:
        came = came_after(history, known, horizon_days).purchases
        noise = np.random.default_rng(seed).exponential(wrong, len(came))
        return Told(name, came + noise if known.as_of < AS_OF else noise)

    return Entry(name, name, fit, kind)


def compared(shop: pd.DataFrame, *entries: Entry) -> Backtest:
    return backtest(shop, AS_OF, horizon_days=AHEAD, candidates=entries)


def parts_of(found: Backtest) -> dict[str, float]:
    return dict(found.origins[0].trial(MEAN).entry.parts)


def test_purchases_and_values_are_weighted_and_a_rule_counts_for_who_is_there(past: Past) -> None:
    rule, model = RepeatRate.fit(past, AHEAD), CANDIDATES["pareto"].fit(past, AHEAD)
    both = Averaged("both", (rule, model), (0.75, 0.25))
    mean, one, other = (each.forecast(past.summary, AHEAD, 0.001) for each in (both, rule, model))
    for name in ("purchases", "discounted", "value"):
        expected = 0.75 * other.p_alive * getattr(one, name) + 0.25 * getattr(other, name)
        assert getattr(mean, name) == pytest.approx(expected)
    assert mean.p_alive == pytest.approx(other.p_alive)
    assert mean.wait_days.tolist() == other.wait_days.tolist()
    assert models_of(both) is model
    assert set(both.card()) == {*rule.card(), *model.card()}


def test_of_leaving_all_speak_who_know(past: Past) -> None:
    """BG/NBD says nothing of those who never came back, Pareto/NBD does."""
    bg, pareto = (CANDIDATES[key].fit(past, AHEAD) for key in ("bg", "pareto"))
    rule = RepeatRate.fit(past, AHEAD)
    three = Averaged("three", (rule, bg, pareto), (0.5, 0.3, 0.2))
    mean, one, other = (each.forecast(past.summary, AHEAD, 0.0) for each in (three, bg, pareto))
    both = (0.3 * one.p_alive + 0.2 * other.p_alive) / 0.5
    expected = np.where(np.isnan(one.p_alive), other.p_alive, both)
    assert 0 < np.isnan(one.p_alive).sum() < len(expected)
    assert mean.p_alive == pytest.approx(expected)
    unsaid = np.where(np.isnan(one.p_alive), other.p_alive, 1.0)
    each = [ahead.forecast(past.summary, AHEAD, 0.0).purchases for ahead in (rule, bg, pareto)]
    told = 0.5 * expected * each[0] + 0.3 * unsaid * each[1] + 0.2 * each[2]
    assert mean.purchases == pytest.approx(told)
    rules = Averaged("rules", (rule, OrderFormula.fit(past, AHEAD)), (0.5, 0.5))
    unknown = rules.forecast(past.summary, AHEAD, 0.0)
    assert np.isnan(unknown.p_alive).all()
    assert unknown.purchases.sum() > 0


def test_trees_have_seen_the_silence_already(past: Past) -> None:
    pytest.importorskip("sklearn")
    trees, model = (CANDIDATES[key].fit(past, AHEAD) for key in ("boosting", "pareto"))
    both = Averaged("both", (trees, model), (0.5, 0.5)).forecast(past.summary, AHEAD, 0.0)
    each = [one.forecast(past.summary, AHEAD, 0.0).purchases for one in (trees, model)]
    assert both.p_alive.min() < 0.5
    assert both.purchases == pytest.approx((each[0] + each[1]) / 2)


def test_a_customers_mean_depends_on_nobody_else(past: Past) -> None:
    """Also in a batch of whom one model knows nothing at all."""
    keys = ("repeat-rate", "bg", "pareto")
    three = Averaged(
        "three", tuple(CANDIDATES[key].fit(past, AHEAD) for key in keys), (0.5, 0.3, 0.2)
    )
    whole = three.forecast(past.summary, AHEAD, 0.001)
    once = (past.summary.frequency == 0).to_numpy()
    for part in (once, ~once):
        alone = three.forecast(past.summary[part], AHEAD, 0.001)
        for name in vars(whole):
            np.testing.assert_allclose(getattr(alone, name), getattr(whole, name)[part], rtol=1e-12)


def test_of_customers_of_whom_nothing_is_expected_the_spend_is_the_mean_too(past: Past) -> None:
    rules = RepeatRate.fit(past, AHEAD), OrderFormula.fit(past, AHEAD)
    nobody = Averaged(
        "nobody", tuple(Told(rule.name, np.zeros(9999)) for rule in rules), (0.5, 0.5)
    )
    ahead = nobody.forecast(past.summary, AHEAD, 0.0)
    assert ahead.value.tolist() == [0.0] * len(past.summary)
    assert set(ahead.spend) == {30.0}


def test_the_shops_average_is_no_model_that_knows_of_leaving(past: Past) -> None:
    average = shop_average(past, "shop average", "")
    rule, stays = RepeatRate.fit(past, AHEAD), CANDIDATES["nbd"].fit(past, AHEAD)
    assert Averaged("two", (average, rule), (0.5, 0.5)).models is None
    assert Averaged("three", (average, rule, stays), (0.5, 0.3, 0.2)).models is stays
    leaves = CANDIDATES["bg"].fit(past, AHEAD)
    assert Averaged("three", (stays, rule, leaves), (0.5, 0.3, 0.2)).models is leaves


def test_the_best_weigh_most_by_how_far_they_are_behind(shop: pd.DataFrame) -> None:
    keys = ("pareto", "nbd", "repeat-rate", "hiatus", "average")
    found = compared(shop, *(CANDIDATES[key] for key in keys))
    score = {one.entry.key: one.score for one in ranked(found)}
    parts = parts_of(with_means(found, lambda entry: True))
    assert list(parts) == sorted(score, key=score.__getitem__)[:MOST]
    assert sum(parts.values()) == pytest.approx(1)
    first, *others = parts
    for key in others:
        behind = score[key] - score[first]
        assert parts[key] / parts[first] == pytest.approx(np.exp(-behind / TOLD_APART))


def test_two_of_one_forecast_count_once(shop: pd.DataFrame) -> None:
    twin = replace(CANDIDATES["pareto"], key="twin")
    found = compared(shop, CANDIDATES["pareto"], twin, CANDIDATES["repeat-rate"])
    parts = parts_of(with_means(found, lambda entry: True))
    assert len(parts) == 2
    assert "repeat-rate" in parts
    alone = compared(shop, CANDIDATES["pareto"], twin)
    assert with_means(alone, lambda entry: True) is alone


def test_the_best_model_and_the_trees_are_tried_half_and_half(shop: pd.DataFrame) -> None:
    trees = seer(shop, "trees", 1, 0.5, kind="challenger")
    keys = ("repeat-rate", "hiatus", "nbd", "pareto")
    found = compared(shop, trees, *(CANDIDATES[key] for key in keys))
    models = [one.entry.key for one in ranked(found) if one.entry.kind == "model"]
    both = with_means(found, lambda entry: True).origins[0].trial(WITH_TREES)
    assert dict(both.entry.parts) == {models[0]: 0.5, "trees": 0.5}
    assert both.entry.name == f"mean of {CANDIDATES[models[0]].name} and trees"
    alone = with_means(compared(shop, trees, CANDIDATES["hiatus"]), lambda entry: True)
    assert WITH_TREES not in {trial.entry.key for trial in alone.origins[0].trials}


def test_who_cannot_be_used_on_the_day_takes_no_part(shop: pd.DataFrame) -> None:
    found = compared(shop, *(CANDIDATES[key] for key in ("pareto", "repeat-rate", "nbd")))
    parts = parts_of(with_means(found, lambda entry: entry.key != "pareto"))
    assert set(parts) == {"nbd", "repeat-rate"}


def test_a_mean_is_measured_where_all_its_parts_were(shop: pd.DataFrame) -> None:
    def fit(known: Past, horizon_days: int) -> Any:
        if known.as_of < START + timedelta(days=300):
            raise NotEnoughData("not yet")
        return CANDIDATES["bg"].fit(known, horizon_days)

    late = Entry("late", "late", fit)
    found = with_means(compared(shop, late, CANDIDATES["repeat-rate"]), lambda entry: True)
    told = {origin.as_of: origin.trial(MEAN) for origin in found.origins}
    for origin in found.origins:
        there = not origin.trial("late").refused
        assert (told[origin.as_of].refused == "") == there
        assert (told[origin.as_of].metrics is not None) == there
    assert {bool(trial.refused) for trial in told.values()} == {True, False}


def test_a_season_not_told_yet_is_the_plain_model_in_the_mean(shop: pd.DataFrame) -> None:
    def fit(known: Past, horizon_days: int) -> Any:
        if known.as_of < START + timedelta(days=300):
            raise NotEnoughData("no season yet")
        return CANDIDATES["pareto"].fit(known, horizon_days)

    season = Entry("seasonal-bg", "season", fit, plain="bg", complexity=14)
    found = compared(shop, season, CANDIDATES["bg"], CANDIDATES["repeat-rate"])
    early = next(one for one in found.origins if one.trial("seasonal-bg").refused)
    assert early.stand_in(season) is early.trial("bg")
    assert early.stand_in(CANDIDATES["bg"]) is early.trial("bg")
    both = with_means(found, lambda entry: entry.key != "bg")
    assert set(parts_of(both)) == {"seasonal-bg", "repeat-rate"}
    mean = next(one for one in both.origins if one.as_of == early.as_of).trial(MEAN)
    assert isinstance(mean.predictor, Averaged)
    assert early.trial("bg").predictor in mean.predictor.members


def test_a_mean_that_is_clearly_better_is_chosen_and_says_what_it_is_made_of(
    shop: pd.DataFrame, past: Past
) -> None:
    seers = [seer(shop, f"seer {seed}", seed, 0.5) for seed in range(3)]
    found = choose(compared(shop, *seers), past)
    assert found.entry.key == MEAN
    first, second, third = found.card()["parts"]
    assert found.name == f"mean of {first}, {second} and {third}"
    assert {first, second, third} == {"seer 0", "seer 1", "seer 2"}
    assert found.warnings.count("guessed") == 1
    weight = found.card()["parts"][first]
    assert f"Chosen: mean of the best 3 ({first} {weight:.0%}, {second} " in found.text()
    # And not where it is better by a hair alone.
    good = seer(shop, "good", 1, 0.01)
    alike = choose(compared(shop, good, seer(shop, "worse", 2, 1.0)), past)
    score = {one.entry.key: one.score for one in alike.ranking}
    assert score[MEAN] > score["good"] - MARGIN
    assert alike.entry.key == "good"


PARTS = {"repeat-rate": 0.6, "pareto": 0.3, "nbd": 0.1}
SETTINGS = ScoreSettings(horizon_days=AHEAD)


def test_what_was_chosen_is_fitted_again_from_its_parts(past: Past) -> None:
    again = clv.refitted(past, SETTINGS, PARTS)
    entry = averaged([CANDIDATES[key] for key in PARTS], list(PARTS.values()))
    first = entry.fit(past, AHEAD)
    ahead, before = (one.forecast(past.summary, AHEAD, 0.0) for one in (again, first))
    assert ahead.value.tolist() == before.value.tolist()
    assert again.name == "mean of repeat rate x horizon, Pareto/NBD and NBD"
    assert clv.refitted(past, SETTINGS, {"pareto": 1.0}).name.startswith("Pareto/NBD")
    with pytest.raises(BadSettings, match="oracle"):
        clv.refitted(past, SETTINGS, {"oracle": 0.5, "nbd": 0.5})
    traits = {"bg-covariates": 0.5, "nbd": 0.5}
    with pytest.raises(NamedModelFails, match="mean of"):
        clv.refitted(past, SETTINGS, traits)


def test_what_is_kept_keeps_what_the_past_said_of_its_bounds(past: Past) -> None:
    known = Calibration(purchases=((0.8, 0.9),), clv=((0.8, 0.85),))
    kept = models_of(clv.kept(past, SETTINGS, PARTS, known))
    assert isinstance(kept, ByModels)
    assert kept.calibration == known
    assert kept.name.startswith("Pareto/NBD")


def mean_scorer(past: Past) -> tuple[Scorer, pd.DataFrame]:
    people = past.summary.reset_index(names="customer_id")
    people = people.assign(shop="s", person_key=people.customer_id.astype(str), currency="EUR")
    days = (people["T"] - people.recency).astype(int)
    people = people.assign(orders=people.frequency + 1, days_since_last_order=days, margin=None)
    people = checked(people.assign(customer_id=people.customer_id.astype(str)))
    found = clv.refitted(past, SETTINGS, PARTS)
    return Scorer.of(found, people, AS_OF, SETTINGS), people


def test_a_mean_has_bounds_that_hold_its_forecast_and_tiers_that_settle(past: Past) -> None:
    scorer, people = mean_scorer(past)
    table = scorer.score(people).to_pandas()
    assert scorer.empirical is None
    assert (table.clv_low <= table.predicted_clv).all()
    assert (table.predicted_clv <= table.clv_high).all()
    assert table.p_alive.notna().all()
    again = scorer.score(people.assign(previous_tier=table.tier)).to_pandas()
    assert again.tier.tolist() == table.tier.tolist()
    # Whoever shows a neighbouring tier and lies at the cut stays there; far beyond it they move.
    cut = table[table.tier == "high"].predicted_clv.min()
    shown = table.tier.where(table.tier != "high", "medium")
    moved = scorer.score(people.assign(previous_tier=shown)).to_pandas()
    high = table.tier == "high"
    near, far = (
        (high & (table.predicted_clv < 1.05 * float(cut))),
        (high & (table.predicted_clv > 2 * float(cut))),
    )
    assert near.any()
    assert far.any()
    assert set(moved[near].tier) == {"medium"}
    assert set(moved[far].tier) == {"high"}


def test_a_means_bounds_are_measured_at_the_origins(shop: pd.DataFrame, past: Past) -> None:
    entry = averaged([CANDIDATES[key] for key in PARTS], list(PARTS.values()))
    found = choose(compared(shop, entry), past, with_coverage=True)
    assert isinstance(found, Choice)
    assert found.entry.key == MEAN
    assert len(found.coverage) == len(found.tested.origins)
    for origin in found.coverage:
        assert 0.6 < origin["purchases_80"]["all"] <= 1
