"""Our own side of the pull: `side.py <address> <orders> bulk|rest|graphql read|store`.

`read` takes the pages as they come, `store` commits each one, as `clv-sync backfill` does.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from seen import Seen

from connectors.config import ShopSettings
from connectors.identity import EmailHasher
from connectors.shopify import ShopifyShop

NOW = datetime(2040, 1, 1, tzinfo=UTC)


def main(address: str, orders: str, read: str, task: str) -> None:
    seen = Seen(int(orders))
    settings = ShopSettings("us", "shopify", url=address, token="benchmark", read=read)  # noqa: S106
    shop = ShopifyShop(settings, EmailHasher(b"an e-mail key for a benchmark"))
    begun = time.perf_counter()
    pages = shop.pull_orders(None, NOW)
    if task == "store":
        from kept import stored  # who only reads needs no store

        pages = stored("us", pages, NOW)
    for page in pages:
        seen.add(int(order.order_id) for order in page.orders)
    seen.report(time.perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:5])
