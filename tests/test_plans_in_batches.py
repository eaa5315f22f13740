"""A plan of more customers than there is memory for: drawn and applied some at a time."""

from __future__ import annotations

import errno
import importlib
import json
import sys
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from made_rows import NOW, customer, page
from started import ROOT, Ended, called_in

from connectors import session
from connectors.errors import StoreError
from connectors.kept import found_in, keep
from connectors.platform import Page
from connectors.schema import FIELDS, TAG, Change, Shown
from connectors.showing import Showing, shown_in
from connectors.store import Store, reading, scratch
from connectors.store.scratch import Scratch
from jobs.planning import SCORE_OF_FIELD

SETTINGS = {
    "CLV_SHOPS": "bench",
    "CLV_BENCH_PLATFORM": "file",
    "CLV_BENCH_PATH": "orders.csv",
    "CLV_STORE": "store.duckdb",
    "CLV_EMAIL_KEY": "a key of sixteen bytes or more",
}


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    """The benchmark that fills a store with scores and plays the shop."""
    with mock.patch.object(sys, "path", [str(ROOT / "benchmarks"), *sys.path]):
        yield importlib.import_module("write_back")


def command(shop: Any, folder: Path, *arguments: str) -> Ended:
    with mock.patch.object(session, "open_shop", return_value=shop):
        ended = called_in(folder)(SETTINGS, *arguments)
    assert ended.code == 0, ended.err
    return ended


# ---------------------------------------------------------------------------------------- memory


def peaks(bench: ModuleType, folder: Path, customers: int) -> dict[str, float]:
    """The most megabytes of Python's that each command held."""
    folder.mkdir()
    bench.fill(folder / "store.duckdb", customers)
    found: dict[str, float] = {}
    shop = bench.Shop(customers, is_empty=True)
    for arguments in (["plan", "--out", "a.plan"], ["apply", "a.plan"]):
        tracemalloc.start()
        command(shop, folder, "--quiet", *arguments)
        found[arguments[0]] = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    return found


