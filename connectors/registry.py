"""The platforms, a line each. Loaded when asked for: a file shop needs no HTTP."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from connectors.config import ShopSettings
from connectors.identity import EmailHasher
from connectors.platform import Platform

PLATFORMS = {
    "magento": "connectors.magento:MagentoShop",
    "shopify": "connectors.shopify:ShopifyShop",
    "file": "connectors.file:FileShop",
}


def open_shop(settings: ShopSettings, hasher: EmailHasher) -> Platform:
    """The shop that `settings` describe; nothing is asked of it yet."""
    module, _, name = PLATFORMS[settings.platform].partition(":")
    return cast(Platform, getattr(import_module(module), name)(settings, hasher))
