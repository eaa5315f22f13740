"""What a Magento shop tells of itself: store views, websites, settings, currencies, attributes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connectors.sandbox.books import Books, Row
from connectors.sandbox.magento.setup import setup_of

_SYSTEM = ("confirmation", "created_at", "website_id", "created_in", "store_id", "group_id",
           "disable_auto_group_change", "prefix", "firstname", "middlename", "lastname", "suffix",
           "email", "default_billing", "default_shipping", "updated_at", "dob", "taxvat",
           "gender")  # fmt: skip
#: The customer groups of a fresh Magento.
GROUPS = [
    {"id": id_, "code": code, "tax_class_id": 3, "tax_class_name": "Retail Customer"}
    for id_, code in enumerate(("NOT LOGGED IN", "General", "Wholesale", "Retailer"))
]
DEFAULT_GROUP = 1
_SYMBOLS = {"EUR": "€", "USD": "$"}


def website_of(shop: Row, store_id: int) -> int:
    """The website of a store view."""
    views = shop["settings"]["store_views"]
    return next(int(view["website_id"]) for view in views if view["id"] == store_id)


def base_currency(shop: Row, store_id: int) -> tuple[str, Decimal]:
    """What a store view's website reckons in, and its rate to the shop's own currency."""
    own = setup_of(shop).currencies.get(str(website_of(shop, store_id)))
    return (own[0], Decimal(own[1])) if own else (str(shop["currency"]), Decimal(1))


def views(shop: Row) -> list[dict[str, Any]]:
    admin = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0}
    names = ("id", "code", "name", "website_id", "store_group_id")
    own = [{name: view[name] for name in names} for view in shop["settings"]["store_views"]]
    return [{**view, "is_active": 1} for view in (own[0], admin, *own[1:])]


def websites(shop: Row) -> list[dict[str, Any]]:
    admin = {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0}
    return [admin, *shop["settings"]["websites"]]


def configs(shop: Row, base_url: str) -> list[dict[str, Any]]:
    """One entry per store view. `base_url` is where the shop is reached."""
    urls = {
        f"{prefix}{name}_url": f"{base_url}{path}"
        for prefix in ("", "secure_")
        for name, path in (("base", ""), ("base_link", ""), ("base_static", "static/"),
                           ("base_media", "media/"))
    }  # fmt: skip
    return [
        {"id": view["id"], "code": view["code"], "website_id": view["website_id"],
         "locale": view["locale"], "base_currency_code": base_currency(shop, view["id"])[0],
         "default_display_currency_code": view["display_currency"],
         "timezone": shop["settings"]["timezone"], "weight_unit": "lbs", **urls}
        for view in shop["settings"]["store_views"]
    ]  # fmt: skip


def currency(shop: Row) -> dict[str, Any]:
    rates = {view["display_currency"]: view["rate"] for view in shop["settings"]["store_views"]}
    base = shop["currency"]
    return {
        "base_currency_code": base, "base_currency_symbol": _SYMBOLS[base],
        "default_display_currency_code": base, "default_display_currency_symbol": _SYMBOLS[base],
        "available_currency_codes": list(rates),
        "exchange_rates": [
            {"currency_to": code, "rate": 1 if rate == "1" else float(rate)}
            for code, rate in rates.items()
        ],
    }  # fmt: skip


def attributes(books: Books, shop: Row, *, system: bool) -> list[dict[str, Any]]:
    """Metadata of the customer attributes; the system's own only when asked for."""
    required = setup_of(shop).required_attributes
    own = [
        _attribute(row["name"], row["type"], row["body"], system=False)
        | {"required": row["name"] in required}
        for row in books.definitions(shop["shop"])
    ]
    if not system:
        return own
    plain = {"label": "", "input": "text", "in_grid": True}
    return [*(_attribute(code, "static", plain, system=True) for code in _SYSTEM), *own]


def attribute_label(books: Books, shop: str, code: str) -> str:
    """As the admin sees it; the code itself where there is no such attribute."""
    rows = (row for row in books.definitions(shop) if row["name"] == code)
    return next((str(row["body"]["label"]) for row in rows), code)


def _attribute(code: str, backend: str, body: dict[str, Any], *, system: bool) -> dict[str, Any]:
    label = body["label"] or code.replace("_", " ").title()
    yes_no = [{"label": "Yes", "value": "1"}, {"label": "No", "value": "0"}]
    in_grid = body["in_grid"]
    return {
        "frontend_input": body["input"], "input_filter": "", "store_label": label,
        "validation_rules": [], "multiline_count": 0, "visible": True, "required": False,
        "data_model": "", "options": yes_no if body["input"] == "boolean" else [],
        "frontend_class": "", "user_defined": not system, "sort_order": 500,
        "frontend_label": label, "note": "", "system": system, "backend_type": backend,
        "is_used_in_grid": in_grid, "is_visible_in_grid": in_grid,
        "is_filterable_in_grid": in_grid, "is_searchable_in_grid": False, "attribute_code": code,
    }  # fmt: skip
