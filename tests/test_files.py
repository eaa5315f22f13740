from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from connectors.files import private_folder, written_whole


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_folder_that_is_made_is_the_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private_folder(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


def write_half(path: Path) -> None:
    with written_whole(path) as fresh:
        fresh.write_text("half of the sec")
        raise RuntimeError


def test_a_file_is_whole_and_private_or_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    with written_whole(path) as fresh:
        fresh.write_text("first")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "first"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "below.txt"
    with pytest.raises(ConfigurationError, match="can't be written"), written_whole(below):
        pass
