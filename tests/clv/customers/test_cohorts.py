from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.customers.cohorts import Every, cohorts
from clv.errors import BadSettings, BadTransactions
from clv.transactions import summarise


def lines(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "net_value"])


@pytest.fixture
def shop() -> pd.DataFrame:
    return lines(
        ("a", "2025-11-05", 10.0),
        ("b", "2025-11-30", 20.0),
        ("a", "2025-12-01", 5.0),
        ("a", "2025-12-31", 5.0),
        ("c", "2025-12-24", 40.0),
        ("b", "2026-01-02", -8.0),
        ("c", "2026-01-31", 2.0),
        ("c", "2026-02-03", 100.0),
    )


def test_a_cohorts_value_adds_up_by_age_and_ends_where_nothing_more_is_known(
    shop: pd.DataFrame,
) -> None:
    found = cohorts(shop, "2026-01-31")
    november, december = pd.Timestamp("2025-11-01"), pd.Timestamp("2025-12-01")
    assert found.customers.to_dict() == {november: 2, december: 1}
    assert found.net.loc[november].tolist() == [15.0, 20.0, 16.0]
    assert found.net.loc[december].tolist()[:2] == [40.0, 42.0]
    assert found.net.isna().to_numpy().tolist() == [[False] * 3, [False, False, True]]


def test_retention_counts_who_purchased_in_the_period_once(shop: pd.DataFrame) -> None:
    active = cohorts(shop, "2026-01-31").active
    assert active.iloc[0].tolist() == [1.0, 0.5, 0.0]
    assert active.iloc[1].tolist()[:2] == [1.0, 1.0]


def test_a_period_that_is_not_over_is_missing_not_zero(shop: pd.DataFrame) -> None:
    found = cohorts(shop, "2026-01-30")
    assert found.net.iloc[0].tolist() == [15.0, 20.0]
    assert np.isnan(found.net.iloc[1, 1])
    assert found.still_open.tolist() == [-8.0, 0.0]


def test_quarters_have_calendar_quarters(shop: pd.DataFrame) -> None:
    found = cohorts(shop, "2026-03-31", every="quarter")
    assert found.net.index.tolist() == [pd.Timestamp("2025-10-01")]
    assert found.net.iloc[0].to_numpy() == pytest.approx([80 / 3, 174 / 3])
    assert np.isnan(cohorts(shop, "2026-03-30", every="quarter").net.to_numpy()[0, -1:]).sum() == 0


def test_a_margin_may_take_the_place_of_net_value(shop: pd.DataFrame) -> None:
    half = shop.assign(margin=shop.net_value / 2)
    half.loc[0, "margin"] = None
    assert cohorts(half, "2026-01-31", value="margin").net.iloc[0, 0] == 5.0
    with pytest.raises(BadTransactions, match="column=profit"):
        cohorts(half, "2026-01-31", value="profit")


def test_a_refund_before_the_first_known_purchase_counts_in_the_cohorts_own_period() -> None:
    shop = lines(("a", "2025-10-05", -3.0), ("a", "2025-12-05", 10.0), ("b", "2025-12-06", -1.0))
    assert cohorts(shop, "2025-12-31").net.to_numpy().tolist() == [[7.0]]


@st.composite
def shops(draw: st.DrawFn) -> tuple[pd.DataFrame, date]:
    row = st.tuples(
        st.integers(1, 6),
        st.datetimes(datetime(2024, 1, 1), datetime(2026, 3, 1)),  # noqa: DTZ001 -- naive is UTC
        st.integers(-4000, 9000).map(lambda cents: cents / 100),
    )
    rows = draw(st.lists(row, max_size=30))
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "net_value"])
    types = {"customer_id": "int64", "ordered_at": "datetime64[us]", "net_value": "float64"}
    return frame.astype(types), date(2025, 6, 30) + timedelta(days=draw(st.integers(0, 240)))


@given(shops(), st.sampled_from(["month", "quarter"]))
@settings(max_examples=50, deadline=None)
def test_the_cells_and_what_is_open_are_the_shops_net_to_the_cent(
    shop: tuple[pd.DataFrame, date], every: Every
) -> None:
    transactions, as_of = shop
    found, summary = cohorts(transactions, as_of, every=every), summarise(transactions, as_of)
    assert round(found.total, 2) == pytest.approx(round(summary.net.sum(), 2), abs=1e-9)
    assert found.customers.sum() == len(summary)
    assert found.active.stack().dropna().between(0, 1).all()
    own = found.active.iloc[:, :1].to_numpy()
    assert np.all(np.isnan(own) | (own == 1))


@given(shops(), st.sampled_from(["month", "quarter"]))
@settings(max_examples=50, deadline=None)
def test_what_a_cell_says_stays_true_as_time_goes_on(
    shop: tuple[pd.DataFrame, date], every: Every
) -> None:
    transactions, as_of = shop
    now = cohorts(transactions, as_of, every=every)
    later = cohorts(transactions, as_of + timedelta(days=45), every=every)
    for before, after in ((now.net, later.net), (now.active, later.active)):
        said = before.stack().dropna()
        pd.testing.assert_series_equal(said, after.stack().reindex(said.index))


def test_a_quiet_period_at_the_end_is_zero_and_known() -> None:
    found = cohorts(lines(("a", "2025-11-05", 10.0), ("b", "2025-12-05", 4.0)), "2026-02-28")
    assert found.net.iloc[0].tolist() == [10.0] * 4
    assert found.active.iloc[0].tolist() == [1.0, 0, 0, 0]
    assert found.active.iloc[1].tolist()[:3] == [1.0, 0, 0]


def test_cohorts_before_1970_are_cohorts() -> None:
    found = cohorts(lines(("a", "1960-11-05", 10.0), ("a", "1961-01-05", 1.0)), "1961-01-31")
    assert found.net.to_numpy().tolist() == [[10.0, 10.0, 11.0]]


def test_no_transactions_have_no_cohorts_and_odd_periods_are_refused() -> None:
    for none in (lines(), lines(("a", "2025-12-05", -1.0)), lines(("a", "2027-12-05", 1.0))):
        found = cohorts(none, "2026-01-31")
        assert found.customers.empty
        assert found.net.empty
        assert found.total == 0
    with pytest.raises(BadSettings, match="month or quarter"):
        cohorts(lines(), "2026-01-31", every="week")  # type: ignore[arg-type]
