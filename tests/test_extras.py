"""What an extra brings may not be there: then its name is told, and how to get it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from started import called_in

from connectors import extras
from connectors.errors import ConfigurationError


def without(monkeypatch: pytest.MonkeyPatch, library: str, room: str) -> None:
    """As where the library isn't installed, and nothing of the room was imported yet."""
    parent, _, child = room.rpartition(".")
    monkeypatch.delattr(sys.modules[parent], child, raising=False)
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{room}.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)


@pytest.mark.parametrize(
    ("command", "library", "room", "extra"),
    [
        ("demo", "graphql", "connectors.sandbox", "sandbox"),
        ("sandbox", "graphql", "connectors.sandbox", "sandbox"),
        ("serve", "uvicorn", "connectors.serve", "serve"),
    ],
)
def test_a_command_without_its_extra_is_one_line_with_the_mend(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    library: str,
    room: str,
    extra: str,
) -> None:
    without(monkeypatch, library, room)
    monkeypatch.delitem(sys.modules, "connectors.listening", raising=False)
    monkeypatch.delattr("connectors.listening", raising=False)
    ended = called_in(tmp_path)({}, command)
    assert ended.code == 1
    assert f"needs {library}" in ended.err
    assert f"pip install 'clv-sync[{extra}]'" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_room_whose_libraries_are_there_is_given() -> None:
    assert extras.needed("connectors.listening", "listening", "serve").__name__ == (
        "connectors.listening"
    )


def test_what_the_room_itself_raises_is_no_missing_extra() -> None:
    with pytest.raises(ConfigurationError, match=r"this needs no_such_library\. Install the extra"):
        extras.needed("no_such_library", "this", "that")
