"""Exported files: whole, private, exact, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import NOW, customer, line, order, page, refund

from connectors.errors import ConfigurationError
from connectors.export import Format, export
from connectors.store import Store


def cells(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))


def exported(values: list[object], path: Path) -> list[str]:
    """The cells of one column, as a program reads them."""
    export(pa.table({"x": values, "n": range(len(values))}).to_reader(), path, "csv")
    return [row[0] for row in cells(path)[1:]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.csv"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0"])
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(start: str, out: Path) -> None:
    hostile = f'{start}HYPERLINK("http://x")'
    export(pa.table({"x": [hostile, "a" + hostile]}).to_reader(), out, "csv")
    assert f"\"'{start}HYPER".encode() in out.read_bytes()
    assert f'"a{start}HYPER'.encode() in out.read_bytes()


def test_categories_are_texts_too(out: Path) -> None:
    assert export(pd.DataFrame({"tier": pd.Categorical(["=1+1", "high"])}), out, "csv") == 2
    assert cells(out) == [["tier"], ["'=1+1"], ["high"]]


def test_numbers_stay_numbers(out: Path) -> None:
    assert exported([-1, 2, None], out) == ["-1", "2", ""]
    assert exported([-0.1, 1e-9, 0.1 + 0.2], out) == ["-0.1", "1e-9", "0.30000000000000004"]
    assert exported([Decimal("-12.3400"), None], out) == ["-12.3400", ""]


def test_instants_are_iso_in_utc_and_dates_dates(out: Path) -> None:
    odd = datetime(2026, 11, 22, 1, 30, 0, 250_000, tzinfo=UTC)
    assert exported([NOW, odd, None], out) == [
        "2026-11-22T01:30:00Z", "2026-11-22T01:30:00.250000Z", "",
    ]  # fmt: skip
    assert exported([date(2026, 1, 2)], out) == ["2026-01-02"]


def test_an_empty_text_is_not_an_absent_one(out: Path) -> None:
    exported(["", None], out)
    assert out.read_bytes().splitlines()[1:] == [b'"",0', b",1"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_any_text_is_read_back_as_it_was_but_for_the_apostrophe(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "out.csv"
    found = exported([*texts, "end"], path)[:-1]
    assert [
        cell.removeprefix("'") if text[:1] != "'" else cell
        for cell, text in zip(found, texts, strict=True)
    ] == texts
    assert not [cell for cell in found if cell[:1] in set("=+-@\t\r\n\0")]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_files_are_the_owners_alone_whatever_the_umask(tmp_path: Path, format: Format) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "new" / "out"
        export(pd.DataFrame({"x": [1]}), path, format)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_an_export_that_fails_leaves_the_earlier_file_alone(out: Path, format: Format) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"x": ["a"]})
        raise RuntimeError

    out.write_text("earlier")
    reader = pa.RecordBatchReader.from_batches(pa.schema({"x": pa.string()}), rows())
    with pytest.raises(RuntimeError):
        export(reader, out, format)
    assert [entry.name for entry in out.parent.iterdir()] == ["out.csv"]
    assert out.read_text() == "earlier"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"out\.csv can't be written"):
        export(pd.DataFrame({"x": [1]}), tmp_path / "file" / "out.csv", "csv")


@pytest.fixture
def store(store: Store) -> Store:
    rows = [order("1"), order("2", coupon="=1+1"), line("1"), refund("5"), customer("7")]
    store.commit("eu", "orders", page(*rows), at=NOW)
    store.commit("us", "orders", page(order("1", shop="us")), at=NOW)
    scores = {"shop": ["eu"], "person_key": ["7"], "customer_id": ["7"], "tier": ["high"]}
    store.save_scores("r1", [pa.table(scores)])
    return store


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("orders", 3),
        ("order_lines", 1),
        ("refunds", 1),
        ("customers", 1),
        ("summary", 2),
        ("scores", 1),
    ],
)
def test_every_table_of_the_store_is_exported_alike_in_both_formats(
    store: Store, tmp_path: Path, what: str, rows: int
) -> None:
    for format in ("csv", "parquet"):
        reader = store.reader(what, shops=["eu", "us"], as_of=NOW.date())
        assert export(reader, tmp_path / format, format) == rows  # type: ignore[arg-type]
    table = pq.read_table(tmp_path / "parquet")
    found = cells(tmp_path / "csv")
    assert (found[0], len(found)) == (table.column_names, rows + 1)
    assert not {"seq", "digest"} & set(found[0])


def test_the_store_can_be_asked_while_its_export_is_read(store: Store) -> None:
    reader = store.reader("orders", shops=["eu"], as_of=NOW.date())
    assert store.counts("eu")["orders"] == 2
    assert reader.read_all()["coupon"].to_pylist() == [None, "=1+1"]
