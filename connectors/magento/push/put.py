"""One customer, one synchronous PUT with nothing but our attributes in it.

Fields that are left out keep their value since 2.4.1. Magento saves the whole customer for it:
addresses are checked anew (a bad old one refuses the customer), and where VAT numbers are checked
the group may move. Required attributes have to be sent along, as they are.
https://developer.adobe.com/commerce/webapi/rest/ (read 2026-11-21); `UpdateCustomer` and
`CustomerRepository::save` of 2.4.7-p3 (read 2026-11-23)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from connectors.errors import AuthenticationError, ConnectorError, ShopUnavailable
from connectors.http import AnswerRefused, Http
from connectors.magento.api import Api
from connectors.magento.push.task import Sent, Task, is_about_the_shop, why

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

        def put(task: Task) -> tuple[str, str] | None:
            if self._gate.closed_by:
                return None
            error = self._put(task)
            self._gate.heard(error)
            return task.id, why(error)

        if len(tasks) == 1 or self._workers == 1:
            told = [put(task) for task in tasks]
        else:
            with ThreadPoolExecutor(self._workers, thread_name_prefix="put") as pool:
                told = list(pool.map(put, tasks))
        return Sent(dict(one for one in told if one), self._gate.closed_by)

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
