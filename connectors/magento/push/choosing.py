"""Which way of writing a shop gets, and what has to go along with it."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.http import Http
from connectors.magento.api import Api
from connectors.magento.lean import ask_module
from connectors.magento.push.module import Module
from connectors.magento.push.put import Put

AUTO = "auto"


def chosen(http: Http, api: Api, settings: ShopSettings) -> str:
    """`module`, `put` or `async`: as configured; `auto` is the module where it can, else PUT.

    ConfigurationError where the module is asked for and isn't there, or has other codes.
    """
    if settings.write not in (AUTO, Module.name):
        return settings.write
    module = ask_module(http, api.path("clv/module"))
    if module and module.knows(settings.attribute_prefix):
        return Module.name
    if settings.write == AUTO:
        return Put.name
    setting = f"CLV_{settings.shop.upper()}"
    if module:
        raise ConfigurationError(
            f"the module has no attributes {settings.attribute_prefix}*",
            mend=f"Leave {setting}_ATTRIBUTE_PREFIX at its default, or set {setting}_WRITE=auto.",
            shop=settings.shop,
        )
    raise ConfigurationError(
        "the module doesn't answer",
        mend=f"Install magento-module/ in the shop (README there), or set {setting}_WRITE=auto.",
        shop=settings.shop,
    )


def required(http: Http, api: Api) -> frozenset[str]:
    """Codes of the attributes without which Magento saves no customer.

    Those that a PUT leaves out count as missing, though the customer has them.
    """
    rows = http.get(api.path("attributeMetadata/customer")).data
    return frozenset(
        str(row.get("attribute_code"))
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping) and row.get("required") and row.get("visible", True)
    )
