"""A shop with a long history, in a process of its own, as quick as can be: what is tried is us.

python tests/reliability/long_history.py magento|shopify ORDERS [MILLISECONDS A PAGE]

The benchmarks' servers, with as many customers as a pull asks for besides. Prints its address.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [one for one in (str(ROOT), str(ROOT / "benchmarks")) if one not in sys.path]

import magento_server  # noqa: E402  by their place
import shopify_server  # noqa: E402
from loopback import serve  # noqa: E402
from shopify_orders import TEMPLATES, Prepared, prepared  # noqa: E402
from shopify_shop import UNLIMITED, Shop  # noqa: E402

from connectors.sandbox import MAGENTO_TOKEN, SHOPIFY_SHOP, SHOPIFY_TOKEN  # noqa: E402
from connectors.sandbox.books import Books  # noqa: E402
from connectors.sandbox.population import populate  # noqa: E402
from connectors.sandbox.shopify.graphql import GraphQL  # noqa: E402
from connectors.sandbox.shopify.limits import Bucket  # noqa: E402
from connectors.shopify.customers import CUSTOMERS_A_PAGE  # noqa: E402
from connectors.shopify.documents import CUSTOMERS  # noqa: E402


class Magento(magento_server.Server):
    def _found(self, path: str, query: str) -> tuple[int, Iterator[bytes] | None]:
        if path == "customers/search":
            return 0, iter([b'{"items":[],"search_criteria":{},"total_count":0}'])
        return super()._found(path, query)


class Shopify(shopify_server.Api):
    customers: dict[str | None, Any]

    def _graphql(self, asked: Any, base: str) -> Any:
        if "customers(" in asked["query"]:
            return self.customers[asked["variables"]["after"]]
        if "orders(" in asked["query"]:  # what has changed since: nothing
            ended = {"hasNextPage": False, "endCursor": None}
            installed = {"accessScopes": shopify_server.GRANTED}
            orders = {"nodes": [], "pageInfo": ended}
            return {"currentAppInstallation": installed, "orders": orders}
        return super()._graphql(asked, base)


def customers() -> dict[str | None, Any]:
    """The practice shop's pages of customers, by the cursor before them."""
    books = Books(":memory:")
    populate(books, today=date(2026, 1, 1), limit=TEMPLATES)
    api, after, pages = GraphQL(books, SHOPIFY_SHOP, Bucket()), None, {}
    while after not in pages:
        variables = {"first": CUSTOMERS_A_PAGE, "after": after}
        page = api.answer({"query": CUSTOMERS, "variables": variables}, "")["data"]
        pages[after] = page
        info = page["customers"]["pageInfo"]
        after = info["endCursor"] if info["hasNextPage"] else after
    books.close()
    return pages


def magento(orders: int, page_ms: float) -> Magento:
    marked, row = magento_server.rendered_orders()
    ids = [magento_server.GAP * n for n in range(1, orders + 1)]
    return Magento(magento_server.Shop(ids, False, marked, row), page_ms / 1000, 0)


def shopify(orders: int, page_ms: float) -> shopify_server.Server:
    made = without_refunds(prepared())
    shop = Shop(orders, made, UNLIMITED)
    api = Shopify(shop, page_ms / 1000, 0)
    api.customers = customers()
    return shopify_server.Server(shop, api)


def without_refunds(made: Prepared) -> Prepared:
    """Orders made of one template would share its refund, and the last of them would own it."""
    plain = [n for n, one in enumerate(made.rest) if b'"refunds":[]' in b"".join(one.pieces)]
    names = ("rest", "refunded", "roots", "rows", "counts")
    kept = {name: [getattr(made, name)[n] for n in plain] for name in names}
    return Prepared(**kept, refunds={})


@contextmanager
def served(platform: str, orders: int, page_ms: float = 0) -> Iterator[dict[str, str]]:
    """The settings that connect the shop `x`."""
    arguments = [sys.executable, __file__, platform, str(orders), str(page_ms)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        token = MAGENTO_TOKEN if platform == "magento" else SHOPIFY_TOKEN
        shop = {"PLATFORM": platform, "URL": url, "TOKEN": token}
        try:
            yield {"CLV_SHOPS": "x", **{f"CLV_X_{key}": value for key, value in shop.items()}}
        finally:
            process.kill()


if __name__ == "__main__":
    asked = {"magento": magento, "shopify": shopify}[sys.argv[1]]
    made = asked(int(sys.argv[2]), float(sys.argv[3]))
    asyncio.run(serve(made.talk))
