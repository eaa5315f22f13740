"""The writes of many customers as files, one bulk mutation for each kind.

https://shopify.dev/docs/api/usage/bulk-operations/imports (2026-11-23): a file of variables is laid
down at the shop's storage, a line for each call, 100 MB at most; the shop carries the calls out by
itself and tells of each in a line of its result. Such an operation holds one mutation, so fields
and tags go one after the other. An operation that was begun twice, because an answer got lost, does
no harm: each write may come twice.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import AuthenticationError, RequestRefused
from connectors.http import AnswerDenied, Http
from connectors.shopify.bulk.operation import BulkRefused, Operation, asked_about, give_up
from connectors.shopify.bulk.waiting import Waiting
from connectors.shopify.graphql import ask
from connectors.shopify.push.direct import refusals_in
from connectors.shopify.push.writes import KINDS, Kind, Refusal, Sent, Write
from connectors.shopify.staged import laid_down

log = logging.getLogger(__name__)

LARGEST_FILE = 95 * 10**6  # bytes, safely below 100 MB however they are counted

SET_IN_BULK = """
mutation SetInBulk($items: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $items) { userErrors { code message } }
}
"""

DELETE_IN_BULK = """
mutation DeleteInBulk($items: [MetafieldIdentifierInput!]!) {
  metafieldsDelete(metafields: $items) { userErrors { message } }
}
"""

REMOVE_IN_BULK = """
mutation RemoveInBulk($id: ID!, $items: [String!]!) {
  tagsRemove(id: $id, tags: $items) { userErrors { message } }
}
"""

ADD_IN_BULK = """
mutation AddInBulk($id: ID!, $items: [String!]!) {
  tagsAdd(id: $id, tags: $items) { userErrors { message } }
}
"""

RUN_MUTATION = """
mutation RunMutation($mutation: String!, $path: String!) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path) {
    bulkOperation { id }
    userErrors { code }
  }
}
"""

MUTATIONS: Mapping[Kind, str] = {
    "set": SET_IN_BULK,
    "delete": DELETE_IN_BULK,
    "remove": REMOVE_IN_BULK,
    "add": ADD_IN_BULK,
}

#: What a line of the result says: the refusals of the write at that line.
Answers = Mapping[int, Sequence[Refusal]]


def send(http: Http, writes: Sequence[Write]) -> Sent:
    """Writes them all, kind by kind. Where one wasn't heard of, nothing more is sent for it."""
    refusals: dict[int, list[Refusal]] = defaultdict(list)
    unheard: set[int] = set()
    for kind in KINDS:
        due = [one for one in writes if one.kind == kind and one.place not in unheard]
        for lot in files(due):
            answers = _answers(http, kind, lot)
            for line, (write, _) in enumerate(lot):
                refusals[write.place] += answers.get(line, ())
                if line not in answers:
                    unheard.add(write.place)
    return Sent(refusals, unheard)


def files(writes: Iterable[Write]) -> Iterator[list[tuple[Write, bytes]]]:
    """The writes with their lines, parted so that each file is small enough."""
    lot: list[tuple[Write, bytes]] = []
    size = 0
    for write in writes:
        line = _line(write)
        if lot and size + len(line) > LARGEST_FILE:
            yield lot
            lot, size = [], 0
        lot.append((write, line))
        size += len(line)
    if lot:
        yield lot


def _line(write: Write) -> bytes:
    given: dict[str, Any] = {"items": write.items}
    if write.kind in ("remove", "add"):
        given["id"] = write.owner
    return json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _answers(http: Http, kind: Kind, lot: Sequence[tuple[Write, bytes]]) -> Answers:
    """What became of a file's lines; of those that the shop never told of, nothing."""
    try:
        path = laid_down(http, b"".join(line for _, line in lot))
        operation = _ended(http, _begun(http, MUTATIONS[kind], path))
        if operation and operation.url:
            return http.download(operation.url, answers_in, largest=operation.largest)
        told = f"{operation.status} {operation.error}".strip() if operation else "STUCK"
    except AnswerDenied:
        raise  # the token itself is refused: no other way is open, either
    except (AuthenticationError, RequestRefused) as refused:
        told = f"{refused.message} {refused.evidence.get('codes', '')}".strip()
    except BulkRefused as refused:
        told = refused.code
    log.warning("bulk_write shop=%s kind=%s rows=%d reason=%r", http.shop, kind, len(lot), told)
    return {}


def _begun(http: Http, mutation: str, path: str) -> str:
    """The id of a new operation. Raises BulkRefused."""
    data = ask(http, RUN_MUTATION, {"mutation": mutation, "path": path})
    payload = data.get("bulkOperationRunMutation") or {}
    operation_id = (payload.get("bulkOperation") or {}).get("id")
    if not isinstance(operation_id, str):
        codes = {str(error.get("code")) for error in payload.get("userErrors") or ()}
        raise BulkRefused(",".join(sorted(codes)) or "none")
    return operation_id


def _ended(http: Http, operation_id: str) -> Operation | None:
    """How an operation ended; None where it got nowhere for long, and was given up."""
    waiting = Waiting(http.wait)
    while True:
        waiting.on()
        operation = asked_about(http, operation_id)
        if operation is None or not operation.goes_on:
            return operation
        if waiting.in_vain(operation_id, (operation.status, operation.objects)):
            give_up(http, operation_id)
            return None


def answers_in(pieces: Iterable[bytes]) -> Answers:
    """A result's lines, by the number of the line that each one answers."""
    found: dict[int, list[Refusal]] = {}
    for line in b"".join(pieces).splitlines():
        try:
            answer = json.loads(line)
            found[int(answer["__lineNumber"])] = list(_refusals(answer))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # cut off: as if it had never been told
    return found


def _refusals(answer: Mapping[str, Any]) -> Iterator[Refusal]:
    if answer.get("errors"):
        yield "", "the shop failed over this customer"
    for payload in (answer.get("data") or {}).values():
        yield from refusals_in(payload)
