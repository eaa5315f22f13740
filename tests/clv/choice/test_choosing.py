from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.choice.averaged import MEAN
from clv.choice.backtest import backtest
from clv.choice.candidates import BASELINES, CANDIDATES, MODELS
from clv.choice.choosing import Choice, by_backtest, choose
from clv.choice.origins import known_at, read_history
from clv.choice.ranking import loss
from clv.choice.trials import Entry
from clv.errors import NotEnoughData
from clv.forecast import ByModels, Forecast, Predictor
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.nbd import NBD
from clv.models.simulate import simulate
from clv.past import Past

START, DAYS = date(2023, 1, 1), 540
AS_OF = START + timedelta(days=DAYS - 1)
SPEND = GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
KEYS = ("bg", "mbg", "nbd", "average", "repeat-rate", "hiatus")
PLAIN = [CANDIDATES[key] for key in KEYS]


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    truth = BetaGeoNBD(r=0.5, alpha=40.0, a=0.8, b=2.5)
    return simulate(truth, 900, start=START, days=DAYS, seed=4, spend=SPEND)


@pytest.fixture(scope="module")
def past(shop: pd.DataFrame) -> Past:
    return known_at(read_history(shop, AS_OF), AS_OF)


def chosen(shop: pd.DataFrame, past: Past, *planted: Entry, **options: Any) -> Choice:
    tested = backtest(shop, AS_OF, horizon_days=90, candidates=[*PLAIN, *planted])
    return choose(tested, past, **options)


@pytest.fixture(scope="module")
def choice(shop: pd.DataFrame, past: Past) -> Choice:
    return chosen(shop, past, with_coverage=True)


@dataclass(frozen=True)
class Bent:
    """The forecast of a good model, bent."""

    inner: Predictor
    bend: Any
    name: str = "bent"
    warnings: tuple[str, ...] = ()

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        ahead = self.inner.forecast(summary, horizon_days, discount_rate)
        bent = self.bend(ahead.purchases)
        return Forecast(ahead.p_alive, bent, bent, ahead.spend, ahead.wait_days)

    def card(self) -> dict[str, Any]:
        return {}


def planted(bend: Any, kind: Any = "model") -> Entry:
    def fit(past: Past, horizon_days: int) -> Bent:
        return Bent(CANDIDATES["bg"].fit(past, horizon_days), bend)

    return Entry("planted", "planted", fit, kind, complexity=-1)


def test_a_model_is_chosen_where_customers_leave(choice: Choice) -> None:
    assert choice.entry.key in ("bg", "mbg")
    assert isinstance(choice.predictor, ByModels)
    assert choice.name.startswith(choice.entry.name)
    rules = [one.score for one in choice.ranking if one.entry.kind == "baseline"]
    assert min(rules) > 0


@pytest.mark.parametrize(
    "bend",
    [
        lambda n: 10 * n,
        lambda n: n / 10,
        lambda n: 0 * n,
        lambda n: 0 * n + n.mean(),
        lambda n: n.max() - n,
        lambda n: n[::-1],
        lambda n: np.where(n == n.max(), np.nan, n),
        lambda n: -n,
        lambda n: np.where(n > np.median(n), n, 0.0) * 1.5,
    ],
)
def test_an_absurd_candidate_is_never_chosen(shop: pd.DataFrame, past: Past, bend: Any) -> None:
    assert chosen(shop, past, planted(bend)).entry.key != "planted"


def test_a_better_candidate_would_be_chosen(shop: pd.DataFrame, past: Past) -> None:
    """So that the test above could fail."""
    history = read_history(shop, AS_OF)

    def fit(known: Past, horizon_days: int) -> Bent:
        from clv.choice.origins import came_after

        came = came_after(history, known, horizon_days).purchases
        return Bent(CANDIDATES["bg"].fit(known, horizon_days), lambda n: (n + came) / 2)

    assert chosen(shop, past, Entry("seer", "seer", fit)).entry.key == "seer"


