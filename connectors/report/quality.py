"""What the numbers rest on: the bridge from the shop's own total, and the rows that don't count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.store.mending import MonthTotals

#: What is taken off the total, in this order; what is left is net value.
TAKEN_OFF = ("cancelled", "open", "test", "nobodys", "refunded", "tax_and_shipping")


def bridge(
    months: Sequence[MonthTotals], currency: str, unscored: Decimal, scored: Decimal
) -> list[tuple[str, Decimal]]:
    """From all that was ordered to what the scored customers brought, line by line.

    `unscored`: net value of persons without a score. A last line but one says by how much the
    store has moved on since the scoring; it is there only where it isn't zero.
    """
    ours = [month for month in months if month.currency == currency]
    total, *parts, net = (_sum(ours, name) for name in ("total", *TAKEN_OFF, "net"))
    off = [(name, -part) for name, part in zip(TAKEN_OFF, parts, strict=True) if part]
    later = scored - (net - unscored)
    return [
        ("total", total),
        *off,
        ("net", net),
        *([("unscored", -unscored)] if unscored else []),
        *([("later", later)] if later else []),
        ("scored", scored),
    ]


def _sum(months: Sequence[MonthTotals], name: str) -> Decimal:
    return sum((getattr(month, name) for month in months), Decimal(0)).quantize(Decimal("0.01"))


def honest(choice: Mapping[str, Any]) -> Mapping[str, float] | None:
    """Which share lay within the 80% ranges, over the backtest's origins; None where no model."""
    seen = choice.get("coverage") or []
    if not seen:
        return None
    return {
        measure: sum(one["randomised"][f"{measure}_80"] for one in seen) / len(seen)
        for measure in ("clv", "purchases")
    }


def tenths(choice: Mapping[str, Any]) -> Sequence[Mapping[str, float]]:
    """Expected and actual orders of each tenth of the customers, at the latest origin."""
    seen = choice.get("coverage") or []
    found: Sequence[Mapping[str, float]] = seen[0].get("tenths", []) if seen else []
    return found
