"""What each candidate would have forecast at past origins, against what came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import pandas as pd

from clv.choice.candidates import CANDIDATES
from clv.choice.metrics import Actual, calibration
from clv.choice.origins import (
    MOST_CUSTOMERS,
    History,
    came_after,
    given,
    known_at,
    plan,
    read_history,
)
from clv.choice.trials import Entry, Trial, tried, without_absurd
from clv.past import Past


@dataclass(frozen=True, eq=False)
class Origin:
    """A day in the past, what was known then, what came, and every candidate's trial."""

    past: Past
    horizon_days: int
    actual: Actual
    trials: tuple[Trial, ...]

    @property
    def as_of(self) -> date:
        return self.past.as_of

    def trial(self, key: str) -> Trial:
        return next(trial for trial in self.trials if trial.entry.key == key)

    def stand_in(self, entry: Entry) -> Trial:
        """An entry's trial; a season that couldn't be told yet is none: then the plain model's."""
        trial = self.trial(entry.key)
        plain = [one for one in self.trials if trial.refused and one.entry.key == entry.plain]
        return plain[0] if plain else trial

    def text(self) -> str:
        """The figures as a table to read."""
        return _origin_text(self)

    def calibration(self, key: str) -> pd.DataFrame:
        """Expected against actual purchases by tenths of customers (`clv.choice.metrics`)."""
        return calibration(self.trial(key).purchases, self.actual.purchases)


@dataclass(frozen=True, eq=False)
class Backtest:
    """All origins, latest first. `horizon_days` is what was asked for.

    `notes` say what was shortened, sampled or left out.
    """

    as_of: date
    history: History
    horizon_days: int
    origins: tuple[Origin, ...]
    notes: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """A row per origin and candidate: the figures of `Metrics`, and `refused`."""
        rows = [_row(origin, trial) for origin in self.origins for trial in origin.trials]
        return pd.DataFrame(rows)

    def card(self) -> dict[str, Any]:
        """Data, origins and figures as plain JSON."""
        return {
            "data": _data(self),
            "horizon_days": self.horizon_days,
            "notes": list(self.notes),
            "origins": [_origin_card(origin) for origin in self.origins],
        }

    def text(self) -> str:
        """The figures as a table to read, one block for each origin."""
        return "\n\n".join(origin.text() for origin in self.origins)


def backtest(
    history: pd.DataFrame,
    as_of: date | str | pd.Timestamp,
    horizon_days: int = 365,
    *,
    candidates: Iterable[Entry] | None = None,
    origins: Sequence[date] | None = None,
    traits: pd.DataFrame | None = None,
    most_customers: int = MOST_CUSTOMERS,
) -> Backtest:
    """Try every candidate at every origin. `history`: purchase days or transactions.

    Nothing after `as_of` is looked at, and no candidate sees what came after its origin. Without
    `origins` they are planned (`clv.choice.origins.plan`). `traits`, indexed by customer_id, are
    known of customers from their first purchase on. Raises BadTransactions, BadSettings.
    """
    known = read_history(history, as_of, most_customers=most_customers, traits=traits)
    planned = plan(known, horizon_days) if origins is None else given(known, horizon_days, origins)
    entries = tuple(CANDIDATES.values() if candidates is None else candidates)
    return Backtest(
        as_of=known.as_of,
        history=known,
        horizon_days=horizon_days,
        origins=tuple(_origin(known, day, ahead, entries) for day, ahead in planned.origins),
        notes=(*_sampling(known), *planned.notes),
    )


def _origin(history: History, day: date, horizon_days: int, entries: tuple[Entry, ...]) -> Origin:
    past = known_at(history, day)

    @cache
    def actual() -> Actual:
        return came_after(history, past, horizon_days)

    trials = without_absurd([tried(entry, past, horizon_days, actual) for entry in entries])
    return Origin(past, horizon_days, actual(), trials)


def _sampling(history: History) -> tuple[str, ...]:
    if history.customers == history.all_customers:
        return ()
    of = f"{history.customers} of {history.all_customers} customers"
    return (f"measured on {of}, picked by the hash of their ids",)


def _row(origin: Origin, trial: Trial) -> dict[str, Any]:
    figures = trial.metrics.as_dict() if trial.metrics else {}
    where = {"origin": origin.as_of, "candidate": trial.entry.key, "name": trial.entry.name}
    return {**where, **figures, "refused": trial.refused}


def _data(tested: Backtest) -> dict[str, Any]:
    history = tested.history
    return {
        "as_of": tested.as_of.isoformat(),
        "first_on": history.first_on.isoformat() if history.first_on else None,
        "customers": history.customers,
        "all_customers": history.all_customers,
        "rows": len(history.rows),
    }


def _origin_card(origin: Origin) -> dict[str, Any]:
    return {
        "as_of": origin.as_of.isoformat(),
        "horizon_days": origin.horizon_days,
        "until": (origin.as_of + timedelta(days=origin.horizon_days)).isoformat(),
        "customers": len(origin.past.summary),
        "purchases": float(origin.actual.purchases.sum()),
        "spend": round(float(origin.actual.spend.sum()), 2),
        "candidates": {trial.entry.key: _trial_card(trial) for trial in origin.trials},
    }


def _trial_card(trial: Trial) -> dict[str, Any]:
    figures = trial.metrics.as_dict() if trial.metrics else {}
    doubts = {"refused": trial.refused or None, "walls": list(trial.walls)}
    return {"name": trial.entry.name, **figures, **doubts}


#: Room for a name in the text.
NAME = 40
HEADER = (
    f"{'':{NAME}}{'MAE':>7}{'RMSE':>7}{'bias n':>8}{'spend':>7}{'rank':>7}{'top 10%':>8}{'Gini':>7}"
    f"{'calibr.':>9}"
)


def _origin_text(origin: Origin) -> str:
    until = origin.as_of + timedelta(days=origin.horizon_days)
    head = (
        f"known on {origin.as_of}: {len(origin.past.summary)} customers; until {until} came "
        f"{origin.actual.purchases.sum():.0f} purchases worth {origin.actual.spend.sum():.2f}"
    )
    return "\n".join([head, HEADER, *(_line(trial) for trial in origin.trials)])


def _line(trial: Trial) -> str:
    m = trial.metrics
    if m is None:
        return f"{trial.entry.name:{NAME}} refused: {trial.refused}"
    figures = (
        f"{m.mae:7.3f}{m.rmse:7.3f}{m.bias_purchases:+8.1%}{m.bias_spend:+7.0%}"
        f"{m.rank_correlation:7.3f}{m.top_decile_spend:8.1%}{m.gini_spend:7.3f}"
        f"{m.calibration_error:9.1%}"
    )
    remark = f"  refused: {trial.refused}" if trial.refused else ""
    remark += f"  at the wall: {', '.join(trial.walls)}" if trial.walls else ""
    return f"{trial.entry.name:{NAME}}{figures}{remark}"
