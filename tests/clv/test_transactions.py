from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import BadSettings, BadTransactions
from clv.transactions import activity, left_out, purchase_days, summarise

AS_OF = date(2026, 1, 31)


def bought(*rows: tuple[object, object, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "net_value"])


@st.composite
def shops(draw: st.DrawFn) -> pd.DataFrame:
    """A few customers around AS_OF, with refunds, free orders and orders after it."""
    row = st.tuples(
        st.integers(1, 5),
        st.datetimes(datetime(2025, 12, 1), datetime(2026, 2, 10)),  # noqa: DTZ001 -- naive is UTC
        st.one_of(st.none(), st.integers(-5000, 9000).map(lambda cents: cents / 100)),
    )
    return bought(*draw(st.lists(row, max_size=30))).astype(
        {"customer_id": "int64", "ordered_at": "datetime64[us]", "net_value": "float64"}
    )


def one_by_one(shop: pd.DataFrame) -> dict[int, tuple[int, int, int, float, float, int]]:
    """The summary by its definition, a customer at a time."""
    shop = shop[shop.ordered_at < pd.Timestamp(AS_OF) + pd.Timedelta(days=1)]
    summaries = {}
    for customer, rows in shop.groupby("customer_id"):
        paid = rows[rows.net_value >= 0]
        days = paid.groupby(paid.ordered_at.dt.date).net_value.sum().sort_index()
        if len(days):
            first, last, repeats = days.index[0], days.index[-1], days.iloc[1:]
            summaries[customer] = (
                len(repeats),
                (last - first).days,
                (AS_OF - first).days,
                repeats.mean(),
                rows.net_value.sum(),
                len(paid),
            )
    return summaries


@pytest.mark.parametrize("which", ["sample", "master"])
def test_cdnow_is_summarised_as_published(
    which: str, shared: Path, summarise_cdnow: Callable[[str], pd.DataFrame]
) -> None:
    names = ["customer_id", "ordered_at", "cds", "net_value"]
    lines = pd.read_csv(
        shared / "data" / f"cdnow_{which}.txt",
        sep=r"\s+",
        skiprows=0 if which == "sample" else 1,
        names=["master_id", *names] if which == "sample" else names,
        parse_dates=["ordered_at"],
        date_format="%Y%m%d",
    )
    ours = summarise(lines.sample(frac=1, random_state=3), "1997-09-30")
    theirs = summarise_cdnow(which).set_index("id").rename_axis("customer_id")
    pd.testing.assert_frame_equal(ours[list(theirs.columns)], theirs, rtol=1e-12)


@given(shops())
@settings(max_examples=80, deadline=None)
def test_the_summary_is_its_definition(shop: pd.DataFrame) -> None:
    ours = summarise(shop, AS_OF)
    theirs = one_by_one(shop)
    assert ours.index.tolist() == sorted(theirs)
    columns = ["frequency", "recency", "T", "monetary_value", "net", "orders"]
    wanted = np.array(list(theirs.values()), dtype=float).reshape(-1, 6)
    np.testing.assert_allclose(ours[columns].to_numpy(dtype=float), wanted, rtol=0, atol=1e-6)


