"""Our own module's routes, `/V1/clv/...`: lean rows by keyset, values in batches.

Rows carry the stock routes' field names and what the database holds: amounts as text with four
decimals, row totals before discounts. Nothing of them names or places a person.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.identity import EmailHasher
from connectors.sandbox.books import Row
from connectors.sandbox.magento.calls import Call, Endpoint, endpoint
from connectors.sandbox.magento.creditmemos import creditmemo
from connectors.sandbox.magento.errors import MagentoError
from connectors.sandbox.magento.orders import order
from connectors.sandbox.magento.saving import attribute_value
from connectors.sandbox.magento.shop import base_currency, website_of

VERSION = "1.1.0"
MOST_LIMIT = 5000
MOST_ROWS = 1000

_ORDER = (
    "entity_id", "increment_id", "state", "status", "store_id", "created_at", "updated_at",
    "customer_id", "customer_is_guest", "customer_email", "coupon_code", "base_currency_code",
)  # fmt: skip
_ORDER_AMOUNTS = (
    "base_to_global_rate", "base_grand_total", "base_subtotal", "base_discount_amount",
    "base_discount_tax_compensation_amount", "base_shipping_discount_tax_compensation_amnt",
    "base_tax_amount", "base_shipping_amount", "base_total_paid", "base_subtotal_invoiced",
    "base_discount_invoiced", "base_discount_tax_compensation_invoiced", "base_total_canceled",
    "base_shipping_canceled", "base_total_refunded", "base_subtotal_refunded",
    "base_discount_refunded", "base_discount_tax_compensation_refunded", "base_tax_refunded",
    "base_shipping_refunded", "base_adjustment_positive", "base_adjustment_negative",
)  # fmt: skip
_ITEM = ("item_id", "parent_item_id", "sku", "product_id", "product_type")
_ITEM_AMOUNTS = (
    "qty_ordered", "base_row_total", "base_row_total_incl_tax", "base_tax_amount",
    "base_discount_amount", "base_discount_tax_compensation_amount", "base_cost",
)  # fmt: skip
_MEMO = ("entity_id", "order_id", "created_at", "updated_at", "base_currency_code")
_MEMO_AMOUNTS = (
    "base_grand_total", "base_subtotal", "base_discount_amount",
    "base_discount_tax_compensation_amount", "base_tax_amount", "base_shipping_amount",
    "base_adjustment_positive", "base_adjustment_negative",
)  # fmt: skip

_BOUNDS = {
    "to": "id <= ?", "created_from": "created_at >= ?", "updated_from": "updated_at >= ?",
    "updated_to": "updated_at <= ?",
}  # fmt: skip
_DECIMAL = re.compile(r"-?\d{1,16}(\.\d{1,4})?")
_STAMP = "%Y-%m-%d %H:%M:%S"


def _info(call: Call) -> Any:
    hasher = _hasher(call)
    return {
        "version": VERSION, "max_limit": MOST_LIMIT, "max_rows": MOST_ROWS,
        "email_key_fingerprint": hasher.fingerprint if hasher else "",
        "attributes": [*_types(call)],
    }  # fmt: skip


def _types(call: Call) -> dict[str, str]:
    """The module's attributes that exist: code -> backend type."""
    prefix = call.setup.attribute_prefix
    definitions = call.books.definitions(call.name)
    return {row["name"]: row["type"] for row in definitions if row["name"].startswith(prefix)}


def _hasher(call: Call) -> EmailHasher | None:
    key = call.setup.email_key
    return EmailHasher(key.encode()) if key else None


# ------------------------------------------------------------------------------------- reading


def _orders(call: Call) -> Any:
    rows, frame = _page(call, "orders", _BOUNDS)
    refunds = call.books.refunds_of(call.name, [row["id"] for row in rows])
    hasher = _hasher(call)
    items = [_order(row, refunds[row["id"]], call.shop, hasher) for row in rows]
    return {"items": items, **frame}


