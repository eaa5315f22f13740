"""The forecast that a shop gets: chosen by its own past, with the reasons on a card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from clv.choice.averaged import with_means
from clv.choice.backtest import NAME, Backtest, backtest
from clv.choice.candidates import CANDIDATES
from clv.choice.hindsight import calibrated, hindsight
from clv.choice.origins import TRAITS
from clv.choice.ranking import Ranked, ranked
from clv.choice.trials import Entry, fault
from clv.errors import ClvError, NotEnoughData
from clv.forecast import Candidate, Forecast, Predictor
from clv.past import Past
from clv.uncertainty.empirical_intervals import EmpiricalIntervals

#: Where nothing can be measured: what is known to do well where customers leave, and the fallback.
UNMEASURED = ("pareto", "mbg", "bg", "nbd", "average")


@dataclass(frozen=True, eq=False)
class Choice:
    """A fitted predictor with what led to it; it forecasts as the chosen one does.

    `passed_over` are candidates that ranked higher but can't be used on the day itself. `coverage`
    says how the chosen models' intervals would have done at the origins, and the predictor carries
    what its own take from that.
    """

    entry: Entry
    predictor: Predictor
    tested: Backtest
    ranking: tuple[Ranked, ...]
    passed_over: tuple[tuple[str, str], ...] = ()
    coverage: tuple[dict[str, Any], ...] = ()

    @property
    def name(self) -> str:
        return self.predictor.name

    @property
    def warnings(self) -> tuple[str, ...]:
        over = tuple(f"{name} did better, but {why}" for name, why in self.passed_over)
        return (*self.predictor.warnings, *self.tested.notes, *over)

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        return self.predictor.forecast(summary, horizon_days, discount_rate)

    def empirical(self, horizon_days: int, level: float) -> EmpiricalIntervals | None:
        """Bounds learned from the latest origin that looked as far ahead; None without one."""
        for origin in self.tested.origins:
            predictor = origin.trial(self.entry.key).predictor
            if origin.horizon_days == horizon_days and predictor is not None:
                ahead = predictor.forecast(origin.past.summary, horizon_days, 0.0)
                came = origin.actual
                with suppress(NotEnoughData):
                    return EmpiricalIntervals.learned(
                        ahead, came.purchases, came.spend, levels=(level,)
                    )
        return None

    @property
    def why(self) -> str:
        """The reason in a sentence."""
        if not self.tested.origins:
            return f"{self.entry.name}: too little history to compare candidates."
        origins = len(self.tested.origins)
        error = f"{100 * self._own.score:.1f}% from the best on average over {origins} origins"
        return f"{self._chosen()}: {error}{self._runner_up()}{self._baseline()}."

    def card(self) -> dict[str, Any]:
        """Data, candidates, figures per origin, chosen and why, as plain JSON."""
        return {
            "chosen": self.entry.key,
            "name": self.name,
            "parts": dict(self.entry.parts) or {self.entry.key: 1.0},
            "why": self.why,
            "ranking": [_ranked_card(one) for one in self.ranking if not one.refused],
            "refused": {one.entry.key: one.refused for one in self.ranking if one.refused},
            "passed_over": dict(self.passed_over),
            "coverage": list(self.coverage),
            "backtest": self.tested.card(),
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """The card to read."""
        places = [f"  {one.entry.name:{NAME}}{one.score:8.2%}" for one in self._in_order()]
        out = [f"  {one.entry.name:{NAME}}{one.refused}" for one in self.ranking if one.refused]
        warnings = [f"  {warning}" for warning in self.warnings]
        parts = (
            [f"Chosen: {self.why}"],
            ["From the best, on average over MAE, RMSE, Gini and top tenth of spend:", *places],
            ["Refused:", *out] if out else [],
            ["Mind:", *warnings] if warnings else [],
            [self.tested.text()],
        )
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _chosen(self) -> str:
        """Its name, and for a mean what it is made of."""
        names = {one.entry.key: one.entry.name for one in self.ranking}
        parts = [f"{names[key]} {weight:.0%}" for key, weight in self.entry.parts]
        return f"{self.entry.name} ({', '.join(parts)})" if parts else self.entry.name

    @property
    def _own(self) -> Ranked:
        return next(one for one in self.ranking if one.entry.key == self.entry.key)

    def _in_order(self) -> list[Ranked]:
        return [one for one in self.ranking if not one.refused]

    def _runner_up(self) -> str:
        others = [one for one in self._in_order() if one.entry.key != self.entry.key]
        if not others:
            return ", and no other candidate held"
        return f"; next {others[0].entry.name} with {100 * others[0].score:.1f}%"

    def _baseline(self) -> str:
        rules = [one for one in self._in_order() if one.entry.kind == "baseline"]
        if self.entry.kind == "baseline":
            return "; no model beats this rule"
        return (
            f"; best rule {rules[0].entry.name} with {100 * rules[0].score:.1f}%" if rules else ""
        )


def choose(tested: Backtest, past: Past, *, with_coverage: bool = False) -> Choice:
    """The best candidate that can be fitted soundly to `past`.

    Raises NotEnoughData where none can: `clv.forecast.predictor` then takes the shop's average.
    """

    @cache
    def fitted(entry: Entry) -> tuple[Predictor | None, str]:
        return _fitted(entry, past, tested.horizon_days)

    tested = with_means(tested, lambda entry: fitted(entry)[0] is not None)
    order = ranked(tested)
    over: list[tuple[str, str]] = []
    for entry in _order(order):
        predictor, why = fitted(entry)
        if predictor is not None:
            seen = hindsight(tested, entry.key) if with_coverage else ()
            known = tuple(one.card() for one in seen)
            return Choice(entry, calibrated(predictor, seen), tested, order, tuple(over), known)
        over.append((entry.name, why))
    raise NotEnoughData("no candidate can be fitted", tried=len(over))


def by_backtest(
    candidates: Iterable[Entry] | None = None, *, with_coverage: bool = False
) -> Candidate:
    """The candidate that looks for the best one itself, on the past's own days."""
    entries = tuple(CANDIDATES.values() if candidates is None else candidates)

    def fit(past: Past, horizon_days: int) -> Choice:
        if past.days is None:
            raise NotEnoughData("a backtest needs the purchases of each day")
        traits = past.summary[past.summary.columns.intersection(list(TRAITS))]
        tested = backtest(
            past.days,
            past.as_of,
            horizon_days=horizon_days,
            candidates=entries,
            traits=None if traits.empty else traits,
        )
        return choose(tested, past, with_coverage=with_coverage)

    return fit


def _order(order: Sequence[Ranked]) -> Iterable[Entry]:
    if order:
        return [one.entry for one in order if not one.refused]
    return [CANDIDATES[key] for key in UNMEASURED]


def _fitted(entry: Entry, past: Past, horizon_days: int) -> tuple[Predictor | None, str]:
    """The candidate on the day itself, or why it can't be used."""
    try:
        predictor = entry.fit(past, horizon_days)
        purchases = predictor.forecast(past.summary, horizon_days, 0.0).purchases
    except ClvError as error:
        return None, str(error)
    why = fault(predictor, purchases, past)
    return (None, why) if why else (predictor, "")


def _ranked_card(one: Ranked) -> dict[str, Any]:
    return {
        "candidate": one.entry.key,
        "name": one.entry.name,
        "score": one.score,
        "losses": list(one.losses),
        "evidence": one.evidence,
    }