@given(shops(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_rows_says_nothing(shop: pd.DataFrame, random: object) -> None:
    shuffled = shop.sample(frac=1, random_state=random.randrange(2**32))  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(summarise(shuffled, AS_OF), summarise(shop, AS_OF))


@given(shops())
@settings(max_examples=30, deadline=None)
def test_every_purchase_is_in_its_day_to_the_cent(shop: pd.DataFrame) -> None:
    days = purchase_days(shop, AS_OF)
    seen = shop[shop.ordered_at < pd.Timestamp("2026-02-01")].net_value
    assert round(float(days.value.sum()), 2) == round(float(seen[seen >= 0].sum()), 2)
    assert not days.duplicated(["customer_id", "day"]).any()
    assert days.equals(days.sort_values(["customer_id", "day"], ignore_index=True))
    each = activity(days)
    assert each.first_purchases.sum() == days.customer_id.nunique()
    assert each.to_numpy().sum() == len(days)


@given(shops())
@settings(max_examples=30, deadline=None)
def test_each_row_is_a_purchase_or_counted_as_left_out(shop: pd.DataFrame) -> None:
    out = left_out(shop, AS_OF)
    summary = summarise(shop, AS_OF)
    assert out["without_customer"] == 0
    rows = out["after_as_of"] + out["without_value"] + out["refunds"] + summary.orders.sum()
    assert rows == len(shop)
    seen = shop[shop.ordered_at < pd.Timestamp("2026-02-01")]
    assert len(summary) + out["customers_without_purchase"] == seen.customer_id.nunique()


def test_activity_has_every_calendar_day_as_floats() -> None:
    shop = bought(("a", "2026-01-03", 1), ("b", "2026-01-03", 1), ("a", "2026-01-06", 1))
    expected = pd.DataFrame(
        {"first_purchases": [2.0, 0, 0, 0], "repeat_purchases": [0.0, 0, 0, 1]},
        index=pd.date_range("2026-01-03", periods=4, name="day", unit="ns", freq=None),
    )
    found = activity(purchase_days(shop, AS_OF))
    pd.testing.assert_frame_equal(found, expected, check_freq=False)


def test_days_are_utc_whatever_the_zone_or_type() -> None:
    late = datetime(2026, 1, 4, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))  # 23:30 on the 3rd
    kinds: list[object] = [
        late,
        late.astimezone(UTC),
        "2026-01-03T23:30:00Z",
        "2026-01-03 12:00",
        "2026-01-03",
        date(2026, 1, 3),
        pd.Timestamp("2026-01-03 08:00"),
    ]
    mixed = bought(*[("a", kind, 1.0) for kind in kinds])
    assert purchase_days(mixed, AS_OF).day.tolist() == [pd.Timestamp("2026-01-03")]
    for kind in kinds:
        alone = bought(("a", kind, 1.0), ("a", kind, 1.0))
        assert purchase_days(alone, AS_OF).day.tolist() == [pd.Timestamp("2026-01-03")]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_instants_of_any_precision_are_read(unit: str) -> None:
    shop = bought(("a", pd.Timestamp("2026-01-03 23:59:59"), 1.0))
    for zone in (None, "America/New_York"):
        shop["ordered_at"] = shop.ordered_at.dt.tz_localize(None).astype(f"datetime64[{unit}]")
        shop["ordered_at"] = shop.ordered_at.dt.tz_localize(zone)
        day = "2026-01-03" if zone is None else "2026-01-04"
        assert purchase_days(shop, AS_OF).day.tolist() == [pd.Timestamp(day)]


def test_the_day_of_as_of_belongs_to_it_to_its_end() -> None:
    shop = bought(("a", "2026-01-31T23:59:59Z", 1.0), ("b", "2026-02-01T00:00:00Z", 1.0))
    for as_of in (AS_OF, "2026-01-31", pd.Timestamp("2026-01-31 05:00", tz="UTC")):
        assert summarise(shop, as_of).index.tolist() == ["a"]


def test_lines_of_one_order_count_as_one_order_and_nameless_lines_each() -> None:
    shop = bought(*[("a", "2026-01-03", 1.0)] * 5, ("b", "2026-01-03", 2.0))
    shop["order_id"] = ["o1", "o1", "o2", None, None, "o3"]
    assert summarise(shop, AS_OF).orders.tolist() == [4, 1]


def test_decimals_are_read_as_numbers_and_sums_come_out_clean() -> None:
    shop = bought(("a", "2026-01-03", Decimal("0.1")), ("a", "2026-01-04", Decimal("0.2")))
    assert summarise(shop, AS_OF).net.tolist() == [0.3]


def test_a_refund_lowers_net_and_is_no_purchase() -> None:
    shop = bought(("a", "2026-01-03", 50), ("a", "2026-01-20", -20), ("b", "2026-01-20", -5))
    summary = summarise(shop, AS_OF)
    assert summary[["frequency", "net", "orders"]].values.tolist() == [[0, 30, 1]]


def test_a_free_order_is_a_purchase() -> None:
    shop = bought(("a", "2026-01-03", 10), ("a", "2026-01-05", 0.0))
    assert summarise(shop, AS_OF).frequency.tolist() == [1]
    assert summarise(shop, AS_OF).monetary_value.tolist() == [0.0]


@pytest.mark.parametrize(
    "shop",
    [
        bought(),
        bought(("a", "2027-01-01", 1.0)),
        bought(("a", "2026-01-01", -1.0), ("b", "2026-01-01", -2.0)),
        bought(("a", "2026-01-01", None)),
    ],
    ids=["empty", "all later", "all refunds", "no value"],
)
def test_a_shop_without_purchases_gives_empty_frames(shop: pd.DataFrame) -> None:
    summary = summarise(shop, AS_OF)
    assert summary.empty
    assert summary.index.name == "customer_id"
    assert summary.dtypes.astype(str).tolist() == [
        *["int64"] * 3,
        *["float64"] * 2,
        "int64",
        *["datetime64[ns]"] * 2,
    ]
    assert purchase_days(shop, AS_OF).empty
    assert activity(purchase_days(shop, AS_OF)).empty


def test_one_person_may_order_ten_thousand_times() -> None:
    shop = bought(*[("a", "2026-01-03", 1.5)] * 10_000)
    summary = summarise(shop, AS_OF)
    assert summary.orders.tolist() == [10_000]
    assert summary[["frequency", "recency", "T", "net"]].values.tolist() == [[0, 0, 28, 15_000]]


def test_old_and_far_dates_are_counted_from_1900_to_2200() -> None:
    shop = bought(("a", "1900-01-01", 1.0), ("a", "2200-01-01", 1.0))
    summary = summarise(shop, "2200-01-01")
    assert summary["T"].tolist() == [(date(2200, 1, 1) - date(1900, 1, 1)).days]


def test_customers_may_be_of_mixed_types() -> None:
    shop = bought(("b", "2026-01-03", 1.0), (7, "2026-01-03", 1.0), ((1, 2), "2026-01-03", 1.0))
    assert len(summarise(shop, AS_OF)) == 3
    assert summarise(shop.iloc[::-1], AS_OF).index.tolist() == summarise(shop, AS_OF).index.tolist()


@pytest.mark.parametrize("column", ["customer_id", "ordered_at", "net_value"])
def test_a_missing_or_double_column_is_named_with_its_mend(column: str) -> None:
    shop = bought(("a", "2026-01-03", 1.0))
    with pytest.raises(BadTransactions, match=rf"lack columns \(column={column} rows=1\)\. Rename"):
        summarise(shop.drop(columns=column), AS_OF)
    with pytest.raises(BadTransactions, match=rf"come twice \(column={column}"):
        summarise(pd.concat([shop, shop[[column]]], axis=1), AS_OF)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ordered_at", None),
        ("ordered_at", "soon"),
        ("ordered_at", "03/01/2026"),
        ("ordered_at", 20260103),
        ("ordered_at", np.int64(20260103)),
        ("ordered_at", Decimal(20260103)),
        ("ordered_at", [1]),
        ("ordered_at", 1.5),
        ("ordered_at", "0001-01-01"),
        ("net_value", "12 EUR"),
        ("net_value", "much"),
        ("net_value", float("inf")),
        ("net_value", float("-inf")),
        ("net_value", 1e13),
        ("net_value", [1.0]),
        ("net_value", Decimal("Infinity")),
        ("net_value", Decimal("sNaN")),
    ],
)
def test_what_cannot_be_is_refused_with_column_count_and_mend(column: str, value: object) -> None:
    shop = bought(*[("a", "2026-01-03", 1.0)] * 3).astype(object)
    shop.at[1, column] = value
    for asked in (summarise, purchase_days, left_out):
        with pytest.raises(BadTransactions) as refused:
            asked(shop, AS_OF)
        assert (refused.value.column, refused.value.rows) == (column, 1)
        assert refused.value.mend in str(refused.value)


