"""Customers as Magento 2.4.7-p3 shows them, and what a PUT does to one.

Merges what is given. Silent at 200: unknown attributes are dropped, text is cut at 255 characters,
emoji become `????`, a decimal "abc" becomes 0. Every PUT moves `updated_at`. Leaving `addresses`
out validates the stored ones anew, an empty list deletes them. (All seen live.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.books import Books, Row
from connectors.sandbox.magento.errors import MagentoError, not_found, required, unsupported

_LEADING_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TAKEN = "A customer with the same email address already exists in an associated website."

#: Top-level fields a PUT knows: JSON name -> column of the books, None where it changes nothing.
_FIELDS: dict[str, str | None] = {
    "id": None, "email": "email", "firstname": "first_name", "lastname": "last_name",
    "group_id": "group_id", "website_id": None, "store_id": None, "created_at": None,
    "updated_at": None, "created_in": None, "dob": None, "gender": None, "prefix": None,
    "middlename": None, "suffix": None, "taxvat": None, "default_billing": None,
    "default_shipping": None, "confirmation": None, "disable_auto_group_change": None,
    "addresses": None, "extension_attributes": None, "custom_attributes": None,
}  # fmt: skip


def customers(books: Books, shop: Row, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows of the books as the API shows them, with their custom attributes."""
    values = books.values_of(shop["shop"], [row["id"] for row in rows])
    codes = [definition["name"] for definition in books.definitions(shop["shop"])]
    return [_customer(row, shop, values[row["id"]], codes) for row in rows]


def _customer(row: Row, shop: Row, values: Sequence[Row], codes: Sequence[str]) -> dict[str, Any]:
    extra = row["extra"]
    shown: dict[str, Any] = {"id": row["id"], "group_id": row["group_id"]}
    if extra["addresses"]:
        shown["default_billing"] = shown["default_shipping"] = str(extra["addresses"][0]["id"])
    shown |= {
        "created_at": row["created_at"], "updated_at": row["updated_at"],
        "created_in": _view_name(shop, row["store_id"]),
    }  # fmt: skip
    if extra["dob"]:
        shown["dob"] = extra["dob"]
    shown |= {
        "email": row["email"], "firstname": row["first_name"], "lastname": row["last_name"],
        "store_id": row["store_id"], "website_id": row["website_id"],
        "addresses": [_address(row, one) for one in extra["addresses"]],
        "disable_auto_group_change": 0,
        "extension_attributes": {"is_subscribed": extra["newsletter"]},
    }  # fmt: skip
    by_code = {value["name"]: value["value"] for value in values}
    attributes = [{"attribute_code": c, "value": by_code[c]} for c in codes if c in by_code]
    return shown | ({"custom_attributes": attributes} if attributes else {})


def _view_name(shop: Row, store_id: int) -> str:
    views = shop["settings"]["store_views"]
    return next((str(view["name"]) for view in views if view["id"] == store_id), "Admin")


def _address(row: Row, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"], "customer_id": row["id"],
        "region": {"region_code": None, "region": None, "region_id": 0}, "region_id": 0,
        "country_id": one["country_id"], "street": one["street"], "telephone": one["telephone"],
        "postcode": one["postcode"], "city": one["city"],
        "firstname": one.get("firstname", row["first_name"]),
        "lastname": one.get("lastname", row["last_name"]),
        "default_shipping": True, "default_billing": True,
    }  # fmt: skip


def put(books: Books, shop: Row, customer_id: int, payload: Any) -> dict[str, Any]:
    """PUT /V1/customers/:id. Raises MagentoError; then nothing was changed."""
    given = _given(payload)
    with books.transaction():
        row = books.customer(shop["shop"], customer_id)
        if row is None:
            raise not_found("customerId", customer_id)
        changed = _merged(row, given)
        _validate(books, changed, given)
        _store(books, changed)
        _write_attributes(books, shop["shop"], customer_id, given.get("custom_attributes"))
        books.touch_customer(shop["shop"], customer_id)
        fresh = books.query(
            "SELECT * FROM customers WHERE shop = ? AND id = ?", (shop["shop"], customer_id)
        )
    return customers(books, shop, fresh)[0]


