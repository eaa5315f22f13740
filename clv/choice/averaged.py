"""Means of forecasts, as candidates of their own: of the best few, and of a model and trees.

Candidates are wrong in different ways, so their mean is as a rule better than the one that seemed
best (Bates & Granger 1969, The Combination of Forecasts, Operational Research Quarterly 20(4),
451-468). The best MOST that differ, and can be used on the day itself, take part; who was `s`
behind the best at the past origins weighs exp(-s / TOLD_APART). The best model and the trees are
tried half and half, too: they know different things.

Rules know nothing of leaving, BG/NBD nothing of those who never came back. Beside models that do,
what they forecast counts for whoever is still there: times `p_alive`. That is better than without,
and what is expected of somebody stays in proportion to the chance that they are a customer. (Trees
have seen the silence already.) The models also tell when somebody comes, and between what bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv.choice.backtest import Backtest, Origin
from clv.choice.challenger import Challenger
from clv.choice.ranking import Ranked, ranked
from clv.choice.trials import Entry, Trial, tried, without_absurd
from clv.forecast import ByModels, Forecast, Predictor
from clv.models.nbd import NBD
from clv.past import Past

Floats = NDArray[np.float64]

MEAN, WITH_TREES = "mean", "boosting-mean"
#: How many take part.
MOST = 3
#: Who is so far behind the best weighs 1 / e of it.
TOLD_APART = 0.02
#: Forecasts within so much of each other are one, and count once.
ALIKE, ALIKE_PURCHASES = 0.01, 1e-3


@dataclass(frozen=True)
class Averaged:
    """The weighted mean of some predictors' purchases and values, the best one first.

    `weights` add up to 1.
    """

    name: str
    members: tuple[Predictor, ...]
    weights: tuple[float, ...]

    @property
    def models(self) -> ByModels | None:
        """The best pair of models among them, one that knows of leaving before one that doesn't."""
        pairs = [one for one in self.members if isinstance(one, ByModels) and not one.is_average]
        knowing = [one for one in pairs if not isinstance(_plain(one), NBD)]
        return next(iter(knowing or pairs), None)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(said for one in self.members for said in one.warnings))

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        """Spend is what makes the mean of the values come out."""
        each = [one.forecast(summary, horizon_days, discount_rate) for one in self.members]
        p_alive = self._p_alive(each)
        there = np.where(np.isnan(p_alive), 1.0, p_alive)
        shares = [
            weight * _counts(one, ahead, there)
            for one, weight, ahead in zip(self.members, self.weights, each, strict=True)
        ]
        purchases, discounted, value = (
            sum(share * getattr(ahead, name) for share, ahead in zip(shares, each, strict=True))
            for name in ("purchases", "discounted", "value")
        )
        spend = np.average([ahead.spend for ahead in each], axis=0, weights=self.weights)
        some = discounted > 0
        spend = np.where(some, value / np.where(some, discounted, 1.0), spend)
        pairs = zip(self.members, each, strict=True)
        speaks = next((ahead for one, ahead in pairs if one is self.models), each[0])
        return Forecast(p_alive, purchases, discounted, spend, speaks.wait_days)

    def _p_alive(self, each: Sequence[Forecast]) -> Floats:
        """The weighted mean of those who know; NaN where nobody does."""
        told = np.array([ahead.p_alive for ahead in each])
        weights = np.where(np.isnan(told), 0.0, np.array(self.weights)[:, None])
        known = weights.sum(axis=0)
        p_alive: Floats = np.divide(
            (weights * np.nan_to_num(told)).sum(axis=0),
            *(known, np.full_like(known, np.nan)),
            where=known > 0,
        )
        return p_alive

    def with_models(self, models: ByModels) -> Averaged:
        """The same with other models instead of its own."""
        members = tuple(models if one is self.models else one for one in self.members)
        return replace(self, members=members)

    def card(self) -> dict[str, Any]:
        return {name: told for one in self.members for name, told in one.card().items()}


