"""For each numbered check a bug to plant: the check has to fail on it, or it proves nothing.

`old` must occur exactly once in its file: where it doesn't, the table is out of date, which is an
error of its own. `python tests/reliability/selftest.py` plants them, one at a time, in a copy.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    check: int
    bug: str
    file: str
    old: str
    new: str


MUTATIONS = (
    Mutation(
        1,
        "the cursor is a page ahead of the rows",
        "connectors/pull.py",
        "    for page in pages:\n        watch.checked()\n        pulled.add(page, store.commit(",
        "    ahead: Page | None = None\n    for page in pages:\n        watch.checked()\n"
        "        rows, ahead = ahead or Page({}), page\n"
        "        page = replace(page, orders=rows.orders, lines=rows.lines)\n"
        "        pulled.add(page, store.commit(",
    ),
    Mutation(
        2,
        "the first signal is forgotten",
        "sync.py",
        "    _asked_to_stop.append(number)",
        "    del number",
    ),
    Mutation(
        3,
        "a row that comes again is taken for news",
        "connectors/store/log.py",
        "return entry.digest != known.digest and not _older(",
        "return not _older(",
    ),
    Mutation(
        4,
        "a resumed pull begins an order too far on",
        "connectors/shopify/orders.py",
        'ahead = {**cursor, "last_id": last_id}',
        'ahead = {**cursor, "last_id": last_id + 40_000}',
    ),
    Mutation(
        5,
        "what changed while the history was read is taken for read",
        "connectors/shopify/orders.py",
        'behind = {"changed_since": cursor["started"],',
        'behind = {"changed_since": datetime.now().astimezone().isoformat(),',
    ),
    Mutation(
        6,
        "behind each page the search begins anew at the newest instant",
        "connectors/shopify/orders_graphql.py",
        "if read >= DEEPEST and len(set(instants)) > 1:",
        "if read:",
    ),
    Mutation(
        7,
        "two windows don't overlap",
        "connectors/shopify/orders.py",
        "OVERLAP = timedelta(minutes=15)",
        "OVERLAP = timedelta(minutes=0)",
    ),
    Mutation(
        9,
        "the same cursor again is followed",
        "connectors/shopify/customers.py",
        "if following and following == after:",
        "if False:",
    ),
    Mutation(
        18,
        "a lock that outlives its holder",
        "connectors/store/connection.py",
        "from filelock import FileLock, Timeout",
        "from filelock import SoftFileLock as FileLock, Timeout",
    ),
    Mutation(
        21,
        "the tag of the tier before stays",
        "connectors/shopify/push/writes.py",
        '"remove": [tag for tag in standing.tags if tag.lower() not in wanted],',
        '"remove": [],',
    ),
    Mutation(
        22,
        "our own write, sent twice, is taken for somebody else's",
        "connectors/shopify/push/__init__.py",
        '    if shown == change.after:\n        return Outcome(who, "applied", shown)\n'
        '    if change.edited(shown):\n        return Outcome(who, "conflict", shown, BY_NOW)\n'
        "    if told",
        "    if shown == change.after and not refused:\n"
        '        return Outcome(who, "applied", shown)\n'
        '    if change.edited(shown):\n        return Outcome(who, "conflict", shown, BY_NOW)\n'
        "    if told",
    ),
    Mutation(
        23,
        "the module's neighbours are written, too",
        "connectors/magento/push/put.py",
        "attributes = [*task.theirs(self._required), *task.values]",
        'attributes = [*task.values, {"attribute_code": "erp_number", "value": "1"}]',
    ),
    Mutation(
        24,
        "the addresses are sent along, and empty",
        "connectors/magento/push/put.py",
        '{"id": int(task.id), "custom_attributes": attributes}',
        '{"id": int(task.id), "custom_attributes": attributes, "addresses": []}',
    ),
    Mutation(
        25,
        "nobody looks whether somebody else wrote",
        "connectors/schema.py",
        "return not _tags(shown) <= known or any(",
        "return False and any(",
    ),
    Mutation(
        26,
        "the tag isn't read back",
        "connectors/shopify/push/__init__.py",
        "    shown = standing.shown\n    if shown == change.after:\n"
        '        return Outcome(who, "applied", shown)\n    if change.edited(shown):',
        '    shown = {**standing.shown, "tag": change.after.get("tag", "")}\n'
        "    if shown == change.after:\n"
        '        return Outcome(who, "applied", shown)\n    if change.edited(shown):',
    ),
    Mutation(
        27,
        "the first refusal ends the write-back",
        "connectors/magento/push/put.py",
        "if error and (self._failures >= FAILURES or is_about_the_shop(error)):",
        "if error:",
    ),
    Mutation(
        28,
        "a dry run writes",
        "sync.py",
        "if drawn.changes and not dry_run:",
        "if drawn.changes:",
    ),
    Mutation(
        29,
        "the drift of tiers stops nothing",
        "connectors/drift.py",
        "if found.moved > allowed:",
        "if found.moved > found.customers:",
    ),
    Mutation(
        30,
        "undo leaves out the tag",
        "connectors/schema.py",
        "before=self.after, after=self.before)",
        'before=self.after, after={**self.before, TAG: self.after.get(TAG, "")})',
    ),
    Mutation(
        31,
        "every run reads the whole history",
        "connectors/magento/stand.py",
        "begin=stamp(ended - OVERLAP), until=until)",
        'begin="", until=until)',
    ),
)