def _given(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict) or not isinstance(payload.get("customer"), dict):
        raise required("customer")
    given: dict[str, Any] = payload["customer"]
    for name in given:
        if name not in _FIELDS:
            raise unsupported(name)
    return given


def _merged(row: Row, given: Mapping[str, Any]) -> Row:
    extra = dict(row["extra"])
    columns = {col: given[name] for name, col in _FIELDS.items() if col and name in given}
    if "addresses" in given:
        extra["addresses"] = [_kept(one, n) for n, one in enumerate(given["addresses"], 1)]
    if "dob" in given:
        extra["dob"] = given["dob"]
    if "is_subscribed" in (given.get("extension_attributes") or {}):
        extra["newsletter"] = bool(given["extension_attributes"]["is_subscribed"])
    return {**row, **columns, "extra": extra}


def _kept(one: Mapping[str, Any], n: int) -> dict[str, Any]:
    names = ("street", "city", "postcode", "country_id", "telephone", "firstname", "lastname")
    return {"id": one.get("id", n), **{name: one.get(name, "") for name in names}}


def _validate(books: Books, row: Row, given: Mapping[str, Any]) -> None:
    missing = [label for label, name in (("First Name", "first_name"), ("Last Name", "last_name"))
               if not row[name]]  # fmt: skip
    if any(not address["telephone"] for address in row["extra"]["addresses"]):
        missing.append("Phone Number")
    if missing:
        raise MagentoError(400, "\n".join(f'"{label}" is a required value.' for label in missing))
    taken = books.scalar(
        "SELECT 1 FROM customers WHERE shop = ? AND website_id = ? AND lower(email) = lower(?) "
        "AND id <> ?",
        (row["shop"], row["website_id"], row["email"], row["id"]),
    )
    if taken or given.get("id", row["id"]) != row["id"]:
        raise MagentoError(400, _TAKEN)


def _store(books: Books, row: Row) -> None:
    where = "shop = ? AND id = ?"
    books.execute(f"DELETE FROM customers WHERE {where}", (row["shop"], row["id"]))  # noqa: S608  a constant
    books.insert("customers", [row])


def _write_attributes(books: Books, shop: str, customer_id: int, given: Any) -> None:
    types = {definition["name"]: definition["type"] for definition in books.definitions(shop)}
    for code, value in _pairs(given):
        if code not in types:
            continue
        if value is None or value == "":
            books.drop_value(shop, customer_id, code)
        else:
            stored = attribute_value(code, types[code], value)
            books.set_value(shop, customer_id, code, types[code], stored)


def _pairs(given: Any) -> list[tuple[str, Any]]:
    """Custom attributes as a list of code and value, or as a map: Magento takes both."""
    if isinstance(given, dict):
        return list(given.items())
    return [(one.get("attribute_code", ""), one.get("value")) for one in given or []]


def attribute_value(code: str, backend: str, value: Any) -> str:
    """What Magento's database makes of a value, by the attribute's backend type."""
    if backend == "int":
        return _integer(code, value)
    text = str(value)
    if backend == "decimal":
        found = _LEADING_NUMBER.match(text)
        return f"{float(found.group()) if found else 0:.4f}"
    if backend == "datetime":
        if not _DATE.match(text):
            raise MagentoError(400, "Invalid date")
        return f"{text[:10]} 00:00:00"
    return "".join("????" if ord(sign) > 0xFFFF else sign for sign in text)[:255]


def _integer(code: str, value: Any) -> str:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        shown = ("1" if value else "") if isinstance(value, bool) else value
        raise MagentoError(
            400,
            'Error occurred during "custom_attributes" processing. '
            f'Attribute "{code}" has invalid value. The "{shown}" value\'s type is invalid. '
            'The "int" type was expected. Verify and try again.',
        )
    return str(int(str(value)))
