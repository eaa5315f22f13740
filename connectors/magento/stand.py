"""Where a pull stands, as a flat cursor that any page can be resumed from.

The first time everything is read: orders, then credit memos, each in ranges of ids side by side, up
to the highest id there is when it begins. From then on only what was updated in a window of time:
it starts 15 minutes before the last one ended, because rows are committed late with older
timestamps (https://github.com/magento/magento2/issues/40803), and ends two minutes ago. What
changes while we read falls into the next window.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from connectors.errors import ConfigurationError
from connectors.magento.fields import STAMP
from connectors.magento.ranges import Range, as_text, parsed, remaining
from connectors.magento.search import Filter
from connectors.magento.sweep import Piece
from connectors.magento.walk import HIGHEST_ID
from connectors.platform import Cursor

OVERLAP = timedelta(minutes=15)
LAG = timedelta(minutes=2)

Phase = Literal["orders", "refunds", "customers", "done"]


@dataclass(frozen=True, slots=True)
class Stand:
    """A place in a pull. Instants are Magento's own text, in UTC.

    begin, until   the window of `updated_at`; no `begin`: everything. `until` is the watermark
    since          only rows created at or after it, for good; empty: all
    ranges         what remains of this phase up to the id `after` (`ranges.as_text`)
    after          what lies above this id is in no range yet
    broken         rows that the shop could not serve, to ask for at the next run: `orders:77`
    """

    phase: Phase
    after: int = 0
    begin: str = ""
    until: str = ""
    since: str = ""
    ranges: str = ""
    broken: str = ""

    @property
    def is_window(self) -> bool:
        return bool(self.begin)

    def filters(self) -> list[Filter]:
        window = [
            Filter("created_at", "gteq", self.since),
            Filter("updated_at", "gteq", self.begin),
            Filter("updated_at", "lteq", self.until if self.begin else ""),
        ]
        return [one for one in window if one.value]

    def planned(self, top: int | None) -> Stand:
        """With the ids up to `top` as a range to read; they may have been planned before."""
        end = HIGHEST_ID if self.is_window or top is None else top
        if self.ranges or end <= self.after:
            return self
        return replace(self, after=end, ranges=as_text([Range.fresh(self.after, end)]))

    def todo(self) -> list[Range]:
        return parsed(self.ranges)

    def behind(self, piece: Piece) -> Stand:
        left = as_text(remaining(self.todo(), piece.at, done=piece.done))
        broken = dict.fromkeys(self.broken.split())
        if piece.broken:
            broken[f"{self.phase}:{piece.broken}"] = None
        return replace(self, ranges=left, broken=" ".join(broken))

    def then(self, phase: Phase) -> Stand:
        return replace(self, phase=phase, after=0, ranges="")

    def broken_ids(self) -> list[int]:
        pairs = (one.partition(":") for one in self.broken.split())
        return [int(row_id) for phase, _, row_id in pairs if phase == self.phase]

    def mended(self, row_id: int) -> Stand:
        left = [one for one in self.broken.split() if one != f"{self.phase}:{row_id}"]
        return replace(self, broken=" ".join(left))

    def cursor(self) -> Cursor:
        return asdict(self)


def stand(cursor: Cursor | None, now: datetime, since: datetime | None) -> Stand:
    """Where to go on. `since` counts without a cursor only: later it is in the cursor."""
    until = stamp(now - LAG)
    if not cursor:
        return Stand("orders", until=until, since=stamp(since) if since else "")
    reached = _read(cursor)
    ended = _ended(reached)
    if ended > now:
        raise ConfigurationError(
            "the last pull ended in the future, so what changed since then can't be known",
            mend="Set this machine's clock right; if it was wrong before, backfill --full-refresh.",
            ended=reached.until,
            now=stamp(now),
        )
    if reached.phase != "done":
        return reached
    return replace(reached.then("orders"), begin=stamp(ended - OVERLAP), until=until)


def scan(cursor: Cursor | None) -> Stand:
    """Where to go on in a scan of all customers."""
    return _read({**(cursor or {}), "phase": "customers"})


def _read(cursor: Cursor) -> Stand:
    try:
        reached = Stand(**cursor)  # type: ignore[arg-type]  # what we wrote ourselves
        reached.todo()
        reached.broken_ids()
    except (TypeError, ValueError, AttributeError):
        raise _strange() from None
    return reached


def _ended(reached: Stand) -> datetime:
    try:
        return datetime.strptime(reached.until, STAMP).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise _strange() from None


def _strange() -> ConfigurationError:
    return ConfigurationError(
        "the place where the last pull stopped is not one of Magento's",
        mend="Start anew: backfill --full-refresh.",
    )


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(STAMP)