@pytest.mark.parametrize("column", ["customer_id", "order_id"])
def test_ids_that_cannot_be_told_apart_are_refused(column: str) -> None:
    shop = bought(("a", "2026-01-03", 1.0)).assign(**{column: [["a"]]})
    with pytest.raises(BadTransactions, match=f"told apart .*{column}"):
        summarise(shop, AS_OF)


@pytest.mark.parametrize("odd", [True, 1 + 2j, pd.Timestamp("2026-01-03"), pd.Timedelta(1, "D")])
def test_what_is_no_money_is_not_made_a_number(odd: object) -> None:
    shop = bought(*[("a", "2026-01-03", 1.0)] * 2).assign(net_value=[odd] * 2)
    with pytest.raises(BadTransactions, match=r"not numbers \(column=net_value rows=2"):
        summarise(shop, AS_OF)


def test_arrows_columns_are_read_like_pandas_own() -> None:
    plain = bought(("b", "2026-01-03", 1.5), ("a", "2026-01-05", 2.5))
    plain["ordered_at"] = pd.to_datetime(plain.ordered_at)
    expected = summarise(plain, AS_OF).reset_index(drop=True)
    for instants in (pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.date32()):
        arrow = pa.table(
            {
                "customer_id": plain.customer_id.tolist(),
                "ordered_at": pa.array(plain.ordered_at.dt.date).cast(instants),
                "net_value": pa.array(plain.net_value).cast(pa.decimal128(10, 2)),
            }
        ).to_pandas(types_mapper=pd.ArrowDtype)
        ours = summarise(arrow, AS_OF)
        assert ours.index.tolist() == ["a", "b"]
        pd.testing.assert_frame_equal(ours.reset_index(drop=True), expected)


