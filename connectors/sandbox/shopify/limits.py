"""What a Shopify plan allows: leaky buckets for REST calls and GraphQL points, and who may what.

https://shopify.dev/docs/api/usage/limits (2026-11-21). The sandbox is a Plus shop, so that it is
fast; a shop's settings may name other `limits` or single figures (`rest_bucket`, `rest_leak`,
`graphql_bucket`, `graphql_restore`), and the `scopes` that the app was given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox.books import instant_text
from connectors.sandbox.shopify.setup import SCOPES

VISIBLE_DAYS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls and calls a second of REST, points and points a second of GraphQL."""

    rest_bucket: int
    rest_leak: float
    graphql_bucket: int
    graphql_restore: float


PLANS = {
    "standard": Plan(40, 2, 2_000, 100),
    "advanced": Plan(40, 4, 4_000, 200),
    "plus": Plan(400, 20, 20_000, 1_000),
}


def plan_of(settings: Mapping[str, Any]) -> Plan:
    named = PLANS[settings.get("limits", "plus")]
    asked = {key: settings.get(key) for key in Plan.__slots__}
    given: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
    return replace(named, **given)


def scopes_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(settings.get("scopes", SCOPES))


def allows(scopes: Sequence[str], needed: str) -> bool:
    """Whether a right is among those granted; writing implies reading."""
    return needed in scopes or needed.replace("read_", "write_", 1) in scopes


def first_visible(scopes: Sequence[str], now: str) -> str:
    """The oldest order that the app may see, by its `created_at`; empty: all of them."""
    if "read_all_orders" in scopes:
        return ""
    at = datetime.fromisoformat(now).replace(tzinfo=UTC) - timedelta(days=VISIBLE_DAYS)
    return instant_text(at)


class Bucket:
    """A leaky bucket: what was poured in runs out at a steady rate."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()
        self._level = 0.0

    def level(self, leak: float) -> float:
        """What stands in it now, at `leak` a second."""
        now = self._clock()
        self._level = max(self._level - leak * (now - self._at), 0.0)
        self._at = now
        return self._level

    def pour(self, amount: float) -> None:
        """Put into it; a negative amount takes back."""
        self._level = max(self._level + amount, 0.0)
