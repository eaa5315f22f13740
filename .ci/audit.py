"""Known vulnerabilities in what requirements.lock pins: exit 1 where there are any.

Where the data can't be reached (no network, a mirror without it) nothing is audited: that is said,
and is no failure, so that `make check` works offline.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
SECONDS = 120  # for all; a single answer gets 10


def asked(lock: Path) -> str | None:
    """What pip-audit says as JSON; None where it has no answer in time."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes"]
    command += ["--disable-pip", "--timeout", "10", "--progress-spinner", "off", "--format", "json"]
    try:
        ended = subprocess.run(  # noqa: S603  # our own command
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return ended.stdout or None


def verdict(said: str | None) -> tuple[int, str]:
    """Exit code and what to tell."""
    packages = json.loads(said)["dependencies"] if said else []
    audited = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {one['id']},"
        f" mended in {', '.join(one['fix_versions']) or 'no version yet'}"
        for package in audited
        for one in package["vulns"]
    ]
    if found:
        return 1, "\n".join(found)
    if not audited:
        return 0, "The data on vulnerabilities can't be reached: the locked packages go unaudited."
    left_out = len(packages) - len(audited)
    more = f", {left_out} are unknown to it" if left_out else ""
    return 0, f"{len(audited)} locked packages, no known vulnerability{more}."


if __name__ == "__main__":
    code, told = verdict(asked(LOCK))
    sys.stdout.write(told + "\n")
    sys.exit(code)
