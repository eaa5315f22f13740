"""A shop's history with all that complicates one: guests, later accounts, refunds, open orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from made_rows import customer, line, order, page, refund

from connectors.platform import Page
from connectors.store import Store

AS_OF = date(2026, 6, 30)
BEGAN = datetime(2024, 6, 30, tzinfo=UTC)
#: Orders on a page.
PAGE = 400


def filled(store: Store, customers: int) -> None:
    for sent in pages(customers):
        store.commit("eu", "orders", sent, at=BEGAN)


def pages(customers: int, seed: int = 7) -> Iterator[Page]:
    """The same pages every time: the history, then what changed later."""
    rng = Random(seed)  # noqa: S311 -- the same shop every time
    orders = [one for number in range(customers) for one in history(rng, str(number))]
    people = [
        customer(str(number), email_key=f"key-{number}")
        for number in range(customers)
        if number % 5
    ]
    yield page(*people)
    for start in range(0, len(orders), PAGE):
        rows = orders[start : start + PAGE]
        yield page(*rows, *(one for row in rows for one in lines(rng, row)))
    yield page(*(one for row in orders for one in changed(rng, row)))


def history(rng: Random, number: str) -> list[Any]:
    """The orders of one person. One in five is a guest, some of the others began as one."""
    is_guest, came_later = int(number) % 5 == 0, int(number) % 25 == 1
    at = BEGAN + timedelta(minutes=rng.randrange(700 * 24 * 60))
    gap, until = rng.gammavariate(0.7, 90) + 2, BEGAN + timedelta(days=730)
    found: list[Any] = []
    while at < until and (not found or rng.random() < 0.85):
        by_guest = is_guest or (came_later and not found)
        value = Decimal(rng.randrange(100, 30_000)).scaleb(-2)
        found.append(
            order(
                f"{number}-{len(found)}",
                customer_id=None if by_guest else number,
                person_key=f"key-{number}" if by_guest else number,
                is_guest=by_guest,
                ordered_at=at,
                updated_at=at,
                state="open" if rng.random() < 0.05 else rng.choice(STATES),
                is_test=rng.random() < 0.005,
                currency="USD" if rng.random() < 0.01 else "EUR",
                goods_value=value,
                discount_value=Decimal(0) if rng.random() < 0.8 else (value / 10).quantize(CENT),
                tax_value=(value / 4).quantize(CENT),
                channel=rng.choice(["web", "app", None]),
                coupon=rng.choice([None, None, "MAY"]),
            )
        )
        at += timedelta(days=rng.expovariate(1 / gap))
    return found


CENT = Decimal("0.01")
STATES = ["complete"] * 18 + ["paid", "cancelled"]


def lines(rng: Random, row: Any) -> Iterator[Any]:
    for number in range(rng.choice([0, 1, 1, 1, 2])):
        cost = None if rng.random() < 0.1 else (row.goods_value / 3).quantize(Decimal("0.0001"))
        category, sent = rng.choice(["Garden", "Kitchen", None]), Decimal(rng.choice(["1", "2.5"]))
        yield line(
            row.order_id, number, category=category, quantity=sent, unit_cost=cost,
            net_value=row.goods_value,
        )  # fmt: skip


def changed(rng: Random, row: Any) -> Iterator[Any]:
    """Some were paid later, some went back in part or as a whole, some moved for nothing."""
    later = row.updated_at + timedelta(days=3)
    if row.state == "open" and rng.random() < 0.7:
        yield replace(row, state="complete", updated_at=later)
    elif row.state == "complete" and rng.random() < 0.06:
        whole = rng.random() < 0.4
        back = row.goods_value - row.discount_value if whole else CENT * 50
        state, money = "refunded" if whole else "complete", {"refunded_value": back}
        money["refunded_total"] = back
        yield replace(row, state=state, updated_at=later, **money)
        yield refund(f"r{row.order_id}", order_id=row.order_id, refunded_at=later, **money)
    elif rng.random() < 0.05:
        yield replace(row, updated_at=later)
