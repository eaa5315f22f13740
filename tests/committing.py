"""A pull that can be killed: commits made-up pages from the stored cursor on, a line for each."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import warehouses
from made_rows import NOW, customer, line, order, page, refund

from connectors.platform import Page

PAGES = 30


def pages(after: int) -> Iterator[Page]:
    """Every page depends on its number alone: 40 new orders and ten that come again, changed."""
    for number in range(after + 1, PAGES + 1):
        rng = random.Random(number)  # noqa: S311  # the same page every time
        new = range(40 * number, 40 * number + 40)
        again = rng.sample(range(40, 40 * number), 10) if number > 1 else []
        at = NOW + timedelta(minutes=number)
        rows = [order(str(n), updated_at=at, coupon=f"page {number}") for n in (*new, *again)]
        lines = [line(str(n), k, unit_cost=Decimal(number)) for n in (*new, *again) for k in (1, 2)]
        others = [refund(str(n)) for n in new[::10]] + [customer(str(rng.randrange(50)))]
        yield page(*rows, *lines, *others, cursor={"after": number})


def main(path: Path) -> None:
    with warehouses.opened(path, gathered=100) as store:
        stands = store.cursor("eu", "orders") or {"after": 0}
        for sent in pages(int(stands["after"])):
            store.commit("eu", "orders", sent, at=NOW)
            sys.stdout.write(f"{sent.cursor['after']}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
