"""One customer, one synchronous PUT with nothing but our attributes in it.

Fields that are left out keep their value since 2.4.1. Magento saves the whole customer for it:
addresses are checked anew (a bad old one refuses the customer), and where VAT numbers are checked
the group may move. Required attributes have to be sent along, as they are.
https://developer.adobe.com/commerce/webapi/rest/ (read 2026-11-21); `UpdateCustomer` and
`CustomerRepository::save` of 2.4.7-p3 (read 2026-11-23)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from threading import Lock
from typing import Any

from connectors.errors import AuthenticationError, ConnectorError, ShopUnavailable
from connectors.http import AnswerRefused, Http
from connectors.magento.api import Api
from connectors.magento.push.task import Sent, Task, is_about_the_shop, why
from connectors.magento.workers import Crew

Told = tuple[str, str]

FAILURES = 3  # customers in a row on whom the shop fails, before we take the shop to be down


class Put:
    """Up to `workers` customers side by side; `required` are the codes that go along."""

    name = "put"
    batch_size = 50
    canaries = 1

    def __init__(self, http: Http, api: Api, workers: int, required: Collection[str]) -> None:
        self._http = http
        self._api = api
        self._workers = workers
        self._required = required
        self._gate = _Gate()

    def send(self, tasks: Sequence[Task]) -> Sent:
        self._gate.open()
        lots = map(self._told, tasks)
        if len(tasks) == 1 or self._workers == 1:
            told = [one for lot in lots for one in lot]
        else:
            told = list(self._crew(lots).pieces())
        return Sent(dict(told), self._gate.closed_by)

    def _crew(self, lots: Iterator[Iterator[Told]]) -> Crew[Told, Told]:
        """All at once; fewer while the shop asks for a wait. A wish to stop ends their waiting."""
        return Crew(
            lambda: next(lots, None),
            self._workers,
            lambda told: told,
            timed=lambda told: False,
            begins_with=self._workers,
        )

    def _told(self, task: Task) -> Iterator[Told]:
        """The customer, and why it failed; nothing where nothing is sent any more."""
        if not self._gate.closed_by:
            error = self._put(task)
            self._gate.heard(error)
            yield task.id, why(error)

    def _put(self, task: Task) -> ConnectorError | None:
        path = self._api.path(f"customers/{task.id}")
        try:
            self._http.request("PUT", path, json={"customer": self._body(task)})
        except (AnswerRefused, ShopUnavailable, AuthenticationError) as error:
            return error
        return None

    def _body(self, task: Task) -> dict[str, Any]:
        attributes = [*task.theirs(self._required), *task.values]
        body: dict[str, Any] = {"id": int(task.id), "custom_attributes": attributes}
        return body if task.group is None else {**body, "group_id": task.group}


class _Gate:
    """Closes when the shop as a whole says no, or fails on several customers in a row."""

    def __init__(self) -> None:
        self.closed_by: ConnectorError | None = None
        self._failures = 0
        self._lock = Lock()

    def open(self) -> None:
        """For another lot; failures in a row are counted on over the lots."""
        self.closed_by = None

    def heard(self, error: ConnectorError | None) -> None:
        with self._lock:
            self._failures = self._failures + 1 if isinstance(error, ShopUnavailable) else 0
            if error and (self._failures >= FAILURES or is_about_the_shop(error)):
                self.closed_by = self.closed_by or error
