"""The Magento dialect of the sandbox: REST as Magento Open Source 2.4.7-p3 speaks it.

Below the shop's mount: /rest/V1/... and /rest/<store view or all>/V1/... Store scope filters
nothing, as on the real server. Errors, paging and validation follow recordings of one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.books import Books, Row
from connectors.sandbox.magento import search
from connectors.sandbox.magento.auth import Gate
from connectors.sandbox.magento.creditmemos import creditmemo
from connectors.sandbox.magento.customers import customers, put
from connectors.sandbox.magento.errors import MagentoError, internal, no_route, not_found
from connectors.sandbox.magento.fields import keep
from connectors.sandbox.magento.orders import order
from connectors.sandbox.magento.search import Column
from connectors.sandbox.magento.shop import attributes, configs, currency, views, websites

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
_STORE = re.compile(r"(?:(?P<store>[^/]+)/)?V1(?P<path>/.*)")
_STATE = "json_extract(body, '$.state')"
_STATUS = (
    f"CASE {_STATE} WHEN 'open' THEN 'pending' WHEN 'paid' THEN 'processing' "
    "WHEN 'complete' THEN 'complete' WHEN 'cancelled' THEN 'canceled' ELSE 'closed' END"
)
ORDER_COLUMNS = {
    "entity_id": Column("id", "number"), "increment_id": Column("number"),
    "created_at": Column("created_at", "date"), "updated_at": Column("updated_at", "date"),
    "customer_id": Column("customer_id", "number"), "status": Column(_STATUS),
    "store_id": Column("json_extract(body, '$.store_id')", "number"),
    "customer_email": Column("lower(json_extract(body, '$.email'))", "lower"),
    "customer_is_guest": Column("json_extract(body, '$.guest')", "number"),
    "state": Column(f"replace({_STATUS}, 'pending', 'new')"),
    "coupon_code": Column("json_extract(body, '$.coupon')"),
}  # fmt: skip
MEMO_COLUMNS = {
    "entity_id": Column("id", "number"), "order_id": Column("order_id", "number"),
    "created_at": Column("created_at", "date"), "updated_at": Column("updated_at", "date"),
}  # fmt: skip
CUSTOMER_COLUMNS = {
    "entity_id": Column("id", "number"), "email": Column("lower(email)", "lower"),
    "firstname": Column("first_name"), "lastname": Column("last_name"),
    "created_at": Column("created_at", "date"), "updated_at": Column("updated_at", "date"),
    "website_id": Column("website_id", "number"), "store_id": Column("store_id", "number"),
    "group_id": Column("group_id", "number"),
}  # fmt: skip


class Call(NamedTuple):
    """One request as the endpoints see it."""

    books: Books
    shop: Row
    request: Request
    body: bytes
    ids: Mapping[str, str]


class Endpoint(NamedTuple):
    method: str
    path: re.Pattern[str]
    resource: str | None
    """The right it needs; None for those open to everyone."""
    answer: Callable[[Call], Any]


def routes(books: Books, shop: str) -> list[BaseRoute]:
    """The routes of one shop, to be mounted under its name."""
    gate = Gate()

    async def rest(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, books, shop, gate, request, body)

    return [Route("/rest/{path:path}", rest, methods=_METHODS)]


def _answer(books: Books, name: str, gate: Gate, request: Request, body: bytes) -> Response:
    if request.method not in ("GET", "POST", "PUT", "DELETE"):
        return _unsupported(request.method)
    try:
        shop = books.shop(name)
        endpoint, ids = _found(request, shop)
        if endpoint.resource:
            gate.admit(request, endpoint.resource, shop["settings"].get("resources"))
        answer = endpoint.answer(Call(books, shop, request, body, ids))
    except MagentoError as error:
        return JSONResponse(error.body, error.status)
    return JSONResponse(keep(answer, request.query_params.get("fields", "")))


def _unsupported(method: str) -> Response:
    if method == "HEAD":
        return Response(status_code=405)
    return JSONResponse({"message": f"The {method} HTTP method is not supported."}, 405)


def _found(request: Request, shop: Row) -> tuple[Endpoint, Mapping[str, str]]:
    """The endpoint of a path. An unknown store is a 400, an unknown route or method a 404."""
    parts = _STORE.fullmatch(request.path_params["path"])
    if parts is None:
        raise no_route()
    codes = {"all", *(view["code"] for view in shop["settings"]["store_views"])}
    if parts["store"] is not None and parts["store"] not in codes:
        raise MagentoError(400, "Specified request cannot be processed.")
    for endpoint in ENDPOINTS:
        found = endpoint.path.fullmatch(parts["path"])
        if found and endpoint.method == request.method:
            return endpoint, found.groupdict()
    raise no_route()


# ------------------------------------------------------------------------------- the endpoints


def _page(call: Call, table: str, columns: Mapping[str, Column]) -> tuple[list[Row], Any]:
    """Rows of a table as the search criteria want them, and the answer's frame around them.

    Raises KeyError for a field that the table doesn't have.
    """
    criteria = search.parse(call.request.url.query, call.shop["settings"]["page_limit"])
    condition, values = search.where(criteria, columns)
    order_by = search.order_by(criteria, columns, "id")
    size, offset = criteria.window()
    scope = f"FROM {table} WHERE shop = ? AND {condition}"
    given = [call.shop["shop"], *values]
    rows = call.books.query(
        f"SELECT * {scope} ORDER BY {order_by} LIMIT ? OFFSET ?",
        [*given, size, offset],
    )
    total = call.books.scalar(f"SELECT COUNT(*) {scope}", given)
    return rows, {"search_criteria": criteria.echo(), "total_count": total}


def _orders(call: Call) -> Any:
    try:
        rows, frame = _page(call, "orders", ORDER_COLUMNS)
    except KeyError as unknown:
        raise internal(str(unknown)) from None
    return {"items": _rendered(call, rows), **frame}


def _order(call: Call) -> Any:
    row = call.books.order(call.shop["shop"], int(call.ids["id"]))
    if row is None:
        message = "The entity that was requested doesn't exist. Verify the entity and try again."
        raise MagentoError(404, message)
    return _rendered(call, [row])[0]


def _rendered(call: Call, rows: list[Row]) -> list[dict[str, Any]]:
    refunds = call.books.refunds_of(call.shop["shop"], [row["id"] for row in rows])
    return [order(row, refunds[row["id"]], call.shop) for row in rows]


def _creditmemos(call: Call) -> Any:
    try:
        rows, frame = _page(call, "refunds", MEMO_COLUMNS)
    except KeyError as unknown:
        raise internal(str(unknown)) from None
    found = (call.books.order(call.shop["shop"], row["order_id"]) for row in rows)
    items = [creditmemo(row, of, call.shop) for row, of in zip(rows, found, strict=True) if of]
    return {"items": items, **frame}


def _customers(call: Call) -> Any:
    try:
        rows, frame = _page(call, "customers", _customer_columns(call))
    except KeyError as unknown:
        message = 'The "%1" attribute name is invalid. Reset the name and try again.'
        raise MagentoError(400, message, [unknown.args[0]]) from None
    return {"items": customers(call.books, call.shop, rows), **frame}


def _customer_columns(call: Call) -> dict[str, Column]:
    """The entity's own fields and the custom attributes, which can be searched too."""
    own = {
        definition["name"]: Column(
            "(SELECT value FROM customer_values v WHERE v.shop = customers.shop AND "  # noqa: S608
            f"v.customer_id = customers.id AND v.name = '{definition['name']}')"
        )
        for definition in call.books.definitions(call.shop["shop"])
    }
    return {**CUSTOMER_COLUMNS, **own}


