"""Our module's bulk route: values go into the database in one transaction, round customer saves.

So there are no e-mails, no address is checked, `updated_at` and the group stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import AuthenticationError, ConnectorError, RequestRefused, ShopUnavailable
from connectors.http import AnswerRefused, Http
from connectors.magento.api import Api
from connectors.magento.push.reading import customers
from connectors.magento.push.task import Row, Sent, Task, in_its_words, why

MOST_ROWS = 1000  # the route takes no more in one call
FEWEST_READ = 100
SPARSE = 20  # from one wanted customer in so many on, each is found rather than all read
REJECTED = "rejected"


class Module:
    """Writes by the module, and reads by it where the ids lie close together."""

    name = "module"
    batch_size = MOST_ROWS

    def __init__(self, http: Http, api: Api) -> None:
        self._http = http
        self._api = api
        self._most = MOST_ROWS

    def send(self, tasks: Sequence[Task]) -> Sent:
        reasons: dict[str, str] = {}
        rest = [task for task in tasks if task.values]
        while rest:
            lot, rest = rest[: self._most], rest[self._most :]
            try:
                reasons |= _told(lot, self._posted(lot))
            except AnswerRefused as refused:
                most = _smaller_lot(refused, len(lot))
                if most is None:
                    return _ended(reasons, lot, refused)
                self._most, rest = most, [*lot, *rest]
            except AuthenticationError as denied:
                return _ended(reasons, lot, _may_not_write(denied, self._http.shop))
            except (ShopUnavailable, RequestRefused) as error:
                return _ended(reasons, lot, error)
        return Sent({task.id: "" for task in tasks} | reasons)

    def read(self, ids: Sequence[str]) -> dict[str, Row]:
        """The customers of these ids: our values and the group, at least."""
        wanted = sorted(map(int, ids))
        if not wanted or wanted[-1] - wanted[0] >= SPARSE * len(wanted):
            return customers(self._http, self._api, ids)
        found: dict[str, Row] = {}
        while wanted:
            limit = min(max(len(wanted), FEWEST_READ), MOST_ROWS)
            last, more, rows = self._page(wanted[0] - 1, limit)
            found |= {str(row.get("id")): row for row in rows}
            wanted = [one for one in wanted if one > last] if more else []
        return {one: found[one] for one in ids if one in found}

    def _posted(self, lot: Sequence[Task]) -> list[Any]:
        rows = [{"customer_id": int(task.id), "values": _values(task)} for task in lot]
        path = self._api.path("clv/customers")
        answer = self._http.request("POST", path, json={"rows": rows}).data
        if not isinstance(answer, list):
            raise _odd(path)
        return answer

    def _page(self, after: int, limit: int) -> tuple[int, bool, list[Row]]:
        """The last id served, whether there are more, and the rows."""
        path = self._api.path("clv/customers")
        params = [("after", str(after)), ("limit", str(limit))]
        data = self._http.get(path, params=params).data
        last = data.get("last") if isinstance(data, Mapping) else None
        if type(last) is not int or not isinstance(data.get("items"), list):
            raise _odd(path)
        if data.get("more") and last <= after:
            raise _odd(path)  # the same page for ever
        rows = [row for row in data["items"] if isinstance(row, Mapping)]
        return last, bool(data.get("more")), rows


def _ended(reasons: Mapping[str, str], lot: Sequence[Task], error: ConnectorError) -> Sent:
    return Sent({**reasons, **{task.id: why(error) for task in lot}}, error)


def _values(task: Task) -> list[dict[str, str | None]]:
    return [{"code": one["attribute_code"], "value": one["value"] or ""} for one in task.values]


def _told(lot: Sequence[Task], answer: Sequence[Any]) -> dict[str, str]:
    """The reason of each customer; one of whom the answer says nothing is judged by what shows."""
    reasons = {task.id: "" for task in lot}
    for row in answer:
        if isinstance(row, Mapping) and row.get("status") == REJECTED:
            reasons[str(row.get("customer_id"))] = in_its_words(row.get("reason"))
    return reasons


def _smaller_lot(refused: AnswerRefused, size: int) -> int | None:
    """How many rows to send instead, where their number was the reason.

    Shops may limit lists in a body (Stores > Configuration > Services > Web API > Input Limiting:
    `parameters.max`), web servers the body itself (413).
    https://developer.adobe.com/commerce/webapi/get-started/api-security/ (read 2026-11-23)
    """
    if refused.status == 413:
        return size // 2 or None
    parameters = refused.data.get("parameters") if isinstance(refused.data, Mapping) else None
    limit = parameters.get("max") if isinstance(parameters, Mapping) else None
    return limit if type(limit) is int and 0 < limit < size else None


def _may_not_write(denied: AuthenticationError, shop: str) -> AuthenticationError:
    return AuthenticationError(
        "the role may not write by the module",
        mend="Give the integration the resource ClvSync_CustomerClv::write (System > Integrations"
        f" > API), or set CLV_{shop.upper()}_WRITE=put.",
        **denied.evidence,
    )


def _odd(path: str) -> RequestRefused:
    return RequestRefused(
        "the module's answer can't be read",
        mend="Is its version that of this connector? Install magento-module/ anew.",
        path=path,
    )
