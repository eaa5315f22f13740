"""The stock routes: orders, credit memos, customers, and what the shop tells of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.books import Row
from connectors.sandbox.magento import search
from connectors.sandbox.magento.calls import Call, Endpoint, endpoint
from connectors.sandbox.magento.creditmemos import creditmemo
from connectors.sandbox.magento.customers import customers
from connectors.sandbox.magento.errors import MagentoError, internal, not_found
from connectors.sandbox.magento.orders import order
from connectors.sandbox.magento.saving import put
from connectors.sandbox.magento.search import Column
from connectors.sandbox.magento.shop import (
    GROUPS,
    attributes,
    configs,
    currency,
    views,
    websites,
)

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


def _page(call: Call, table: str, columns: Mapping[str, Column]) -> tuple[list[Row], Any]:
    """Rows of a table as the search criteria want them, and the answer's frame around them.

    Raises KeyError for a field that the table doesn't have.
    """
    criteria = search.parse(call.request.url.query, call.setup.page_limit)
    condition, values = search.where(criteria, columns)
    order_by = search.order_by(criteria, columns, "id")
    scope = f"FROM {table} WHERE shop = ? AND {condition}"
    given = [call.name, *values]
    total = call.books.scalar(f"SELECT COUNT(*) {scope}", given)
    size, offset = criteria.window(total if call.setup.repeats_last_page else None)
    rows = call.books.query(
        f"SELECT * {scope} ORDER BY {order_by} LIMIT ? OFFSET ?",
        [*given, size, offset],
    )
    return rows, {"search_criteria": criteria.echo(), "total_count": total}


def _orders(call: Call) -> Any:
    try:
        rows, frame = _page(call, "orders", ORDER_COLUMNS)
    except KeyError as unknown:
        raise internal(str(unknown)) from None
    return {"items": _rendered(call, rows), **frame}


def _order(call: Call) -> Any:
    row = call.books.order(call.name, int(call.ids["id"]))
    if row is None:
        message = "The entity that was requested doesn't exist. Verify the entity and try again."
        raise MagentoError(404, message)
    return _rendered(call, [row])[0]


def _rendered(call: Call, rows: Sequence[Row]) -> list[dict[str, Any]]:
    ids = [row["id"] for row in rows]
    if not {*ids}.isdisjoint(call.setup.broken_orders):
        raise internal("a product that is gone")
    refunds = call.books.refunds_of(call.name, ids)
    return [order(row, refunds[row["id"]], call.shop) for row in rows]


def _creditmemos(call: Call) -> Any:
    try:
        rows, frame = _page(call, "refunds", MEMO_COLUMNS)
    except KeyError as unknown:
        raise internal(str(unknown)) from None
    found = (call.books.order(call.name, row["order_id"]) for row in rows)
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
        for definition in call.books.definitions(call.name)
    }
    return {**CUSTOMER_COLUMNS, **own}


def _customer(call: Call) -> Any:
    row = call.books.customer(call.name, int(call.ids["id"]))
    if row is None:
        raise not_found("customerId", int(call.ids["id"]))
    return customers(call.books, call.shop, [row])[0]


def _confirmation(call: Call) -> Any:
    _customer(call)
    return "account_confirmation_not_required"


def _put_customer(call: Call) -> Any:
    return put(call.books, call.shop, int(call.ids["id"]), call.payload())


def _put_me(call: Call) -> Any:
    """An integration is nobody's customer."""
    raise MagentoError(400, "The customer email is missing. Enter and try again.")


def _groups(call: Call) -> Any:
    criteria = search.parse(call.request.url.query, call.setup.page_limit)
    return {"items": GROUPS, "search_criteria": criteria.echo(), "total_count": len(GROUPS)}


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint("GET", "/orders", "Magento_Sales::actions_view", _orders),
    endpoint("GET", "/orders/:id", "Magento_Sales::actions_view", _order),
    endpoint("GET", "/creditmemos", "Magento_Sales::sales_creditmemo", _creditmemos),
    endpoint("GET", "/customers/search", "Magento_Customer::customer", _customers),
    endpoint("GET", "/customers/:id", "Magento_Customer::customer", _customer),
    endpoint("GET", "/customers/:id/confirm", "Magento_Customer::manage", _confirmation),
    endpoint("PUT", "/customers/me", "Magento_Customer::manage", _put_me),
    endpoint("PUT", "/customers/:id", "Magento_Customer::manage", _put_customer),
    endpoint("GET", "/customerGroups/search", "Magento_Customer::group", _groups),
    endpoint("GET", "/attributeMetadata/customer", "Magento_Customer::customer",
             lambda call: attributes(call.books, call.shop, system=True)),
    endpoint("GET", "/attributeMetadata/customer/custom", "Magento_Customer::customer",
             lambda call: attributes(call.books, call.shop, system=False)),
    endpoint("GET", "/store/storeViews", "Magento_Backend::store", lambda call: views(call.shop)),
    endpoint("GET", "/store/websites", "Magento_Backend::store",
             lambda call: websites(call.shop)),
    endpoint("GET", "/store/storeConfigs", "Magento_Backend::store",
             lambda call: configs(call.shop, str(call.request.base_url))),
    endpoint("GET", "/directory/currency", None, lambda call: currency(call.shop)),
)  # fmt: skip
