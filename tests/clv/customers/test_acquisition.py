from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from clv.customers import acquisition
from clv.customers.acquisition import cac_by_channel, clv_per_cac, payback_days, value_by_age
from clv.customers.first_purchase import first_of
from clv.errors import BadSettings
from clv.transactions import summarise

AS_OF = date(2026, 1, 31)


@pytest.fixture
def won() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "channel": ["mail", "mail", "search", None, "mail"],
            "first_order_on": pd.to_datetime(
                ["2026-01-01", "2026-01-31", "2026-01-15", "2026-01-15", "2025-12-31"]
            ),
        },
        index=list("abcde"),
    )


def test_cac_is_spend_over_the_customers_won_in_the_period(won: pd.DataFrame) -> None:
    spend = {"mail": Decimal("50.00"), "radio": 10.0, "word": 0}
    table = cac_by_channel(
        spend, won.channel, won.first_order_on, start="2026-01-01", end="2026-01-31"
    )
    assert table.index.tolist()[:4] == ["mail", "radio", "word", "search"]
    assert table.new_customers.tolist() == [2, 0, 0, 1, 1]
    assert table.cac["mail"] == 25
    assert table.cac[["radio", "word", "search"]].isna().all()
    assert table.spend["word"] == 0
    assert np.isnan(table.spend["search"])


def test_a_channel_that_cost_nothing_has_a_cac_of_zero(won: pd.DataFrame) -> None:
    table = cac_by_channel({"mail": 0}, won.channel, won.first_order_on, start=AS_OF, end=AS_OF)
    assert table.cac["mail"] == 0


def test_everybody_won_in_the_period_is_counted_once(won: pd.DataFrame) -> None:
    table = cac_by_channel(
        {"mail": 1.0}, won.channel, won.first_order_on, start="2025-01-01", end="2026-12-31"
    )
    assert table.new_customers.sum() == len(won)


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_spend_that_cannot_be_is_refused(won: pd.DataFrame, amount: float) -> None:
    with pytest.raises(BadSettings, match="0 or more"):
        cac_by_channel({"mail": amount}, won.channel, won.first_order_on, start=AS_OF, end=AS_OF)


def test_a_period_that_ends_before_it_starts_is_refused(won: pd.DataFrame) -> None:
    with pytest.raises(BadSettings, match="before it starts"):
        cac_by_channel({}, won.channel, won.first_order_on, start=AS_OF, end="2026-01-01")


@pytest.mark.parametrize(
    ("cac", "verdict"),
    [
        (100.0, "worth it"),
        (100.01, "below three times CAC"),
        (300.0, "below three times CAC"),
        (300.01, "loses money"),
        (0.0, "worth it"),
        (float("nan"), "unknown"),
    ],
)
def test_a_customer_should_be_worth_three_times_the_cost(cac: float, verdict: str) -> None:
    clv = pd.Series([200, 400, 50], index=list("abc"))
    channel = pd.Series({"a": "mail", "b": "mail", "c": "search"})
    row = clv_per_cac(clv, channel, pd.Series({"mail": cac})).loc["mail"]
    assert (row.customers, row.mean_clv, row.max_cac, row.verdict) == (2, 300, 100, verdict)
    assert row.ratio == pytest.approx(300 / cac) if cac > 0 else np.isnan(row.ratio)


def test_a_channel_whose_cost_nobody_told_is_unknown() -> None:
    table = clv_per_cac(pd.Series([Decimal(5)]), pd.Series(["mail"]), pd.Series(dtype=float))
    assert table.verdict.tolist() == ["unknown"]


def lines(*rows: tuple[int, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "net_value"])


def test_value_by_age_counts_everybody_for_as_long_as_they_were_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acquisition, "LEAST_CUSTOMERS", 1)
    shop = lines(
        (1, "2026-01-28", 10),
        (1, "2026-01-30", 30),
        (2, "2026-01-30", 20),
        (3, "2026-01-31", 5),
        (1, "2026-01-31", -3),
    )
    curve = value_by_age(shop, AS_OF)["all"]
    # 3 customers seen on day 0, 2 on day 1, 1 from then on.
    assert curve.tolist() == pytest.approx([35 / 3, 35 / 3, 35 / 3 + 30, 35 / 3 + 27])


def test_a_curve_ends_where_too_few_are_old_enough() -> None:
    shop = lines(*[(n, "2026-01-29", 10.0) for n in range(12)], (99, "2025-12-01", 7.0))
    curve = value_by_age(shop, AS_OF)["all"]
    assert curve.notna().sum() == 3
    assert len(curve) == 62


def test_customers_seen_equally_long_have_the_plain_mean_by_channel() -> None:
    rng = np.random.default_rng(3)
    rows = [(n, "2025-01-31", 10.0) for n in range(60)]
    later = pd.Timestamp("2025-01-31") + pd.to_timedelta(rng.integers(1, 365, 200), "D")
    values = rng.integers(-500, 9000, 200) / 100
    rows += list(zip(rng.integers(0, 60, 200), later, values, strict=True))
    shop = lines(*rows)
    shop["channel"] = np.where(shop.customer_id < 20, "mail", "search")
    shop["ordered_at"] = pd.to_datetime(shop.ordered_at)
    channel = first_of(shop, "channel", AS_OF)
    curve = value_by_age(shop, AS_OF, group=channel)
    wanted = summarise(shop, AS_OF).groupby(channel).net.mean()
    pd.testing.assert_series_equal(curve.iloc[-1], wanted, check_names=False)


def test_payback_is_the_first_day_on_which_the_cost_came_in() -> None:
    curve = pd.DataFrame({"mail": [5.0, 5, 9, 12], "search": [1.0, 1, np.nan, np.nan], "free": 0.0})
    cac = pd.Series({"mail": 9.0, "search": 2.0, "free": 0.0, "radio": 1.0})
    days = payback_days(curve, cac)
    assert days[["mail", "free"]].tolist() == [2, 0]
    assert np.isnan(days["search"])
    assert payback_days(curve, cac.drop("mail")).isna()["mail"]


def test_an_empty_shop_has_an_empty_curve() -> None:
    curve = value_by_age(lines(), AS_OF)
    assert len(curve) == 0
    assert payback_days(curve, pd.Series({"mail": 1.0})).empty
    assert len(value_by_age(lines((1, "2026-01-01", -4.0)), AS_OF)) == 0
