"""The airbyte-source-shopify side: its `orders` stream, read whole, with the address patched.

https://docs.airbyte.com/integrations/sources/shopify (read 2026-11-23). Its address is made of the
shop's name, so a property is replaced; everything else is as the connector does it.
"""

from __future__ import annotations

import sys
import time

from airbyte_cdk.models import SyncMode
from seen import Seen
from source_shopify.auth import ShopifyAuthenticator
from source_shopify.streams.base_streams import ShopifyStream
from source_shopify.streams.streams import Orders


def main(address: str, orders: str) -> None:
    seen = Seen(int(orders))
    base = f"{address}/admin/api/{ShopifyStream.api_version}/"
    ShopifyStream.url_base = property(lambda self: base)
    config = {
        "shop": "us", "shop_id": 1, "start_date": "2020-01-01",
        "credentials": {"auth_method": "access_token", "access_token": "benchmark"},
    }  # fmt: skip
    stream = Orders({**config, "authenticator": ShopifyAuthenticator(config)})
    begun = time.perf_counter()
    for order in stream.read_records(sync_mode=SyncMode.full_refresh):
        if "deleted_at" not in order or "line_items" in order:
            seen.add([order["id"]])
    seen.report(time.perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:3])
