from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.file import FileShop
from connectors.file.currencies import CURRENCIES
from connectors.file.scores import read_scores, write_scores
from connectors.identity import EmailHasher
from connectors.platform import Page
from connectors.pull import Watch, pull_orders
from connectors.schema import FIELDS, Change, Shown
from connectors.store import Store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HASHER = EmailHasher(b"a key of sixteen bytes or more")
HEADER = "customer_id,ordered_at,net_value"


def shop_of(path: Path, currency: str | None = None) -> FileShop:
    return FileShop(ShopSettings("toys", "file", path=path, currency=currency), HASHER)


@pytest.fixture
def csv_shop(tmp_path: Path) -> Callable[..., FileShop]:
    """A shop over a CSV of these lines."""

    def made(*lines: str, header: str = HEADER, currency: str | None = None) -> FileShop:
        path = tmp_path / "orders.csv"
        path.write_text("\n".join((header, *lines, "")), encoding="utf-8")
        return shop_of(path, currency)

    return made


def pulled(shop: FileShop, cursor: Any = None, since: datetime | None = None) -> list[Page]:
    return list(shop.pull_orders(cursor, NOW, since))


def rejects(shop: FileShop) -> list[tuple[str, str]]:
    return [(one.row_id, one.field) for page in pulled(shop) for one in page.rejects]


def orders(pages: list[Page]) -> list[Any]:
    return [order for page in pages for order in page.orders]


# ------------------------------------------------------------------------------------- real data


def test_the_cdnow_master_comes_whole_and_to_the_cent(shared: Path, tmp_path: Path) -> None:
    lines = (shared / "data" / "cdnow_master.txt").read_text(encoding="ascii").splitlines()
    rows = [",".join(line.split()) for line in lines[1:]]
    path = tmp_path / "cdnow.csv"
    path.write_text("\n".join(["customer_id,ordered_at,quantity,net_value", *rows, ""]))
    shop = shop_of(path, "USD")
    pages = pulled(shop)
    found = orders(pages)
    assert not any(page.rejects for page in pages)
    assert len(found) == len({order.order_id for order in found}) == 69_659
    assert sum(order.total_value for order in found) == Decimal("2500315.63")
    assert sum(len(page.customers) for page in shop.pull_customers(None, NOW)) == 23_570
    assert max(len(page.orders) for page in pages) == 10_000


# ------------------------------------------------------------------------------------ an order


def test_a_row_is_a_complete_order_of_its_net_value(csv_shop: Any) -> None:
    (order,) = orders(pulled(csv_shop("7,2026-03-01,12.50")))
    assert (order.goods_value, order.total_value) == (Decimal("12.50"), Decimal("12.50"))
    assert (order.discount_value, order.tax_value, order.shipping_value) == (0, 0, 0)
    assert (order.state, order.is_guest, order.person_key) == ("complete", False, "7")
    assert order.ordered_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert order.currency == "XXX"


def test_optional_columns_tell_more(csv_shop: Any) -> None:
    header = f"order_id,{HEADER},currency,channel,category,quantity"
    shop = csv_shop("A1,7,2026-03-01,12.50,usd,shop,Toys,3", header=header, currency="EUR")
    (page,) = pulled(shop)
    (order,), (line,) = page.orders, page.lines
    assert (order.order_id, order.currency, order.channel) == ("A1", "USD", "shop")
    assert (line.category, line.quantity, line.net_value) == ("Toys", 3, Decimal("12.50"))


def test_a_missing_currency_is_that_of_the_settings(csv_shop: Any) -> None:
    (order,) = orders(pulled(csv_shop("7,2026-03-01,12.50", currency="EUR")))
    assert order.currency == "EUR"


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-01", 0),
        ("20260301", 0),
        ("2026-03-01 10:00:00", 10),
        ("2026-03-01T10:00:00+02:00", 8),
        ("2026-03-01T10:00Z", 10),
    ],
)
def test_times_without_a_zone_are_utc(csv_shop: Any, text: str, hour: int) -> None:
    (order,) = orders(pulled(csv_shop(f"7,{text},1")))
    assert order.ordered_at == datetime(2026, 3, 1, hour, tzinfo=UTC)


def test_numbers_are_exact(csv_shop: Any) -> None:
    values = [f"{n}.{n % 100:02d}" for n in range(1, 2000)]
    found = orders(pulled(csv_shop(*(f"7,2026-03-01,{value}" for value in values))))
    assert sum(order.total_value for order in found) == sum(map(Decimal, values))


