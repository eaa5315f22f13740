"""The unit files, as systemd itself reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from started import ROOT

FILES = ROOT / "docs" / "schedule"
#: systemd's own measure of what a unit may do: 0 nothing, 10 everything.
MOST_EXPOSED = 2.0


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The files, with a command that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: nobody reads the unit files")
    units = [tmp_path / "clv-sync.service", tmp_path / "clv-sync.timer"]
    for unit in units:
        text = (FILES / unit.name).read_text(encoding="utf-8")
        unit.write_text(text.replace("/opt/clv-sync/bin/clv-sync", shutil.which("true") or ""))
    return units


def complaints(*units: Path) -> str:
    """What systemd says; the exit code alone tells nothing of a setting that is not allowed."""
    asked = ["systemd-analyze", "verify", "--man=no", *units]
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return ended.stdout + ended.stderr


def test_systemd_has_nothing_to_complain_of(units: list[Path]) -> None:
    assert complaints(*units) == ""


def test_systemd_would_complain_of_a_wrong_setting(units: list[Path]) -> None:
    service = units[0]
    service.write_text(service.read_text() + "RestartForceExitStatus=13\n")
    assert "isn't allowed" in complaints(service)


def test_the_job_may_do_little(units: list[Path]) -> None:
    asked = ["systemd-analyze", "security", "--offline=true", "--no-pager", units[0]]
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    level = re.search(r"exposure level for clv-sync.service: ([\d.]+)", ended.stdout)
    if level is None:
        pytest.skip("this systemd-analyze can't judge a file")
    assert float(level[1]) <= MOST_EXPOSED


def test_rows_put_aside_and_a_locked_store_are_no_failures() -> None:
    text = (FILES / "clv-sync.service").read_text(encoding="utf-8")
    assert "\nSuccessExitStatus=3 11\n" in text
    again = re.search(r"^RestartPreventExitStatus=(.*)$", text, re.M)
    assert again is not None
    assert "13" not in again[1].split()
