"""Which way of writing a shop gets, and what has to go along with it."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.http import AnswerRefused, Http
from connectors.magento.api import Api
from connectors.magento.push.module import Module
from connectors.magento.push.put import Put

AUTO = "auto"


def chosen(http: Http, api: Api, settings: ShopSettings) -> str:
    """`module`, `put` or `async`: as configured; `auto` is the module where it answers, else PUT.

    ConfigurationError where the module is asked for and isn't there.
    """
    if settings.write not in (AUTO, Module.name):
        return settings.write
    if has_module(http, api):
        return Module.name
    if settings.write == AUTO:
        return Put.name
    raise ConfigurationError(
        "the module doesn't answer",
        mend="Install magento-module/ in the shop (README there), or set "
        f"CLV_{settings.shop.upper()}_WRITE=auto.",
        shop=settings.shop,
    )


def has_module(http: Http, api: Api) -> bool:
    """Whether our module is installed; a shop without it knows no such route."""
    try:
        http.get(api.path("clv/module"))
    except AnswerRefused as refused:
        if refused.status != 404:
            raise
        return False
    return True


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