def test_a_baseline_is_chosen_where_no_model_beats_it(shop: pd.DataFrame, past: Past) -> None:
    same = planted(lambda n: n, kind="baseline")
    winner = chosen(shop, past, planted(lambda n: n)).entry.kind
    assert winner == "model"
    found = chosen(shop, past, same)
    best = chosen(shop, past).entry.key
    assert found.entry.key == ("planted" if best == "bg" else best)
    only = [CANDIDATES["nbd"], same]
    tested = backtest(shop, AS_OF, horizon_days=90, candidates=only)
    assert choose(tested, past).entry.key == "planted"
    assert "no model beats this rule" in choose(tested, past).why


def test_the_choice_forecasts_as_the_chosen_one(choice: Choice, past: Past) -> None:
    own = choice.predictor.forecast(past.summary, 90, 0.0)
    assert choice.forecast(past.summary, 90, 0.0).value.tolist() == own.value.tolist()


def test_the_card_says_what_why_and_who_was_refused(choice: Choice) -> None:
    card = json.loads(json.dumps(choice.card(), allow_nan=False))
    assert card["chosen"] == choice.entry.key
    told = {one["candidate"] for one in card["ranking"]} | set(card["refused"])
    assert told == {*KEYS, MEAN}
    assert card["parts"] == {choice.entry.key: 1.0}
    assert len(card["backtest"]["origins"]) == len(choice.tested.origins) >= 2
    assert card["why"].startswith(choice.entry.name)
    assert "best rule" in card["why"]
    for text in (choice.why, "MAE", "known on", "repeat rate x horizon"):
        assert text in choice.text()


def test_coverage_of_the_chosen_intervals_stands_for_each_origin(choice: Choice) -> None:
    assert len(choice.coverage) == len(choice.tested.origins)
    for origin in choice.coverage:
        assert 0.6 < origin["purchases_80"]["all"] <= 1
        assert origin["purchases_95"]["all"] >= origin["purchases_80"]["all"]


def test_the_same_shop_gets_the_same_card(shop: pd.DataFrame, past: Past, choice: Choice) -> None:
    shuffled = shop.sample(frac=1, random_state=3)
    again = chosen(shuffled, past, with_coverage=True)
    assert json.dumps(again.card()) == json.dumps(choice.card())


def test_who_cannot_be_used_on_the_day_is_passed_over(shop: pd.DataFrame, past: Past) -> None:
    def fit(known: Past, horizon_days: int) -> Predictor:
        if known.as_of == AS_OF:
            raise NotEnoughData("not today")
        return Bent(CANDIDATES["bg"].fit(known, horizon_days), lambda n: n)

    def ran_off(known: Past, horizon_days: int) -> Predictor:
        found = CANDIDATES["bg"].fit(known, horizon_days)
        assert isinstance(found, ByModels)
        wall = NBD(r=1.0, alpha=1e4, at_wall=("alpha",)) if known.as_of == AS_OF else found.buying
        return ByModels("wall", wall, found.spending)

    entries = [Entry("today", "today", fit), Entry("wall", "wall", ran_off), CANDIDATES["nbd"]]
    tested = backtest(shop, AS_OF, horizon_days=90, candidates=entries)
    found = choose(tested, past)
    assert found.entry.key == "nbd"
    assert {why for _, why in found.passed_over} == {
        "not today",
        "it stopped at the edge of what is plausible for alpha",
    }
    assert any("did better, but not today" in warning for warning in found.warnings)


def test_a_shop_too_young_to_compare_gets_a_model_and_the_card_says_so(
    shop: pd.DataFrame,
) -> None:
    young = START + timedelta(days=19)
    past = known_at(read_history(shop, young), young)
    tested = backtest(shop, young, horizon_days=90, candidates=PLAIN)
    found = choose(tested, past)
    assert "too little history" in found.why
    assert json.dumps(found.card())


def test_the_past_alone_is_enough_to_choose(shop: pd.DataFrame, past: Past) -> None:
    found = by_backtest(PLAIN)(past, 90)
    assert isinstance(found, Choice)
    assert found.entry.key == chosen(shop, past).entry.key
    with pytest.raises(NotEnoughData, match="each day"):
        by_backtest(PLAIN)(Past(past.summary, AS_OF), 90)


