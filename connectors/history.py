"""How the last runs went: when, how long, how they ended and why, what they did to which shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rich.markup import escape

from connectors.store import Run
from connectors.terminal import Terminal

#: Exit code -> how a run ended, in a few words.
ENDED: Mapping[int, str] = {
    0: "done",
    1: "failed",
    2: "changes pending",
    3: "done, rows put aside",
    11: "locked",
    12: "credentials refused",
    13: "shop not reached",
    14: "stopped by a limit",
    15: "plan was stale",
    16: "store unusable",
    130: "interrupted",
}
#: What is told of each shop, where it isn't 0.
TOLD = ("orders", "customers", "scored", "planned", "applied", "refused", "rejected")


def history(out: Terminal, runs: Sequence[Run]) -> None:
    """Each run, the newest first: a line, below it each shop with what was done, or why not.

    No table: on a narrow terminal that would cut the run's id, which `undo` takes.
    """
    for run in runs[::-1]:
        out.tell("history", "\n".join(escape(line) for line in _lines(run)), **facts(run))


def facts(run: Run) -> dict[str, object]:
    """A run for programs: instants, seconds, the exit code, counts by shop."""
    return {
        "run_id": run.run_id,
        "command": run.command,
        "shops": list(run.shops),
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "seconds": round(took.total_seconds(), 3) if (took := run.took) else None,
        "exit_code": run.exit_code,
        "status": run.status,
        "counts": run.counts_by_shop,
        "failures": dict(run.failures),
    }


def _lines(run: Run) -> Iterator[str]:
    took = str(run.took).partition(".")[0] if run.took is not None else ""
    started = f"{run.started_at:%Y-%m-%d %H:%M}"
    yield f"{run.run_id:<22}  {started}  {took:>7}  {run.command:<9} {ended(run)}".rstrip()
    if why := run.failures.get(""):
        yield f"    {why}"
    for shop in run.shops:
        if told := _did(run, shop):
            yield f"    {shop}: {told}"


def ended(run: Run) -> str:
    """In words; a run that was killed, or is at work still, has no end."""
    if run.exit_code is None:
        return run.status or "did not end"
    return ENDED.get(run.exit_code, f"exit {run.exit_code}")


def _did(run: Run, shop: str) -> str:
    if shop in run.failures:
        return run.failures[shop]
    counts = run.counts_by_shop.get(shop, {})
    return ", ".join(f"{what} {counts[what]:,}" for what in TOLD if counts.get(what))


def schedule(out: Terminal, runs: Sequence[Run], now: datetime) -> None:
    """When the scheduled job last went well, and how often it has failed since."""
    good = [run for run in runs if run.exit_code == 0 and run.finished_at]
    last = good[-1].finished_at if good else None
    since = [run for run in runs if last is None or run.started_at > last]
    if not runs:
        return
    when = f"{last:%Y-%m-%d %H:%M} UTC, {_ago(now - last)} ago" if last else "never"
    again = f"; {len(since):,} without success since" if since else ""
    out.tell(
        "schedule",
        f"Last success of `run`: {when}{again}",
        last_success_at=last.isoformat() if last else None,
        without_success_since=len(since),
    )


def _ago(gone: timedelta) -> str:
    minutes = int(gone.total_seconds() // 60)
    for unit, size in (("days", 24 * 60), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size:,} {unit}"
    return f"{minutes} minutes"
