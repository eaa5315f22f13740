"""Sends by a way that lets Magento save whole customers: canaries first, then an eye on all."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import ConnectorError, GuardStopped
from connectors.http import Http
from connectors.magento.api import Api
from connectors.magento.push.canary import Canaries, moved, too_much
from connectors.magento.push.reading import customer, customers
from connectors.magento.push.task import Row, Sent, Task, Way
from connectors.magento.shown import custom_attributes, custom_values

log = logging.getLogger(__name__)

MOST_NAMED = 5
CUSTOM = "custom_attributes."
#: What is behind a field that moves by itself, and where to switch it off.
CAUSES = {
    "group_id": "The shop assigns groups by VAT number (Stores > Configuration > Customers >"
    " Customer Configuration > Automatic Assignment to Customer Group). ",
}
#: Putting these back would send e-mails, or doesn't work by a PUT of one field.
GROUP_ID = "group_id"
#: With this on a customer, and only so, a PUT can give them a group where groups are assigned by
#: VAT number: it stays on, since a PUT that takes it off again moves the group again.
STAYS_IN_GROUP = "disable_auto_group_change"
NOT_PUT_BACK = ("extension_attributes.", "addresses", "email", "default_", "created_", "updated_")


class Careful:
    """`way` under guard. Raises nothing that it can tell as `Sent.stopped`."""

    def __init__(self, http: Http, api: Api, way: Way) -> None:
        self._http = http
        self._api = api
        self._way = way
        self._canaries = Canaries(way.canaries)
        self.batch_size = way.batch_size

    def read(self, ids: Sequence[str]) -> dict[str, Row]:
        return customers(self._http, self._api, ids)

    def send(self, tasks: Sequence[Task]) -> Sent:
        reasons: dict[str, str] = {}
        for goes_first, lot in self._canaries.lots(tasks):
            sent = self._watched(lot) if goes_first else self._glanced_at(lot)
            reasons |= sent.reasons
            if sent.stopped:
                return Sent(reasons, sent.stopped)
        return Sent(reasons)

    def _watched(self, lot: Sequence[Task]) -> Sent:
        """Canaries: one GET each before and after, and nothing else may move.

        Who leaves the shop meanwhile shows nothing, and stops nobody.
        """
        before = self._looked_at(lot)
        lot = [task for task in lot if task.id in before]
        if not lot:
            return Sent({})
        sent = self._way.send(lot)
        written = [task for task in lot if sent.reasons.get(task.id) == ""]
        now = self._looked_at(written)
        seen = [task for task in written if task.id in now]
        moves = {task.id: moved(task, before[task.id], now[task.id]) for task in seen}
        moves = {one: names for one, names in moves.items() if names}
        if moves:
            return Sent(sent.reasons, self._put_back(written, before, moves))
        self._canaries.survived(seen)
        return sent

    def _glanced_at(self, lot: Sequence[Task]) -> Sent:
        """Everybody else: compared as a search shows them, with room for shoppers' own edits."""
        sent = self._way.send(lot)
        written = [task for task in lot if sent.reasons.get(task.id) == ""]
        now = self.read([task.id for task in written])
        moves = too_much(
            {task.id: moved(task, task.row, now[task.id]) for task in written if task.id in now}
        )
        if not moves:
            return sent
        before = {task.id: task.row for task in written}
        return Sent(sent.reasons, self._put_back(written, before, moves))

    def _looked_at(self, tasks: Sequence[Task]) -> dict[str, Row]:
        """Each with all that the shop tells of them; who is gone is absent."""
        rows = {task.id: customer(self._http, self._api, task.id) for task in tasks}
        return {one: row for one, row in rows.items() if row}

    def _put_back(
        self, tasks: Sequence[Task], before: Mapping[str, Row], moves: Mapping[str, Sequence[str]]
    ) -> GuardStopped:
        """The harmed customers as they were, as far as a PUT can do that; and the error to tell."""
        harmed = [task for task in tasks if task.id in moves]
        for task in harmed:
            body = _as_before(task, before[task.id], moves[task.id])
            try:
                path = self._api.path(f"customers/{task.id}")
                self._http.request("PUT", path, json={"customer": body})
            except ConnectorError as error:  # told by what the customer shows now
                log.warning("put_back customer=%s failed=%s", task.id, error.message)
        return _stopped(self._http.shop, self._way.name, moves, self._left(harmed, before, moves))

    def _left(
        self, tasks: Sequence[Task], before: Mapping[str, Row], moves: Mapping[str, Sequence[str]]
    ) -> dict[str, list[str]]:
        """What of the harm is still there."""
        now = self.read([task.id for task in tasks])
        left = {
            task.id: [
                name
                for name in moved(task, before[task.id], now.get(task.id, {}))
                if name in (*moves[task.id], STAYS_IN_GROUP)
            ]
            for task in tasks
        }
        return {one: names for one, names in left.items() if names}


def _as_before(task: Task, before: Row, names: Sequence[str]) -> dict[str, Any]:
    """The body that takes our write back and gives the moved fields their value again."""
    able = [name for name in names if not name.startswith(NOT_PUT_BACK)]
    values = custom_values(before)
    theirs = [
        {"attribute_code": code, "value": values.get(code, "")}
        for code in (name.removeprefix(CUSTOM) for name in able if name.startswith(CUSTOM))
    ]
    fields = {name: before[name] for name in able if before.get(name) is not None}
    ours = custom_attributes(task.change.after, task.shown, task.prefix)
    group = {GROUP_ID: before[GROUP_ID]} if task.group is not None else {}
    stays = {STAYS_IN_GROUP: 1} if GROUP_ID in names else {}
    return {"id": int(task.id), **group, **fields, **stays, "custom_attributes": [*theirs, *ours]}


def _stopped(
    shop: str,
    way: str,
    moves: Mapping[str, Sequence[str]],
    left: Mapping[str, Sequence[str]],
) -> GuardStopped:
    """One line: which fields of whom moved, whether they are back, and what to do."""
    fields = ", ".join(sorted({name for names in moves.values() for name in names}))
    setting = f"CLV_{shop.upper()}_WRITE"
    mend = _told_of(left)
    causes = "".join(
        cause for name, cause in CAUSES.items() if any(name in names for names in moves.values())
    )
    other = f" or set {setting}=put" if way != "put" else ""
    return GuardStopped(
        f"writing to customers {_named(moves)} moved more than our attributes: {fields}; "
        "the write-back stopped there",
        mend=f"{mend}{causes}Install our module (magento-module/){other}; if somebody else changed"
        " these meanwhile, run again.",
        shop=shop,
        way=way,
    )


def _told_of(left: Mapping[str, Sequence[str]]) -> str:
    """Whether the harm was undone, and at what price."""
    harmed = {one: names for one, names in left.items() if [*names] != [STAYS_IN_GROUP]}
    fixed = {one: names for one, names in left.items() if one not in harmed}
    told = (
        f"Look at customers {_named(harmed)}, where that could not be put back. "
        if harmed
        else "All of it was put back. "
    )
    if fixed:
        told += (
            f"Customers {_named(fixed)} have Disable Automatic Group Change Based on VAT ID ticked"
            " now, without which a PUT can't give them their group. "
        )
    return told


def _named(moves: Mapping[str, Sequence[str]]) -> str:
    told = ", ".join(list(moves)[:MOST_NAMED])
    return told if len(moves) <= MOST_NAMED else f"{told} and {len(moves) - MOST_NAMED} more"
