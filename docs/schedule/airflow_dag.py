"""clv-sync in Airflow 3: a task for each shop, one after the other, once a day.

The tasks share one store, which has one writer: `max_active_tasks=1`. Settings and secrets stand in
the `.env` of FOLDER, or in the worker's environment; none of them passes through Airflow.
"""

from __future__ import annotations

import logging
import subprocess
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

SHOPS = ("eu", "us")
FOLDER = "/srv/clv-sync"
CLV_SYNC = f"{FOLDER}/.venv/bin/clv-sync"

PUT_ASIDE, LOCKED, UNREACHED = 3, 11, 13
DRAINS_SECONDS = 30

log = logging.getLogger(__name__)


@task(retries=3, retry_delay=timedelta(minutes=15), execution_timeout=timedelta(hours=6))
def sync(shop: str) -> None:
    code = ended([CLV_SYNC, "--non-interactive", "--shop", shop, "run"])
    if code == PUT_ASIDE:
        log.warning("%s: done, but rows were put aside; `clv-sync state` tells more", shop)
    elif code == LOCKED:
        raise AirflowSkipException(f"{shop}: another run is at work")
    elif code == UNREACHED:
        raise AirflowException(f"{shop}: could not be reached")  # tried again
    elif code:
        raise AirflowFailException(f"{shop}: exit code {code}; somebody has to mend this")


def ended(command: list[str]) -> int:
    """The exit code; a stop of the task is handed on, so that the run can finish its page."""
    with subprocess.Popen(command, cwd=FOLDER) as process:  # noqa: S603  our own command
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.wait(DRAINS_SECONDS)
            raise


@dag(
    schedule="17 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    tags=["clv-sync"],
)
def clv_sync() -> None:
    for shop in SHOPS:
        sync.override(task_id=f"sync_{shop}")(shop)


clv_sync()
