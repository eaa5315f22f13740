"""Where a pull of orders stands, as a flat cursor that any page can be resumed from.

The first time everything is read: orders by id, then credit memos by id. From then on only what
was updated in a window of time: it starts 15 minutes before the last one ended, because rows are
committed late with older timestamps (https://github.com/magento/magento2/issues/40803), and ends
two minutes ago. What changes while we read falls into the next window.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from connectors.errors import ConfigurationError
from connectors.magento.fields import STAMP
from connectors.magento.search import Filter
from connectors.platform import Cursor

OVERLAP = timedelta(minutes=15)
LAG = timedelta(minutes=2)

Phase = Literal["orders", "refunds", "done"]


@dataclass(frozen=True, slots=True)
class Stand:
    """A place in a pull. Instants are Magento's own text, in UTC.

    begin, until   the window of `updated_at`; no `begin`: everything. `until` is the watermark
    since          only rows created at or after it, for good; empty: all
    after          the highest id that was read in this phase
    """

    phase: Phase
    after: int
    begin: str
    until: str
    since: str

    def filters(self) -> list[Filter]:
        window = [
            Filter("created_at", "gteq", self.since),
            Filter("updated_at", "gteq", self.begin),
            Filter("updated_at", "lteq", self.until if self.begin else ""),
        ]
        return [one for one in window if one.value]

    def at(self, after: int) -> Stand:
        return replace(self, after=after)

    def then(self, phase: Phase) -> Stand:
        return replace(self, phase=phase, after=0)

    def cursor(self) -> Cursor:
        return asdict(self)


def stand(cursor: Cursor | None, now: datetime, since: datetime | None) -> Stand:
    """Where to go on. `since` counts without a cursor only: later it is in the cursor."""
    until = _stamp(now - LAG)
    if not cursor:
        return Stand("orders", 0, "", until, _stamp(since) if since else "")
    reached = _read(cursor)
    if reached.until > _stamp(now):
        raise ConfigurationError(
            "the last pull ended in the future, so what changed since then can't be known",
            mend="Set this machine's clock right; if it was wrong before, backfill --full-refresh.",
            ended=reached.until,
            now=_stamp(now),
        )
    if reached.phase != "done":
        return reached
    begin = datetime.strptime(reached.until, STAMP).replace(tzinfo=UTC) - OVERLAP
    return Stand("orders", 0, _stamp(begin), until, reached.since)


def _read(cursor: Cursor) -> Stand:
    try:
        reached = Stand(**cursor)  # type: ignore[arg-type]  # what we wrote ourselves
        datetime.strptime(reached.until, STAMP).replace(tzinfo=UTC)
        return reached
    except (TypeError, ValueError):
        raise ConfigurationError(
            "the place where the last pull stopped is not one of Magento's",
            mend="Start anew: backfill --full-refresh.",
        ) from None


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(STAMP)
