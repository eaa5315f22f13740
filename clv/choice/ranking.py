"""Which candidate did best over all origins.

A candidate's loss at an origin is the mean of four logarithms

    (ln MAE + ln RMSE - ln Gini - ln top) / 4

of purchases and of spend, so a difference of 0.01 is 1% on average over the four. Its score is the
mean over the origins of its loss, above that of the best candidate.

Why these: MAE alone is lowest for who forecasts next to nothing, where most customers buy nothing;
RMSE stands for the heavy buyers, Gini (all customers) and the top tenth (the best) for the order by
spend, which no forecast of nothing gets right. Totals and calibration refuse the absurd and stand
in the card, but don't rank: they follow what happens to the whole shop, and an early one does not
predict a later one. On 24 shops, 18 of them real, the single candidate that was chosen by these
four before the holdout was 0.6% behind the best one of the holdout on average; by MAE alone 3.6%,
by RMSE alone 0.9%, with calibration as a fifth 1.3%, with bias 1.4% (`benchmarks/choice.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clv.choice.backtest import Backtest, Origin
from clv.choice.metrics import Metrics
from clv.choice.trials import Entry, Trial
from clv.forecast import Predictor

#: Scores that differ by less are a tie: a tenth of what an owner could notice.
TIE = 0.001
#: By how much trees, and a mean, must be better than anything simpler: they have more ways to be
#: lucky.
MARGIN = 0.005
#: Keeps logarithms finite: a Gini, share or error below is as good as none.
LEAST = 1e-3


@dataclass(frozen=True)
class Ranked:
    """A candidate over all origins: its score, 0 for the best, or why it is out.

    `losses` are by origin, latest first, None where it was refused.
    `evidence` is its log-likelihood at the latest origin less what its parameters cost (BIC / 2).
    """

    entry: Entry
    score: float
    losses: tuple[float | None, ...]
    evidence: float | None
    refused: str = ""


def loss(metrics: Metrics) -> float:
    """The mean of the logarithms of what should be low, and of one over what should be high.

    Figures without meaning, as where nobody bought, are left out, for all candidates alike.
    """
    low = (metrics.mae, metrics.rmse)
    high = (metrics.gini_spend, metrics.top_decile_spend)
    logs = [np.log(max(value, LEAST)) for value in low if value == value]
    logs += [-np.log(max(value, LEAST)) for value in high if value == value]
    return float(np.mean(logs)) if logs else 0.0


def ranked(tested: Backtest) -> tuple[Ranked, ...]:
    """All candidates, best first; behind them those that are out.

    Out is who was refused at the latest origin, or at more than half of the origins. Ties go to
    the higher evidence, then to the simpler. But a model must beat every baseline to stand before
    it, and trees and a mean must beat all others by MARGIN.
    """
    if not tested.origins:
        return ()
    found = [_over_origins(tested, trial.entry) for trial in tested.origins[0].trials]
    sound = _scored([one for one in found if not one.refused])
    ordered: list[Ranked] = []
    while sound:
        first = _first_of(sound)
        ordered.append(first)
        sound.remove(first)
    return (*ordered, *(one for one in found if one.refused))


def evidence(predictor: Predictor | None) -> float | None:
    """Log-likelihood - parameters x ln(customers) / 2 of the model of purchases; None without."""
    buying = getattr(predictor, "buying", None)
    likelihood, customers = (getattr(buying, name, 0) for name in ("log_likelihood", "customers"))
    if not (likelihood and customers):
        return None
    many = np.size(getattr(buying, "parameters", ())) + getattr(buying, "season_parameters", 0.0)
    many += hasattr(getattr(buying, "plain", buying), "k")
    return float(likelihood - many * np.log(customers) / 2)


def _over_origins(tested: Backtest, entry: Entry) -> Ranked:
    trials = [origin.trial(entry.key) for origin in tested.origins]
    losses = tuple(_loss_at(origin, entry) for origin in tested.origins)
    return Ranked(entry, float("inf"), losses, evidence(trials[0].predictor), _out(trials))


def _loss_at(origin: Origin, entry: Entry) -> float | None:
    trial = origin.stand_in(entry)
    return loss(trial.metrics) if trial.metrics and not trial.refused else None


def _scored(found: Sequence[Ranked]) -> list[Ranked]:
    """The sound ones with their scores, in order.

    Who wasn't there at every origin is compared, where it was, to the best of those who were: an
    origin at which all are good is no merit.
    """
    if not found:
        return []
    everywhere = [one for one in found if None not in one.losses] or list(found)
    usual = min(everywhere, key=lambda one: np.mean([x for x in one.losses if x is not None]))
    above = [_above(one, usual) for one in found]
    best = min(above)
    scored = [replace(one, score=more - best) for one, more in zip(found, above, strict=True)]
    return sorted(scored, key=lambda one: one.score)


def _above(one: Ranked, usual: Ranked) -> float:
    """The mean loss above another's, over the origins that they share."""
    pairs = zip(one.losses, usual.losses, strict=True)
    both = [mine - theirs for mine, theirs in pairs if mine is not None and theirs is not None]
    return float(np.mean(both)) if both else float("inf")


def _out(trials: Sequence[Trial]) -> str:
    """Why a candidate can't be chosen; trials are those of the latest origin first."""
    refused = [trial.refused for trial in trials if trial.refused]
    often = 2 * len(refused) > len(trials) and not trials[0].entry.plain
    if trials[0].refused or often:
        return refused[0]
    return ""


def _first_of(sound: Sequence[Ranked]) -> Ranked:
    """The best of those that are left: `sound` are in order of their scores."""
    best = sound[0]
    if best.entry.kind == "challenger":
        near = [one for one in sound if one.score <= best.score + MARGIN]
        simpler = [one for one in near if one.entry.kind != "challenger"]
        if simpler:
            return _first_of(simpler)
    tied = [one for one in sound if one.score <= best.score + TIE]
    unbeaten = [one for one in tied if one.entry.kind == "baseline"]
    return unbeaten[0] if unbeaten else min(tied, key=_by_evidence)


def _by_evidence(one: Ranked) -> tuple[float, int, float]:
    """The likelier first, then the simpler."""
    likely = float("inf") if one.evidence is None else -round(one.evidence, 2)
    return likely, one.entry.complexity, one.score
