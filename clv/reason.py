"""Why a customer has this tier, in one plain sentence of at most 255 ASCII characters.

It stays on the customer until something changes, so it says dates, not how long ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

from clv.forecast import SHOP_AVERAGE, TOO_LITTLE_DATA

#: ISO 4217 for money of which nobody said what it is.
NO_CURRENCY = "XXX"

#: What a forecast without the models says of itself.
CAVEATS = {
    TOO_LITTLE_DATA: " by the shop's average (too little data for a model)",
    SHOP_AVERAGE: " by the shop's average (no model could be fitted)",
}


@dataclass(frozen=True)
class Facts:
    """The columns that the sentences are made of, one value per customer each."""

    tier: Sequence[str]
    orders: Sequence[int]
    net: Sequence[Decimal]
    last_order_on: Sequence[date]
    purchases: Sequence[float]
    spend: Sequence[Decimal]
    p_alive: Sequence[float | None]


FACTS = tuple(fact.name for fact in fields(Facts))


def sentences(facts: Facts, *, currency: str, horizon_days: int, model: str) -> list[str]:
    """One sentence per customer. Nothing in it says who the customer is."""
    caveat = CAVEATS.get(model)
    unit = "" if currency == NO_CURRENCY else f"{currency} "
    rows = zip(*(getattr(facts, name) for name in FACTS), strict=True)
    return [
        (
            f"{tier}: {_bought(orders, f'{unit}{net}', last_on)}; "
            f"{_expected(purchases, spend, unit)} in the next {horizon_days} days"
            f"{_certainty(p_alive, orders) if caveat is None else caveat}."
        )
        for tier, orders, net, last_on, purchases, spend, p_alive in rows
    ]


def _bought(orders: int, worth: str, last_on: date) -> str:
    if orders == 1:
        return f"1 order worth {worth} net, on {last_on.isoformat()}"
    return f"{orders} orders worth {worth} net, the last on {last_on.isoformat()}"


def _expected(purchases: float, spend: Decimal, unit: str) -> str:
    if purchases < 0.05:
        return "hardly any more orders expected"
    if spend <= 0:
        return f"{purchases:.1f} more orders of no net value expected"
    return f"{purchases:.1f} more orders of about {unit}{spend} expected"


def _certainty(p_alive: float | None, orders: int) -> str:
    if p_alive is None:
        return f", judged by {'one order' if orders == 1 else 'one day of orders'} only"
    if p_alive > 0.99:
        return ", over 99% likely still active"
    return f", {'under 1' if p_alive < 0.01 else round(p_alive * 100)}% likely still active"