def test_rows_without_an_order_id_get_the_same_one_in_every_reading(csv_shop: Any) -> None:
    rows = ["7,2026-03-01,12.50", "7,2026-03-01,12.5", "8,2026-03-01,12.50", "7,2026-03-02,12.50"]
    first = [order.order_id for order in orders(pulled(csv_shop(*rows)))]
    longer = [order.order_id for order in orders(pulled(csv_shop(*rows, "7,2026-03-01,12.50")))]
    assert len(set(longer)) == 5
    assert longer[:4] == first


def test_an_order_id_that_comes_again_is_put_aside_not_overwritten(csv_shop: Any) -> None:
    header = f"order_id,{HEADER}"
    shop = csv_shop("A,7,2026-03-01,1", "B,7,2026-03-01,2", "A,7,2026-03-01,4", header=header)
    assert [order.total_value for order in orders(pulled(shop))] == [1, 2]
    assert rejects(shop) == [("line 4", "order_id")]


def test_since_leaves_out_what_was_placed_before(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-01,1", "7,2026-03-02,2")
    found = orders(pulled(shop, since=datetime(2026, 3, 2, tzinfo=UTC)))
    assert [order.total_value for order in found] == [2]


# ------------------------------------------------------------------------------------- bad rows


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (",2026-03-01,1", "customer_id"),
        ("  ,2026-03-01,1", "customer_id"),
        ("ada@example.org,2026-03-01,1", "customer_id"),
        ("7,,1", "ordered_at"),
        ("7,01/03/2026,1", "ordered_at"),
        ("7,2026-02-30,1", "ordered_at"),
        ("7,2026-11-24,1", "ordered_at"),
        ("7,1969-12-31,1", "ordered_at"),
        ("7,9999-12-31T23:59:59-23:00,1", "ordered_at"),
        ("7,2026-03-01,", "net_value"),
        ("7,2026-03-01,12 EUR", "net_value"),
        ("7,2026-03-01,1_000", "net_value"),
        ("7,2026-03-01,-0.01", "net_value"),
        ("7,2026-03-01,1000000000000", "net_value"),
        ("7,2026-03-01,1e300", "net_value"),
        ("7,2026-03-01,NaN", "net_value"),
        ("7,2026-03-01,inf", "net_value"),
        ("7,2026-03-01,1.00001", "net_value"),
        ("7,2026-03-01", "columns"),
        ("7,2026-03-01,1,2", "columns"),
    ],
)
def test_a_bad_row_is_named_by_line_and_column_and_the_others_go_on(
    csv_shop: Any, row: str, column: str
) -> None:
    shop = csv_shop("1,2026-03-01,1", row, "2,2026-03-01,1")
    assert rejects(shop) == [("line 3", column)]
    assert [order.customer_id for order in orders(pulled(shop))] == ["1", "2"]


def test_a_complaint_never_quotes_the_cell(csv_shop: Any) -> None:
    (page,) = pulled(csv_shop("ada@example.org,2026-03-01,1", "7,Ada L.,1", "7,2026-01-01,Ada"))
    assert len(page.rejects) == 3
    assert "ada" not in repr(page.rejects).lower()


@pytest.mark.parametrize(("code", "known"), [("EUR", True), ("eur", True), ("EUX", False)])
def test_a_currency_must_be_one_of_iso_4217(csv_shop: Any, code: str, known: bool) -> None:
    shop = csv_shop(f"7,2026-03-01,1,{code}", header=f"{HEADER},currency")
    assert rejects(shop) == ([] if known else [("line 2", "currency")])


def test_a_country_is_a_code_of_two_letters_or_nothing(csv_shop: Any) -> None:
    rows = ("7,2026-03-01,1,se", "7,2026-03-02,1,", "7,2026-03-03,1,Sweden", "7,2026-03-04,1,S1")
    shop = csv_shop(*rows, header=f"{HEADER},country")
    assert rejects(shop) == [("line 4", "country"), ("line 5", "country")]
    assert [order.country for order in orders(pulled(shop))] == ["SE", None]


