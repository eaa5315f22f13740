"""Checks 19 and 20: disks that are full or can't be written, and histories that are long."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.reliability.conftest import Told
from tests.reliability.forked import Commands
from tests.reliability.long_history import served
from tests.reliability.test_interrupted import Backfill, content
from tests.store import test_disks

disk = test_disks.disk


def test_check_19_a_full_disk_is_told_and_the_store_goes_on_from_there(
    told: Told, commands: Commands, tmp_path: Path
) -> None:
    """No file may grow beyond so many bytes: the same to a program as a disk that is full."""
    sizes = [120_000 + 80_000 * n for n in range(told.often(3, 20))]
    full = unclear = lost = 0
    with served("magento", told.often(1_500, 6_000)) as environment:
        backfill = Backfill(commands, tmp_path, environment)
        whole = backfill.finished()
        for size in sizes:
            backfill.stores += 1
            own = {**environment, "CLV_STORE": str(backfill.store)}
            ended = commands.run(tmp_path, own, "pull", largest_file=size)
            lines = ended.err.strip().splitlines()
            full += ended.code != 0
            unclear += bool(ended.code) and (
                ended.code != 16 or len(lines) != 1 or "free space" not in lines[0]
            )
            lost += backfill.finished().hash != whole.hash
    told("disks that fill up while orders are pulled", full, unclear=unclear,
         stores_lost=lost)  # fmt: skip


def test_check_19_a_store_that_can_not_be_written_is_told_and_stays_as_it_was(
    told: Told, commands: Commands, disk: Path
) -> None:
    unclear = changed = 0
    verbs = (["pull"], ["score"], ["state"])
    with served("magento", 200) as environment:
        own = {**environment, "CLV_STORE": str(disk / "store.duckdb")}
        assert commands.run(disk.parent, own, "pull").code == 0
        before = content(disk / "store.duckdb")
        assert test_disks.mount("-o", "remount,ro", str(disk))
        for verb in verbs:
            ended = commands.run(disk.parent, own, *verb)
            unclear += ended.code != 16 or len(ended.err.strip().splitlines()) != 1
        assert test_disks.mount("-o", "remount,rw", str(disk))
        changed += content(disk / "store.duckdb") != before
    told("commands on a store that can't be written", len(verbs), unclear=unclear, changed=changed)


def orders(path: Path, rows: int) -> None:
    """A file of orders of a third as many customers, over two years."""
    day = datetime.now(UTC).date() - timedelta(days=1)
    days = [(day - timedelta(days=n)).isoformat() for n in range(730)]
    with path.open("w", encoding="utf-8") as file:
        file.write("order_id,customer_id,ordered_at,net_value,currency\n")
        for n in range(rows):
            customer = n * 7919 % (rows // 3 + 1)
            file.write(f"{n},c{customer},{days[n * 31 % 730]},{n % 97 + 1}.50,EUR\n")


def taken(commands: Commands, folder: Path, rows: int) -> tuple[int, float]:
    """The most memory that a pull of so many orders takes, in MB, and its seconds."""
    orders(folder / f"{rows}.csv", rows)
    shop = {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "file", "CLV_X_PATH": f"{rows}.csv"}
    own = {**shop, "CLV_STORE": f"{rows}.duckdb", "CLV_MEMORY_MB": "512"}
    begun = time.monotonic()
    running = commands.start(folder, own, "pull", "--json")
    ended = running.wait(1200)
    assert ended.code == 0, ended.err
    assert ended.events("pulled")[0]["orders"] == rows
    return running.megabytes, time.monotonic() - begun


def test_check_20_memory_is_bounded_however_many_orders_there_are(
    told: Told, commands: Commands, tmp_path: Path
) -> None:
    """A shop's pages are not held: seven times as many orders, about as much memory."""
    few, many = told.often(2_000, 10_000), told.often(20_000, 100_000)
    most = []
    for orders_there in (few, many):
        with served("magento", orders_there) as environment:
            own = {"CLV_STORE": f"{orders_there}.duckdb", "CLV_MEMORY_MB": "64"}
            running = commands.start(tmp_path, {**environment, **own}, "pull")
            assert running.wait(600).code == 0
            most.append(running.megabytes)
    told(
        f"orders pulled with {most[1]} MB at most ({few:,}: {most[0]} MB)",
        many,
        megabytes_too_many=max(most[1] - most[0] - told.often(36, 100), 0),
    )


def test_check_20_a_million_orders_are_taken_in_a_stated_time(
    told: Told, commands: Commands, tmp_path: Path
) -> None:
    many = told.often(10_000, 1_000_000)
    most, seconds = taken(commands, tmp_path, many)
    told(
        f"orders of a file in {seconds:.0f} s with {most} MB at most",
        many,
        megabytes_too_many=max(most - 1_200, 0),
    )
