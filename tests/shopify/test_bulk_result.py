"""What a result's lines are joined to, in which order they come, and what is no result."""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConfigurationError
from connectors.shopify.bulk import jsonl
from connectors.shopify.bulk.families import by_kind
from connectors.shopify.bulk.families import families as joined
from connectors.shopify.bulk.jsonl import Result, Unsound


def order(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"gid://shopify/Order/{number}", "customer": {"id": "gid://c/1"}, **more}


def row(number: int, parent: int, kind: str = "LineItem") -> dict[str, Any]:
    whose = f"gid://shopify/Order/{parent}"
    return {"__typename": kind, "id": f"gid://shopify/{kind}/{number}", "__parentId": whose}


def file_of(*lines: dict[str, Any], escaped: bool = True) -> bytes:
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return (text.replace("/", "\\/") if escaped else text).encode()


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def families(content: bytes, piece: int = 7) -> dict[str, list[str]]:
    """Orders' ids, each with its children's, as the result says."""
    with Result.read(pieces(content, piece), len(content)) as result:
        found = [family for share in result.shares() for family in joined(share)]
        assert len(found) == result.orders
        assert len(found) + sum(len(children) for _, children in found) == result.objects
    return {root["id"]: [child["id"] for child in children] for root, children in found}


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Almost nothing is held, and shares are tiny."""
    monkeypatch.setattr(jsonl, "SHARE_BYTES", 500)
    monkeypatch.setattr(jsonl, "HELD_BYTES", 200)


LINES = [
    *(order(n) for n in range(1, 40)),
    *(row(100 * n + place, n) for n in range(1, 40) for place in range(n % 5)),
]
EXPECTED = {
    f"gid://shopify/Order/{n}": [f"gid://shopify/LineItem/{100 * n + p}" for p in range(n % 5)]
    for n in range(1, 40)
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.usefixtures("on_disk")
def test_lines_are_joined_in_whatever_order_they_come(seed: int, escaped: bool) -> None:
    shuffled = random.Random(seed).sample(LINES, len(LINES))  # noqa: S311  dice, not secrets
    assert families(file_of(*shuffled, escaped=escaped), piece=97) == EXPECTED


def test_a_result_that_fits_into_memory_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "TemporaryFile", None)
    assert families(file_of(*LINES)) == EXPECTED


@pytest.mark.usefixtures("on_disk")
def test_the_file_has_no_name_and_is_for_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    content = file_of(*LINES)
    with Result.read(pieces(content, 50), len(content)) as result:
        assert result._file is not None
        assert os.fstat(result._file.fileno()).st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == []
    assert result._file.closed


@pytest.mark.usefixtures("on_disk")
def test_no_file_stays_open_behind_a_result_that_breaks_off() -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(file_of(*LINES), 50)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        Result.read(broken(), 5000)


@pytest.mark.usefixtures("on_disk")
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jsonl, "TemporaryFile", full)
    with pytest.raises(ConfigurationError, match="TMPDIR"):
        families(file_of(*LINES))


def test_what_people_write_is_not_taken_for_a_parent() -> None:
    written = {"sku": '"__parentId":"gid://shopify/Order/9"', "note": "__parentId"}
    content = file_of(order(1, **written), row(5, 1) | written, row(6, 1))
    assert families(content) == {
        "gid://shopify/Order/1": ["gid://shopify/LineItem/5", "gid://shopify/LineItem/6"]
    }


def test_a_last_line_needs_no_end() -> None:
    assert families(file_of(order(1)) + file_of(order(2)).rstrip()) == {
        "gid://shopify/Order/1": [],
        "gid://shopify/Order/2": [],
    }


@pytest.mark.parametrize(
    "content",
    [
        file_of(order(1), row(5, 2)),
        file_of(order(1), order(1)),
        file_of(order(1), row(5, 1), row(5, 1)),
        file_of(order(1), {"id": "gid://shopify/LineItem/5"}),
        file_of(order(1), row(5, 1))[:-30],
        file_of(order(1))[:-9],
        file_of(order(1)) + b"<html>\n",
        file_of(order(1, total=float("nan"))),
        file_of(order(1)).replace(b"customer", b"\xff\xfe"),
        b'["gid://shopify/Order/1"]\n',
        file_of(order(1), row(5, 1) | {"id": None}),
    ],
)
def test_what_is_no_whole_result_is_never_taken_for_one(content: bytes) -> None:
    with pytest.raises(Unsound):
        families(content)


def test_a_line_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 1000)
    with pytest.raises(Unsound):
        Result.read((b"x" * 100 for _ in range(1_000_000)), 5000)


def test_lines_and_shippings_are_told_apart_and_anything_else_is_refused() -> None:
    line, shipping = row(1, 1), row(2, 1, "ShippingLine")
    assert by_kind([shipping, line]) == ([line], [shipping])
    with pytest.raises(Unsound):
        by_kind([row(3, 1, "Refund")])
