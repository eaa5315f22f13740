"""Writing what customers should show: read, write the differences in one document, read back.

Every customer's fields are a `metafieldsSet` of their own: such a call is all or nothing, so one
customer's refusal can't hold back another's (https://shopify.dev/docs/api/admin-graphql/2026-10/
mutations/metafieldsSet, 2026-11-21). `compareDigest` makes the shop refuse a value that somebody
changed since we read it. Tags go through `tagsAdd` and `tagsRemove`, which name only ours;
`customerUpdate` would overwrite them all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import ShopUnavailable
from connectors.http import Http
from connectors.schema import FIELDS, TAG, Change, Kind, Outcome, Shown
from connectors.shopify.customers import GID, shown_by, tags_of
from connectors.shopify.documents import CHANGES_A_PUSH, NAMESPACE, SHOWN, writing
from connectors.shopify.graphql import ask, failure, sent

#: Segments filter on number, date and text but not on the type `money`, so money is a number.
TYPES: Mapping[Kind, str] = {
    "money": "number_decimal",
    "number": "number_decimal",
    "date": "date",
    "text": "single_line_text_field",
}

Refusals = Mapping[int, Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Write:
    """One call of the document: its name (`set3`), and the variables it brings."""

    name: str
    variables: Mapping[str, Any]


def push(http: Http, ours: Collection[str], changes: Sequence[Change]) -> Iterator[Outcome]:
    """One outcome for each change, in their order. `ours`: the tags that we may touch."""
    for start in range(0, len(changes), CHANGES_A_PUSH):
        yield from _pushed(http, ours, changes[start : start + CHANGES_A_PUSH])


def _pushed(http: Http, ours: Collection[str], changes: Sequence[Change]) -> list[Outcome]:
    nodes = _nodes(http, changes)
    outcomes = {
        place: outcome
        for place, change in enumerate(changes)
        if (outcome := _settled(change, nodes.get(change.customer_id), ours))
    }
    due = [place for place in range(len(changes)) if place not in outcomes]
    if due:
        writes = [
            write
            for place in due
            for write in rendered(place, changes[place], nodes[changes[place].customer_id], ours)
        ]
        refusals = _written(http, writes)
        nodes = _nodes(http, [changes[place] for place in due])
        for place in due:
            change, refused = changes[place], refusals.get(place, ())
            outcomes[place] = _judged(change, nodes.get(change.customer_id), ours, refused)
    return [outcomes[place] for place in range(len(changes))]


def _nodes(http: Http, changes: Sequence[Change]) -> dict[str, dict[str, Any]]:
    """What the shop holds of these customers, by their id; one that is gone is absent."""
    data = ask(http, SHOWN, {"ids": [GID + change.customer_id for change in changes]})
    nodes = data.get("nodes")
    if not isinstance(nodes, list):
        raise ShopUnavailable("the answer holds no customers", shop=http.shop)
    found = [node for node in nodes if isinstance(node, dict) and node.get("id")]
    return {str(node["id"]).removeprefix(GID): node for node in found}


def _settled(change: Change, node: dict[str, Any] | None, ours: Collection[str]) -> Outcome | None:
    """The outcome of a change that needs no write or must not have one, else None."""
    if node is None:
        return Outcome(change.customer_id, "rejected", {}, "the shop has no such customer")
    shown = shown_by(node, ours)
    if shown == change.after:
        return Outcome(change.customer_id, "applied", shown)
    if change.edited(shown):
        return Outcome(change.customer_id, "conflict", shown, "somebody changed it meanwhile")
    foreign = [name for name in change.after if name not in FIELDS and name != TAG]
    foreign += [tag for tag in _tags(change.after) if tag not in ours]
    if foreign:
        return Outcome(change.customer_id, "rejected", shown, f"not ours to write: {foreign}")
    return None


def _tags(shown: Shown) -> list[str]:
    return [tag for tag in shown.get(TAG, "").split(",") if tag]


def rendered(
    place: int, change: Change, node: Mapping[str, Any], ours: Collection[str]
) -> list[Write]:
    """The calls that bring a customer from what `node` shows to `change.after`."""
    owner = GID + change.customer_id
    writes = []
    shown = shown_by(node, ours)
    if items := [_item(owner, change, name, node) for name in _differing(shown, change.after)]:
        writes.append(Write(f"set{place}", {"": items}))
    if gone := [name for name in FIELDS if name in shown and name not in change.after]:
        keys = [{"ownerId": owner, "namespace": NAMESPACE, "key": name} for name in gone]
        writes.append(Write(f"delete{place}", {"": keys}))
    wanted = _tags(change.after)
    stale = [tag for tag in tags_of(node) if tag.lower() in ours and tag.lower() not in wanted]
    fresh = [tag for tag in wanted if tag not in _tags(shown)]
    # the old tag goes first, so that nobody ever has two
    if stale:
        writes.append(Write(f"remove{place}", {"": owner, "Tags": stale}))
    if fresh:
        writes.append(Write(f"add{place}", {"": owner, "Tags": fresh}))
    return writes


def _differing(shown: Shown, wanted: Shown) -> list[str]:
    return [name for name in FIELDS if wanted.get(name) not in (None, shown.get(name))]


def _item(owner: str, change: Change, name: str, node: Mapping[str, Any]) -> dict[str, Any]:
    """A MetafieldsSetInput; a null digest means that there must be no value yet."""
    return {
        "ownerId": owner,
        "namespace": NAMESPACE,
        "key": name,
        "type": TYPES[FIELDS[name]],
        "value": change.after[name],
        "compareDigest": (node.get(name) or {}).get("compareDigest"),
    }


def _written(http: Http, writes: Sequence[Write]) -> Refusals:
    """Sends the writes as one document: what was refused, as (code, reason), by place."""
    variables = {
        write.name + suffix: value for write in writes for suffix, value in write.variables.items()
    }
    body = sent(http, writing(write.name for write in writes), variables)
    refusals: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for error in body.get("errors") or ():
        path = error.get("path") if isinstance(error, dict) else None
        if not path:  # the document as a whole: nothing was written
            raise failure(http.shop, body["errors"])
        refusals[_place(str(path[0]))].append(("", "the shop failed over this customer"))
    data = body.get("data")
    for name, answer in (data if isinstance(data, dict) else {}).items():
        for error in (answer or {}).get("userErrors") or ():
            code, message = str(error.get("code") or ""), str(error.get("message") or "")
            refusals[_place(name)].append((code, message))
    return refusals


def _place(name: str) -> int:
    return int(name.lstrip("abcdefghijklmnopqrstuvwxyz"))


def _judged(
    change: Change,
    node: dict[str, Any] | None,
    ours: Collection[str],
    refused: Sequence[tuple[str, str]],
) -> Outcome:
    """What was read back decides; the shop's own words only tell why."""
    if node is None:
        return Outcome(change.customer_id, "rejected", {}, "the shop lost this customer meanwhile")
    shown = shown_by(node, ours)
    if shown == change.after:
        return Outcome(change.customer_id, "applied", shown)
    if any(code == "STALE_OBJECT" for code, _ in refused):
        return Outcome(change.customer_id, "conflict", shown, "somebody changed it meanwhile")
    if refused:
        return Outcome(change.customer_id, "rejected", shown, "; ".join(why for _, why in refused))
    missing = sorted(
        name for name in {*shown, *change.after} if shown.get(name) != change.after.get(name)
    )
    reason = f"the shop said yes but does not show it: {', '.join(missing)}"
    return Outcome(change.customer_id, "rejected", shown, reason)
