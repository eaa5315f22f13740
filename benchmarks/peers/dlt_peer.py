"""The dlt side: `RESTClient.paginate` with the paginator for Link headers.

https://dlthub.com/docs/general-usage/http/rest-client (read 2026-11-23). Nothing is normalised or
loaded: this is the fastest that dlt can be.
"""

from __future__ import annotations

import sys
import time

from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import HeaderLinkPaginator
from seen import Seen


def main(address: str, orders: str) -> None:
    seen = Seen(int(orders))
    client = RESTClient(
        base_url=f"{address}/admin/api/2026-10",
        headers={"X-Shopify-Access-Token": "benchmark"},
        paginator=HeaderLinkPaginator(),
        data_selector="orders",
    )
    begun = time.perf_counter()
    asked = {"status": "any", "limit": 250, "order": "updated_at asc"}
    for page in client.paginate("/orders.json", params=asked):
        seen.add(order["id"] for order in page)
    seen.report(time.perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:3])
