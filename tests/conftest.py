"""Every test runs without network, without the caller's environment, in its own folder."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from clusters import Standalone, kept_session, lacking, standalone
from hypothesis import settings
from made_rows import NOW
from started import Run, called_in, started_in

from connectors.sandbox.books import Books
from connectors.sandbox.server import open_books
from connectors.store import Store

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# The libraries and the tests fill a heap that never becomes garbage: looked through as often as
# Python does by itself, it costs a tenth of the whole run.
gc.set_threshold(50_000, 20, 100)

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def pytest_collection_finish() -> None:
    """What is there before the first test stays to the end: nobody looks through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Unit tests reach nothing; end-to-end tests reach loopback alone."""
    allowed = LOOPBACK if request.node.get_closest_marker("end_to_end") else set()
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family == socket.AF_UNIX:
            return connect(self, address)  # type: ignore[arg-type]  # asyncio's own wake-up pair
        host = address[0] if isinstance(address, tuple) else address
        if host not in allowed:
            raise AssertionError(f"a test tried to reach {host}")
        return connect(self, address)  # type: ignore[arg-type]  # the very argument we were given

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No CLV_ variable leaks in, and relative paths land in the test's own folder."""
    for name in list(os.environ):
        if name.startswith("CLV_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recorded material that lies beside a full checkout; tests that need it skip without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the recorded payloads and purchases are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def filled_books(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, int, date], Books]:
    """Opens practice books of any size: filled once in a session, then copied."""

    @cache
    def filled(customers: int, today: date) -> Path:
        path = tmp_path_factory.mktemp("filled") / "books.sqlite"
        open_books(path, today=today, limit=customers).close()
        return path

    def opened(path: Path, customers: int, today: date) -> Books:
        return Books(shutil.copy(filled(customers, today), path))

    return opened


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store that has taken all its steps, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "store.duckdb"
    with Store.open(path, now=NOW):
        return path


@pytest.fixture
def store(tmp_path: Path, empty_store: Path) -> Iterator[Store]:
    with Store.open(shutil.copy(empty_store, tmp_path / "store.duckdb"), now=NOW) as opened:
        yield opened


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A Spark master and two workers, once in a session, and one application on them."""
    if lacking():
        pytest.skip(lacking())
    folder = tmp_path_factory.mktemp("cluster")
    with standalone(folder) as found, kept_session(folder):
        yield found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command in the test's own folder, within this process."""
    return called_in(tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Run:
    """The command as its users start it, a process of its own, in the test's own folder."""
    return started_in(tmp_path)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that is its own authority, in one PEM file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, and makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "made.pem"
    asked = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    asked += " -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [openssl, *asked.split(), "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return both
