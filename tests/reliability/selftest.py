"""Plants each bug of `mutations.py` in a copy of the tree and looks whether its check fails.

python tests/reliability/selftest.py [CHECK ...]

The copy without any bug must hold first. Two copies are worked on side by side; prints a table
(number, bug, what of the check caught it) and ends with 1 unless every check caught its bug.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.reliability.mutations import MUTATIONS, Mutation  # noqa: E402  by its place

CHECKS = range(1, 44)
COPIES = 2
LONGEST = 240  # seconds for one check
WANTED = ("clv", "connectors", "jobs", "benchmarks", "tests", "magento-module", "docs")


class Verdict(NamedTuple):
    check: int
    bug: str
    caught: bool
    told: str
    seconds: float


def main(asked: Sequence[str]) -> int:
    begun = time.monotonic()
    numbers = {int(number) for number in asked} or set(CHECKS)
    planted = sorted((one for one in MUTATIONS if one.check in numbers), key=lambda one: one.check)
    with tempfile.TemporaryDirectory(prefix="clv-sync-selftest-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(COPIES):
            copies.put(copied(Path(folder) / str(number)))
        failing = failing_already(Path(folder) / "0", numbers)
        say(f" #  {'bug':66}          caught by")
        with ThreadPoolExecutor(COPIES) as pool:
            verdicts = pool.map(lambda one: tried(one, copies, failing), planted)
            missed = numbers - {one.check for one in map(told, verdicts) if one.caught}
    for number in sorted(missed - {one.check for one in planted}):
        say(f"{number:2}  no bug is planted for it")
    caught = len(numbers) - len(missed)
    took = time.monotonic() - begun
    say(f"{caught} of {len(numbers)} planted bugs are caught, in {took / 60:.1f} minutes")
    return bool(missed)


def told(verdict: Verdict) -> Verdict:
    """The verdict, and its row of the table."""
    word = "caught" if verdict.caught else "MISSED"
    say(f"{verdict.check:2}  {verdict.bug:66}  {word}  {verdict.told} ({verdict.seconds:.0f} s)")
    return verdict


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def copied(folder: Path) -> Path:
    """The tree as it stands, without what was made in it."""
    skip = shutil.ignore_patterns("__pycache__", ".pytest_cache", "*.duckdb*")
    folder.mkdir()
    for path in ROOT.iterdir():
        if path.is_dir() and path.name in WANTED:
            shutil.copytree(path, folder / path.name, ignore=skip)
        elif path.is_file():
            shutil.copy(path, folder)
    return folder


def failing_already(copy: Path, numbers: set[int]) -> set[int]:
    """Checks that fail without any bug, or can't be tried here: they would catch anything."""
    names = " or ".join(f"test_check_{number:02}_" for number in numbers)
    ended = pytest(copy, "-n", str(COPIES), "--dist", "worksteal", "-k", names, "-rfEs")
    told = re.findall(r"^(?:FAILED|ERROR|SKIPPED).*?test_check_(\d\d)_", ended.stdout, re.MULTILINE)
    found = {int(number) for number in told}
    if ended.returncode not in (0, 1) or (ended.returncode and not found):
        sys.exit(f"the copy without any bug can't be tried:\n{ended.stdout[-2000:]}")
    say(f"without any bug these fail: {sorted(found) or 'none'}")
    return found


def tried(one: Mutation, copies: SimpleQueue[Path], failing: set[int]) -> Verdict:
    copy, begun = copies.get(), time.monotonic()
    file = copy / one.file
    text = file.read_text(encoding="utf-8")
    try:
        caught, why = False, f"its place is gone from {one.file}: mend the table"
        if text.count(one.old) == 1:
            written(file, text.replace(one.old, one.new))
            caught, why = outcome(copy, one.check)
        if one.check in failing:
            caught, why = False, "the check fails without the bug, too"
    finally:
        written(file, text)
        copies.put(copy)
    return Verdict(one.check, one.bug, caught, why, time.monotonic() - begun)


def written(file: Path, text: str) -> None:
    """With a time of its own, so that no compiled file of before is taken for it."""
    stat = file.stat()
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 2 * 10**9))


def outcome(copy: Path, check: int) -> tuple[bool, str]:
    """Whether the quick check failed, as a test fails: not because it couldn't be begun."""
    name = f"test_check_{check:02}_"
    try:
        ended = pytest(copy, "-x", "-k", name)
    except subprocess.TimeoutExpired:
        return False, f"no end within {LONGEST} s"
    failed = [line for line in ended.stdout.splitlines() if line.startswith("FAILED")]
    if ended.returncode == 1 and failed and name in failed[0]:
        return True, failed[0].partition(" - ")[2][:120] or "failed"
    return False, f"pytest ended with {ended.returncode}: {ended.stdout[-200:].strip()!r}"


def pytest(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The suite in a copy, at its quick figures."""
    environment = {name: value for name, value in os.environ.items() if name != "RELIABILITY"}
    environment["COLUMNS"] = "300"  # so that the reason isn't cut off
    command = [sys.executable, "-m", "pytest", "tests/reliability", *arguments]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "--no-header", "--tb=line"],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST if "-x" in arguments else 5 * LONGEST,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
