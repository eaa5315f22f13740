"""The two sandbox shops: `eu` speaks Magento (EUR, tax inside), `us` Shopify (USD, tax on top)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.sandbox import MAGENTO_SHOP, SHOPIFY_SHOP
from connectors.schema import KINDS, Kind


@dataclass(frozen=True, slots=True)
class View:
    """A store view: where an order is placed, and at which tax and in which display currency."""

    store_id: int
    code: str
    name: str
    website_id: int
    country: str
    tax_percents: tuple[str, ...]
    display_currency: str
    rate: str = "1"
    locale: str = "en_US"


@dataclass(frozen=True, slots=True)
class Market:
    """A shop: how it counts, where it sells (`views`, with their weights), its numbers."""

    shop: str
    platform: str
    currency: str
    prices_include_tax: bool
    views: tuple[View, ...]
    weights: tuple[int, ...]
    channels: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """As the books keep it."""
        views = [
            {"id": v.store_id, "code": v.code, "name": v.name, "website_id": v.website_id,
             "store_group_id": v.website_id, "locale": v.locale,
             "display_currency": v.display_currency, "rate": v.rate} for v in self.views
        ]  # fmt: skip
        return {
            "shop": self.shop, "platform": self.platform, "currency": self.currency,
            "prices_include_tax": int(self.prices_include_tax),
            "settings": {**self.settings, "store_views": views},
        }  # fmt: skip


EU = Market(
    MAGENTO_SHOP, "magento", "EUR", True,
    (View(1, "default", "Default Store View", 1, "DE", ("19", "7"), "EUR"),
     View(2, "de", "Deutsch", 1, "DE", ("19", "7"), "EUR", locale="de_DE"),
     View(3, "us", "US (USD display)", 1, "US", ("0",), "USD", "1.0832"),
     View(4, "ws", "Wholesale EN", 2, "FR", ("19",), "EUR")),
    (35, 35, 20, 10), ("web",),
    {"name": "CD Europe", "timezone": "Europe/Berlin",
     "websites": [{"id": 1, "code": "base", "name": "Main Website", "default_group_id": 1},
                  {"id": 2, "code": "wholesale", "name": "Wholesale", "default_group_id": 2}],
     "page_limit": {"on": False, "max": 300, "default": 20}},
)  # fmt: skip

US = Market(
    SHOPIFY_SHOP, "shopify", "USD", False,
    (View(1, "online", "Online Store", 1, "US", ("0", "6.25", "8.875"), "USD"),),
    (1,), ("web", "web", "web", "pos", "iphone"),
    {"name": "CD America", "timezone": "America/New_York", "plan": "basic",
     "domain": "cd-america.myshopify.com",
     "scopes": ["read_orders", "read_all_orders", "read_customers", "write_customers"]},
)  # fmt: skip

MARKETS = (EU, US)

_BACKEND: dict[Kind, tuple[str, str]] = {
    "money": ("decimal", "text"),
    "number": ("decimal", "text"),
    "date": ("datetime", "date"),
    "text": ("varchar", "text"),
}


def magento_attributes() -> list[dict[str, Any]]:
    """The customer attributes of `eu`: the admin's own, and ours as a module declares them."""
    own = [("erp_number", "ERP number", "varchar", "text"), ("is_vip", "VIP", "int", "boolean")]
    ours = [(f"clv_{name}", f"CLV {name}", *_BACKEND[kind]) for name, kind in KINDS.items()]
    return [
        {"shop": EU.shop, "name": code, "type": backend,
         "body": {"label": label, "input": input_, "in_grid": code.startswith("clv_")}}
        for code, label, backend, input_ in [*own, *ours]
    ]  # fmt: skip


def tax_percent(view: View, number: int) -> Decimal:
    """The tax of the `number`th order in a view: rates take turns."""
    return Decimal(view.tax_percents[number % len(view.tax_percents)])
