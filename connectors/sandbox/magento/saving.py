"""What saving a customer does: a synchronous PUT, and the consumer of the asynchronous API.

Silent at 200: unknown attributes are dropped, text is cut at 255 characters, emoji become `????`,
a decimal "abc" becomes 0. Every save moves `updated_at`, even one that changes nothing. (All seen
live on 2.4.7-p3.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.books import Books, Row
from connectors.sandbox.magento.customers import customers
from connectors.sandbox.magento.errors import MagentoError, not_found, required, unsupported
from connectors.sandbox.magento.setup import Setup, setup_of
from connectors.sandbox.magento.shop import DEFAULT_GROUP, GROUPS, attribute_label

_LEADING_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TAKEN = "A customer with the same email address already exists in an associated website."
_NO_EMAIL = "The customer email is missing. Enter and try again."

#: Top-level fields a PUT knows: JSON name -> column of the books, None where it changes nothing.
_FIELDS: dict[str, str | None] = {
    "id": None, "email": "email", "firstname": "first_name", "lastname": "last_name",
    "group_id": "group_id", "website_id": None, "store_id": None, "created_at": None,
    "updated_at": None, "created_in": None, "dob": None, "gender": None, "prefix": None,
    "middlename": None, "suffix": None, "taxvat": None, "default_billing": None,
    "default_shipping": None, "confirmation": None, "disable_auto_group_change": None,
    "addresses": None, "extension_attributes": None, "custom_attributes": None,
}  # fmt: skip
#: Those of them that the books keep among a customer's extras.
_EXTRAS = ("dob", "confirmation", "disable_auto_group_change")


def put(books: Books, shop: Row, customer_id: int, payload: Any) -> dict[str, Any]:
    """PUT /V1/customers/:id. Raises MagentoError; then nothing was changed.

    Merges what is given. Leaving `addresses` out validates and saves the stored ones anew, an empty
    list deletes them.
    """
    given, setup = given_customer(payload), setup_of(shop)
    with books.transaction():
        row = books.customer(shop["shop"], customer_id)
        if row is None:
            raise not_found("customerId", customer_id)
        changed = _merged(row, given)
        _validate(books, setup, changed, given)
        if "addresses" not in given and setup.vat_resets_group:
            changed = _regrouped(changed)
        _save(books, changed, given)
        fresh = books.query(
            "SELECT * FROM customers WHERE shop = ? AND id = ?", (shop["shop"], customer_id)
        )
    return customers(books, shop, fresh)[0]


def consume(books: Books, shop: Row, given: Mapping[str, Any]) -> None:
    """What the consumer does with one customer. Raises MagentoError; then nothing was changed.

    It merges nothing: e-mail and names have to be there, and without `id` it is a new customer.
    Addresses that aren't given are left alone; 2.4.8-p2 forgets a `dob` that isn't given (all seen
    live). Without `confirmation` an account that waits for it is confirmed (Magento's
    `ResourceModel\\Customer::_beforeSave`). That `website_id` falls back on the default is assumed.
    """
    setup = setup_of(shop)
    with books.transaction():
        if not given.get("email"):
            raise MagentoError(400, _NO_EMAIL)
        known = books.customer(shop["shop"], given["id"]) if "id" in given else None
        if "id" in given and known is None:
            raise not_found("customerId", given["id"])
        if known:
            row = _merged({**known, "website_id": given.get("website_id", 1)}, given)
            row["extra"] |= {"confirmation": given.get("confirmation")}
        else:
            row = _newcomer(books, shop["shop"], given)
        row |= {"first_name": given.get("firstname"), "last_name": given.get("lastname")}
        if setup.wipes_dob:
            row["extra"] |= {"dob": given.get("dob")}
        _validate(books, setup, row, given)
        _save(books, row, given)


def given_customer(payload: Any) -> dict[str, Any]:
    """The customer in a body. Raises MagentoError where there is none, or one of its fields odd."""
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
    extra |= {name: given[name] for name in _EXTRAS if name in given}
    if "is_subscribed" in (given.get("extension_attributes") or {}):
        extra["newsletter"] = bool(given["extension_attributes"]["is_subscribed"])
    return {**row, **columns, "extra": extra}


def _kept(one: Mapping[str, Any], n: int) -> dict[str, Any]:
    names = ("street", "city", "postcode", "country_id", "telephone", "firstname", "lastname")
    return {"id": one.get("id", n), **{name: one.get(name, "") for name in names}}


def _newcomer(books: Books, shop: str, given: Mapping[str, Any]) -> Row:
    last = books.scalar("SELECT max(id) FROM customers WHERE shop = ?", (shop,))
    extra = {"newsletter": False, "addresses": [], "dob": None, "note": None}
    row = {
        "shop": shop, "id": last + 1, "email": "", "first_name": "", "last_name": "",
        "website_id": given.get("website_id", 1), "store_id": given.get("store_id", 1),
        "group_id": DEFAULT_GROUP, "created_at": books.now(), "updated_at": books.now(),
        "extra": extra,
    }  # fmt: skip
    return _merged(row, given)


def _regrouped(row: Row) -> Row:
    """As automatic group assignment does when an address without a valid VAT id is saved."""
    extra = row["extra"]
    if not extra["addresses"] or extra.get("disable_auto_group_change"):
        return row
    return {**row, "group_id": DEFAULT_GROUP}


def _validate(books: Books, setup: Setup, row: Row, given: Mapping[str, Any]) -> None:
    missing = [*_missing(books, setup, row, given)]
    if missing:
        raise MagentoError(400, "\n".join(f'"{label}" is a required value.' for label in missing))
    if row["group_id"] not in (group["id"] for group in GROUPS):
        raise MagentoError(400, "The specified customer group id does not exist.")
    taken = books.scalar(
        "SELECT 1 FROM customers INDEXED BY customers_email WHERE shop = ? AND website_id = ? "
        "AND lower(email) = lower(?) AND id <> ?",
        (row["shop"], row["website_id"], row["email"], row["id"]),
    )
    if taken or given.get("id", row["id"]) != row["id"]:
        raise MagentoError(400, _TAKEN)


def _missing(books: Books, setup: Setup, row: Row, given: Mapping[str, Any]) -> list[str]:
    """Labels of what a customer has to have, and hasn't."""
    names = (("First Name", "first_name"), ("Last Name", "last_name"))
    labels = [label for label, name in names if not row[name]]
    if setup.refuses(row["id"]) or _lacks_telephone(row):
        labels.append("Phone Number")
    sent = {code for code, value in _pairs(given.get("custom_attributes")) if value}
    lacking = [code for code in setup.required_attributes if code not in sent]
    return labels + [attribute_label(books, row["shop"], code) for code in lacking]


def _lacks_telephone(row: Row) -> bool:
    return any(not address["telephone"] for address in row["extra"]["addresses"])


def _save(books: Books, row: Row, given: Mapping[str, Any]) -> None:
    books.execute("DELETE FROM customers WHERE shop = ? AND id = ?", (row["shop"], row["id"]))
    books.insert("customers", [row])
    _write_attributes(books, row["shop"], row["id"], given.get("custom_attributes"))
    books.touch_customer(row["shop"], row["id"])


def _write_attributes(books: Books, shop: str, customer_id: int, given: Any) -> None:
    types = {definition["name"]: definition["type"] for definition in books.definitions(shop)}
    for code, value in _pairs(given):
        if code not in types:
            continue
        if value is None or (value == "" and types[code] != "decimal"):  # "" becomes 0 (seen live)
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
