"""Tables on narrow terminals: words may be cut, numbers never are."""

from __future__ import annotations

import pytest

from connectors.platform import Finding
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


def test_a_title_breaks_where_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    Terminal().table("month", "", ("month of the year", "orders here"), [("05", "1"), ("06", "2")])
    told = capsys.readouterr().out
    assert "…" not in told
    assert max(map(len, told.splitlines())) < 24


def test_a_title_stays_whole_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    Terminal().table("month", "", ("month of the year", "orders here"), [("05", "1")])
    assert "month of the year" in capsys.readouterr().out


def test_shares_are_numbers_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    Terminal().table("origin", "", ("model", "orders"), [("a-model-of-a-long-name", "+120.5%")])
    assert "+120.5%" in capsys.readouterr().out


def test_a_reason_is_told_to_its_end_where_it_is_the_point(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    reason = "stands in an earlier row already; a row is a whole order"
    Terminal().table("reject", "", ("row", "reason"), [("line 2", reason)], whole=True)
    told = capsys.readouterr().out
    assert {"line", "2", *reason.split()} <= set(told.replace("│", " ").split())


def test_a_finding_and_its_mend_are_two_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().finding("eu", Finding("store", "ok", "empty", "`backfill` fills it."))
    assert "store: empty. `backfill` fills it." in capsys.readouterr().out
