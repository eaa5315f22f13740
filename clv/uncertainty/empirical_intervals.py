"""Bounds of purchases and value for forecasts without a model: from what came of such forecasts.

Customers of a backtest are put into bins by what was predicted for them. What came of those of a
bin says what may come of whoever is predicted as much: as it is where little was predicted, over
the prediction where it is ENOUGH or more, and always so for value. Like conformal prediction (Vovk,
Gammerman & Shafer 2005, Algorithmic Learning in a Random World) it holds whatever made the
forecast, as long as the days to come are like those of the backtest; unlike the models' intervals
it knows of no customer more than the prediction. Levels mean what they mean in
`clv.uncertainty.intervals`. A forecast that is too high or too low as a rule may lie outside of its
own interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv.errors import NotEnoughData
from clv.forecast import Forecast
from clv.uncertainty.futures import Table, Wanted
from clv.uncertainty.intervals import (
    CLV,
    LEVELS,
    PURCHASES,
    Outcomes,
    checked_levels,
    nested,
    tightest,
)

Floats = NDArray[np.float64]

#: Customers in a bin, bins, and the outcomes that stand for those of a bin.
IN_A_BIN, MOST_BINS, OUTCOMES = 100, 50, 512
#: From so many predicted purchases on, outcomes are looked at in relation to the prediction.
ENOUGH = 3.0
#: Outcomes are kept to seven digits.
ROUNDING = 1e-3


@dataclass(frozen=True, eq=False)
class Scale:
    """What came of predictions, by bins: `edges` lie between them.

    From bin `relative_from` on, outcomes are over the prediction.
    """

    edges: Floats
    relative_from: int
    outcomes: Table

    @classmethod
    def of(cls, predicted: Floats, actual: Floats, enough: float) -> Scale:
        """From predictions and what came. Equal predictions are in the same bin; none is empty."""
        bins = int(np.clip(len(predicted) // IN_A_BIN, 1, MOST_BINS))
        cuts = np.quantile(predicted, np.arange(1, bins) / bins, method="inverted_cdf")
        large = predicted[predicted >= enough]
        first_large = float(large.min()) if len(large) else np.inf
        edges = np.unique(np.append(cuts, first_large))
        edges = edges[(edges > predicted.min()) & (edges < np.inf)]
        relative_from = int(np.searchsorted(edges, first_large)) + (first_large > predicted.min())
        plain = cls(edges, relative_from, Table.of(np.zeros((1, 1))))
        ratios, bin_of = actual / plain.unit(predicted), plain.bins(predicted)
        shares = (np.arange(OUTCOMES) + 0.5) / OUTCOMES
        spread = [
            np.quantile(ratios[bin_of == place], shares, method="inverted_cdf")
            for place in range(len(edges) + 1)
        ]
        return cls(edges, relative_from, Table.of(np.array(spread)))

    def bins(self, predicted: Floats) -> NDArray[np.intp]:
        return np.searchsorted(self.edges, predicted, side="right")

    def unit(self, predicted: Floats) -> Floats:
        """What the outcomes of each prediction are measured in."""
        relative = (self.bins(predicted) >= self.relative_from) & (predicted > 0)
        return np.where(relative, predicted, 1.0)

    def at(self, predicted: Floats) -> Outcomes:
        return Outcomes(
            table=self.outcomes,
            rows=self.bins(predicted),
            active=np.ones(len(predicted)),
            unit=self.unit(predicted),
        )


@dataclass(frozen=True, eq=False)
class EmpiricalIntervals:
    """What forecasts of one kind and horizon are worth; `of` is a pure function of its batch."""

    scales: Mapping[str, Scale]
    wanted: Mapping[str, Mapping[float, Wanted]]

    @classmethod
    def learned(
        cls,
        ahead: Forecast,
        purchases: Floats,
        value: Floats,
        *,
        levels: Sequence[float] = LEVELS,
    ) -> EmpiricalIntervals:
        """From a backtest's forecast and what came of it. Raises BadSettings, NotEnoughData.

        `value` is undiscounted, as `ahead` should be.
        """
        if len(purchases) < IN_A_BIN:
            raise NotEnoughData(
                "intervals need more forecasts to learn from",
                customers=len(purchases),
                min_customers=IN_A_BIN,
            )
        each = checked_levels(levels)
        scales = {
            PURCHASES: Scale.of(ahead.purchases, purchases, ENOUGH),
            CLV: Scale.of(ahead.value, value, np.finfo(float).tiny),
        }
        wanted = {
            measure: {level: tightest(scales[measure].at(predicted), level) for level in each}
            for measure, predicted in _predicted(ahead).items()
        }
        return cls(scales, wanted)

    def of(self, ahead: Forecast, index: pd.Index[Any] | None = None) -> pd.DataFrame:
        """The columns of `Intervals.of` for some forecasts. Purchases are whole."""
        columns: dict[str, Floats] = {}
        for measure, predicted in _predicted(ahead).items():
            outcomes = self.scales[measure].at(predicted)
            columns |= dict(nested(outcomes, measure, self.wanted[measure]))
        whole = {name: _whole(name, bound) for name, bound in columns.items()}
        for name in [name for name in whole if "_low_" in name]:
            high = name.replace("_low_", "_high_")
            whole[high] = np.maximum(whole[high], whole[name])
        return pd.DataFrame(whole, index=index)


def _whole(name: str, bound: Floats) -> Floats:
    """The outermost counts within the bounds of purchases; value as it is."""
    if name.startswith(f"{PURCHASES}_low"):
        return np.ceil(bound - ROUNDING)
    return np.floor(bound + ROUNDING) if name.startswith(f"{PURCHASES}_high") else bound


def _predicted(ahead: Forecast) -> dict[str, Floats]:
    return {PURCHASES: ahead.purchases, CLV: ahead.value}
