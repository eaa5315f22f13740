"""Each numbered check tells what it tried, how often, and what was lost; the table is made of it.

`RELIABILITY=full` asks for the full figures (`make reliability`); else each check is tried as
often as it takes to find its planted bug (`mutations.py`).
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.reliability import forked
from tests.reliability.applying import Scored

FULL = os.environ.get("RELIABILITY") == "full"
CHECKS = 43


@pytest.hookimpl(tryfirst=True)  # before those that aren't asked for have left
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/reliability/" in str(item.path):
            item.add_marker(pytest.mark.end_to_end)
            if item.get_closest_marker("thorough"):
                # Left out, it would leave its number to hold by the rest.
                raise pytest.UsageError(f"{item.nodeid}: a check is sized by `often`, not thorough")


@dataclass(frozen=True, slots=True)
class Told:
    """What a check tells of itself. Whatever was lost, it is told before the test fails."""

    node: pytest.Item
    full: bool = FULL

    def often(self, quick: int, full: int) -> int:
        return full if self.full else quick

    def __call__(self, tried: str, times: int, **lost: int) -> None:
        """`lost` counts what must not be, by name: all must be zero, and something was tried."""
        told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in lost.items())
        self.node.user_properties.append(("tried", [tried, times, told]))
        assert times > 0
        assert not any(lost.values()), f"{tried}: {told}"


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    return Told(request.node)


@pytest.fixture(scope="session")
def commands() -> Iterator[forked.Commands]:
    with forked.commands() as running:
        yield running


@pytest.fixture(scope="session")
def scored(commands: forked.Commands, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """A practice shop that waits for its scores; tests work on copies of it."""
    return Scored.made(commands, tmp_path_factory.mktemp("scored"), customers=40)


# -------------------------------------------------------------------------------------- the table


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if FULL:
        rows = _rows(terminalreporter.stats)
        for row in rows:
            terminalreporter.write_line("  ".join(row).rstrip())
        holding = sum(_holds(terminalreporter.stats).values())
        terminalreporter.write_line(f"{holding} of {CHECKS} checks hold")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A check that is open or missing is one that doesn't hold."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    whole = FULL and reporter and not session.config.option.keyword
    if whole and sum(_holds(reporter.stats).values()) < CHECKS and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _reports(stats: dict[str, list[Any]]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in stats.get(outcome, ()):
            number = re.search(r"test_check_(\d\d)_", report.nodeid)
            if number and (report.when == "call" or not report.passed):
                found[int(number[1])].append(report)
    return found


def _holds(stats: dict[str, list[Any]]) -> dict[int, bool]:
    found = _reports(stats)
    return {
        number: bool(found[number]) and all(one.passed for one in found[number])
        for number in range(1, CHECKS + 1)
    }


def _rows(stats: dict[str, list[Any]]) -> Iterator[tuple[str, ...]]:
    found = _reports(stats)
    yield (" #", f"{'what was tried':76}", f"{'how often':>10}", f"{'':8}", "what was lost")
    for number in range(1, CHECKS + 1):
        if not found[number]:
            yield (f"{number:2}", f"{'no test':76}", f"{'':>10}", "OPEN    ")
        for report in found[number]:
            state = "holds" if report.passed else "OPEN" if report.skipped else "FAILS"
            tried = [value for name, value in report.user_properties if name == "tried"]
            for what, times, lost in tried or [[_why(report), 0, ""]]:
                yield (f"{number:2}", f"{what:76}", f"{times:10,}", f"{state:8}", lost)


def _why(report: Any) -> str:
    return str(report.longrepr[2] if report.skipped else report.longrepr).splitlines()[-1][:76]
