"""A Shopify's orders, its bulk operations at work, and the buckets of its plan."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shopify_orders import BEGIN, GAP, SETTLED, Prepared, Template, own

from connectors.sandbox.shopify.limits import Bucket, Plan

UNLIMITED = Plan(10**9, 10**9, 10**9, 10**9)


@dataclass
class Operation:
    """A bulk operation over the orders from `begin` to before `end`."""

    query: str
    begin: int
    end: int
    orders: int = 0
    objects: int = 0
    parts: list[bytes] = field(default_factory=list)
    content: bytes = b""
    done: bool = False


@dataclass
class Shop:
    """The orders 1 to `orders`, and what was asked about them."""

    orders: int
    made: Prepared
    plan: Plan
    requests: int = 0
    sent: int = 0
    refused: int = 0
    operations: list[Operation] = field(default_factory=list)
    calls: Bucket = field(default_factory=Bucket)
    points: Bucket = field(default_factory=Bucket)

    def poured(self) -> bool:
        """Whether the bucket has room for one more call of REST."""
        if self.calls.level(self.plan.rest_leak) + 1 > self.plan.rest_bucket:
            return False
        self.calls.pour(1)
        return True

    @property
    def limit_header(self) -> str:
        used = math.ceil(self.calls.level(self.plan.rest_leak))
        return f"{used}/{self.plan.rest_bucket}"

    def charged(self, points: int) -> tuple[bool, Any]:
        """Whether GraphQL's bucket held so many points, and what it tells of itself."""
        level, plan = self.points.level(self.plan.graphql_restore), self.plan
        held = level + points <= plan.graphql_bucket
        self.points.pour(points if held else 0)
        left = plan.graphql_bucket - level - (points if held else 0)
        status = {
            "maximumAvailable": plan.graphql_bucket,
            "currentlyAvailable": int(left),
            "restoreRate": plan.graphql_restore,
        }
        actual = points if held else None
        told = {"requestedQueryCost": points, "actualQueryCost": actual, "throttleStatus": status}
        return held, {"cost": told}

    def page(self, orders: Sequence[int], made: Sequence[Template]) -> bytes:
        return b'{"orders":[%b]}' % b",".join(made[n % len(made)].filled(own(n)) for n in orders)

    async def work(self, operation: Operation, queued: float, seconds: float) -> None:
        """Fills an operation's file, at its pace: some orders, then what belongs to them."""
        begun = time.monotonic() + queued
        for start in range(operation.begin, operation.end, 250):
            some = range(start, min(start + 250, operation.end))
            for templates in (self.made.roots, self.made.rows):
                operation.parts += [templates[n % len(templates)].filled(own(n)) for n in some]
            operation.orders += len(some)
            operation.objects += sum(self.made.counts[n % len(self.made.counts)] for n in some)
            await asyncio.sleep(begun + operation.orders * seconds - time.monotonic())
        operation.content = b"".join(operation.parts)
        operation.parts.clear()
        operation.done = True

    def window(self, search: str) -> tuple[int, int]:
        """The orders that a search by time finds, from and to before."""
        begin, end = 1, self.orders + 1
        for name, sign, value in re.findall(r"(\w+):(>=|<)'?([^' ]+)'?", search):
            at = datetime.fromisoformat(value)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            at -= SETTLED if name == "updated_at" else timedelta(0)
            place = math.ceil((at - BEGIN).total_seconds() / 60 / GAP)
            begin, end = (max(begin, place), end) if sign == ">=" else (begin, min(end, place))
        return begin, max(begin, end)