def test_memory_does_not_grow_with_customers(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SMALL_BATCH_ROWS", 250)
    monkeypatch.setattr(scratch, "CHUNK_BYTES", 2**16)
    monkeypatch.setattr(bench, "PAGE_ROWS", 250)
    monkeypatch.setattr(bench.Shop, "batch_size", 250)
    # The first time brings what is imported once.
    _, few, many = (peaks(bench, tmp_path / str(n), n) for n in (50, 1_000, 4_000))
    assert few["plan"] + 0.5 > many["plan"], (few, many)  # where all are held, some 10 MB more
    assert few["apply"] + 0.5 > many["apply"], (few, many)


# --------------------------------------------------------------------------------------- the same


class People:
    """A shop whose customers show these, page by page."""

    shop = "bench"
    shows = (*FIELDS, TAG)
    batch_size = 3

    def __init__(self, *pages: Mapping[str, Shown]) -> None:
        self.pages = pages

    def pull_customers(self, *_: object) -> Iterator[Page]:
        for shown in self.pages:
            yield page(*(customer(one, shop="bench") for one in shown), shown=shown)


def planned(shop: People, folder: Path, bench: ModuleType, name: str) -> Ended:
    if not (folder / "store.duckdb").exists():
        bench.fill(folder / "store.duckdb", 40)
    return command(shop, folder, "--json", "plan", "--out", name)


def test_a_plan_is_the_same_whatever_the_batches(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of whom no score is known, of a customer told twice, and of those who left."""
    ids = [bench.id_of(n) for n in (7, 31, 3, 12, 25, 30, 1, 8)]
    today: list[Shown] = [{}, {"tier": "low", "predicted_12m": "3.00", TAG: "clv-low"}]
    shown = {one: today[place % 2] for place, one in enumerate([*ids, "x", "y"])}
    again: Mapping[str, Shown] = {ids[2]: {"tier": "high"}, bench.id_of(20): {}}
    plans, told = [], []
    monkeypatch.setattr("sync.now", lambda: NOW)
    for rows in (1, 3, 5_000):
        monkeypatch.setattr(reading, "SMALL_BATCH_ROWS", rows)
        monkeypatch.setattr(reading, "PASS_ROWS", 2 * rows)
        ended = planned(People(shown, again), tmp_path, bench, f"{rows}.plan")
        plans.append((tmp_path / f"{rows}.plan").read_bytes())
        told.append([line for line in ended.lines if line["event"] in ("plan", "drift", "change")])
    assert plans[0] == plans[1] == plans[2]
    assert told[0] == told[1] == told[2]
    header, *changes = map(json.loads, plans[0].splitlines())
    assert header["counts"] == {"=": 1, "+": 4, "*": 5, "-": 1, "!": 31, "~": 0}
    order = [change["customer_id"] for change in changes]
    assert order == [one for one in [*shown, bench.id_of(20)] if one != "x"]
    assert changes[2]["before"] == {"tier": "high"}


def test_what_is_told_last_of_a_customer_holds_in_the_first_ones_place(store: Store) -> None:
    showing = Showing(store.scratch)
    showing.add({"1": {"tier": "low"}, "2": {}})
    showing.add({"3": {}, "1": {"tier": "high"}})
    batches = store.beside_scores("eu", showing.reader, list(SCORE_OF_FIELD.values()))
    shown = [pair for batch in batches for pair in shown_in(batch).items()]
    assert shown == [("1", {"tier": "high"}), ("2", {}), ("3", {})]


def test_whoever_was_scored_stands_beside_what_they_show(store: Store) -> None:
    scores = {
        "person_key": ["1", "guest-a", "4"],
        "customer_id": ["1", None, "4"],
        "tier": list("abc"),
    }
    store.save_scores("run", [pa.table({"shop": ["eu"] * 3, **scores})])
    showing = Showing(store.scratch)
    showing.add({"2": {}, "1": {}})
    batches = store.beside_scores("eu", showing.reader, ["tier", "reason"])
    found = [row for batch in batches for row in batch.to_pylist()]
    rows = [(row["shown_id"], row["customer_id"], row["tier"]) for row in found]
    assert rows == [("2", None, None), ("1", "1", "a")]
    assert (store.scored("eu"), store.scored("us")) == (2, 0)


# ------------------------------------------------------------------------------------- in a file


CHANGES = [
    Change(shop, str(n), {}, {"reason": 'a "shop":"us"}'}) for shop in "ab" for n in range(3)
]


def test_kept_changes_are_read_again_by_shop(tmp_path: Path) -> None:
    kept = keep(Scratch(tmp_path), [*CHANGES, CHANGES[0]])
    assert (len(kept), kept.shops) == (7, {"a", "b"})
    assert list(kept) == [*CHANGES, CHANGES[0]]
    assert list(kept.of("a")) == [*CHANGES[:3], CHANGES[0]]
    assert list(kept.of("c")) == []
    assert list(tmp_path.iterdir()) == []


def test_changes_found_in_a_file_are_those_that_were_kept_there(tmp_path: Path) -> None:
    file = Scratch(tmp_path)
    kept = keep(file, CHANGES)
    assert found_in(file).parts == kept.parts


@pytest.mark.parametrize("chunk", [1, 7, 2**20])
def test_a_line_is_whole_however_it_is_read(chunk: int) -> None:
    file = Scratch()
    file.write(b"one\n\ntwo")
    with mock.patch("connectors.store.scratch.CHUNK_BYTES", chunk):
        assert list(file.lines()) == [b"one", b"", b"two"]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    file = Scratch(tmp_path)
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        mock.patch.object(file, "_file", mock.Mock(write=mock.Mock(side_effect=full))),
        pytest.raises(StoreError, match="no room beside the order store: No space left"),
    ):
        file.write(b"x")