def test_the_list_of_currencies_is_whole() -> None:
    assert {"USD", "EUR", "JPY", "XXX", "HRK", "CHF", "KWD"} <= CURRENCIES
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)
    assert 165 <= len(CURRENCIES) <= 185


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(st.text(max_size=12), min_size=3, max_size=3))
def test_no_cell_whatever_is_in_it_breaks_the_page(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "orders.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([HEADER.split(","), cells, ["7", "2026-03-01", "1"]])
    (page,) = pulled(shop_of(path))
    assert len(page.orders) + len(page.rejects) == 2
    assert page.orders[-1].customer_id == "7"


# ------------------------------------------------------------------------------------ bad files


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        pulled(shop_of(path))
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "orders.csv is empty"),
        (b"customer_id,ordered_at\n7,2026-03-01\n", "lacks the column net_value (line 1)"),
        (b"customer_id,ordered_at,net_value\n", "has no rows"),
        (b"customer_id,ordered_at,net_value,net_value\n7,2026-03-01,1,2\n", "net_value twice"),
        (b"customer_id,ordered_at,net_value\n7,2026-03-01,1\n7,2026-0", "middle of line 3"),
        (
            b"customer_id,ordered_at,net_value\n7,2026-03-01,1\n7,2026-03-02,12.5",
            "middle of line 3",
        ),
        (
            b'customer_id,ordered_at,net_value\n7,2026-03-01,1\n"7,2026-03-02,1\n',
            "no CSV from line",
        ),
        (b"PK\x03\x04\x00\xff\xfe binary\n", "is no UTF-8 text"),
        (b"<html><body>Not found</body></html>\n", "lacks the column customer_id"),
        (b"customer_id,ordered_at,net_value\n7,2026-03-01,\xff\n", "is no UTF-8 text"),
    ],
)
def test_a_file_that_isnt_whole_is_one_line_with_the_mend(
    tmp_path: Path, content: bytes, told: str
) -> None:
    message = refused(tmp_path / "orders.csv", content)
    assert told in message
    assert "\n" not in message
    assert "orders.csv" in message


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pq.write_table(
        pa.table({"customer_id": [1], "ordered_at": ["2026-03-01"], "net_value": [1]}), path
    )
    whole = path.read_bytes()
    for size in (3, 4, 50, len(whole) - 1):
        assert "no whole Parquet file" in refused(path, whole[:size])


def test_a_file_that_isnt_there_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CLV_TOYS_PATH"):
        pulled(shop_of(tmp_path / "none.csv"))


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheets_own_kinds_of_csv_are_read(
    tmp_path: Path, mark: str, delimiter: str, end: str
) -> None:
    rows = [HEADER.split(","), ["7", "2026-03-01", "1.50"], ["8", "2026-03-02", "2"]]
    path = tmp_path / "orders.csv"
    text = mark + "".join(delimiter.join(row) + end for row in rows)
    path.write_bytes(text.encode())
    assert [order.customer_id for order in orders(pulled(shop_of(path)))] == ["7", "8"]


# --------------------------------------------------------------------------------------- Parquet


@pytest.mark.parametrize(
    ("ids", "dates", "values"),
    [
        (pa.array([7, None]), pa.array([datetime(2026, 3, 1, tzinfo=UTC)] * 2), [12.5, 1.0]),
        (pa.array([7.0, None]), pa.array(["2026-03-01"] * 2), ["12.50", "1"]),
        (pa.array(["7", ""]), pa.array([datetime(2026, 3, 1).date()] * 2), [Decimal("12.50")] * 2),  # noqa: DTZ001
        (
            pa.array(["7", None]),
            pa.array([1772323200 * 10**9 + 1] * 2).cast(pa.timestamp("ns")),
            [12.499999999999998, 1.0],
        ),
    ],
)
def test_parquet_columns_of_any_type_mean_the_same(
    tmp_path: Path, ids: Any, dates: Any, values: Any
) -> None:
    path = tmp_path / "orders.parquet"
    table = {"customer_id": ids, "ordered_at": dates, "net_value": pa.array(values)}
    pq.write_table(pa.table(table), path)
    (page,) = pulled(shop_of(path))
    (order,) = page.orders
    assert (order.customer_id, order.total_value) == ("7", Decimal("12.5"))
    assert order.ordered_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert [(one.row_id, one.field) for one in page.rejects] == [("row 2", "customer_id")]


# --------------------------------------------------------------------------------------- cursors


@pytest.fixture
def long_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileShop:
    """95 rows in pages of 10, many of them equal, two of them bad."""
    monkeypatch.setattr("connectors.file.ROWS_A_PAGE", 10)
    rows = [f"{n % 4},2026-03-0{1 + n % 3},{n % 2}" for n in range(93)]
    rows[17:17], rows[60:60] = ["x,y,z"], ["7,2026-03-01,-1"]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    return shop_of(path)


