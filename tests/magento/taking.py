"""A Magento that is written to, in a few lines: by PUT, by the queue and by our module."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import responses

from connectors.config import ShopSettings
from connectors.http import Http, Retry
from connectors.magento.api import Api
from connectors.magento.push import Writer
from connectors.magento.shown import PREFIX
from connectors.schema import FIELDS, Change

from .conftest import BASE, Reply, as_stored, found, ok, recorded, refused

Customer = dict[str, Any]

AFTER = {
    "tier": "high",
    "predicted_12m": "312.50",
    "p_alive": "0.9312",
    "next_order_date": "2026-12-24",
    "reason": "Bought four times, last week again.",
}
DECIMALS = {PREFIX + name for name, kind in FIELDS.items() if kind in ("money", "number")}
#: What the consumer of 2.4.7-p3 can't do without, or empties where it isn't sent.
WHOLE = {"id", "email", "firstname", "lastname", "website_id", "store_id"}


def customer(number: int, **attributes: str) -> Customer:
    raw = copy.deepcopy(recorded("customers.json")["items"][0])
    values = [{"attribute_code": code, "value": value} for code, value in attributes.items()]
    own = [{"attribute_code": "erp_number", "value": f"ERP-{number}"}]
    named = {"id": number, "email": f"c{number}@example.com", "group_id": 1}
    return {**raw, **named, "custom_attributes": own + values}


def change(number: int, after: dict[str, str] | None = None, **before: str) -> Change:
    return Change("eu", str(number), before=before, after=AFTER if after is None else after)


def values(row: Customer) -> dict[str, Any]:
    return {one["attribute_code"]: one["value"] for one in row.get("custom_attributes", [])}


MODULE = {"version": "1.0.0", "max_limit": 5000, "max_rows": 1000, "attributes": ["clv_tier"]}


@dataclass
class TakingMagento:
    """`refuses` says no to a customer, `harms` does more to one than was asked (after a save).

    The consumer takes up work at the second look; `ends` overrides how an operation ends.
    """

    customers: dict[int, Customer] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=lambda: {PREFIX + name for name in FIELDS})
    required: set[str] = field(default_factory=set)
    module: bool = False
    most_rows: int = 1000
    consumer: bool = True
    refuses: Callable[[int], str] = lambda number: ""
    harms: Callable[[Customer], None] = lambda row: None
    ends: Callable[[int], int | None] = lambda number: None
    rules: list[Callable[[str, str], Reply | None]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    queues: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    looks: int = 0

    def __call__(self, request: Any) -> Reply:
        parts = urlsplit(request.url)
        path = re.sub(r"/rest/all/(async/bulk/)?V1/", r"\1", parts.path)
        self.asked.append((request.method, path))
        for rule in self.rules:
            reply = rule(request.method, path)
            if reply is not None:
                return reply
        if request.body:
            self.sent.append(json.loads(request.body))
            return self.written(request.method, path, json.loads(request.body))
        return self.shown(path, dict(parse_qsl(parts.query)))

    def paths(self, method: str) -> list[str]:
        return [path for used, path in self.asked if used == method]

    def shown(self, path: str, query: dict[str, str]) -> Reply:
        if path == "attributeMetadata/customer":
            rows = [{"attribute_code": code, "required": True} for code in self.required]
            return ok([*rows, {"attribute_code": "erp_number", "required": False}])
        if path == "clv/module":
            return ok(MODULE) if self.module else refused(404, "no such route")
        if path == "clv/customers":
            return ok(self.lean(int(query["after"]), int(query["limit"])))
        if path == "customers/search":
            return ok(found(list(self.customers.values()), query))
        if path.startswith("bulk/"):
            return self.status(path.split("/")[1])
        row = self.customers.get(int(path.removeprefix("customers/")))
        return ok(row) if row else refused(404, "No such entity")

    def lean(self, after: int, limit: int) -> dict[str, Any]:
        ids = sorted(one for one in self.customers if one > after)
        keys = ("id", "group_id")
        items = [
            {**{key: self.customers[one][key] for key in keys}, "custom_attributes": own}
            for one in ids[:limit]
            if (own := [a for a in self.customers[one]["custom_attributes"] if _is_ours(a)]) or True
        ]
        return {"items": items, "last": (ids[:limit] or [after])[-1], "more": len(ids) > limit}

    def written(self, method: str, path: str, body: Any) -> Reply:
        if path == "clv/customers":
            return self.taken_by_module(body["rows"])
        if path == "async/bulk/customers/byCustomerId":
            uuid = f"uuid-{len(self.queues)}"
            self.queues[uuid] = body
            self.looks = 0
            return 202, {}, json.dumps({"bulk_uuid": uuid, "request_items": [], "errors": False})
        number = int(path.removeprefix("customers/"))
        assert body["customer"]["id"] == number
        why = self.refuses(number)
        if why:
            return refused(400, why)
        missing = self.required - values(body["customer"]).keys()
        if missing:
            return refused(400, f'"{min(missing)}" is a required value.')
        self.saved(number, body["customer"])
        return ok(self.customers[number])

    def saved(self, number: int, given: Customer) -> None:
        """Merge; unknown attributes are dropped silently, null removes a value.

        So does "", but not of a decimal: that becomes 0 (seen on 2.4.7-p3).
        """
        row = self.customers[number]
        own = values(row)
        for code, value in values(given).items():
            if code in self.attributes | own.keys():
                own[code] = "0.0000" if value == "" and code in DECIMALS else as_stored(value or "")
        row |= {key: value for key, value in given.items() if key != "custom_attributes"}
        row["updated_at"] = "2026-11-22 12:00:00"
        row["custom_attributes"] = [
            {"attribute_code": code, "value": value} for code, value in own.items() if value != ""
        ]
        self.harms(row)

    def taken_by_module(self, rows: list[dict[str, Any]]) -> Reply:
        if len(rows) > self.most_rows:
            said = {"message": "Maximum items of type %type", "parameters": {"max": self.most_rows}}
            return 400, {}, json.dumps(said)
        told = []
        for row in rows:
            why = self.refuses(row["customer_id"])
            told.append({"customer_id": row["customer_id"], "reason": why})
            told[-1]["status"] = "rejected" if why else "written"
            if not why:
                own = values(self.customers[row["customer_id"]])
                own |= {one["code"]: as_stored(one["value"]) for one in row["values"]}
                self.customers[row["customer_id"]]["custom_attributes"] = [
                    {"attribute_code": code, "value": value} for code, value in own.items() if value
                ]
        return ok(told)

    def status(self, uuid: str) -> Reply:
        self.looks += 1
        done = self.consumer and self.looks > 1
        ends = [self.ended(place, one) if done else (place, 4, None)
                for place, one in enumerate(self.queues[uuid])]  # fmt: skip
        keys = ("id", "status", "result_message")
        rows = [dict(zip(keys, end, strict=True)) for end in reversed(ends)]
        return ok({"operations_list": rows, "operation_count": len(rows)})

    def ended(self, place: int, one: dict[str, Any]) -> tuple[int, int, str | None]:
        number, given = one["customerId"], one["customer"]
        why = self.refuses(number) or ("" if given.keys() >= WHOLE else "something is missing")
        state = self.ends(number) or (3 if why else 1)
        if state == 1:
            self.saved(number, given)
        return place, state, why or None


def _is_ours(attribute: dict[str, Any]) -> bool:
    return str(attribute["attribute_code"]).startswith(PREFIX)


@contextmanager
def served(shop: TakingMagento) -> Iterator[TakingMagento]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "PUT", "POST"):
            mock.add_callback(method, re.compile(rf"{BASE}/rest/all/"), shop)
        yield shop


def writer(
    way: str = "put", *, workers: int = 1, sleep: Callable[[float], None] = lambda seconds: None
) -> Writer:
    http = Http(BASE, shop="eu", retry=Retry(attempts=3), sleep=sleep)
    settings = ShopSettings("eu", "magento", BASE, token="t", write=way, workers=workers)
    return Writer(http, Api(), settings)
