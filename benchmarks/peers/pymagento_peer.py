"""The pymagento side: `Magento.get_orders()`, which its own text calls a generator of all orders.

https://pypi.org/project/pymagento/ and the docstring of 2.14.0 (read 2026-11-23)
"""

from __future__ import annotations

import sys
import time

import magento
from seen import Seen


def main(address: str, orders: str) -> None:
    seen = Seen(int(orders))
    client = magento.Magento(base_url=address, token="benchmark", scope="all")  # noqa: S106
    begun = time.perf_counter()
    for order in client.get_orders():
        seen.add([order["entity_id"]])
    seen.report(time.perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:3])
