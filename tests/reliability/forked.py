"""Starts the command as a process forked off a warm one (`zygote.py`), and ends it as told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from started import Ended, bare

ZYGOTE = Path(__file__).with_name("zygote.py")
#: A scoring by one plain model: what these tests are about doesn't need the best one.
PLAIN = {"CLV_MODEL": "bg", "CLV_EMAIL_KEY": "a key for these tests alone"}


@dataclass
class Running:
    """A command that was started."""

    pid: int
    out: Path
    err: Path
    of: Commands
    code: int | None = None
    megabytes: int = 0

    def poll(self) -> int | None:
        if self.code is None:
            told = self.of.ask({"poll": self.pid})
            self.code, self.megabytes = told["code"], told["megabytes"]
        return self.code

    def wait(self, seconds: float = 120) -> Ended:
        """How it ended. TimeoutError, and it is killed, where it doesn't."""
        ends_at = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > ends_at:
                self.send(9)
                raise TimeoutError(f"still running after {seconds} s: {self.err.read_text()}")
            time.sleep(0.01)  # each look costs both processes
        assert self.code is not None
        said = self.err.read_text()
        assert "Traceback" not in said, said
        return Ended(self.code, self.out.read_text(), said)

    def send(self, number: int) -> None:
        """A signal, unless it has ended: its number may be another's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def killed(self) -> bool:
        """Killed by kill -9; whether it still ran until then."""
        self.send(9)
        return self.wait().code == -9


@dataclass
class Commands:
    """The warm process, and what was started by it."""

    process: subprocess.Popen[str]
    started: int = 0
    live: list[Running] = field(default_factory=list)

    def ask(self, asked: Mapping[str, Any]) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def start(
        self, folder: Path, environment: Mapping[str, str], *arguments: str, **how: Any
    ) -> Running:
        """`how`: hurry, timeouts, sizes, umask, largest_file, user, debug (see `zygote.py`)."""
        self.started += 1
        logs = folder / ".told"
        logs.mkdir(exist_ok=True)
        out, err = (logs / f"{self.started}.{end}" for end in ("out", "err"))
        for file in (out, err):
            file.touch()
        asked = {
            "cwd": str(folder),
            "environment": {**bare(), **PLAIN, **environment},
            "arguments": list(arguments),
            "out": str(out),
            "err": str(err),
            "hurry": True,
            **how,
        }
        running = Running(self.ask({"start": asked})["pid"], out, err, self)
        self.live.append(running)
        return running

    def run(
        self, folder: Path, environment: Mapping[str, str], *arguments: str, **how: Any
    ) -> Ended:
        return self.start(folder, environment, *arguments, **how).wait()


@contextmanager
def commands() -> Iterator[Commands]:
    environment = {**bare(), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [sys.executable, str(ZYGOTE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        own = Commands(process)
        assert process.stdout
        json.loads(process.stdout.readline())
        try:
            yield own
            for running in own.live:
                running.send(9)
        finally:
            process.kill()
