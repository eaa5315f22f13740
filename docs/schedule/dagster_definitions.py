"""clv-sync in Dagster: an asset for each shop, one after the other, once a day.

The assets share one store, which has one writer: the job runs them in one process. Settings and
secrets stand in the `.env` of FOLDER, or in the environment; none of them passes through Dagster.
"""

# no `from __future__ import annotations`: Dagster looks at the type of `context` itself

import subprocess
from collections.abc import Iterator

import dagster as dg

SHOPS = ("eu", "us")
FOLDER = "/srv/clv-sync"
CLV_SYNC = f"{FOLDER}/.venv/bin/clv-sync"

PUT_ASIDE, LOCKED, UNREACHED = 3, 11, 13
DRAINS_SECONDS = 30


def asset_of(shop: str) -> dg.AssetsDefinition:
    @dg.asset(name=f"clv_{shop}", group_name="clv_sync", output_required=False)
    def scored(context: dg.AssetExecutionContext) -> Iterator[dg.Output[None]]:
        """The shop's customers, scored and written back."""
        code = ended([CLV_SYNC, "--non-interactive", "--shop", shop, "run"])
        if code == UNREACHED:
            raise dg.RetryRequested(max_retries=3, seconds_to_wait=900)
        if code == LOCKED:  # nothing comes out: skipped
            context.log.info(f"{shop}: another run is at work")
            return
        if code == PUT_ASIDE:
            context.log.warning(f"{shop}: done, but rows were put aside; see `clv-sync state`")
        elif code:
            raise dg.Failure(f"{shop}: exit code {code}; mend this first", allow_retries=False)
        yield dg.Output(None, metadata={"exit_code": code})

    return scored


def ended(command: list[str]) -> int:
    """The exit code; a stop is handed on, so that the run finishes its page or batch."""
    with subprocess.Popen(command, cwd=FOLDER) as process:  # noqa: S603  our own command
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.wait(DRAINS_SECONDS)
            raise


assets = [asset_of(shop) for shop in SHOPS]
job = dg.define_asset_job("clv_sync", assets, executor_def=dg.in_process_executor)
defs = dg.Definitions(
    assets=assets,
    jobs=[job],
    schedules=[
        dg.ScheduleDefinition(job=job, cron_schedule="17 3 * * *", execution_timezone="UTC")
    ],
)
