from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.customers.first_purchase import drawn_means, first_of, value_by, wilson
from clv.errors import BadTransactions
from clv.transactions import summarise

AS_OF = date(2026, 1, 31)


def lines(*rows: tuple[str, str, float, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "net_value", "channel"])


def test_the_first_purchase_tells_whatever_the_order_of_the_rows() -> None:
    shop = lines(
        ("a", "2026-01-03T10:00Z", 5, "mail"),
        ("a", "2026-01-03T09:00Z", 5, "search"),
        ("a", "2026-01-02T09:00Z", -5, "refund"),
        ("b", "2026-01-09", 5, None),
        ("b", "2026-01-10", 5, "mail"),
        ("c", "2026-02-09", 5, "later"),
    )
    for seed in range(4):
        first = first_of(shop.sample(frac=1, random_state=seed), "channel", AS_OF)
        assert first.index.tolist() == ["a", "b"]
        assert first["a"] == "search"
        assert pd.isna(first["b"])


def test_of_the_lines_of_one_instant_the_named_then_the_most_valuable_counts() -> None:
    shop = lines(
        ("a", "2026-01-03", 99, None),
        ("a", "2026-01-03", 20, "shirts"),
        ("a", "2026-01-03", 30, "shoes"),
        ("b", "2026-01-03", 30, "shoes"),
        ("b", "2026-01-03", 30, "hats"),
    )
    for seed in range(4):
        first = first_of(shop.sample(frac=1, random_state=seed), "channel", AS_OF)
        assert first.to_dict() == {"a": "shoes", "b": "hats"}


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(BadTransactions, match="column=coupon"):
        first_of(lines(("a", "2026-01-03", 1, "mail")), "coupon", AS_OF)


def test_the_first_purchases_of_an_empty_shop_are_none() -> None:
    assert first_of(lines(), "channel", AS_OF).empty
    assert first_of(lines(("a", "2026-01-03", -1, "mail")), "channel", AS_OF).empty


@st.composite
def groups(draw: st.DrawFn) -> tuple[pd.Series, pd.DataFrame]:
    """Labels and summaries of up to 40 customers, some without a label."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["mail", "search", None]),
                st.integers(0, 3),
                st.integers(-50_000, 100_000),
            ),
            min_size=1,
            max_size=40,
        )
    )
    frame = pd.DataFrame(rows, columns=["label", "frequency", "cents"])
    return frame.label, frame.assign(net=frame.cents / 100)


@given(groups())
@settings(max_examples=50, deadline=None)
def test_every_customer_is_in_one_group_and_every_cent_too(
    shop: tuple[pd.Series, pd.DataFrame],
) -> None:
    label, summary = shop
    table = value_by(label, summary)
    assert table.customers.sum() == len(summary)
    assert round(table.total.sum() * 100) == summary.cents.sum()
    repeaters = (table.customers * table.repeat_rate).sum()
    assert repeaters == pytest.approx((summary.frequency > 0).sum())
    assert not table.isna().any(axis=None)


@given(groups())
@settings(max_examples=50, deadline=None)
def test_a_mean_is_drawn_towards_the_shops_and_never_past_it(
    shop: tuple[pd.Series, pd.DataFrame],
) -> None:
    label, summary = shop
    table = value_by(label, summary)
    overall = summary.net.mean()
    low, high = np.minimum(table["mean"], overall), np.maximum(table["mean"], overall)
    assert ((table.drawn_mean >= low - 1e-9) & (table.drawn_mean <= high + 1e-9)).all()
    assert (table.drawn_mean_low <= table.drawn_mean).all()
    assert (table.repeat_rate_low <= table.repeat_rate + 1e-12).all()
    assert (table.repeat_rate_high >= table.repeat_rate - 1e-12).all()


def test_two_lucky_customers_do_not_lead_the_table() -> None:
    rng = np.random.default_rng(5)
    label = pd.Series(["mail"] * 500 + ["search"] * 500 + ["lucky"] * 2)
    net = np.concatenate([rng.gamma(2, 25, 500), rng.gamma(2, 40, 500), [900.0, 1000.0]])
    table = value_by(label, pd.DataFrame({"frequency": 1, "net": net}))
    assert table.index.tolist() == ["search", "mail", "lucky"]
    assert table.drawn_mean["lucky"] < table["mean"]["lucky"]


def test_groups_that_differ_only_by_chance_get_the_shops_mean() -> None:
    same = np.tile([10.0, 20.0, 30.0], 40)
    table = value_by(pd.Series(list("abc") * 40).sort_values(ignore_index=True), _worth(same))
    np.testing.assert_allclose(table.drawn_mean, 20.0)
    assert (table.drawn_mean_low < 20).all()


def test_large_groups_that_differ_keep_their_own_mean() -> None:
    values = np.concatenate([np.tile([9.0, 11.0], 5000), np.tile([19.0, 21.0], 5000)])
    table = value_by(pd.Series(["low"] * 10_000 + ["high"] * 10_000), _worth(values))
    np.testing.assert_allclose(table.drawn_mean.sort_values(), [10, 20], rtol=1e-3)


def test_the_drawn_mean_is_its_formula() -> None:
    values = np.array([1.0, 3, 2, 6, 10, 14])
    n, means = np.array([3.0, 3.0]), np.array([2.0, 10.0])
    s2 = values.var()
    tau2 = (3 * 16 + 3 * 16 - s2) / (6 - 18 / 6)
    weight = 3 * tau2 / (3 * tau2 + s2)
    drawn = drawn_means(means, n, values)
    np.testing.assert_allclose(drawn.mean, 6 + weight * np.array([-4, 4]))
    np.testing.assert_allclose(drawn.standard_error**2, weight * s2 / 3)


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
    low, high = wilson(np.array([81 / 263, 15 / 148, 0.0, 1 / 29]), np.array([263.0, 148, 20, 29]))
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


def test_values_by_first_channel_of_a_whole_shop_add_up() -> None:
    rng = np.random.default_rng(6)
    n = 2000
    shop = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 300, n),
            "ordered_at": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.random(n) * 390, "D"),
            "net_value": rng.integers(-2000, 9000, n) / 100,
            "channel": rng.choice(["mail", "search", "shop"], n),
        }
    )
    summary = summarise(shop, AS_OF)
    table = value_by(first_of(shop, "channel", AS_OF), summary)
    assert round(table.total.sum(), 2) == round(summary.net.sum(), 2)
    assert table.customers.sum() == len(summary)


def _worth(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"frequency": 0, "net": values})
