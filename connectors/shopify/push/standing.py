"""How customers stand in the shop just now: what they show of ours, and what guards it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from connectors.errors import ShopUnavailable
from connectors.http import Http
from connectors.schema import FIELDS, Shown
from connectors.shopify.customers import GID, is_left_alone, shown_by, tags_of
from connectors.shopify.documents import CUSTOMERS_A_PAGE, SHOWN
from connectors.shopify.graphql import ask


@dataclass(frozen=True, slots=True)
class Standing:
    """One customer, without anything that isn't ours: whole plans of them are held at a time.

    tags        ours, as they are spelt there
    digests     of our fields that hold a value: the shop refuses to write over any other
    left_alone  the shop's owner wants this customer untouched
    """

    shown: Shown
    tags: tuple[str, ...]
    digests: Mapping[str, str]
    left_alone: bool


def standings(http: Http, ids: Iterable[str], ours: Collection[str]) -> dict[str, Standing]:
    """The customers of these ids, page by page; who is gone is absent. `ours`: our tags."""
    rest, found = iter(ids), dict[str, Standing]()
    while page := list(islice(rest, CUSTOMERS_A_PAGE)):
        nodes = ask(http, SHOWN, {"ids": [GID + one for one in page]}).get("nodes")
        if not isinstance(nodes, list):
            raise ShopUnavailable("the answer holds no customers", shop=http.shop)
        there = [node for node in nodes if isinstance(node, dict) and node.get("id")]
        found |= {str(one["id"]).removeprefix(GID): standing_of(one, ours) for one in there}
    return found


def standing_of(node: Mapping[str, Any], ours: Collection[str]) -> Standing:
    tags = tags_of(node)
    return Standing(
        shown=shown_by(node, ours),
        tags=tuple(tag for tag in tags if tag.lower() in ours),
        digests={name: node[name]["compareDigest"] for name in FIELDS if node.get(name)},
        left_alone=is_left_alone(tags),
    )
