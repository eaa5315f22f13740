"""What a candidate's intervals would have held at the origins, and the levels that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from clv.choice.averaged import Averaged
from clv.choice.backtest import Backtest, Origin
from clv.choice.metrics import calibration as calibration_of_tenths
from clv.choice.origins import DAYS_A_YEAR, SAME_SEASON_DAYS
from clv.forecast import Predictor, models_of
from clv.uncertainty.calibration import UNCHANGED, Calibration, Ranks, calibration
from clv.uncertainty.intervals import LEVELS, coverage, learned
from clv.uncertainty.ranks import ranks

#: Levels that are corrected; others are moved as those beside them.
KNOWN = LEVELS


@dataclass(frozen=True, eq=False)
class Hindsight:
    """One origin, seen from `days_ago` days later: `shares` of customers within the intervals, and
    the ranks of what they did. `tenths`: expected and actual purchases, lowest expected first."""

    as_of: date
    horizon_days: int
    days_ago: int
    shares: dict[str, dict[str, float | None]]
    ranks: dict[str, Ranks]
    tenths: list[dict[str, float]] = field(default_factory=list)

    @property
    def same_season(self) -> bool:
        """Its holdout is of the season that is to come."""
        years = max(round(self.days_ago / DAYS_A_YEAR), 1)
        return abs(self.days_ago - years * DAYS_A_YEAR) <= SAME_SEASON_DAYS

    def card(self) -> dict[str, Any]:
        """`randomised` has the shares by ranks: what is left once counts are no steps."""
        by_rank = {
            f"{measure}_{100 * level:g}": one.coverage(level)
            for measure, one in self.ranks.items()
            for level in KNOWN
        }
        when = {"as_of": self.as_of.isoformat(), "horizon_days": self.horizon_days}
        return {**when, **self.shares, "randomised": by_rank, "tenths": self.tenths}


def hindsight(tested: Backtest, key: str) -> tuple[Hindsight, ...]:
    """A candidate's, latest origin first; nothing of origins where it was no pair of models."""
    seen = (_seen(origin, key, (tested.as_of - origin.as_of).days) for origin in tested.origins)
    return tuple(one for one in seen if one)


def calibrated(predictor: Predictor, seen: Sequence[Hindsight]) -> Predictor:
    """The predictor with what was seen; by the origins of the season to come, if there are any."""
    same = [one for one in seen if one.same_season]
    return with_calibration(predictor, calibration([one.ranks for one in same or seen], KNOWN))


def with_calibration(predictor: Predictor, found: Calibration) -> Predictor:
    """The predictor, its models' intervals moved by this; as it is where it has none."""
    models = models_of(predictor)
    if models is None:
        return predictor
    moved = replace(models, calibration=found)
    return predictor.with_models(moved) if isinstance(predictor, Averaged) else moved


def calibration_of(predictor: Predictor) -> Calibration:
    """What its intervals' levels are moved by."""
    models = models_of(predictor)
    return models.calibration if models else UNCHANGED


def _seen(origin: Origin, key: str, days_ago: int) -> Hindsight | None:
    predictor = origin.trial(key).predictor
    models = models_of(predictor) if predictor is not None else None
    if predictor is None or models is None or origin.past.summary.empty:
        return None
    summary, came = origin.past.summary, origin.actual
    shop = learned(models, summary, origin.horizon_days)
    ahead = predictor.forecast(summary, origin.horizon_days, 0.0)
    tenths = calibration_of_tenths(ahead.purchases, came.purchases).to_dict("records")
    return Hindsight(
        as_of=origin.as_of,
        horizon_days=origin.horizon_days,
        days_ago=days_ago,
        shares=coverage(shop.of(summary, ahead), came.purchases, came.spend),
        ranks=ranks(shop, summary, came.purchases, came.spend),
        tenths=[{str(name): float(value) for name, value in row.items()} for row in tenths],
    )
