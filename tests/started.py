"""The command with an environment, arguments and an exit code: in this process, or in its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import sync
from connectors import stopping

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == name]


Run = Callable[..., Ended]


def bare() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def started_in(folder: Path) -> Run:
    """Runs sync.py there: an environment, then the arguments."""

    def started(environment: Mapping[str, str], *arguments: str, seconds: float = 120) -> Ended:
        ended = subprocess.run(
            [sys.executable, str(ROOT / "sync.py"), *arguments],
            env={**bare(), **environment},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return started


def called_in(folder: Path, program: str = "sync.py") -> Run:
    """The same within this process, where nothing hangs on its start: that costs a second each."""

    def called(environment: Mapping[str, str], *arguments: str) -> Ended:
        out, err = StringIO(), StringIO()
        with (
            mock.patch.dict(os.environ, {**bare(), **environment}, clear=True),
            mock.patch.object(sys, "argv", [program, *arguments]),
            own_signals(),
            chdir(folder),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            sync.main()
        return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    return called


@contextmanager
def serving(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The command as its users start it; SIGTERM ends it well."""
    command = [sys.executable, str(ROOT / "sync.py"), "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        command, env={**bare(), **environment}, cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=20)
    assert code == 0


@contextmanager
def own_signals() -> Iterator[None]:
    """The command's handlers and what they were told go when it ends, as a process's do."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stopping.forget()
