"""Tables on narrow terminals: words may be cut, numbers never are."""

from __future__ import annotations

import pytest

from connectors.terminal import Terminal

COLUMNS = ("shop", "orders", "customers", "scored", "planned", "applied")


@pytest.mark.parametrize("width", ["80", "60", "46"])
def test_a_number_is_shown_whole_however_narrow_the_terminal(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    numbers = ("13,463", "11,111", "11,168", "1,102", "1,101")
    Terminal().table("tally", "", COLUMNS, [("a-shop-of-a-long-name", *numbers)])
    told = capsys.readouterr().out
    assert all(number in told for number in numbers)
