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
    """Each run, the newest first, with what it did to each shop, or why it failed there."""
    for run in reversed(runs):
        lines = [_headline(run), *(f"  {line}" for line in (*_did(run), *_failed(run)))]
        out.tell("history", escape("\n".join(lines)), **facts(run))


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


def _headline(run: Run) -> str:
    took = "-" if run.took is None else str(run.took).partition(".")[0]
    start = f"{run.started_at:%Y-%m-%d %H:%M}"
    return f"{start}  {run.command:<14}  {took:<8}  {ended(run):<20}  {run.run_id}"


def ended(run: Run) -> str:
    """In words; a run that was killed, or is at work still, has no end."""
    if run.exit_code is None:
        return run.status or "did not end"
    return ENDED.get(run.exit_code, f"exit {run.exit_code}")


def _did(run: Run) -> Iterator[str]:
    counts = run.counts_by_shop
    for shop in run.shops:
        told = [f"{what} {counts[shop][what]:,}" for what in TOLD if counts.get(shop, {}).get(what)]
        if told:
            yield f"{shop}: {', '.join(told)}"


def _failed(run: Run) -> Iterator[str]:
    for shop, why in run.failures.items():
        yield f"{shop}: {why}" if shop else why


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
    hours = int(gone.total_seconds() // 3600)
    return f"{hours // 24:,} days" if hours >= 48 else f"{hours} hours"