def test_two_currencies_are_refused_and_one_is_not() -> None:
    shop = bought(("a", "2026-01-03", 1.0), ("a", "2026-01-03", 1.0))
    assert len(summarise(shop.assign(currency="EUR"), AS_OF)) == 1
    for other in ("USD", None):
        with pytest.raises(BadTransactions, match="one currency"):
            summarise(shop.assign(currency=["EUR", other]), AS_OF)


@pytest.mark.parametrize("as_of", [None, "soon", "9999-12-31", "1600-01-01", pd.NaT, 20260131])
def test_a_scoring_day_that_is_none_is_refused(as_of: object) -> None:
    with pytest.raises(BadSettings, match="as_of"):
        summarise(bought(("a", "2026-01-03", 1.0)), as_of)  # type: ignore[arg-type]


def test_the_frame_is_left_as_it_was() -> None:
    shop = bought(("b", "2026-01-03", 1.0), ("a", "2026-01-02", -1.0))
    before = shop.copy()
    summarise(shop, AS_OF)
    left_out(shop, AS_OF)
    pd.testing.assert_frame_equal(shop, before)


@pytest.mark.parametrize("missing", [None, "", np.nan, pd.NA])
def test_rows_without_customer_are_left_out_and_counted(missing: object) -> None:
    shop = bought(("a", "2026-01-03", 1.0), (missing, "2026-01-04", 9.0), ("b", "2026-01-05", 2.0))
    assert summarise(shop, AS_OF).index.tolist() == ["a", "b"]
    assert purchase_days(shop, AS_OF).value.tolist() == [1.0, 2.0]
    assert left_out(shop, AS_OF)["without_customer"] == 1
    assert left_out(shop.iloc[[1]], AS_OF)["without_customer"] == 1
    assert summarise(shop.iloc[[1]], AS_OF).empty
