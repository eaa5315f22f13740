from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.customers.seasons import category_gaps, monthly_value, season


def orders(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "net_value"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]))


def two_years(december: float) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", "2025-12-31", freq="MS")
    return orders(
        *((f"c{day.year}", str(day.date()), december if day.month == 12 else 10.0) for day in days)
    )


def test_first_orders_are_new_and_later_ones_are_not() -> None:
    rows = orders(
        ("a", "2026-01-05", 10),
        ("a", "2026-01-20", 7),
        ("b", "2026-02-01", 5),
        ("a", "2026-02-02", -2),
    )
    found = monthly_value(rows, "2026-02-28")
    assert found["new_value"].tolist() == [10, 5]
    assert found["returning_value"].tolist() == [7, -2]
    assert found["new_customers"].tolist() == [1, 1]
    assert found["returning_customers"].tolist() == [1, 0]  # a refund is no purchase


def test_a_december_of_three_times_the_others_stands_out() -> None:
    found = season(two_years(30.0), "2025-12-31")
    assert found[12] == pytest.approx(30 / (140 / 12))
    assert found[1] == pytest.approx(10 / (140 / 12))
    assert found.mean() == pytest.approx(1)


def test_a_month_that_is_not_over_says_nothing_of_its_season() -> None:
    until_mid_month = season(two_years(10.0), "2025-12-15")
    assert until_mid_month[12] == pytest.approx(1)  # that of the year before


def test_a_season_needs_every_month_as_a_whole() -> None:
    assert season(two_years(10.0), "2024-12-30").isna().all()
    assert season(two_years(10.0), "2024-12-31").notna().all()
    assert season(orders(), "2024-12-31").isna().all()


def test_a_category_is_bought_again_after_the_gap_of_one_customer() -> None:
    rows = orders(
        ("a", "2026-01-01", 5), ("a", "2026-01-31", 5), ("a", "2026-01-31", 5),
        ("b", "2026-03-01", 5), ("a", "2026-02-05", 9),
    ).assign(category=["tea", "tea", "tea", "tea", "mugs"])  # fmt: skip
    found = category_gaps(rows, "2026-04-01")
    assert found.loc["tea", "median_gap_days"] == 30
    assert found.loc["tea", ["customers", "value", "again", "gaps"]].tolist() == [2, 20, 0.5, 1]
    assert np.isnan(found.loc["mugs", "median_gap_days"])


def test_lines_without_a_category_belong_to_none() -> None:
    rows = orders(("a", "2026-01-01", 5), ("b", "2026-01-01", 5)).assign(category=["tea", None])
    assert category_gaps(rows, "2026-04-01").index.tolist() == ["tea"]
