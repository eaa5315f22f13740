"""The session with a cluster: reached, started, sent our code. What can't work says so."""

from __future__ import annotations

import socket
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.config.target import SparkTarget
from connectors.errors import ConfigurationError, StoreError
from connectors.files import private_folder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOUSE = Path(__file__).resolve().parents[2]
#: What workers run of ours.
CODE = ("clv", "connectors")
QUIET = Path(__file__).with_name("log4j2.properties")
REACHED_WITHIN_SECONDS = 5

#: As the store reckons: days in UTC, decimals without a rounding that nobody asked for. Parts are
#: small enough for all workers to have some.
RECKONING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    # What is together by the order's number needs no other exchange to meet its lines.
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "32MB",
}
DRIVER = {
    "spark.app.name": "clv-sync",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
    "spark.hadoop.fs.permissions.umask-mode": "077",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={QUIET}",
}


def require_extra() -> None:
    """ConfigurationError where pyspark isn't installed."""
    if find_spec("pyspark") is None:
        raise ConfigurationError(
            "a store on Spark needs pyspark", mend="pip install 'clv-sync[spark]'."
        )


def opened(target: SparkTarget) -> SparkSession:
    """A session with the cluster; StoreError where it can't be reached, ConfigurationError for
    what is missing here."""
    require_extra()
    _reach(target)
    session = _connected(target) if target.is_connect else _started(target)
    code = _zipped(private_folder(target.staged))
    session.addArtifacts(str(code), pyfile=True)
    return session


def _reach(target: SparkTarget) -> None:
    """One of the target's addresses answers: Spark itself would try for a minute, and then say
    little."""
    for address in target.addresses:
        try:
            socket.create_connection(address, REACHED_WITHIN_SECONDS).close()
            return
        except OSError:
            continue
    if target.addresses:
        raise StoreError(
            f"no Spark answers at {target.master}",
            mend="Start it, or look at CLV_STORE; `clv-sync` waits for no cluster.",
        )


def _started(target: SparkTarget) -> SparkSession:
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(target.master)
    for name, value in {**RECKONING, **DRIVER, **dict(target.settings)}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise ConfigurationError(
            "a store on Spark needs Java 17 or 21, which didn't start",
            mend="Install it and set JAVA_HOME, or use a spark-connect:// target.",
        ) from error
    given = dict(target.settings).get("spark.pyspark.python")
    session.sparkContext.pythonExec = given or sys.executable
    return session


def _connected(target: SparkTarget) -> SparkSession:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(target.master).getOrCreate()
    for name, value in {**RECKONING, **dict(target.settings)}.items():
        session.conf.set(name, value)
    return session


def _zipped(folder: Path) -> Path:
    """Our code as the workers get it: the very one that runs here."""
    path = folder / "clv_sync_code.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in CODE:
            for source in sorted((HOUSE / package).rglob("*.py")):
                archive.write(source, source.relative_to(HOUSE).as_posix())
    return path


@contextmanager
def told() -> Iterator[None]:
    """What Spark raises as one line; what our own code raised on a worker among it."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        with warnings.catch_warnings():
            # Spark's client leaves the sockets of its answers to Python's own tidying.
            warnings.simplefilter("ignore", ResourceWarning)
            yield
    except (PySparkException, Py4JError) as error:
        raise StoreError(
            f"Spark couldn't do it: {_essence(str(error))}",
            mend="Look at the cluster's own log; nothing of this step was kept.",
        ) from error


def _essence(said: str) -> str:
    """The line that says why: a worker's own exception where there is one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    raised = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes or raised or lines or ["no reason given"])[-1][:300]
