"""The asynchronous bulk API: takes everything, does nothing until its consumer runs.

As recorded on 2.4.7-p3: whatever parses is "accepted", an unknown field refuses the whole bulk, the
list of operations is in no order, and the consumer merges nothing.
https://developer.adobe.com/commerce/webapi/rest/use-rest/bulk-endpoints/ (read 2026-11-23)
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from connectors.sandbox.books import Books, Row
from connectors.sandbox.magento.calls import Call, Endpoint, endpoint
from connectors.sandbox.magento.errors import MagentoError
from connectors.sandbox.magento.saving import consume, given_customer
from connectors.sandbox.magento.setup import setup_of

TOPIC = "async.magento.customer.api.customerrepositoryinterface.save.put"
COMPLETE, RETRIABLE, FAILED, OPEN, REJECTED = 1, 2, 3, 4, 5
_DONE = (
    "Service execution success "
    "Magento\\Customer\\Model\\ResourceModel\\CustomerRepository\\Interceptor::save"
)
_LOCKED = (
    "SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded; try restarting transaction"
)
_ENDS = {RETRIABLE: (_LOCKED, 1205), REJECTED: (None, 0)}

Operation = dict[str, Any]


def _accept(call: Call) -> Any:
    """202 for every list of customers whose fields are known."""
    payload = call.payload()
    if not isinstance(payload, list) or not all(isinstance(one, dict) for one in payload):
        message = "An error has happened during application run. See exception log for details.\n"
        raise MagentoError.plain(500, message)
    for one in payload:
        given_customer(one)
    fresh = str(uuid.uuid4())
    operations = [
        {"id": n, "sent": one, "status": OPEN, "result_message": None, "error_code": None}
        for n, one in enumerate(payload)
    ]
    row = {"shop": call.name, "uuid": fresh, "polls": 0, "started_at": call.books.now()}
    call.books.insert("bulks", [{**row, "body": operations}])
    if call.setup.bulk_after_polls == 0:
        _run(call.books, call.shop, fresh, operations)
    items = [
        {"id": n, "data_hash": hashlib.sha256(json.dumps(one).encode()).hexdigest(),
         "status": "accepted"} for n, one in enumerate(payload)
    ]  # fmt: skip
    return {"bulk_uuid": fresh, "request_items": items, "errors": False}


def _run(books: Books, shop: Row, bulk: str, operations: Sequence[Operation]) -> None:
    """The consumer: one operation after the other, each for itself."""
    done = [{**one, **_outcome(books, shop, one["sent"])} for one in operations]
    books.execute(
        "UPDATE bulks SET body = ? WHERE shop = ? AND uuid = ?",
        (json.dumps(done), shop["shop"], bulk),
    )


def _outcome(books: Books, shop: Row, sent: dict[str, Any]) -> Operation:
    end = setup_of(shop).bulk_ends.get(str(sent.get("customerId")))
    if end in (FAILED, RETRIABLE, REJECTED):
        message, code = _ENDS.get(end, ("Unknown Error", 0))
        return {"status": end, "result_message": message, "error_code": code}
    if end == OPEN:
        return {}
    try:
        consume(books, shop, given_customer(sent))
    except MagentoError as error:
        return {"status": FAILED, "result_message": str(error), "error_code": 0}
    return {"status": COMPLETE, "result_message": _DONE, "error_code": None}


def _asked(call: Call) -> Row:
    """The bulk as it stands; each look brings the consumer nearer. Raises MagentoError (404)."""
    where, values = "shop = ? AND uuid = ?", (call.name, call.ids["bulk"])
    rows = call.books.query(f"SELECT * FROM bulks WHERE {where}", values)  # noqa: S608  a constant
    if not rows:
        raise MagentoError(404, "Bulk uuid %bulkUuid not exist", {"bulkUuid": call.ids["bulk"]})
    call.books.execute(f"UPDATE bulks SET polls = polls + 1 WHERE {where}", values)  # noqa: S608
    if rows[0]["polls"] + 1 == call.setup.bulk_after_polls:
        _run(call.books, call.shop, rows[0]["uuid"], rows[0]["body"])
    return rows[0]


def _summary(call: Call) -> Any:
    bulk = _asked(call)
    names = ("id", "status", "result_message", "error_code")
    shown = [{name: one[name] for name in names} for one in _unsorted(bulk["body"])]
    return _frame(bulk, shown)


def _detailed(call: Call) -> Any:
    bulk = _asked(call)
    return _frame(bulk, [_detail(bulk["uuid"], one) for one in _unsorted(bulk["body"])])


def _detail(bulk: str, one: Operation) -> dict[str, Any]:
    sent = {"entity_id": None, "entity_link": "", "meta_information": json.dumps(one["sent"]),
            "store_id": "1"}  # fmt: skip
    return {
        "id": one["id"], "bulk_uuid": bulk, "topic_name": TOPIC,
        "serialized_data": json.dumps(sent), "result_serialized_data": None,
        "status": one["status"], "result_message": one["result_message"],
        "error_code": one["error_code"],
    }  # fmt: skip


def _unsorted(operations: Sequence[Operation]) -> Iterator[Operation]:
    """In no order that a reader could rely on, and the same at every look."""
    yield from sorted(operations, key=lambda one: (one["status"], -one["id"] % 3, one["id"]))


def _frame(bulk: Row, shown: Sequence[Any]) -> dict[str, Any]:
    return {
        "operations_list": shown, "user_type": 1, "bulk_id": bulk["uuid"],
        "description": f"Topic {TOPIC}", "start_time": bulk["started_at"], "user_id": 1,
        "operation_count": len(shown),
    }  # fmt: skip


def _count(call: Call) -> int:
    return sum(one["status"] == int(call.ids["id"]) for one in _asked(call)["body"])


_MONITOR = "Magento_Logging::system_magento_logging_bulk_operations"
ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint("PUT", "/customers/byCustomerId", "Magento_Customer::manage", _accept)._replace(
        bulk=True, status=202
    ),
    endpoint("GET", "/bulk/:bulk/status", _MONITOR, _summary),
    endpoint("GET", "/bulk/:bulk/detailed-status", _MONITOR, _detailed),
    endpoint("GET", "/bulk/:bulk/operation-status/:id", _MONITOR, _count),
)
