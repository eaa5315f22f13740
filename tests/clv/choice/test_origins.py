from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv.choice.origins import came_after, given, known_at, plan, read_history
from clv.errors import BadSettings

AS_OF = date(2024, 12, 31)


def rows(*entries: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(entries, columns=["customer_id", "ordered_at", "net_value"])


@pytest.fixture
def shop() -> pd.DataFrame:
    return rows(
        ("a", "2024-01-10T09:00", 10),
        ("a", "2024-03-31T23:59", 20),
        ("a", "2024-04-01T00:00", 40),
        ("a", "2024-04-01T12:00", 2),
        ("b", "2024-02-01T08:00", 50),
        ("b", "2024-04-20T08:00", -15),
        ("c", "2024-04-02T08:00", 5),
        ("b", "2024-06-30T08:00", 7),
        ("b", "2024-07-01T08:00", 9),
    )


def test_the_day_of_the_origin_is_known_and_the_next_midnight_is_not(shop: pd.DataFrame) -> None:
    past = known_at(read_history(shop, AS_OF), date(2024, 3, 31))
    assert past.summary.index.tolist() == ["a", "b"]
    assert past.summary.frequency.tolist() == [1, 0]
    assert past.days is not None
    assert past.activity is not None
    assert past.days.day.max() == past.activity.index.max() == pd.Timestamp("2024-03-31")


def test_a_refund_that_came_later_was_not_known(shop: pd.DataFrame) -> None:
    history = read_history(shop, AS_OF)
    assert known_at(history, date(2024, 3, 31)).summary.net.tolist() == [30, 50]
    assert known_at(history, date(2024, 4, 30)).summary.net.tolist() == [72, 35, 5]


def test_what_came_is_of_the_known_customers_within_the_horizon(shop: pd.DataFrame) -> None:
    history = read_history(shop, AS_OF)
    came = came_after(history, known_at(history, date(2024, 3, 31)), 91)
    assert came.purchases.tolist() == [1, 1]
    assert came.spend.tolist() == [42, 7 - 15]


def test_nothing_after_as_of_is_read(shop: pd.DataFrame) -> None:
    history = read_history(shop, "2024-03-31")
    assert len(history.rows) == 3
    assert history.customers == history.all_customers == 2


def test_purchase_days_and_transactions_say_the_same(shop: pd.DataFrame) -> None:
    from clv.transactions import purchase_days

    bought = shop[shop.net_value > 0]
    days = purchase_days(bought, AS_OF)
    one, other = (
        known_at(read_history(frame, AS_OF), date(2024, 5, 1)).summary.drop(columns="orders")
        for frame in (bought, days)
    )
    pd.testing.assert_frame_equal(one, other)


def test_traits_are_those_of_the_first_purchase(shop: pd.DataFrame) -> None:
    told = shop.assign(channel=["ad", "mail", "ad", "ad", "shop", "x", "mail", "ad", "ad"])
    past = known_at(read_history(told, AS_OF), date(2024, 4, 30))
    assert past.summary.channel.tolist() == ["ad", "shop", "mail"]


def test_large_shops_are_sampled_by_the_hash_of_the_id() -> None:
    many = rows(*((f"c{n}", "2024-01-01", 1.0) for n in range(4000)))
    sample = read_history(many, AS_OF, most_customers=1000)
    assert 900 < sample.customers < 1100
    assert sample.all_customers == 4000
    again = read_history(many.iloc[::-1], AS_OF, most_customers=1000)
    assert set(again.rows.customer_id) == set(sample.rows.customer_id)


def history_of(days: int) -> pd.DataFrame:
    return rows(("a", str(AS_OF - timedelta(days=days)), 1.0))


def steps(days: int, horizon_days: int) -> list[tuple[int, int]]:
    """How far back each origin lies, and its horizon."""
    planned = plan(read_history(history_of(days), AS_OF), horizon_days)
    return [((AS_OF - day).days, ahead) for day, ahead in planned.origins]


@pytest.mark.parametrize(
    ("days", "horizon", "expected"),
    [
        (272, 273, [(90, 90), (136, 136)]),
        (300, 90, [(90, 90), (180, 180 // 2)]),
        (730, 365, [(243, 243), (365, 365)]),
        (730, 90, [(90, 90), (180, 90), (365, 90)]),
        (1200, 365, [(365, 365), (730, 365)]),
        (560, 183, [(183, 183), (365, 183)]),
        (20, 365, []),
    ],
)
def test_origins_are_planned_by_what_the_history_allows(
    days: int, horizon: int, expected: list[tuple[int, int]]
) -> None:
    assert steps(days, horizon) == expected


@pytest.mark.parametrize("days", [25, 60, 100, 272, 400, 700, 1500, 4000])
@pytest.mark.parametrize("horizon", [7, 30, 91, 183, 365, 1000])
def test_every_holdout_is_over_and_every_origin_has_a_history(days: int, horizon: int) -> None:
    found = steps(days, horizon)
    assert len(found) >= 2
    for back, ahead in found:
        assert 0 < ahead <= min(back, horizon)
        assert days - back >= min(ahead, 90)
    assert len({back for back, _ in found}) == len(found)


def test_a_shortened_horizon_and_a_missing_season_are_said() -> None:
    planned = plan(read_history(history_of(272), AS_OF), 273)
    assert any("not 273 and 546: there are only 272 days" in note for note in planned.notes)
    assert any("season" in note for note in planned.notes)
    assert plan(read_history(history_of(1200), AS_OF), 365).notes == ()


def test_own_origins_are_cut_at_as_of() -> None:
    history = read_history(history_of(900), AS_OF)
    days = [AS_OF - timedelta(days=200), AS_OF - timedelta(days=60)]
    planned = given(history, 91, days)
    assert [ahead for _, ahead in planned.origins] == [60, 91]
    assert planned.notes == ("a horizon of 60 instead of 91 days",)
    with pytest.raises(BadSettings, match="before as_of"):
        given(history, 91, [AS_OF])


def test_a_shop_without_rows_has_no_origins() -> None:
    empty = rows(("a", "2024-01-01", np.nan))
    history = read_history(empty, AS_OF)
    assert history.days == 0
    assert plan(history, 90).origins == ()
