"""A real cluster on loopback: Spark's own master and workers, from the jars that pyspark brings."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from connectors.config.target import SparkTarget

HERE = "127.0.0.1"
#: Where the cluster's own processes and ours find each other; few parts, since tests' are small.
FOR_TESTS = (
    f"&spark.driver.host={HERE}&spark.driver.bindAddress={HERE}&spark.sql.shuffle.partitions=4"
)


@dataclass
class Standalone:
    """A master and its workers, each a process group of its own."""

    folder: Path
    home: Path
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    cores: int = 1
    memory: str = "1g"

    def target(self, warehouse: Path, **settings: str) -> str:
        """What CLV_STORE says for this cluster."""
        more = "".join(f"&{name.replace('_', '.')}={value}" for name, value in settings.items())
        return f"spark://{HERE}:{self.port}?warehouse={warehouse}{FOR_TESTS}{more}"

    def start(self, name: str, kind: str, *arguments: str) -> None:
        classes = f"org.apache.spark.deploy.{kind}"
        environment = {
            "PATH": os.environ["PATH"],
            "SPARK_HOME": str(self.home),
            "SPARK_LOCAL_IP": HERE,
            "SPARK_WORKER_DIR": str(self.folder / name),
            "SPARK_LOCAL_DIRS": str(self.folder / f"{name}-shuffled"),
            "PYSPARK_PYTHON": sys.executable,
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [self.home / "bin" / "spark-class", classes, *arguments],
                env=environment, stdout=log, stderr=log, preexec_fn=dies_with_us,
            )  # fmt: skip

    def add_worker(self, name: str) -> None:
        self.start(
            name, "worker.Worker", "--host", HERE, "--cores", str(self.cores),
            "--memory", self.memory, "--webui-port", "0", f"spark://{HERE}:{self.port}",
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """The worker with its executors and their Python, at once."""
        for process in sorted(offspring(self.running[name].pid), reverse=True):
            os.kill(process, signal.SIGKILL)
        self.running.pop(name).wait()

    def wait_for(self, name: str, said: str, seconds: float = 60) -> None:
        log, until = self.folder / f"{name}.log", time.monotonic() + seconds
        while said not in (log.read_text(errors="replace") if log.exists() else ""):
            assert time.monotonic() < until, f"{name} never said {said!r}"
            assert self.running[name].poll() is None, log.read_text(errors="replace")[-2000:]
            time.sleep(0.1)


def dies_with_us() -> None:
    """Linux ends this process when the test run ends, however that comes about."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def offspring(process: int) -> list[int]:
    """A process and all below it."""
    found = [process]
    children = Path(f"/proc/{process}/task/{process}/children")
    for child in children.read_text().split() if children.exists() else ():
        found += offspring(int(child))
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HERE, 0))
        return int(free.getsockname()[1])


@contextmanager
def standalone(folder: Path, workers: int = 2, memory: str = "1g") -> Iterator[Standalone]:
    import pyspark

    port = free_port()
    found = Standalone(folder, Path(pyspark.__file__).parent, port, memory=memory)
    try:
        found.start(
            "master", "master.Master", "--host", HERE, "--port", str(port), "--webui-port", "0"
        )
        found.wait_for("master", "I have been elected leader")
        for number in range(workers):
            found.add_worker(f"worker-{number}")
        for number in range(workers):
            found.wait_for(f"worker-{number}", "Successfully registered with master")
        yield found
    finally:
        for name in list(found.running):
            found.kill(name)


@contextmanager
def kept_session(folder: Path) -> Iterator[None]:
    """Stores that are opened meanwhile share one application: each would take seconds to start."""
    from connectors.spark import cluster
    from connectors.spark.running import Cluster

    opened, found = cluster.opened, {}

    def once(target: SparkTarget) -> SparkSession:
        if target.master not in found:
            found[target.master] = opened(replace(target, warehouse=folder))
        return found[target.master]

    with mock.patch.object(cluster, "opened", once), mock.patch.object(Cluster, "close"):
        yield
    for session in found.values():
        session.stop()


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """A Spark Connect server on two cores; its address."""
    import pyspark

    port = free_port()
    found = Standalone(folder, Path(pyspark.__file__).parent, port)
    settings = {"spark.connect.grpc.binding.port": port, "spark.sql.shuffle.partitions": 4}
    told = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    try:
        found.start(
            "server", "SparkSubmit", "--class", server, "--master", "local[2]", *told,
            "spark-internal",
        )  # fmt: skip
        found.wait_for("server", "Spark Connect server started")
        yield f"{HERE}:{port}"
    finally:
        found.kill("server")


def lacking() -> str:
    """Why no cluster can be started here; empty where one can."""
    try:
        import pyspark.sql.connect.session  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed: `make spark` runs this"
    return "" if shutil.which("java") else "Java is not installed"
