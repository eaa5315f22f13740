"""Writes what customers show: read, write the differences, read back.

standing.py  how customers stand just now
writes.py    what is due for each, and nothing but ours
direct.py    a few customers a document
bulk.py      many, as files that the shop works off by itself

The first write of a run makes sure that the fields are defined and each tier has its segment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.schema import Change, Outcome
from connectors.shopify.customers import IGNORE_TAG
from connectors.shopify.definitions import define
from connectors.shopify.documents import CHANGES_A_PUSH
from connectors.shopify.push import bulk, direct
from connectors.shopify.push.standing import Standing, standings
from connectors.shopify.push.writes import Refusal, Write, foreign, rendered
from connectors.shopify.segments import add_segments

#: From so many changes on it pays to let the shop work off files: they cost it some 15 points each
#: and a few seconds, while documents cost 20 to 40 points a change (measured at the sandbox on
#: 2026-11-23), which is 100 s and more for these on the smallest plan.
BULK_FROM = 500

#: Changes that are read, written by three documents, and read back: both reads are one page.
CHANGES_A_LOT = 3 * CHANGES_A_PUSH

BY_NOW = "somebody changed it meanwhile"
STALE = "STALE_OBJECT"


class Writer:
    """Writes to one shop; remembers for a run that fields and segments are there.

    Nothing is asked of the shop before the first use.
    """

    batch_size = 10_000

    def __init__(self, http: Http, settings: ShopSettings) -> None:
        self._http = http
        self._settings = settings
        self._ours = settings.tags
        self._defined = False
        self._parted: set[str] = set()

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """One outcome for each change, in their order."""
        if len(changes) >= BULK_FROM:
            yield from self._at_once(changes, in_bulk=True)
        else:
            yield from self._in_lots(changes)

    def _in_lots(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        rest = iter(changes)
        while lot := list(islice(rest, CHANGES_A_LOT)):
            yield from self._at_once(lot, in_bulk=False)

    def _at_once(self, changes: Sequence[Change], *, in_bulk: bool) -> Iterator[Outcome]:
        before = standings(self._http, (one.customer_id for one in changes), self._ours)
        outcomes = {
            place: outcome
            for place, change in enumerate(changes)
            if (outcome := self._settled(change, before.get(change.customer_id)))
        }
        due = {place: one for place, one in enumerate(changes) if place not in outcomes}
        if due:
            writes = [
                write
                for place, change in due.items()
                for write in rendered(place, change, before[change.customer_id])
            ]
            outcomes |= self._written(due, writes, in_bulk and len(due) >= BULK_FROM)
        yield from (outcomes[place] for place in range(len(changes)))

    def _settled(self, change: Change, standing: Standing | None) -> Outcome | None:
        """The outcome of a change that needs no write or must not have one, else None."""
        who = change.customer_id
        if standing is None:
            return Outcome(who, "rejected", {}, "the shop has no such customer")
        shown = standing.shown
        if shown == change.after:
            return Outcome(who, "applied", shown)
        if standing.left_alone:
            return Outcome(who, "conflict", shown, f"left alone: tagged {IGNORE_TAG}")
        if change.edited(shown):
            return Outcome(who, "conflict", shown, BY_NOW)
        if not_ours := foreign(change.after, self._ours):
            return Outcome(who, "rejected", shown, f"not ours to write: {not_ours}")
        return None

    def _written(
        self, due: Mapping[int, Change], writes: Sequence[Write], in_bulk: bool
    ) -> dict[int, Outcome]:
        """Writes, reads back and judges. Whom a bulk operation leaves open goes by document."""
        self._prepare(writes)
        refusals, unheard = (bulk if in_bulk else direct).send(self._http, writes)
        heard = {place: change for place, change in due.items() if place not in unheard}
        after = standings(self._http, (one.customer_id for one in heard.values()), self._ours)
        outcomes = {
            place: judged(change, after.get(change.customer_id), refusals.get(place, ()))
            for place, change in heard.items()
        }
        again = self._in_lots([due[place] for place in sorted(unheard)])
        return outcomes | dict(zip(sorted(unheard), again, strict=True))

    def _prepare(self, writes: Sequence[Write]) -> None:
        """What is written needs a definition, and a tag its segment; what is taken back doesn't."""
        if not self._defined and any(write.kind == "set" for write in writes):
            define(self._http)
            self._defined = True
        tags = {tag for write in writes if write.kind == "add" for tag in write.items}
        if self._settings.segments and not tags <= self._parted:
            add_segments(self._http, tags - self._parted, self._settings.tiers)
            self._parted |= tags


def judged(change: Change, standing: Standing | None, refused: Sequence[Refusal]) -> Outcome:
    """What was read back decides; the shop's own words only tell why.

    So does what was read back on whether somebody else wrote: the shop calls our own write stale,
    too, where its answer got lost and it was sent again.
    """
    who = change.customer_id
    if standing is None:
        return Outcome(who, "rejected", {}, "the shop lost this customer meanwhile")
    shown = standing.shown
    if shown == change.after:
        return Outcome(who, "applied", shown)
    if change.edited(shown):
        return Outcome(who, "conflict", shown, BY_NOW)
    if told := [why for code, why in refused if code != STALE]:
        return Outcome(who, "rejected", shown, "; ".join(told))
    names = {*shown, *change.after}
    missing = sorted(name for name in names if shown.get(name) != change.after.get(name))
    reason = f"the shop said yes but does not show it: {', '.join(missing)}"
    return Outcome(who, "rejected", shown, reason)
