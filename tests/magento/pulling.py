"""What tests of pulling share: a stocked shop, and what pages brought."""

from __future__ import annotations

import threading
from datetime import datetime

from connectors.platform import Page

from .conftest import FakeMagento, Reply, refused


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def orders_of(pages: list[Page]) -> list[str]:
    return [order.order_id for page in pages for order in page.orders]


def refunds_of(pages: list[Page]) -> list[str]:
    return [refund.refund_id for page in pages for refund in page.refunds]


def our_threads() -> int:
    """Workers that live on; one that has just said that it is done has a moment to end."""
    ours = [thread for thread in threading.enumerate() if "_work" in thread.name]
    for thread in ours:
        thread.join(timeout=2)
    return sum(thread.is_alive() for thread in ours)


def failing_on(stocked: FakeMagento, path: str, *broken: int) -> None:
    def rule(method: str, asked: str, query: dict[str, str]) -> Reply | None:
        if asked != path:
            return None
        ids = [row["entity_id"] for row in stocked.answer(path, query)["items"]]
        return refused(500, "Internal Error.") if {*ids} & {*broken} else None

    stocked.rules.append(rule)
