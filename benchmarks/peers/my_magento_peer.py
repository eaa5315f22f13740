"""The my-magento side: `Client.orders.get_all()`, "retrieve all items for the search endpoint".

The docstring of 2.2.0 (read 2026-11-23). It sends no page size, so Magento answers with
everything at once.
"""

from __future__ import annotations

import sys
import time
from urllib.parse import urlsplit

import magento
from seen import Seen


def main(address: str, orders: str) -> None:
    seen = Seen(int(orders))
    client = magento.Client(
        urlsplit(address).netloc,
        "someone",
        "something",
        local=True,
        user_agent="benchmark",  # else it looks for the newest browser's on the web
        token="benchmark",  # noqa: S106
        login=False,
        log_level="ERROR",
    )
    client.BASE_URL = f"{address}/rest/V1/"  # it drops the port of a domain
    begun = time.perf_counter()
    for order in client.orders.get_all():
        seen.add([order.entity_id])
    seen.report(time.perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:3])
