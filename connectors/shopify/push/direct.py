"""The writes of a few customers as one document, sent and answered at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.http import Http
from connectors.shopify.documents import CHANGES_A_PUSH, writing
from connectors.shopify.graphql import failure, sent
from connectors.shopify.push.writes import KINDS, Refusal, Sent, Write

#: Each costs the same, whatever it writes: 24 * 4 * 10 = 960 points.
WRITES_A_DOCUMENT = CHANGES_A_PUSH * len(KINDS)


def send(http: Http, writes: Sequence[Write]) -> Sent:
    """Writes them all, document by document; a refusal of one leaves the others alone."""
    refusals: dict[int, list[Refusal]] = defaultdict(list)
    for lot in _lots(writes):
        for place, refused in _written(http, lot):
            refusals[place].append(refused)
    return Sent(refusals)


def _lots(writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
    for start in range(0, len(writes), WRITES_A_DOCUMENT):
        yield writes[start : start + WRITES_A_DOCUMENT]


def _written(http: Http, writes: Sequence[Write]) -> Iterator[tuple[int, Refusal]]:
    """Sends one document: what was refused, by place."""
    named = {f"{write.kind}{write.place}": write for write in writes}
    variables = {key: value for name in named for key, value in _given(name, named[name])}
    body = sent(http, writing(named), variables)
    for error in body.get("errors") or ():
        path = error.get("path") if isinstance(error, dict) else None
        if not path or path[0] not in named:  # the document as a whole: nothing was written
            raise failure(http.shop, body["errors"])
        yield named[path[0]].place, ("", "the shop failed over this customer")
    data = body.get("data")
    for name, answer in (data if isinstance(data, dict) else {}).items():
        for refused in refusals_in(answer):
            yield named[name].place, refused


def _given(name: str, write: Write) -> Iterator[tuple[str, Any]]:
    """The variables of one call, by the names that `writing` gives them."""
    if write.kind in ("set", "delete"):
        yield name, write.items
    else:
        yield from ((name, write.owner), (f"{name}Tags", write.items))


def refusals_in(answer: Mapping[str, Any] | None) -> Iterator[Refusal]:
    """Code and reason of each of a call's user errors."""
    for error in (answer or {}).get("userErrors") or ():
        yield str(error.get("code") or ""), str(error.get("message") or "")