def _order(row: Row, refunds: list[Row], shop: Row, hasher: EmailHasher | None) -> dict[str, Any]:
    whole = order(row, refunds, shop, shown="database")
    lean = _lean(whole, _ORDER, _ORDER_AMOUNTS)
    lean["items"] = [_lean(item, _ITEM, _ITEM_AMOUNTS) for item in whole["items"]]
    lean["country_id"] = _country(whole)
    if "customer_id" in lean:
        del lean["customer_email"]
    elif hasher:
        website = str(website_of(shop, whole["store_id"]))
        key = hasher.person_key(lean.pop("customer_email"), website)
        lean["customer_email_key"] = key
    return lean


def _country(whole: Mapping[str, Any]) -> str:
    """Where the order was sent, else billed to: all that leaves the shop of an address."""
    (assigned,) = whole["extension_attributes"]["shipping_assignments"]
    sent: str = assigned["shipping"].get("address", whole["billing_address"])["country_id"]
    return sent


def _creditmemos(call: Call) -> Any:
    rows, frame = _page(call, "refunds", _BOUNDS)
    found = (call.books.order(call.name, row["order_id"]) for row in rows)
    items = [
        _lean(creditmemo(row, of, call.shop), _MEMO, _MEMO_AMOUNTS)
        for row, of in zip(rows, found, strict=True)
        if of
    ]
    return {"items": items, **frame}


def _customers(call: Call) -> Any:
    rows, frame = _page(call, "customers", {})
    values = call.books.values_of(call.name, [row["id"] for row in rows])
    codes, hasher = _types(call), _hasher(call)
    items = []
    for row in rows:
        names = ("id", "website_id", "group_id", "created_at", "updated_at")
        lean = {name: row[name] for name in names}
        if hasher:
            lean["email_key"] = hasher.person_key(row["email"], str(row["website_id"]))
        else:
            lean["email"] = row["email"]
        lean["custom_attributes"] = [
            {"attribute_code": value["name"], "value": value["value"]}
            for value in values[row["id"]]
            if value["name"] in codes
        ]
        items.append(lean)
    return {"items": items, **frame}


def _months(call: Call) -> Any:
    """Orders and money by the month they were placed in, one row per base currency."""
    rows = call.books.query(
        "SELECT substr(created_at, 1, 7) AS month, json_extract(body, '$.total') AS total, "
        "json_extract(body, '$.refunded.total') AS back, json_extract(body, '$.store_id') AS store "
        "FROM orders WHERE shop = ? ORDER BY month",
        (call.name,),
    )
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for row in rows:
        key = (row["month"], base_currency(call.shop, row["store"])[0])
        parts = (Decimal(1), Decimal(row["total"]), Decimal(row["back"]))
        sums[key] = [a + b for a, b in zip(sums[key], parts, strict=True)]
    return [
        {"month": month, "orders": int(orders), "base_total_value": f"{total:.4f}",
         "base_grand_total": f"{total:.4f}",
         "base_total_refunded": f"{back:.4f}", "base_currency_code": currency}
        for (month, currency), (orders, total, back) in sums.items()
    ]  # fmt: skip


def _page(
    call: Call, table: str, bounds: Mapping[str, str]
) -> tuple[list[Row], dict[str, int | bool]]:
    """Up to `limit` rows behind `after`, and the frame that says where they end."""
    asked = call.request.query_params
    after, limit = _whole("after", asked.get("after", "0")), _whole("limit", asked.get("limit", ""))
    if not 1 <= limit <= MOST_LIMIT:
        raise _invalid("limit")
    given = {name: _bound(name, asked[name]) for name in bounds if asked.get(name)}
    where = " AND ".join(["shop = ?", "id > ?", *(bounds[name] for name in given)])
    rows = call.books.query(
        f"SELECT * FROM {table} WHERE {where} ORDER BY id LIMIT ?",  # noqa: S608  our own names
        [call.name, after, *given.values(), limit + 1],
    )
    served = rows[:limit]
    last = served[-1]["id"] if served else after
    return served, {"last": last, "more": len(rows) > limit}


def _bound(name: str, text: str) -> int | str:
    if name == "to":
        return _whole(name, text)
    try:
        return datetime.strptime(text, _STAMP).strftime(_STAMP)  # noqa: DTZ007  the database's UTC
    except ValueError:
        raise _invalid(name) from None