def test_a_killed_reading_goes_on_behind_every_page(long_shop: FileShop) -> None:
    whole = pulled(long_shop)
    expected = [order.order_id for order in orders(whole)]
    assert len(set(expected)) == 93
    assert sum(len(page.rejects) for page in whole) == 2
    for place, page in enumerate(whole):
        rest = pulled(long_shop, page.cursor)
        assert [o.order_id for o in orders(whole[: place + 1]) + orders(rest)] == expected


def test_a_cursor_in_the_middle_of_a_page_goes_on_at_the_next_row(long_shop: FileShop) -> None:
    whole = pulled(long_shop)
    rest = pulled(long_shop, {**whole[0].cursor, "row": 13})
    assert [o.order_id for o in orders(rest)] == [o.order_id for o in orders(whole)][13:]


def test_an_unchanged_file_brings_nothing_again(long_shop: FileShop) -> None:
    assert pulled(long_shop, pulled(long_shop)[-1].cursor) == []


def test_a_changed_file_is_read_anew_and_old_rows_keep_their_ids(long_shop: FileShop) -> None:
    before = pulled(long_shop)
    path = long_shop._path
    with path.open("a") as file:
        file.write("9,2026-03-09,9\n")
    after = pulled(long_shop, before[-1].cursor)
    old = [order.order_id for order in orders(before)]
    assert [order.order_id for order in orders(after)][:-1] == old
    assert len(orders(after)) == len(old) + 1


# ------------------------------------------------------------------------------------- customers


