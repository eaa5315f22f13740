"""Writes what customers show: compare, send the differences, read back.

Three ways lead into a Magento; `CLV_<SHOP>_WRITE` chooses, `auto` takes the first that is there:

module  our module's bulk route, which saves no customer
put     one synchronous PUT each
async   the queue, saved by a consumer; never chosen by itself

The last two let Magento save the whole customer, so canaries go first (`canary.py`), and where
anything else moves with our attributes, the write-back stops and puts it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from connectors.config import ShopSettings
from connectors.http import Http
from connectors.magento.api import Api
from connectors.magento.push.bulk import Bulk
from connectors.magento.push.careful import Careful
from connectors.magento.push.choosing import chosen, required
from connectors.magento.push.module import Module
from connectors.magento.push.put import Put
from connectors.magento.push.reading import customers
from connectors.magento.push.task import NOT_SENT, Row, Sent, Task
from connectors.magento.shown import parse_shown
from connectors.once import once
from connectors.schema import GROUP, KINDS, Change, Outcome, Shown

__all__ = ["Writer", "chosen"]


class Writer:
    """Writes to one shop; remembers for a run which way it takes and what the canaries showed.

    Nothing is asked of the shop before the first use.
    """

    def __init__(self, http: Http, api: Api, settings: ShopSettings) -> None:
        self._http = http
        self._api = api
        self._settings = settings
        self._prefix = settings.attribute_prefix

    @property
    def batch_size(self) -> int:
        return self._way.batch_size

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """One outcome for each change, in their order.

        Where the shop goes down in between, all outcomes still come, and then the error.
        """
        rows = self._read([one.customer_id for one in changes if one.customer_id.isdigit()])
        tasks = [task for change in changes if (task := self._task(change, rows))]
        sent = self._sent(tasks)
        due = {task.id for task in tasks}
        kept = {one: row for one, row in rows.items() if one not in due}
        rows = {**kept, **self._read([task.id for task in tasks])}
        for change in changes:
            reason = sent.reasons.get(change.customer_id, NOT_SENT)
            told = reason if change.customer_id in due else None
            yield self._outcome(change, rows.get(change.customer_id), told)
        if sent.stopped:
            raise sent.stopped

    @once
    def _way(self) -> Module | Careful:
        name = chosen(self._http, self._api, self._settings)
        return Module(self._http, self._api) if name == Module.name else self._careful(name)

    def _careful(self, name: str) -> Careful:
        codes = required(self._http, self._api)
        if name == Bulk.name:
            return Careful(self._http, self._api, Bulk(self._http, self._api, codes))
        put = Put(self._http, self._api, self._settings.workers, codes)
        return Careful(self._http, self._api, put)

    @once
    def _movers(self) -> Careful:
        """Moves customers between groups, which our module leaves to Magento itself."""
        return self._careful(Put.name)

    def _read(self, ids: Sequence[str]) -> dict[str, Row]:
        return self._way.read(ids) if ids else {}

    def _task(self, change: Change, rows: Mapping[str, Row]) -> Task | None:
        """What is to be written; None where nothing is, or nothing must be."""
        row = rows.get(change.customer_id)
        if row is None:
            return None
        shown = self._shown(change, row)
        due = shown != change.after and not change.edited(shown)
        return Task(change, shown, row, self._prefix) if due else None

    def _sent(self, tasks: Sequence[Task]) -> Sent:
        if not tasks:
            return Sent({})
        sent = self._way.send(tasks)
        moving = [one for one in tasks if one.group is not None and not sent.reasons.get(one.id)]
        if sent.stopped or not moving or not isinstance(self._way, Module):
            return sent
        rows = customers(self._http, self._api, [task.id for task in moving])
        moved = self._movers.send([replace(one, row=rows.get(one.id, one.row)) for one in moving])
        return Sent({**sent.reasons, **moved.reasons}, moved.stopped)

    def _shown(self, change: Change, row: Row) -> Shown:
        """With the group where the change speaks of it: an undo does, whatever is configured."""
        group = GROUP in {**change.before, **change.after}
        return parse_shown(row, self._prefix, group=group)

    def _outcome(self, change: Change, row: Row | None, reason: str | None) -> Outcome:
        """Judge by what the shop shows now. `reason` is None where nothing was sent."""
        if row is None:
            gone = "the shop has no such customer any more"
            return Outcome(change.customer_id, "rejected", {}, gone)
        shown = self._shown(change, row)
        if shown == change.after:
            return Outcome(change.customer_id, "applied", shown)
        if reason is None:
            return Outcome(change.customer_id, "conflict", shown, "it was changed in the shop")
        told = reason or self._dropped(change.after, shown)
        return Outcome(change.customer_id, "rejected", shown, told)

    def _dropped(self, wanted: Shown, shown: Shown) -> str:
        names = [
            "the group" if field == GROUP else self._prefix + field
            for field in (*KINDS, GROUP)
            if wanted.get(field) != shown.get(field)
        ]
        return f"the shop said yes and dropped {', '.join(names)}: are the attributes there?"
