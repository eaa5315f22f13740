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
        "    for page in pages:\n        watch.checked()\n",
        "    ahead: Page | None = None\n    for page in pages:\n        watch.checked()\n"
        "        rows, ahead = ahead or Page({}), page\n"
        "        page = replace(page, orders=rows.orders, lines=rows.lines)\n",
    ),
    Mutation(
        2,
        "the first signal is forgotten",
        "connectors/stopping.py",
        "    _asked.append(number)",
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
        "what changed while a history's first pages were read is taken for read",
        "connectors/shopify/orders.py",
        'behind = {"changed_since": cursor["started"],',
        'begun = datetime.fromisoformat(str(cursor["started"])) + timedelta(minutes=20)\n'
        '            behind = {"changed_since": _iso(begun),',
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
        "who was written by half is taken for done",
        "connectors/shopify/push/__init__.py",
        "        if shown == change.after:\n            return",
        '        if {**shown, "tag": ""} == {**change.after, "tag": ""}:\n            return',
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
        "every tag is taken for ours",
        "connectors/shopify/push/standing.py",
        "tags=tuple(tag for tag in tags if tag.lower() in ours),",
        "tags=tuple(tags),",
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
        "before=self.after, after={**self.before, **{k: v for k, v in self.after.items()"
        " if k == TAG}})",
    ),
    Mutation(
        31,
        "every run reads the whole history",
        "connectors/magento/stand.py",
        "begin=stamp(ended - OVERLAP), until=until)",
        'begin="", until=until)',
    ),
    Mutation(
        8,
        "a watermark in the future is believed",
        "connectors/magento/stand.py",
        "    if ended > now:",
        "    if False:",
    ),
    Mutation(
        10,
        "a wait that one worker was told isn't told to the others",
        "connectors/http/door.py",
        "self._pace.hold(passing.after or 0)",
        "self._pace.hold(0)",
    ),
    Mutation(
        11,
        "an answer that is cut off is taken as an empty one",
        "connectors/http/answers.py",
        '            raise Passing("the answer is cut off or is not JSON", status=answer.status)',
        '            return Answer(200, {}, {"items": [], "total_count": 0})',
    ),
    Mutation(
        12,
        "errors beside data are passed over",
        "connectors/shopify/graphql.py",
        "    if errors:\n        raise failure(http.shop, errors)",
        '    if errors and not body.get("data"):\n        raise failure(http.shop, errors)',
    ),
    Mutation(
        13,
        "the slice of a failed operation is skipped",
        "connectors/shopify/bulk/backfill.py",
        '        if operation is None or operation.status != "COMPLETED":\n',
        '        if operation is None or operation.status != "COMPLETED":\n            return\n',
    ),
    Mutation(
        14,
        "two thirds of a history are good enough",
        "connectors/shopify/history.py",
        "    if since is None or since < now - VISIBLE:",
        "    if False:",
    ),
    Mutation(
        15,
        "what changed is never stored again",
        "connectors/store/log.py",
        "return entry.digest != known.digest and not _older(",
        "return False and not _older(",
    ),
    Mutation(
        16,
        "a cancelled rest counts as paid",
        "connectors/magento/parse.py",
        "        value + ordered - invoiced,",
        "        value,",
    ),
    Mutation(
        17,
        "an amount that can't be read is nothing",
        "connectors/magento/fields.py",
        '            self._there(name)\n            raise self.odd(name, "is no amount")',
        "            return ZERO",
    ),
    Mutation(
        19,
        "what the disk does to the store is no error of ours",
        "connectors/store/connection.py",
        "UNUSABLE = (duckdb.OperationalError, duckdb.InternalError, duckdb.FatalException)",
        "UNUSABLE = (duckdb.ParserException,)",
    ),
    Mutation(
        20,
        "all pages are held before the first is stored",
        "connectors/pull.py",
        "    for page in pages:\n        watch.checked()\n",
        "    for page in list(pages):\n        watch.checked()\n",
    ),
    Mutation(
        32,
        "redirects are followed",
        "connectors/http/wire.py",
        "allow_redirects=False",
        "allow_redirects=True",
    ),
    Mutation(
        33,
        "only the address's beginning is looked at",
        "connectors/shopify/auth.py",
        "_CLOUD.fullmatch(settings.url)",
        "_CLOUD.match(settings.url)",
    ),
    Mutation(
        34,
        "plain http is good enough",
        "connectors/origin.py",
        '    if origin.scheme == "http" and not is_loopback(origin.host):',
        "    if False:",
    ),
    Mutation(
        35,
        "the headers are logged",
        "connectors/http/wire.py",
        "        settings = session.merge_environment_settings(",
        '        __import__("logging").getLogger("wire").warning("%s", request.headers)\n'
        "        settings = session.merge_environment_settings(",
    ),
    Mutation(
        36,
        "the key of a guest is their e-mail",
        "connectors/identity.py",
        "        return self.PREFIX + hmac.digest(",
        "        return self.PREFIX + normalised + hmac.digest(",
    ),
    Mutation(
        37,
        "what is written can be read by everybody",
        "connectors/files.py",
        "        fresh.replace(path)",
        "        fresh.chmod(0o644)\n        fresh.replace(path)",
    ),
    Mutation(
        38,
        "the minus is forgotten",
        "connectors/export.py",
        'r"^[=+\\-@\\t\\r\\n\\x00]"',
        'r"^[=+@\\t\\r\\n\\x00]"',
    ),
    Mutation(
        39,
        "names are put into the page as they are",
        "connectors/report/page.py",
        "autoescape=True",
        "autoescape=False",
    ),
    Mutation(
        40,
        "any signature will do",
        "connectors/shopify/webhooks.py",
        "    return hmac.compare_digest(",
        "    return True or hmac.compare_digest(",
    ),
    Mutation(
        41,
        "exported files are left as they are",
        "connectors/privacy.py",
        "    return Erased(audit, made_files.cleaned(store, theirs))",
        "    return Erased(audit, {})",
    ),
    Mutation(
        42,
        "a plan's digest isn't looked at",
        "connectors/plan.py",
        "    if digest != seal(",
        "    if False and digest != seal(",
    ),
    Mutation(
        43,
        "somebody left a token in the source",
        "connectors/origin.py",
        'PORTS = {"https": 443, "http": 80}',
        'PORTS = {"https": 443, "http": 80}\nOURS = "shpat_' + "0123456789abcdef" * 2 + '"',
    ),
)