def _whole(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise _invalid(name)
    return int(text)


def _invalid(name: str) -> MagentoError:
    message = 'Invalid value of "%value" provided for the %fieldName field.'
    return MagentoError(400, message, {"fieldName": name, "value": ""})


def _lean(
    whole: Mapping[str, Any], names: tuple[str, ...], amounts: tuple[str, ...]
) -> dict[str, Any]:
    """The named fields; amounts as MySQL gives them, and nothing where it has nothing."""
    lean = {name: whole[name] for name in names if whole.get(name) is not None}
    for name in amounts:
        if whole.get(name) is not None:
            lean[name] = f"{Decimal(str(whole[name])):.4f}"
    return lean


# ------------------------------------------------------------------------------------- writing


def _write(call: Call) -> Any:
    """Each row is written or named with its reason; all that can be written is, in one go."""
    payload = call.payload()
    rows = payload.get("rows") if isinstance(payload, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise _invalid("rows")
    if not all(map(_is_row, rows)):
        raise MagentoError(400, "Specified request cannot be processed.")
    types = _types(call)
    with call.books.transaction():
        known = call.books.values_of(call.name, [row["customer_id"] for row in rows])
        return [_written(call, types, row, known[row["customer_id"]]) for row in rows]


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and type(row.get("customer_id")) is int
        and isinstance(values := row.get("values"), list)
        and all(isinstance(one.get(part), str) for one in values for part in ("code", "value"))
    )


def _written(
    call: Call, types: Mapping[str, str], row: Mapping[str, Any], known: Sequence[Row]
) -> dict[str, Any]:
    customer_id, values = row["customer_id"], row["values"]
    answer = {"customer_id": customer_id, "status": "rejected"}
    if call.books.customer(call.name, customer_id) is None:
        return {**answer, "reason": "there is no such customer"}
    reasons = [*_reasons(types, values)]
    if call.setup.refuses(customer_id):
        reasons.append("the shop refuses this customer")
    if reasons:
        return {**answer, "reason": "; ".join(reasons)}
    there = {value["name"]: value["value"] for value in known}
    changed = [_changed(call, types, customer_id, one, there) for one in values]
    return {**answer, "status": "written" if any(changed) else "unchanged", "reason": ""}


def _reasons(types: Mapping[str, str], values: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for one in values:
        code, value = one["code"], one["value"]
        if code not in types:
            yield f"{code}: is none of the module's attributes"
        elif value and not _fits(types[code], value):
            yield f"{code}: is no {types[code]}"


def _fits(backend: str, value: str) -> bool:
    if backend == "decimal":
        return bool(_DECIMAL.fullmatch(value))
    if backend == "datetime":
        try:
            return bool(datetime.strptime(value, "%Y-%m-%d")) and len(value) == 10  # noqa: DTZ007
        except ValueError:
            return False
    return len(value) <= 255


def _changed(
    call: Call,
    types: Mapping[str, str],
    customer_id: int,
    one: Mapping[str, str],
    there: Mapping[str, str],
) -> bool:
    """Write one value without saving the customer: nothing else moves, not even `updated_at`."""
    code, value = one["code"], one["value"]
    if not value:
        return call.books.drop_value(call.name, customer_id, code)
    fresh = attribute_value(code, types[code], value)
    if there.get(code) == fresh:
        return False
    call.books.set_value(call.name, customer_id, code, types[code], fresh)
    return True


_VIEW, _CUSTOMER = "Magento_Sales::actions_view", "Magento_Customer::customer"
ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint("GET", "/clv/module", _CUSTOMER, _info),
    endpoint("GET", "/clv/orders", _VIEW, _orders),
    endpoint("GET", "/clv/orders/months", _VIEW, _months),
    endpoint("GET", "/clv/creditmemos", "Magento_Sales::sales_creditmemo", _creditmemos),
    endpoint("GET", "/clv/customers", _CUSTOMER, _customers),
    endpoint("POST", "/clv/customers", "ClvSync_CustomerClv::write", _write),
)
