"""Magento's asynchronous bulk route: customers are queued, and saved when a consumer gets there.

The consumer doesn't merge: what isn't sent is gone, or refused (`email`, the names), so every
customer goes as just read, but for what only looks like a field: addresses and the extension
attributes (newsletter) stay untouched exactly where they are left out. 2.4.8-p2 wipes `dob` all the
same: that is what the canaries are for.
https://developer.adobe.com/commerce/webapi/rest/use-rest/bulk-endpoints/ (read 2026-11-23)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any

from connectors.errors import (
    AuthenticationError,
    ConnectorError,
    RequestRefused,
    ShopUnavailable,
)
from connectors.http import AnswerRefused, Http
from connectors.magento.api import Api
from connectors.magento.push.reading import customers
from connectors.magento.push.task import Sent, Task, in_its_words, is_about_the_shop, why

FIRST_WAIT = 1.0  # seconds
LONGEST_WAIT = 15.0
PATIENCE = 300.0  # seconds without any progress: cron starts consumers once a minute
ROUNDS = 3  # times that a customer is queued at most, where the consumer met a lock
CONSUMER = "async.operations.all"
#: Left out of a customer as read: what the shop keeps by itself, and what is saved only if given.
NOT_SENT_BACK = frozenset(
    (
        *("created_at", "updated_at", "created_in", "default_billing", "default_shipping"),
        *("addresses", "extension_attributes", "custom_attributes"),
    )
)


class State(IntEnum):
    """What became of an operation."""

    COMPLETE = 1
    RETRIABLE = 2
    FAILED = 3
    OPEN = 4
    REJECTED = 5


#: By the place in the lot: the state, and the shop's message.
Ends = Mapping[int, tuple[object, object]]


class Bulk:
    """`required` are the codes of others' attributes that have to go along."""

    name = "async"
    batch_size = 500
    canaries = 10  # after the first one: each lot has to wait for the consumer

    def __init__(self, http: Http, api: Api, required: Collection[str]) -> None:
        self._http = http
        self._api = api
        self._required = required

    def send(self, tasks: Sequence[Task]) -> Sent:
        reasons: dict[str, str] = {}
        todo = list(tasks)
        for _ in range(ROUNDS):
            sent = self._round(todo)
            reasons |= sent.reasons
            again = {task.id for task in todo if sent.reasons.get(task.id) == _LOCKED}
            if sent.stopped or not again:
                return Sent(reasons, sent.stopped)
            todo = self._anew([task for task in todo if task.id in again])
        return Sent(reasons)

    def _anew(self, tasks: Sequence[Task]) -> list[Task]:
        """The same tasks upon the customers as they are by now."""
        rows = customers(self._http, self._api, [task.id for task in tasks])
        return [replace(task, row=rows[task.id]) for task in tasks if task.id in rows]

    def _round(self, tasks: Sequence[Task]) -> Sent:
        """Queue all, and see how they end. A lot that is refused as a whole is halved."""
        try:
            return self._followed(tasks)
        except AnswerRefused as refused:
            if is_about_the_shop(refused) or len(tasks) == 1:
                return Sent({task.id: why(refused) for task in tasks})
        except ConnectorError as error:
            return _unconfirmed(tasks, error)
        half = len(tasks) // 2
        first = self._round(tasks[:half])
        if first.stopped:
            return first
        second = self._round(tasks[half:])
        return Sent({**first.reasons, **second.reasons}, second.stopped)

    def _followed(self, tasks: Sequence[Task]) -> Sent:
        body = [{"customerId": int(task.id), "customer": self._whole(task)} for task in tasks]
        path = self._api.bulk_path("customers/byCustomerId")
        data = self._http.request("PUT", path, json=body).data
        uuid = data.get("bulk_uuid") if isinstance(data, Mapping) else None
        if not isinstance(uuid, str):
            raise RequestRefused("the shop queued nothing", path=path)
        ends = self._ends(uuid, len(tasks))
        reasons = {task.id: _reason(*ends[place]) for place, task in enumerate(tasks)}
        open_ones = sum(state == State.OPEN for state, _ in ends.values())
        return Sent(reasons, _stuck(self._http.shop, open_ones, uuid) if open_ones else None)

    def _whole(self, task: Task) -> dict[str, Any]:
        kept = {name: value for name, value in task.row.items() if name not in NOT_SENT_BACK}
        if task.group is not None:
            kept["group_id"] = task.group
        attributes = [*task.theirs(self._required), *task.values]
        return {**kept, "custom_attributes": attributes}

    def _ends(self, uuid: str, count: int) -> Ends:
        """State and message of each operation, when all have ended or none moves any more."""
        ends: Ends = {}
        still, waited, pause = count, 0.0, FIRST_WAIT
        while waited < PATIENCE:
            self._http.wait(pause)
            ends = self._looked_at(uuid, count)
            left = sum(state == State.OPEN for state, _ in ends.values())
            if not left:
                break
            waited = 0.0 if left < still else waited + pause
            still, pause = left, min(pause * 2, LONGEST_WAIT)
        return ends

    def _looked_at(self, uuid: str, count: int) -> Ends:
        """The operations by their place in the lot: the list comes in any order."""
        path = self._api.path(f"bulk/{uuid}/detailed-status")
        try:
            data = self._http.get(path).data
        except AuthenticationError as denied:
            raise _may_not_look(denied) from None
        rows = data.get("operations_list") if isinstance(data, Mapping) else None
        ends: dict[int, tuple[object, object]] = dict.fromkeys(range(count), (State.OPEN, ""))
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping) and row.get("id") in ends:
                ends[row["id"]] = (row.get("status", State.OPEN), row.get("result_message"))
        return ends


def _unconfirmed(tasks: Sequence[Task], error: ConnectorError) -> Sent:
    """The answer may have got lost behind the queue, so nobody knows of these."""
    return Sent({task.id: f"not confirmed: {why(error)}" for task in tasks}, error)


_LOCKED = "the shop's database was too busy with this customer; the next run tries again"


def _reason(state: object, message: object) -> str:
    if state == State.COMPLETE:
        return ""
    if state == State.OPEN:
        return f"not confirmed: still in the shop's queue; does the consumer {CONSUMER} run?"
    return _LOCKED if state == State.RETRIABLE else in_its_words(message)


def _stuck(shop: str, open_ones: int, uuid: str) -> ShopUnavailable:
    return ShopUnavailable(
        f"the shop queued {open_ones} customers and has not got to them in {PATIENCE:.0f} seconds",
        mend=f"Let cron run in the shop, or `bin/magento queue:consumers:start {CONSUMER}`.",
        shop=shop,
        bulk=uuid,
    )


def _may_not_look(denied: AuthenticationError) -> AuthenticationError:
    return AuthenticationError(
        "the role may not see what becomes of queued customers",
        mend="Give the integration the resource Magento_Logging::system_magento_logging_bulk_"
        "operations (System > Integrations > API: Bulk Operations).",
        **denied.evidence,
    )
