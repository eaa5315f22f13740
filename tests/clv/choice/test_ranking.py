from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.choice.backtest import Origin
from clv.choice.metrics import Actual, Metrics
from clv.choice.ranking import MARGIN, TIE, Ranked, evidence, loss, ranked
from clv.choice.trials import Entry, Trial

USUAL = Metrics(1000, 0.8, 1.7, -0.1, -0.1, 0.45, 0.5, 0.7, 0.1)


def never(past: object, horizon_days: int) -> Any:
    raise AssertionError


def trial(key: str, worse: float | None, kind: Any = "model", likely: float | None = None) -> Trial:
    """A candidate whose loss is `worse` above the usual; None where it was refused."""
    entry = Entry(key, key, never, kind, {"model": 4, "baseline": 1, "challenger": 99}[kind])
    buying = SimpleNamespace(log_likelihood=likely or 0, customers=1000, parameters=(1.0,) * 4)
    predictor: Any = SimpleNamespace(buying=buying)
    none = np.empty(0)
    if worse is None:
        return Trial(entry, None, none, none, refused="it would not")
    metrics = replace(USUAL, mae=USUAL.mae * np.exp(4 * worse))
    return Trial(entry, predictor, none, none, metrics)


def shop(*origins: list[Trial]) -> Any:
    past: Any = SimpleNamespace(as_of=date(2024, 1, 1))
    nothing = Actual(np.empty(0), np.empty(0))
    each = [Origin(past, 90, nothing, tuple(trials)) for trials in origins]
    return SimpleNamespace(origins=each)


def order(*origins: list[Trial]) -> list[str]:
    return [one.entry.key for one in ranked(shop(*origins)) if not one.refused]


def test_a_hundredth_of_loss_is_one_per_cent_on_average_over_the_four() -> None:
    better = replace(USUAL, mae=0.792, rmse=1.683, gini_spend=0.707, top_decile_spend=0.505)
    assert loss(USUAL) - loss(better) == pytest.approx(0.01, abs=2e-4)


def test_forecasting_nothing_wins_on_mae_and_loses_all_the_same() -> None:
    hiatus = replace(USUAL, mae=0.79, rmse=2.12, top_decile_spend=0.276, gini_spend=0.22)
    assert hiatus.mae < USUAL.mae
    assert loss(hiatus) > loss(USUAL) + 0.3


def test_figures_without_meaning_are_left_out() -> None:
    nan = float("nan")
    silent = replace(USUAL, gini_spend=nan, top_decile_spend=nan)
    assert loss(silent) == pytest.approx((np.log(0.8) + np.log(1.7)) / 2)
    assert loss(replace(silent, mae=nan, rmse=nan)) == 0


def test_the_lowest_mean_loss_over_the_origins_comes_first() -> None:
    late = [trial("a", 0.00), trial("b", 0.03), trial("c", 0.05)]
    early = [trial("a", 0.09), trial("b", 0.01), trial("c", 0.05)]
    assert order(late, early) == ["b", "a", "c"]


def test_ties_go_to_the_likelihood_then_to_the_simpler() -> None:
    near = TIE / 2
    trials = [trial("a", 0.0, likely=-500.0), trial("b", near, likely=-480.0)]
    assert order(trials) == ["b", "a"]
    complex_one = trial("a", 0.0)
    complex_one = replace(complex_one, entry=replace(complex_one.entry, complexity=9))
    assert order([complex_one, trial("b", near)]) == ["b", "a"]
    assert order([trial("a", 0.0, likely=-500.0), trial("b", 3 * TIE, likely=-1.0)]) == ["a", "b"]


def test_a_baseline_wins_where_nothing_beats_it() -> None:
    assert order([trial("a", 0.0), trial("rule", TIE / 2, "baseline")]) == ["rule", "a"]
    assert order([trial("a", 0.0), trial("rule", 2 * TIE, "baseline")]) == ["a", "rule"]
    assert order([trial("a", 0.02), trial("rule", 0.0, "baseline")]) == ["rule", "a"]


def test_trees_must_beat_the_models_by_their_margin() -> None:
    near, far = MARGIN / 2, 2 * MARGIN
    assert order([trial("a", near), trial("trees", 0.0, "challenger")]) == ["a", "trees"]
    assert order([trial("a", far), trial("trees", 0.0, "challenger")]) == ["trees", "a"]


def test_who_was_refused_at_the_latest_origin_is_out() -> None:
    late = [trial("a", None), trial("b", 0.5)]
    early = [trial("a", 0.0), trial("b", 0.5)]
    found = ranked(shop(late, early))
    assert [one.entry.key for one in found] == ["b", "a"]
    assert found[1].refused == "it would not"


def test_who_was_refused_at_most_origins_is_out() -> None:
    here, gone = trial("a", 0.0), trial("a", None)
    other = trial("b", 0.5)
    assert order([here, other], [gone, other], [gone, other]) == ["b"]
    assert order([here, other], [here, other], [gone, other]) == ["a", "b"]


def test_an_easy_origin_is_no_merit_for_who_was_absent_from_a_hard_one() -> None:
    late = [trial("everywhere", 0.00), trial("late", 0.01)]
    early = [trial("everywhere", 0.50), trial("late", None)]
    assert order(late, early) == ["everywhere", "late"]


@given(st.lists(st.floats(0, 0.5), min_size=2, max_size=6), st.floats(0.6, 3.0))
@settings(max_examples=40)
def test_who_is_clearly_worse_everywhere_is_never_first(others: list[float], bad: float) -> None:
    trials = [trial(f"m{place}", worse) for place, worse in enumerate(others)]
    assert order([*trials, trial("bad", bad, likely=1e9)])[0] != "bad"


def test_evidence_takes_off_what_parameters_cost() -> None:
    predictor: Any = SimpleNamespace(
        buying=SimpleNamespace(log_likelihood=-100.0, customers=1000, parameters=(1.0, 2.0))
    )
    assert evidence(predictor) == pytest.approx(-100 - np.log(1000))
    assert evidence(None) is None
    assert evidence(SimpleNamespace()) is None  # type: ignore[arg-type]


def test_without_origins_there_is_no_order() -> None:
    assert ranked(shop()) == ()
    assert isinstance(ranked(shop([trial("a", 0.0)]))[0], Ranked)


def test_a_season_that_could_not_be_told_yet_counts_as_none() -> None:
    """At the early origin the plain model stands for it: being absent there is no merit."""

    def seasonal(worse: float | None) -> Trial:
        found = trial("seasonal-a", worse)
        return replace(found, entry=replace(found.entry, plain="a", complexity=14))

    late, early = [trial("a", 0.02), trial("b", 0.0)], [trial("a", 0.0), trial("b", 0.05)]
    assert order([*late, seasonal(0.02)], [*early, seasonal(None)]) == ["a", "seasonal-a", "b"]
    better = order([*late, seasonal(-0.05)], [*early, seasonal(None)], [*early, seasonal(None)])
    assert better[0] == "seasonal-a"
