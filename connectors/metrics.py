"""How the scheduled job goes, as a Prometheus textfile: an alarm needs no other word from us.

The instant of the last success moves on success alone, so `time() - clv_sync_last_success_...`
tells a job that fails, hangs or was never started.
https://github.com/prometheus/node_exporter#textfile-collector (read 2026-11-23)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from connectors.errors import ConfigurationError
from connectors.store import Run

SUCCESS = "exit 0"

#: Counts and instants, of nobody: the exporter runs as another user. Ours alone to write.
READABLE = 0o644


def write(path: Path, runs: Sequence[Run]) -> None:
    """The file anew, in one step, from the history of finished runs of the job, oldest first."""
    registry = CollectorRegistry()
    last = runs[-1]
    _instant(registry, "last_run", "When the last run ended.", last)
    for run in [run for run in runs if run.status == SUCCESS][-1:]:
        _instant(registry, "last_success", "When the last run without any failure ended.", run)
    failed = _gauge(registry, "last_run_failed", "1 where the last run ended with a failure.")
    failed.set(last.status != SUCCESS)
    if last.finished_at:
        took = _gauge(registry, "last_run_duration_seconds", "How long the last run took.")
        took.set((last.finished_at - last.started_at).total_seconds())
    rows = _gauge(registry, "last_run_rows", "What was done in the last run.", "shop", "what")
    for name, count in last.counts.items():
        shop, _, what = name.partition(".")
        rows.labels(shop, what).set(count)
    _written(path, registry)


def _written(path: Path, registry: CollectorRegistry) -> None:
    try:
        write_to_textfile(str(path), registry)
        path.chmod(READABLE)
    except OSError as error:
        raise ConfigurationError(
            f"the metrics can't be written to {path}: {error.strerror}", mend="Check CLV_METRICS."
        ) from error


def _gauge(registry: CollectorRegistry, name: str, told: str, *labels: str) -> Gauge:
    return Gauge(f"clv_sync_{name}", told, labels, registry=registry)


def _instant(registry: CollectorRegistry, name: str, told: str, run: Run) -> None:
    if run.finished_at:
        gauge = _gauge(registry, f"{name}_timestamp_seconds", told)
        gauge.set(run.finished_at.timestamp())
