"""One candidate at one origin: fitted to what was known, measured against what came, or refused.

A candidate is refused where
    it can't be fitted                    its own error says why
    a forecast isn't a finite number of 0 or more
    all customers get the same forecast   though their histories differ
    its total is absurd                   more than three times as far off as the best candidate's
The last rule asks for a comparison: where the whole shop changed, all are far off, and that is no
candidate's fault.

A parameter that ran off until the wall stopped it refuses the fit that would be used, not those of
the past: what such a fit forecast is known there, and a year more of history may well hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clv import columns as c
from clv.choice.metrics import Actual, Metrics, measured
from clv.errors import ClvError
from clv.forecast import Candidate, Predictor
from clv.past import Past

Floats = NDArray[np.float64]

Kind = Literal["model", "challenger", "baseline"]

#: Totals further off than the best candidate's by more than this factor are absurd.
ABSURD_FACTOR = 3.0
#: Forecasts that differ by less than this share of their mean are one forecast.
CONSTANT = 1e-9


@dataclass(frozen=True)
class Entry:
    """A candidate with its key for the command line and its name.

    `complexity` orders candidates of equal merit: fewer parameters, and fewer ideas, first.
    `plain` is the key of the candidate that this one is where it has too little to go by. `parts`
    of a mean are the keys of what it is made of, with their weights.
    """

    key: str
    name: str
    fit: Candidate
    kind: Kind = "model"
    complexity: int = 0
    plain: str = ""
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Trial:
    """`purchases` and undiscounted `spend` are per customer of the origin, empty if not fitted.

    `walls` are parameters that ran off. `metrics` stand beside `refused` where there was a
    forecast: an owner may see what was refused.
    """

    entry: Entry
    predictor: Predictor | None
    purchases: Floats
    spend: Floats
    metrics: Metrics | None = None
    refused: str = ""
    walls: tuple[str, ...] = ()


def tried(entry: Entry, past: Past, horizon_days: int, actual: Callable[[], Actual]) -> Trial:
    """Fit and measure one candidate; `actual` isn't asked for before the forecast is made."""
    none = np.empty(0)
    try:
        predictor = entry.fit(past, horizon_days)
        ahead = predictor.forecast(past.summary, horizon_days, 0.0)
    except ClvError as error:
        return Trial(entry, None, none, none, refused=str(error))
    purchases, spend = ahead.purchases, ahead.purchases * ahead.spend
    if not (sound(purchases) and sound(spend)):
        return Trial(entry, predictor, none, none, refused="forecasts that are no finite numbers")
    metrics, refused = measured(purchases, spend, actual()), constant(purchases, past)
    return Trial(entry, predictor, purchases, spend, metrics, refused, walls_of(predictor))


def sound(values: Floats) -> bool:
    """All finite and none negative."""
    return bool(np.all(np.isfinite(values) & (values >= 0)))


def constant(purchases: Floats, past: Past) -> str:
    """The reproach, if all get one forecast whose histories differ; else empty."""
    if len(purchases) < 2 or float(np.ptp(purchases)) > CONSTANT * float(purchases.mean()):
        return ""
    histories = past.summary[[c.FREQUENCY, c.RECENCY, c.T]]
    alike = not histories.duplicated().eq(False).iloc[1:].any()
    return "" if alike else "the same forecast for every customer"


def fault(predictor: Predictor, purchases: Floats, past: Past) -> str:
    """What speaks against a fit that is to be used; empty if nothing does."""
    walls = walls_of(predictor)
    if walls:
        return f"it stopped at the edge of what is plausible for {', '.join(walls)}"
    if not sound(purchases):
        return "forecasts that are no finite numbers"
    return constant(purchases, past)


def walls_of(predictor: Predictor) -> tuple[str, ...]:
    """The parameters of a predictor's model of purchases that only the wall has stopped."""
    walls: tuple[str, ...] = getattr(getattr(predictor, "buying", None), "at_wall", ())
    return walls


def without_absurd(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The trials of one origin, those refused whose totals are absurd beside the best one's."""
    off = [_how_far_off(trial) for trial in trials]
    best = min(
        (far for far, trial in zip(off, trials, strict=True) if not trial.refused), default=0
    )
    limit = best + float(np.log(ABSURD_FACTOR))
    return tuple(
        replace(trial, refused=_absurd(trial))
        if trial.metrics and not trial.refused and far > limit
        else trial
        for far, trial in zip(off, trials, strict=True)
    )


def _how_far_off(trial: Trial) -> float:
    """|ln (expected / came)| of purchases: 0 is exact; infinite where nothing was expected."""
    if trial.metrics is None or not trial.metrics.bias_purchases > -1:
        return float("inf") if trial.metrics and trial.metrics.bias_purchases == -1 else 0.0
    return abs(float(np.log1p(trial.metrics.bias_purchases)))


def _absurd(trial: Trial) -> str:
    bias = trial.metrics.bias_purchases if trial.metrics else float("nan")
    return f"an absurd total: {bias:+.0%} purchases, where others came close"
