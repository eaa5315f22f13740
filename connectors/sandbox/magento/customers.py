"""Customers as Magento 2.4.7-p3 shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox.books import Books, Row


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
    if extra.get("confirmation"):
        shown["confirmation"] = extra["confirmation"]
    if extra["dob"]:
        shown["dob"] = extra["dob"]
    shown |= {
        "email": row["email"], "firstname": row["first_name"], "lastname": row["last_name"],
        "store_id": row["store_id"], "website_id": row["website_id"],
        "addresses": [_address(row, one) for one in extra["addresses"]],
        "disable_auto_group_change": int(extra.get("disable_auto_group_change") or 0),
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
