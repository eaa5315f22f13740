from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.choice.metrics import Actual
from clv.choice.trials import Entry, Trial, constant, fault, tried, without_absurd
from clv.errors import ConvergenceError
from clv.forecast import Forecast
from clv.models.nbd import NBD
from clv.past import Past

AGES = np.arange(20.0)
PAST = Past(
    pd.DataFrame({"frequency": AGES % 4, "recency": AGES % 4, "T": AGES + 5}), date(2024, 1, 1)
)
ACTUAL = Actual(np.arange(20.0) % 3, 10 * (np.arange(20.0) % 3))


@dataclass(frozen=True)
class Says:
    """A predictor that forecasts what it was told."""

    purchases: Any
    spend: Any = 10.0
    buying: Any = None
    name: str = "says"
    warnings: tuple[str, ...] = ()
    asked: list[float] = field(default_factory=list)

    def forecast(self, summary: pd.DataFrame, horizon_days: int, discount_rate: float) -> Forecast:
        ones = np.ones(len(summary))
        n = self.purchases * ones
        return Forecast(ones, n, n, self.spend * ones, ones)

    def card(self) -> dict[str, Any]:
        return {}


def trial(purchases: Any, spend: Any = 10.0, key: str = "says") -> Trial:
    entry = Entry(key, key, lambda past, days: Says(purchases, spend))
    return tried(entry, PAST, 30, lambda: ACTUAL)


def test_a_forecast_is_measured_against_what_came() -> None:
    found = trial(ACTUAL.purchases)
    assert found.metrics is not None
    assert found.metrics.mae == 0
    assert found.refused == ""
    assert found.spend.tolist() == ACTUAL.spend.tolist()


def test_what_cannot_be_fitted_is_refused_with_its_own_reason() -> None:
    def fit(past: Past, horizon_days: int) -> Says:
        raise ConvergenceError("no maximum", starts=4)

    found = tried(Entry("x", "x", fit), PAST, 30, lambda: ACTUAL)
    assert found.refused == "no maximum (starts=4)"
    assert found.metrics is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5])
@pytest.mark.parametrize("where", ["purchases", "spend"])
def test_forecasts_that_are_no_finite_numbers_are_refused(value: float, where: str) -> None:
    bad = np.where(AGES == 3, value, 1.0 + AGES)
    found = trial(bad) if where == "purchases" else trial(1.0 + AGES, bad)
    assert "finite" in found.refused
    assert found.metrics is None


def test_one_forecast_for_all_is_refused_where_histories_differ() -> None:
    assert "same forecast" in trial(0.7).refused
    alike = Past(pd.concat([PAST.summary.iloc[:1]] * 5), PAST.as_of)
    assert constant(np.full(5, 0.7), alike) == ""


def test_an_absurd_total_is_refused_beside_a_good_one() -> None:
    good, absurd = trial(1.0 + AGES / 100, key="good"), trial(9.0 + AGES, key="absurd")
    one, other = without_absurd([good, absurd])
    assert one.refused == ""
    assert "absurd total" in other.refused
    assert other.metrics is not None


def test_nobody_is_absurd_where_the_whole_shop_changed() -> None:
    far = [trial(9.0 + AGES, key="a"), trial(12.0 + AGES, key="b")]
    assert [one.refused for one in without_absurd(far)] == ["", ""]


def test_expecting_nothing_is_absurd_where_much_came() -> None:
    nearly = np.where(AGES == 3, 1e-6, 0.0)
    good, nothing = without_absurd([trial(1.0 + AGES / 100), trial(nearly, key="nothing")])
    assert good.refused == ""
    assert "absurd total" in nothing.refused


def test_where_nothing_came_totals_refuse_nobody() -> None:
    nothing = Actual(np.zeros(20), np.zeros(20))
    entry = Entry("x", "x", lambda past, days: Says(1.0 + AGES))
    found = tried(entry, PAST, 30, lambda: nothing)
    assert without_absurd([found])[0].refused == ""


def test_a_wall_refuses_the_fit_that_is_to_be_used_and_is_told_of_those_of_the_past() -> None:
    ran_off = Says(1.0 + AGES, buying=NBD(r=1e4, alpha=1.0, at_wall=("r",)))
    assert fault(ran_off, 1.0 + AGES, PAST) == "it stopped at the edge of what is plausible for r"
    found = tried(Entry("x", "x", lambda past, days: ran_off), PAST, 30, lambda: ACTUAL)
    assert found.refused == ""
    assert found.walls == ("r",)
    assert fault(Says(1.0), 1.0 + AGES, PAST) == ""
