"""How fast the order store takes pages and summarises them: `python benchmarks/store.py`."""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from connectors.platform import Page
from connectors.schema import Order, OrderLine
from connectors.store import Store

BEGIN = datetime(2023, 1, 1, tzinfo=UTC)
NONE = Decimal(0)


def pages(orders: int, rows: int) -> Iterator[Page]:
    """Orders of a growing shop: about four a customer, one line each."""
    rng = random.Random(1)  # noqa: S311  # the same orders every time
    for first in range(0, orders, rows):
        page = [order(rng, number, orders) for number in range(first, min(first + rows, orders))]
        lines = [line(order) for order in page]
        yield Page({"after": first + len(page)}, orders=page, lines=lines)


def order(rng: random.Random, number: int, orders: int) -> Order:
    person = str(rng.randrange(1 + orders // 4))
    at = BEGIN + timedelta(days=1000) * (number / orders)
    goods = Decimal(rng.randrange(100, 50_000)).scaleb(-2)
    back = goods if rng.random() < 0.03 else NONE
    return Order(
        shop="eu",
        order_id=str(number),
        order_number=f"{100_000_000 + number}",
        customer_id=person,
        person_key=person,
        ordered_at=at,
        updated_at=at,
        state="refunded" if back else "complete",
        is_guest=False,
        is_test=False,
        currency="EUR",
        goods_value=goods,
        discount_value=NONE,
        tax_value=NONE,
        shipping_value=Decimal("4.90"),
        total_value=goods + Decimal("4.90"),
        refunded_value=back,
        refunded_shipping=NONE,
        refunded_total=back,
    )


def line(order: Order) -> OrderLine:
    return OrderLine(
        shop=order.shop,
        order_id=order.order_id,
        line_id=order.order_id,
        sku=f"sku-{len(order.order_number)}",
        product_id=None,
        category=None,
        quantity=Decimal(1),
        net_value=order.goods_value,
        unit_cost=order.goods_value / 2,
    )


def measure(folder: Path, orders: int, rows: int) -> Iterator[tuple[str, str]]:
    made = list(pages(orders, rows))
    with Store.open(folder / "store.duckdb", now=BEGIN) as store:
        for name in ("first pull", "same again"):
            begun = time.perf_counter()
            changed = sum(store.commit("eu", "orders", page, at=BEGIN) for page in made)
            seconds = time.perf_counter() - begun
            per_commit = f"{1000 * seconds / len(made):.1f} ms a commit"
            yield name, f"{orders / seconds:,.0f} orders/s, {per_commit}, {changed:,} new"
        for name, job in {
            "summary": lambda: store.summary("eu", as_of=date(2026, 1, 1)),
            "content hash": store.content_hash,
            "compact": store.compact,
        }.items():
            begun = time.perf_counter()
            job()
            yield name, f"{time.perf_counter() - begun:.2f} s"
    yield "file", f"{(folder / 'store.duckdb').stat().st_size / 1e6:.0f} MB"
    yield "peak memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--page-rows", type=int, default=250)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in measure(Path(folder), arguments.orders, arguments.page_rows):
            sys.stdout.write(f"{name:>13}  {figure}\n")


if __name__ == "__main__":
    main()
