"""A segment for each tier, and for each tag that a customer wears besides (`segments`): so the
shop's owner finds them by name.

One is there if it has our name or asks for the same: whatever the owner renamed or edited stays as
it is. A shop takes two segments of one name, so a creation isn't just sent again where its answer
got lost: first the shop is looked at (recorded 2025-01).
https://help.shopify.com/en/manual/customers/customer-segmentation (2026-11-23)
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connectors.errors import AuthenticationError, ConnectorError, RequestRefused, ShopUnavailable
from connectors.http import AnswerDenied, Http
from connectors.schema import tier_tag
from connectors.shopify.documents import NAMESPACE
from connectors.shopify.graphql import ask, failure, sent

log = logging.getLogger(__name__)

SEGMENTS = """
query Segments($after: String) {
  segments(first: 250, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { name query }
  }
}
"""

SEGMENT_FILTERS = """
query SegmentFilters($after: String) {
  segmentFilters(first: 250, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { queryName }
  }
}
"""

CREATE_SEGMENT = """
mutation CreateSegment($name: String!, $query: String!) {
  segmentCreate(name: $name, query: $query) { userErrors { message } }
}
"""

TAGS = "customer_tags"
LOOKS = 5  # at what is there, before we let it be for this run
PAUSE = 2.0  # seconds between two of them


def add_segments(http: Http, tags: Collection[str], tiers: Collection[str]) -> None:
    """Creates the segments of these tags that are missing; `tiers`: those that name a tier.

    Nothing else hangs on them, so a shop that refuses is told of and the run goes on.
    """
    try:
        _added(http, tags, tiers)
    except AnswerDenied:
        raise  # the token itself
    except (RequestRefused, AuthenticationError, ShopUnavailable) as error:
        _warn(http, error)


def _added(http: Http, tags: Collection[str], tiers: Collection[str]) -> None:
    lost: ShopUnavailable | None = None
    for _ in range(LOOKS):
        missing = _missing(http, tags, tiers)
        if not missing:
            return
        try:
            for tag, query in missing.items():
                _create(http, name_of(tag), query)
            return
        except ShopUnavailable as error:
            lost = error
            http.wait(PAUSE)
    if lost:
        raise lost


def missing_segments(http: Http, tags: Collection[str], tiers: Collection[str]) -> list[str]:
    """The names of those that are yet to be created."""
    return [name_of(tag) for tag in _missing(http, tags, tiers)]


def name_of(tag: str) -> str:
    return f"CLV: {tag.removeprefix(tier_tag(''))}"


def _missing(http: Http, tags: Collection[str], tiers: Collection[str]) -> Mapping[str, str]:
    """The tags that no segment is there for, each with the query of the one to create.

    A tag that no query of this shop can ask for has none, and is told of.
    """
    there = list(_listed(http, SEGMENTS, "segments"))
    names = {str(node.get("name")).casefold() for node in there}
    queries = {_plain(str(node.get("query"))) for node in there}
    unnamed = [tag for tag in sorted(tags) if name_of(tag).casefold() not in names]
    if all(_plain(_by_tag(tag)) in queries for tag in unnamed):
        return {}
    known = {str(one.get("queryName")) for one in _listed(http, SEGMENT_FILTERS, "segmentFilters")}
    wanted = {tag: query_of(tag, known, tiers) for tag in unnamed}
    if silent := ", ".join(tag for tag, query in wanted.items() if query is None):
        _warn(http, RequestRefused(f"the shop doesn't filter customers by tags such as {silent}"))
    return {
        tag: query
        for tag, query in wanted.items()
        if query and not queries & {_plain(query), _plain(_by_tag(tag))}
    }


def query_of(tag: str, known: Collection[str], tiers: Collection[str]) -> str | None:
    """By the tag where the shop has that filter, else by our metafield, whatever it calls that.

    The metafield tells tiers alone: by it a segment of customers in need of winning back would be
    empty, or worse, be the tier of the same name.
    """
    if TAGS in known:
        return _by_tag(tag)
    if tag not in tiers:
        return None
    ours = sorted(name for name in known if name.endswith(f"{NAMESPACE}.tier"))
    if not ours:
        raise RequestRefused("the shop filters customers neither by tags nor by our metafields")
    return f"{ours[0]} = '{tag.removeprefix(tier_tag(''))}'"


def _by_tag(tag: str) -> str:
    return f"{TAGS} CONTAINS '{tag}'"


def _plain(query: str) -> str:
    """A query without what makes no difference."""
    return " ".join(query.split()).casefold()


def _create(http: Http, name: str, query: str) -> None:
    body = sent(http, CREATE_SEGMENT, {"name": name, "query": query}, attempts=1)
    if body.get("errors"):
        raise failure(http.shop, body["errors"])
    errors = ((body.get("data") or {}).get("segmentCreate") or {}).get("userErrors")
    if errors:
        told = str(errors[0].get("message"))
        _warn(http, RequestRefused(f"the shop takes no segment {name!r}: {told}"))


def _listed(http: Http, document: str, field: str) -> Iterator[Mapping[str, Any]]:
    """All nodes of a list, page by page."""
    after: str | None = None
    while True:
        found = ask(http, document, {"after": after}).get(field)
        try:
            info, nodes = found["pageInfo"], found["nodes"]  # type: ignore[index]
            following = info["endCursor"] if info["hasNextPage"] else None
        except (TypeError, KeyError):
            raise ShopUnavailable(f"the answer holds no {field}", shop=http.shop) from None
        yield from nodes
        if following is None or following == after:
            return
        after = following


def _warn(http: Http, error: ConnectorError) -> None:
    mend = f"set CLV_{http.shop.upper()}_SEGMENTS=no to do without"
    log.warning("segments shop=%s reason=%r; %s", http.shop, error.message, mend)