def _customer(call: Call) -> Any:
    row = call.books.customer(call.shop["shop"], int(call.ids["id"]))
    if row is None:
        raise not_found("customerId", int(call.ids["id"]))
    return customers(call.books, call.shop, [row])[0]


def _put_customer(call: Call) -> Any:
    if not call.request.headers.get("content-type"):
        raise MagentoError(400, "Content-Type header is empty.")
    try:
        payload = json.loads(call.body)
    except ValueError:
        raise MagentoError(400, "Decoding error.") from None
    return put(call.books, call.shop, int(call.ids["id"]), payload)


def _put_me(call: Call) -> Any:
    """An integration is nobody's customer."""
    raise MagentoError(400, "The customer email is missing. Enter and try again.")


def _endpoint(method: str, path: str, resource: str | None, answer: Any) -> Endpoint:
    pattern = re.escape(path).replace(":id", r"(?P<id>\d+)")
    return Endpoint(method, re.compile(pattern), resource, answer)


ENDPOINTS = (
    _endpoint("GET", "/orders", "Magento_Sales::actions_view", _orders),
    _endpoint("GET", "/orders/:id", "Magento_Sales::actions_view", _order),
    _endpoint("GET", "/creditmemos", "Magento_Sales::sales_creditmemo", _creditmemos),
    _endpoint("GET", "/customers/search", "Magento_Customer::customer", _customers),
    _endpoint("GET", "/customers/:id", "Magento_Customer::customer", _customer),
    _endpoint("PUT", "/customers/me", "Magento_Customer::manage", _put_me),
    _endpoint("PUT", "/customers/:id", "Magento_Customer::manage", _put_customer),
    _endpoint("GET", "/attributeMetadata/customer", "Magento_Customer::customer",
              lambda call: attributes(call.books, call.shop, system=True)),
    _endpoint("GET", "/attributeMetadata/customer/custom", "Magento_Customer::customer",
              lambda call: attributes(call.books, call.shop, system=False)),
    _endpoint("GET", "/store/storeViews", "Magento_Backend::store", lambda call: views(call.shop)),
    _endpoint("GET", "/store/websites", "Magento_Backend::store",
              lambda call: websites(call.shop)),
    _endpoint("GET", "/store/storeConfigs", "Magento_Backend::store",
              lambda call: configs(call.shop, str(call.request.base_url))),
    _endpoint("GET", "/directory/currency", None, lambda call: currency(call.shop)),
)  # fmt: skip