def test_where_nothing_can_be_fitted_the_caller_is_told(shop: pd.DataFrame, past: Past) -> None:
    def fit(known: Past, horizon_days: int) -> Predictor:
        raise NotEnoughData("never")

    tested = backtest(shop, AS_OF, horizon_days=90, candidates=[Entry("x", "x", fit)])
    with pytest.raises(NotEnoughData, match="no candidate"):
        choose(tested, past)


def nasty(kind: str, rng: np.random.Generator) -> pd.DataFrame:
    many = int(rng.integers(1, 300))
    who, day = rng.integers(0, many // 3 + 1, many), rng.uniform(0, 700, many)
    value = rng.gamma(1.0, 50.0, many)
    if kind == "one customer":
        who = 0 * who
    elif kind == "one-time":
        who = np.arange(many)
    elif kind == "daily":
        who, day = np.arange(many) // 60, np.arange(many) % 60.0
    elif kind == "all on one day":
        day = 0 * day + 100
    elif kind == "all today":
        day = 0 * day + 700
    elif kind == "stopped long ago":
        day = day / 10
    elif kind == "one order a decade":
        day = day * 100
    value *= {"free": 0.0, "refunds alone": -1.0, "huge": 1e6}.get(kind, 1.0)
    value = value - 60 if kind == "half refunds" else value
    when = pd.Timestamp(START) + pd.to_timedelta(day, unit="D")
    return pd.DataFrame({"customer_id": who, "ordered_at": when, "net_value": value})


NASTY = (
    *("one customer", "one-time", "daily", "all on one day", "all today", "stopped long ago"),
    *("one order a decade", "free", "refunds alone", "huge", "half refunds", "plain"),
)


@pytest.mark.parametrize("horizon_days", [1, pytest.param(90, marks=pytest.mark.thorough), 3650])
@pytest.mark.parametrize("kind", NASTY)
def test_nasty_shops_get_a_sound_choice(kind: str, horizon_days: int) -> None:
    rows = nasty(kind, np.random.default_rng(NASTY.index(kind) + horizon_days))
    as_of = START + timedelta(days=70_000 if kind == "one order a decade" else 700)
    past = known_at(read_history(rows, as_of), as_of)
    tested = backtest(rows, as_of, horizon_days=horizon_days, candidates=PLAIN[3:])
    found = choose(tested, past)
    ahead = found.forecast(past.summary, horizon_days, 0.0003)
    for values in (ahead.purchases, ahead.discounted, ahead.spend):
        assert np.all(np.isfinite(values) & (values >= 0))
    assert json.dumps(found.card(), allow_nan=False)
    assert found.text()


@pytest.mark.parametrize("which", ["sample", pytest.param("master", marks=pytest.mark.thorough)])
def test_what_was_chosen_on_cdnow_before_the_holdout_is_within_one_per_cent_of_the_best_after_it(
    which: str, shared: Path
) -> None:
    names = ["customer_id", "ordered_at", "cds", "net_value"]
    path = shared / "data" / f"cdnow_{which}.txt"
    lines = pd.read_csv(path, sep=r"\s+", header=None, dtype=str, skiprows=int(which == "master"))
    rows = lines.iloc[:, -4:].set_axis(names, axis=1)
    rows["ordered_at"] = pd.to_datetime(rows.ordered_at, format="%Y%m%d")
    rows["net_value"] = rows.net_value.astype(float)
    as_of, ahead = date(1997, 9, 30), 273
    tested = backtest(rows, as_of, horizon_days=ahead, candidates=[*MODELS, *BASELINES])
    found = choose(tested, known_at(read_history(rows, as_of), as_of))
    until = as_of + timedelta(days=ahead)
    after = backtest(
        rows, until, horizon_days=ahead, origins=[as_of], candidates=[*MODELS, *BASELINES]
    ).origins[0]
    losses = {t.entry.key: loss(t.metrics) for t in after.trials if t.metrics and not t.refused}
    assert losses[found.entry.key] - min(losses.values()) < 0.01
    assert max(losses.values()) - min(losses.values()) > 0.1
