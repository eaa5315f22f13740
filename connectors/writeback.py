"""The plan applied, and taken back: every row journalled before it is sent and after it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import chain, islice

from connectors.errors import ConfigurationError, GuardStopped
from connectors.platform import Platform
from connectors.pull import Watch
from connectors.schema import Change, Changes, Outcome
from connectors.store import Store

#: So many go first, whatever a platform's batch: a write-back that the shop won't have is seen
#: on them, and stopped before the others.
CANARIES = 20
#: Refusals that are no reason to stop, however small the part that they are of: single customers
#: that the shop itself can't save, say.
FEW = 4


def guard(changes: Changes, max_changes: int | None) -> None:
    """GuardStopped where more would be written than allowed."""
    if max_changes is not None and len(changes) > max_changes:
        raise GuardStopped(
            f"{len(changes)} customers would change, {max_changes} are allowed; nothing written",
            mend="Look at `plan`, then raise --max-changes (CLV_MAX_CHANGES).",
        )


def write(
    platform: Platform,
    store: Store,
    run_id: str,
    changes: Changes,
    watch: Watch,
    max_refusals: Decimal | None = None,
) -> tuple[Counter[str], list[Outcome]]:
    """Push the changes batch by batch; counts by status, and every outcome that isn't `applied`,
    without what is shown: they may be many.

    The journal holds each change before it is sent, so that whatever was written in a run that
    died can be found and undone. Whom the shop refused the last time is tried again, at the end:
    they are no measure of the others. GuardStopped where the shop refuses more than the part
    `max_refusals` of those sent so far.
    """
    known = store.refused(platform.shop)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    refused: list[Outcome] = []
    ordered = _at_the_end(changes, lambda change: change.customer_id in known)
    for batch in _batches(ordered, platform.batch_size):
        watch.checked()
        store.journal_intent(run_id, batch)
        outcomes: list[Outcome] = []
        try:
            outcomes.extend(platform.push(batch))
        finally:  # a shop that goes down halfway still told what became of the first half
            store.journal_outcome(run_id, platform.shop, outcomes)
        counts.update(outcome.status for outcome in outcomes)
        refused.extend(replace(one, shown={}) for one in outcomes if one.status != "applied")
        reasons.update(_why(outcome for outcome in outcomes if outcome.customer_id not in known))
        watch.advance(len(batch), len(changes))
        if counts.total() < len(changes):
            _stop_at(max_refusals, reasons, counts.total())
    return counts, refused


def _at_the_end(changes: Iterable[Change], late: Callable[[Change], bool]) -> Iterator[Change]:
    """The same with those behind all others that are `late`."""
    waiting: list[Change] = []
    for change in changes:
        if late(change):
            waiting.append(change)
        else:
            yield change
    yield from waiting


def _batches(changes: Iterable[Change], size: int) -> Iterator[list[Change]]:
    """The canaries, and the others."""
    rest, due = iter(changes), min(CANARIES, size)
    while batch := list(islice(rest, due)):
        yield batch
        due = size


def _why(outcomes: Iterable[Outcome]) -> Iterator[str]:
    return (one.reason for one in outcomes if one.status == "rejected")


def _stop_at(limit: Decimal | None, reasons: Counter[str], sent: int) -> None:
    many = reasons.total()
    if limit is None or many <= FEW or many <= limit * sent:
        return
    (commonest, _), *_ = reasons.most_common(1)
    raise GuardStopped(
        f"the shop refused {many:,} of the first {sent:,} customers, mostly: {commonest};"
        " the others were not tried",
        mend="Mend the cause, or raise CLV_MAX_REFUSALS. The next run tries them all.",
    )


def undoing(store: Store, run_id: str) -> Iterator[Change]:
    """The changes that take a run's writes back; those left alone as conflicts need none.

    A row that was refused, or whose outcome was never heard (the run died), is taken back too: a
    part of it may be in the shop.
    """
    rows = store.journal(run_id)
    first = next(rows, None)
    if first is None:
        raise ConfigurationError(
            f"run {run_id} wrote nothing, or is unknown", mend="`undo` without a run lists them."
        )
    return (row.change.reversed() for row in chain([first], rows) if row.status != "conflict")