def averaged(
    entries: Sequence[Entry], weights: Sequence[float], key: str = MEAN, named: str = ""
) -> Entry:
    """The entry that fits all of these and takes the weighted mean of their forecasts.

    It is `named` in tables; its forecast is named after all that take part.
    """
    shares = tuple(float(weight) / float(np.sum(weights)) for weight in weights)
    names = [entry.name for entry in entries]
    name = f"mean of {', '.join(names[:-1])} and {names[-1]}"

    def fit(past: Past, horizon_days: int) -> Averaged:
        members = tuple(entry.fit(past, horizon_days) for entry in entries)
        return Averaged(name, members, shares)

    return Entry(
        key,
        named or f"mean of the best {len(entries)}",
        fit,
        "challenger",
        complexity=sum(entry.complexity for entry in entries),
        parts=tuple(zip((entry.key for entry in entries), shares, strict=True)),
    )


def with_means(tested: Backtest, usable: Callable[[Entry], bool]) -> Backtest:
    """The backtest with up to two candidates more: means of the others.

    `usable` says whether one can be used on the day itself.
    """
    order = [one for one in ranked(tested) if not (one.refused or one.entry.parts)]
    means: list[tuple[Entry, Sequence[Entry]]] = []
    best = _best(tested, order, usable)
    if len(best) > 1:
        entries = [one.entry for one in best]
        means.append((averaged(entries, [_weight(one) for one in best]), entries))
    pair = _model_and_trees(order)
    if len(pair) > 1:
        named = f"mean of {pair[0].name} and {pair[1].name}"
        means.append((averaged(pair, (1, 1), WITH_TREES, named), pair))
    for mean, entries_of in means:
        origins = tuple(_with_mean(origin, mean, entries_of) for origin in tested.origins)
        tested = replace(tested, origins=origins)
    return tested


def _best(
    tested: Backtest, order: Sequence[Ranked], usable: Callable[[Entry], bool]
) -> list[Ranked]:
    best: list[Ranked] = []
    for one in sorted(order, key=lambda one: one.score):
        new = not any(_alike(tested.origins[0], one.entry, other.entry) for other in best)
        if len(best) < MOST and new and usable(one.entry):
            best.append(one)
    return best


def _weight(one: Ranked) -> float:
    return float(np.exp(-one.score / TOLD_APART))


def _model_and_trees(order: Sequence[Ranked]) -> list[Entry]:
    """The best model and the challenger, as far as they are there."""
    kinds = ("model", "challenger")
    each = ([one.entry for one in order if one.entry.kind == kind] for kind in kinds)
    return [entries[0] for entries in each if entries]


def _alike(origin: Origin, one: Entry, other: Entry) -> bool:
    a, b = (origin.trial(entry.key).purchases for entry in (one, other))
    return bool(np.allclose(a, b, rtol=ALIKE, atol=ALIKE_PURCHASES))


def _with_mean(origin: Origin, mean: Entry, entries: Sequence[Entry]) -> Origin:
    """The mean of forecasts that are there already; refused where one of them was."""
    trials = [origin.stand_in(entry) for entry in entries]
    predictors = tuple(trial.predictor for trial in trials if trial.predictor is not None)
    refused = next((trial.refused for trial in trials if trial.refused), "")
    if refused or len(predictors) < len(trials):
        missing = Trial(mean, None, np.empty(0), np.empty(0), refused=refused)
        return replace(origin, trials=(*origin.trials, missing))
    fitted = Averaged(mean.name, predictors, tuple(weight for _, weight in mean.parts))
    known = replace(mean, fit=lambda past, horizon_days: fitted)
    trial = tried(known, origin.past, origin.horizon_days, lambda: origin.actual)
    return replace(origin, trials=without_absurd([*origin.trials, replace(trial, entry=mean)]))


def _counts(one: Predictor, ahead: Forecast, there: Floats) -> Floats:
    """How much of each customer's forecast counts: by the chance that they are there, where that
    isn't in it already."""
    if isinstance(one, Challenger):
        return np.ones_like(there)
    return np.where(np.isnan(ahead.p_alive), there, 1.0)


def _plain(pair: ByModels) -> Any:
    """The model of purchases, without its season."""
    return getattr(pair.buying, "plain", pair.buying)
