# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import BadSettings
from clv.season.index import SeasonalIndex, day_number

#: Every day of a leap year has a factor of its own.
INDEX = SeasonalIndex.of(np.linspace(0.5, 2.0, 366))


def day(text: str) -> int:
    return day_number(date.fromisoformat(text))


def summary(rows: list[tuple[int, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["frequency", "recency", "T"])


def test_factors_are_scaled_to_a_mean_of_one_over_a_usual_year() -> None:
    assert np.delete(INDEX.factors, 59).mean() == pytest.approx(1)
    assert INDEX.factors[365] / INDEX.factors[0] == pytest.approx(4)


def test_without_a_factor_of_its_own_february_29_lies_between_its_neighbours() -> None:
    index = SeasonalIndex.of(np.arange(1.0, 366.0))
    assert index.factors[59] == pytest.approx((index.factors[58] + index.factors[60]) / 2)
    assert index.factors[60] / index.factors[58] == pytest.approx(60 / 59)


@pytest.mark.parametrize(
    ("when", "slot"),
    [
        ("2023-01-01", 0),
        ("2023-02-28", 58),
        ("2023-03-01", 60),
        ("2024-02-29", 59),
        ("2024-03-01", 60),
        ("2023-12-31", 365),
        ("2024-12-31", 365),
        ("1900-03-01", 60),
        ("1904-02-29", 59),
        ("2400-02-29", 59),
        ("2500-12-31", 365),
    ],
)
def test_each_day_has_the_factor_of_its_date(when: str, slot: int) -> None:
    assert INDEX.at(day(when)) == INDEX.factors[slot]


@pytest.mark.parametrize("year", [1899, 1969, 1970, 2023, 2370, 2901])
def test_a_usual_year_is_365_operational_days_long(year: int) -> None:
    ends = INDEX.running([day(f"{year - 1}-12-31"), day(f"{year}-12-31")])
    assert ends[1] - ends[0] == pytest.approx(365, rel=1e-9)


@given(st.integers(-300_000, 300_000))
def test_a_days_rate_holds_from_the_end_of_the_day_before_to_its_own(number: int) -> None:
    steps = np.diff(INDEX.running(number - 1 + np.array([0.0, 0.25, 1.0])))
    assert steps == pytest.approx(INDEX.at(number) * np.array([0.25, 0.75]), rel=1e-6)


@given(st.floats(-1e6, 1e6))
def test_the_calendar_is_the_inverse_of_running(moment: float) -> None:
    assert INDEX.calendar(INDEX.running(moment)) == pytest.approx(moment, abs=1e-8)


@pytest.mark.parametrize("t", [1, 30, 92, 800])
def test_a_horizon_adds_up_the_days_to_come(t: int) -> None:
    as_of = date(2024, 2, 20)
    coming = [as_of + timedelta(days=number) for number in range(1, t + 1)]
    expected = INDEX.at([day_number(one) for one in coming]).sum()
    assert INDEX.horizon(as_of, t) == pytest.approx(expected)
    assert INDEX.horizon(as_of, [[0.0, t]]).tolist() == [[0.0, pytest.approx(expected)]]


def test_times_of_a_summary_add_up_the_days_behind_the_first_purchase() -> None:
    as_of = date(2024, 4, 15)
    measured = INDEX.operational(summary([(2, 40, 100)]), as_of)
    first = day_number(as_of) - 100
    assert measured["T"].item() == pytest.approx(INDEX.at(first + np.arange(1, 101)).sum())
    assert measured["recency"].item() == pytest.approx(INDEX.at(first + np.arange(1, 41)).sum())
    assert measured["frequency"].item() == 2


@pytest.mark.parametrize("as_of", [date(2026, 5, 1), date(1970, 12, 30)])
def test_measured_times_stay_in_their_order(as_of: date) -> None:
    """One-time buyers have no recency, and nobody purchased after the scoring day."""
    rng = np.random.default_rng(1)
    T = rng.uniform(0, 9_000, 2_000)
    rows = [(0, 0.0, age) for age in T] + [(3, age, age) for age in T]
    measured = INDEX.operational(summary(rows), as_of)
    assert (measured.recency[:2_000] == 0).all()
    assert (measured.recency <= measured["T"]).all()
    assert measured.recency[2_000:].to_numpy() == pytest.approx(measured["T"][2_000:].to_numpy())


def test_a_summary_keeps_its_other_columns_and_needs_no_recency() -> None:
    given = pd.DataFrame({"frequency": [1], "T": [10.0], "channel": ["web"]})
    assert INDEX.operational(given, date(2026, 5, 1)).columns.tolist() == list(given.columns)


def test_log_waits_of_calendar_days_are_left_out() -> None:
    given = summary([(2, 40, 100)]).assign(log_waits=3.0)
    assert "log_waits" not in INDEX.operational(given, date(2026, 5, 1))


def test_a_flat_index_leaves_times_as_they_are() -> None:
    given = summary([(2, 40.5, 100.25), (0, 0, 3)])
    flat = SeasonalIndex.flat()
    assert flat.is_flat
    assert not INDEX.is_flat
    pd.testing.assert_frame_equal(flat.operational(given, date(2024, 4, 15)), given)


@pytest.mark.parametrize("factors", [[1.0] * 364, [1.0] * 367, [], [0.0] + [1.0] * 365])
def test_what_is_no_season_is_refused(factors: list[float]) -> None:
    with pytest.raises(BadSettings, match="366 factors above zero"):
        SeasonalIndex.of(factors)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_a_factor_that_is_no_number_above_zero_is_refused(bad: float) -> None:
    with pytest.raises(BadSettings, match="366 factors above zero"):
        SeasonalIndex((bad,) + (1.0,) * 365)


def test_an_index_survives_json_to_the_last_digit() -> None:
    assert SeasonalIndex.from_json(INDEX.to_json()) == INDEX