def test_customers_are_those_of_the_file_and_show_the_scores_beside_it(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-02,1", "8,2026-03-01,1", "7,2026-03-01,1", "9,never,1")
    list(shop.push([Change("toys", "7", {}, {"tier": "high"})]))
    (page,) = shop.pull_customers(None, NOW)
    assert [customer.customer_id for customer in page.customers] == ["7", "8"]
    assert page.customers[0].created_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert page.customers[0].email_key is None
    assert page.shown == {"7": {"tier": "high"}, "8": {}}


def test_a_scan_of_customers_goes_on_behind_any_cursor(
    long_shop: FileShop, monkeypatch: Any
) -> None:
    monkeypatch.setattr("connectors.file.ROWS_A_PAGE", 3)
    whole = list(long_shop.pull_customers(None, NOW))
    assert [len(page.customers) for page in whole] == [3, 2]
    (rest,) = long_shop.pull_customers(whole[0].cursor, NOW)
    assert rest.customers == whole[1].customers
    assert len(list(long_shop.pull_customers(rest.cursor, NOW))) == 2


def test_a_row_that_was_mended_or_taken_out_is_not_counted_twice(
    tmp_path: Path, csv_shop: Any
) -> None:
    shop = csv_shop("7,2026-03-01,12.50", "7,2026-03-02,99.00", "8,2026-03-03,1.00", "8,x,1")
    with Store.open(tmp_path / "s.duckdb", now=NOW) as store:
        pull_orders(shop, store, NOW, None, Watch())
        assert len(store.rejects("toys")) == 1
        shop = csv_shop("7,2026-02-28,12.50", "7,2026-03-02,90.00", "9,2026-03-04,5.00")
        pull_orders(shop, store, NOW, None, Watch())
        summary = store.summary("toys", as_of=NOW.date())
        assert dict(zip(summary["person_key"], map(float, summary["net"]), strict=True)) == {
            "7": 102.5, "9": 5.0,
        }  # fmt: skip
        assert len(store.rejects("toys")) == 0


def test_a_given_order_id_keeps_its_order_through_any_correction(
    tmp_path: Path, csv_shop: Any
) -> None:
    header = f"order_id,{HEADER}"
    shop = csv_shop("A1,7,2026-03-01,12.50", header=header)
    with Store.open(tmp_path / "s.duckdb", now=NOW) as store:
        pull_orders(shop, store, NOW, None, Watch())
        shop = csv_shop("A1,7,2026-01-01,13.00", header=header)
        assert pull_orders(shop, store, NOW, None, Watch()).changed == 1
        found = store.orders_of("toys", "7").iloc[0]
        assert (float(found["net_value"]), found["ordered_at"].month) == (13.0, 1)


# ---------------------------------------------------------------------------------------- scores

SCORE: Shown = {"tier": "high", "predicted_12m": "-3.50", "p_alive": "0.9000", "reason": "=1+1"}


def scores_path(shop: FileShop) -> Path:
    return shop._path.with_name("orders.scores.csv")


def change(customer_id: str, before: Shown, after: Shown) -> Change:
    return Change("toys", customer_id, before, after)


def statuses(outcomes: Any) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_scores_are_written_beside_the_file_for_their_owner_alone(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-01,1")
    mask = os.umask(0)
    try:
        (outcome,) = shop.push([change("7", {}, SCORE)])
    finally:
        os.umask(mask)
    assert (outcome.status, outcome.shown) == ("applied", SCORE)
    assert scores_path(shop).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in shop._path.parent.iterdir()) == [
        "orders.csv",
        "orders.scores.csv",
    ]


def test_the_file_holds_a_row_for_each_customer_and_a_column_for_each_field(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-01,1")
    list(shop.push([change("7", {}, SCORE), change("8", {}, {"tier": "low"})]))
    with scores_path(shop).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["customer_id", *FIELDS]
    assert [row["customer_id"] for row in rows] == ["7", "8"]


def test_conflicts_are_left_alone_and_what_stands_already_is_applied(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-01,1")
    list(shop.push([change("7", {}, {"tier": "high"}), change("8", {}, {"tier": "low"})]))
    stamp = scores_path(shop).stat().st_mtime_ns
    pushed = [change("7", {"tier": "new"}, {"tier": "low"}), change("8", {}, {"tier": "low"})]
    outcomes = list(shop.push(pushed))
    assert statuses(outcomes) == ["conflict", "applied"]
    assert outcomes[0].shown == {"tier": "high"}
    assert scores_path(shop).stat().st_mtime_ns == stamp


def test_undo_takes_the_rows_out_and_the_file_with_the_last_one(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-01,1")
    changes = [change("7", {}, SCORE), change("8", {}, {"tier": "low"})]
    list(shop.push(changes))
    assert statuses(shop.push([changes[1].reversed()])) == ["applied"]
    assert set(dict(read_scores(scores_path(shop)))) == {"7"}
    assert statuses(shop.push([changes[0].reversed()])) == ["applied"]
    assert not scores_path(shop).exists()


def test_a_file_of_that_name_that_isnt_ours_is_left_alone(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-01,1")
    scores_path(shop).write_text("my,own,notes\n")
    with pytest.raises(ConfigurationError, match=r"orders\.scores\.csv"):
        list(shop.push([change("7", {}, SCORE)]))
    assert scores_path(shop).read_text() == "my,own,notes\n"


def test_a_foreign_field_is_refused(csv_shop: Any) -> None:
    shop = csv_shop("7,2026-03-01,1")
    assert statuses(shop.push([change("7", {}, {"tag": "clv-high"})])) == ["rejected"]
    assert not scores_path(shop).exists()


def test_a_spreadsheet_runs_no_cell_and_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.scores.csv"
    write_scores(path, {"=cmd()": SCORE, "-7": {"reason": "@x", "predicted_12m": "-1.00"}}.items())
    with path.open(newline="") as file:
        cells = [cell for row in list(csv.reader(file))[1:] for cell in row if cell]
    assert sorted(cells) == ["'-7", "'=1+1", "'=cmd()", "'@x", "-1.00", "-3.50", "0.9000", "high"]


RISKY = st.text(st.sampled_from("=+-@'\t\r\0\n\",a1é"), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(scores=st.dictionaries(RISKY, st.fixed_dictionaries({"reason": RISKY, "tier": RISKY})))
def test_scores_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, scores: dict[str, Shown]
) -> None:
    path = tmp_path_factory.mktemp("scores") / "x.scores.csv"
    write_scores(path, scores.items())
    assert dict(read_scores(path)) == scores
    if scores:
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row if cell]
        assert not [cell for cell in cells if cell[0] in "=+-@\t\r\0"]


# ----------------------------------------------------------------------------------------- check


def test_a_good_file_is_ok(csv_shop: Any) -> None:
    findings = list(csv_shop("7,2026-03-01,1").check(NOW))
    assert [finding.status for finding in findings] == ["ok"] * 4


def test_bad_rows_and_a_missing_file_are_told(csv_shop: Any, tmp_path: Path) -> None:
    findings = {finding.name: finding for finding in csv_shop("7,2026-03-01,1", "8,x,1").check(NOW)}
    assert (findings["rows"].status, findings["rows"].detail) == ("warn", "1 of 2 can be read")
    (missing,) = shop_of(tmp_path / "none.csv").check(NOW)
    assert missing.status == "fail"


def test_reading_does_not_depend_on_the_machines_time_zone(
    csv_shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        (order,) = orders(pulled(csv_shop("7,2026-03-01,1")))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert order.ordered_at == datetime(2026, 3, 1, tzinfo=UTC)
