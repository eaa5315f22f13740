"""The first customers of a run show whether a way of writing leaves everything else alone.

A way that lets Magento save the whole customer may wipe a field (2.4.8-p2 wipes `dob` in bulk),
move the group (`AfterAddressSaveObserver`, where VAT numbers are checked) or the newsletter state
(the newsletter's `CustomerPlugin::afterSave`: both read in 2.4.7-p3 on 2026-11-23). So nothing is
risked on many that was not seen to survive on one: every filled field, every group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connectors.magento.push.task import Row, Task
from connectors.magento.shown import custom_values

ALWAYS_MOVES = frozenset(("updated_at",))
NESTED = ("addresses", "extension_attributes", "custom_attributes")
#: Shoppers edit their own account while we write, one here and one there; of these fields more
#: than so many customers in one batch are not theirs but ours.
SHOPPERS = 2
#: Shoppers don't move these by an edit: one customer is one too many.
NEVER = ("group_id", "extension_attributes.")


def parts(row: Row, prefix: str) -> dict[str, Any]:
    """All that isn't ours of a customer, by name; what is empty, zero or no is absent.

    Magento leaves such fields out, or gives `[]`, "" or 0, as it pleases.
    """
    found = {name: value for name, value in row.items() if name not in (*NESTED, *ALWAYS_MOVES)}
    for name, values in (
        ("custom_attributes", custom_values(row)),
        ("extension_attributes", row.get("extension_attributes")),
    ):
        if isinstance(values, Mapping):
            found |= {f"{name}.{key}": value for key, value in values.items()}
    found["addresses"] = _by_id(row.get("addresses"))
    ours = f"custom_attributes.{prefix}"
    return {name: value for name, value in found.items() if value and not name.startswith(ours)}


def _by_id(addresses: Any) -> dict[str, Any]:
    rows = addresses if isinstance(addresses, list) else ()
    return {str(row.get("id")): row for row in rows if isinstance(row, Mapping)}


def moved(task: Task, before: Row, after: Row) -> list[str]:
    """The names of all that should have stayed and didn't."""
    then, now = parts(before, task.prefix), parts(after, task.prefix)
    asked = {"group_id"} if task.group is not None else set()
    names = sorted((then.keys() | now.keys()) - asked)
    return [name for name in names if then.get(name) != now.get(name)]


def too_much(moves: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Of what moved (by customer id), all that can't have been the shoppers' own doing."""
    customers = Counter(name for names in moves.values() for name in names)
    ours = {name for name, count in customers.items() if count > SHOPPERS or name.startswith(NEVER)}
    kept = {one: [name for name in names if name in ours] for one, names in moves.items()}
    return {one: names for one, names in kept.items() if names}


def traits(task: Task) -> frozenset[str]:
    """What a write could harm on this customer: their filled fields, their group."""
    found = parts(task.row, task.prefix)
    where = "with" if "addresses" in found else "without"
    group = f"group {found.get('group_id')} {where} address"
    return frozenset((*found, group, f"to group {task.group}"))


class Canaries:
    """Who goes first. Remembers for a whole run what was seen to survive."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._proven: set[str] = set()

    def lots(self, tasks: Sequence[Task]) -> Iterator[tuple[bool, Sequence[Task]]]:
        """Lots to send one after the other, and whether a lot is one of canaries.

        First one customer, then some, until whatever the others carry was seen to survive.
        """
        rest = list(tasks)
        while picked := self._picked(rest):
            lot = picked[: self._at_once] if self._proven else picked[:1]
            sent = {task.id for task in lot}
            rest = [task for task in rest if task.id not in sent]
            yield True, lot
        if rest:
            yield False, rest

    def survived(self, tasks: Collection[Task]) -> None:
        for task in tasks:
            self._proven |= traits(task)

    def _picked(self, tasks: Sequence[Task]) -> list[Task]:
        """The fewest, roughly, who carry everything that is unproven, the richest first."""
        carried = {task.id: traits(task) - self._proven for task in tasks}
        unproven = frozenset[str]().union(*carried.values())
        picked = []
        while unproven:
            best = max(tasks, key=lambda task: len(carried[task.id] & unproven))
            picked.append(best)
            unproven -= carried[best.id]
        return picked
