"""Our module's export (`magento-module/`): the rows that the stock routes give, without their load.

The stock route loads every order's addresses, payment and history one by one; the export reads a
page in a handful of statements. Rows carry the stock routes' field names, so one parser reads both.
Where the shop has set an e-mail key, e-mails come as the keys that we would have made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.errors import ConfigurationError, PayloadError, RequestRefused
from connectors.http import AnswerRefused, Http
from connectors.identity import EmailHasher
from connectors.magento.fields import Fields
from connectors.magento.search import Filter
from connectors.magento.walk import HIGHEST_ID, Served
from connectors.platform import Placed

#: The module serves 5,000 rows at once; 2,000 lose little and keep a few pages small in memory.
PAGE_SIZE = 2000

NONE = Placed(0, Decimal(0))

#: The window's filters by their names here.
BOUNDS = {
    ("created_at", "gteq"): "created_from",
    ("updated_at", "gteq"): "updated_from",
    ("updated_at", "lteq"): "updated_to",
}


@dataclass(frozen=True, slots=True)
class Module:
    """What the module says of itself. `fingerprint` is that of its e-mail key, "" for none."""

    fingerprint: str
    max_limit: int


def ask_module(http: Http, path: str) -> Module | None:
    """The module, where the shop has it: elsewhere its route is unknown."""
    try:
        data = http.get(path).data
    except AnswerRefused as refused:
        if refused.status == 404:
            return None
        raise
    told = data if isinstance(data, Mapping) else {}
    fingerprint, limit = told.get("email_key_fingerprint", ""), told.get("max_limit")
    if not isinstance(fingerprint, str) or type(limit) is not int or limit < 1:
        raise _odd(path)
    return Module(fingerprint, limit)


def check_key(module: Module, hasher: EmailHasher, shop: str) -> None:
    """Keys made there and keys made here have to be the same persons."""
    if module.fingerprint not in ("", hasher.fingerprint):
        raise ConfigurationError(
            "the shop's module hashes e-mails with another key than ours",
            mend="Set CLV_EMAIL_KEY to the key that the module has, or give the module ours"
            " (Stores > Configuration > Customers > Customer Value > Privacy), or none.",
            shop=shop,
            theirs=module.fingerprint,
            ours=hasher.fingerprint,
        )


def months(http: Http, path: str) -> dict[date, Placed]:
    """How many orders were placed in each month (UTC) and what they come to, in all currencies."""
    found: dict[date, Placed] = {}
    try:
        for row in Fields({"rows": http.get(path).data}).rows("rows"):
            month = date.fromisoformat(f"{row.text('month')}-01")
            known = found.get(month, NONE)
            total = (known.total or 0) + row.money("base_total_value")
            found[month] = Placed(known.orders + row.number("orders"), total)
    except (PayloadError, ValueError):
        raise _odd(path) from None
    return found


class Export:
    """One collection of the export, filtered: a `walk.Route`."""

    def __init__(
        self,
        http: Http,
        path: str,
        *,
        filters: Sequence[Filter] = (),
        id_field: str = "entity_id",
        size: int = PAGE_SIZE,
    ) -> None:
        self._http = http
        self._filters = [(BOUNDS[one.field, one.condition], one.value) for one in filters]
        self.path = path
        self.id_field = id_field
        self.size = size

    def page(self, after: int, to: int, size: int, attempts: int | None = None) -> Served:
        bounds = [("after", str(after)), ("limit", str(size))]
        if to < HIGHEST_ID:
            bounds.append(("to", str(to)))
        answer = self._http.get(self.path, params=[*bounds, *self._filters], attempts=attempts)
        data: Any = answer.data if isinstance(answer.data, dict) else {}
        rows, more = data.get("items"), data.get("more")
        if not isinstance(rows, list) or not isinstance(more, bool) or more > bool(rows):
            raise _odd(self.path)
        wanted = [row for row in rows if not self._is_above(row, to)]
        return Served(wanted, more and len(wanted) == len(rows))

    def _is_above(self, row: Any, to: int) -> bool:
        """Customers have no `to` there, so their last page may reach beyond it."""
        row_id = row.get(self.id_field) if isinstance(row, dict) else None
        return isinstance(row_id, int) and row_id > to


def _odd(path: str) -> RequestRefused:
    return RequestRefused(
        "the module's answer can't be read",
        mend="Is its version that of this connector? Install magento-module/ anew.",
        path=path,
    )
