from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv.errors import BadSummary, NotEnoughData
from clv.season.history import Activity, Cells, bin_of
from clv.season.index import day_number

AS_OF = day_number(date(2024, 9, 30))


def frame(days: int, first: float = 5.0, repeat: float = 20.0) -> pd.DataFrame:
    """A shop of as many purchases each day, up to AS_OF."""
    index = pd.date_range(end="2024-09-30", periods=days, name="day")
    columns = {"first_purchases": first, "repeat_purchases": repeat}
    return pd.DataFrame(columns, index=index, dtype=float)


def test_five_days_make_a_bin_and_february_29_goes_with_march_1() -> None:
    days = [date(2023, 1, 1), date(2023, 1, 6), date(2024, 2, 29), date(2024, 12, 31)]
    numbers = np.array([day_number(day) for day in days])
    assert bin_of(numbers).tolist() == [0, 1, 11, 72]
    march = np.array([day_number(date(2024, 3, 1)), day_number(date(2023, 3, 1))])
    assert bin_of(march).tolist() == [11, 11]
    assert np.bincount(bin_of(day_number(date(2023, 1, 1)) + np.arange(365))).tolist() == [5] * 73


def test_cells_cover_the_history_once_and_run_from_minus_one_to_one() -> None:
    activity = Activity.read(frame(800, repeat=2.0), AS_OF)
    cells = Cells.of(activity)
    assert cells.purchases.sum() == 1_600
    assert (cells.bins == bin_of(activity.days)[cells.starts]).all()
    assert -1 < cells.z[0] < -0.99 < 0.99 < cells.z[-1] < 1


def test_activity_is_read_by_date_and_only_up_to_the_scoring_day() -> None:
    days = frame(500)
    later = frame(500).set_axis(days.index + pd.Timedelta(days=30))
    mixed = pd.concat([days, later[later.index > days.index[-1]]]).sample(frac=1, random_state=1)
    whole, read = Activity.read(days, AS_OF), Activity.read(mixed, AS_OF)
    assert read.first == whole.first == AS_OF - 499
    assert (read.first_purchases == whole.first_purchases).all()
    assert (read.repeat_purchases == whole.repeat_purchases).all()


def test_days_that_are_missing_have_no_purchases() -> None:
    sparse = frame(500).iloc[::2]
    read = Activity.read(sparse, AS_OF)
    assert len(read.days) == 500
    assert read.repeat_purchases.tolist() == [20.0, 0.0] * 250


def test_less_than_a_year_and_a_quarter_is_refused_with_the_days_needed() -> None:
    Activity.read(frame(461), AS_OF)
    with pytest.raises(NotEnoughData, match=r"history_days=451 min_history_days=456"):
        Activity.read(frame(455), AS_OF)


def test_a_shops_first_trials_are_no_history() -> None:
    """One customer three years ago doesn't make a year old."""
    days = frame(300)
    days.loc[pd.Timestamp("2021-09-30")] = [1.0, 0.0]
    with pytest.raises(NotEnoughData, match="a season needs a longer history"):
        Activity.read(days, AS_OF)


@pytest.mark.parametrize("name", ["first_purchases", "repeat_purchases"])
def test_an_activity_without_its_columns_is_refused(name: str) -> None:
    with pytest.raises(BadSummary, match=name):
        Activity.read(frame(500).drop(columns=name), AS_OF)


def test_nobody_at_all_is_not_enough() -> None:
    with pytest.raises(NotEnoughData):
        Activity.read(frame(500).iloc[:0], AS_OF)
