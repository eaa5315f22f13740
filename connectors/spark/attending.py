"""Whether anybody works on what the cluster was asked: Spark itself would wait without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connectors.errors import StoreError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: How long the cluster may be without a single worker, and how often that is looked at.
ALONE_SECONDS, LOOK_SECONDS = 90.0, 5.0


@contextmanager
def attended(session: SparkSession, master: str) -> Iterator[None]:
    """What is asked meanwhile is cancelled once no worker has been there for ALONE_SECONDS.

    StoreError then. Only of a standalone cluster is it known who is there.
    """
    if not master.startswith("spark://"):
        yield
        return
    done, alone = threading.Event(), threading.Event()
    watch = threading.Thread(target=_watch, args=(session, done, alone), daemon=True)
    watch.start()
    try:
        yield
    except StoreError as error:
        if not alone.is_set():
            raise
        raise StoreError(
            f"no worker of {master} took the work within {ALONE_SECONDS:.0f} seconds",
            mend="Start workers, or give them the cores and the memory that are asked for.",
        ) from error
    finally:
        done.set()
        watch.join()


def _watch(session: SparkSession, done: threading.Event, alone: threading.Event) -> None:
    context = session.sparkContext
    seen = time.monotonic()
    while not done.wait(LOOK_SECONDS):
        there = context._jsc.sc().statusTracker().getExecutorInfos()
        if len(there) > 1:  # the driver is one of them
            seen = time.monotonic()
        elif time.monotonic() - seen > ALONE_SECONDS:
            alone.set()
            context.cancelAllJobs()
            return
