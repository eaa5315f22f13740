"""The writes that bring a customer from what stands to what is wanted: pure, and only ours.

Every customer's fields are a `metafieldsSet` of their own: such a call is all or nothing, so one
customer's refusal can't hold back another's (https://shopify.dev/docs/api/admin-graphql/2026-10/
mutations/metafieldsSet, 2026-11-21); it takes 25 fields, we have fewer. `compareDigest` makes the
shop refuse a value that somebody changed since we read it. Tags go through `tagsAdd` and
`tagsRemove`, which name only ours; `customerUpdate` would overwrite them all. Each of these may
reach the shop twice without harm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from connectors.schema import FIELDS, TAG, Change, Shown
from connectors.shopify.customers import GID
from connectors.shopify.definitions import TYPES
from connectors.shopify.documents import NAMESPACE
from connectors.shopify.push.standing import Standing

Kind = Literal["set", "delete", "remove", "add"]

#: In this order: the old tag goes before the new one comes, so that nobody ever has two, and
#: nobody needs room for two among the 250 that a customer may have.
KINDS: Sequence[Kind] = ("set", "delete", "remove", "add")

#: What the shop has against a write: a code, and the reason.
Refusal = tuple[str, str]


class Sent(NamedTuple):
    """What was refused, by the change's place; `unheard` are places that the shop told nothing of.

    Those may be written or not.
    """

    refusals: Mapping[int, Sequence[Refusal]]
    unheard: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """One call for the change at `place`, with what it is given besides the customer."""

    place: int
    kind: Kind
    customer_id: str
    items: Sequence[Any]

    @property
    def owner(self) -> str:
        return GID + self.customer_id


def rendered(place: int, change: Change, standing: Standing) -> Iterator[Write]:
    """The calls that are due, in the order of `KINDS`."""
    shown, after = standing.shown, change.after
    wanted = tags(after)
    items: Mapping[Kind, Sequence[Any]] = {
        "set": [_value(change, name, standing) for name in _differing(shown, after)],
        "delete": [_key(change, name) for name in FIELDS if name in shown and name not in after],
        "remove": [tag for tag in standing.tags if tag.lower() not in wanted],
        "add": [tag for tag in wanted if tag not in tags(shown)],
    }
    for kind in KINDS:
        if items[kind]:
            yield Write(place, kind, change.customer_id, items[kind])


def foreign(after: Shown, ours: Collection[str]) -> list[str]:
    """What of it isn't ours to write."""
    fields = [name for name in after if name not in FIELDS and name != TAG]
    return [*fields, *(tag for tag in tags(after) if tag not in ours)]


def tags(shown: Shown) -> list[str]:
    return [tag for tag in shown.get(TAG, "").split(",") if tag]


def _differing(shown: Shown, wanted: Shown) -> list[str]:
    return [name for name in FIELDS if wanted.get(name) not in (None, shown.get(name))]


def _key(change: Change, name: str) -> dict[str, Any]:
    """A MetafieldIdentifierInput."""
    return {"ownerId": GID + change.customer_id, "namespace": NAMESPACE, "key": name}


def _value(change: Change, name: str, standing: Standing) -> dict[str, Any]:
    """A MetafieldsSetInput; a null digest means that there must be no value yet."""
    return {
        **_key(change, name),
        "type": TYPES[FIELDS[name]],
        "value": change.after[name],
        "compareDigest": standing.digests.get(name),
    }
