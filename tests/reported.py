"""Shops for the report's tests: real purchases (CDNOW), or a few made up, scored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

import clv
from clv import columns as c
from clv.report import Known, report
from connectors.material import Material
from connectors.report import Spoken, page
from connectors.sandbox.cdnow import Who, purchases
from connectors.store.mending import MonthTotals

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "\u202eevil\u2028\u2029",
    "=HYPERLINK(1)",
)

AS_OF = date(1998, 6, 30)
ZERO = Decimal("0.00")


def cdnow(who: Who = "sample") -> pd.DataFrame:
    """The purchases as orders; products, channels and the rest follow from the numbers."""
    rows = list(purchases(who))
    frame = pd.DataFrame(
        {
            c.CUSTOMER_ID: [str(row.customer) for row in rows],
            c.ORDERED_AT: pd.to_datetime([row.on for row in rows], utc=True),
            c.NET_VALUE: [float(row.value) for row in rows],
        }
    ).sort_values(c.ORDERED_AT, kind="stable", ignore_index=True)
    place = np.arange(len(frame))
    return frame.assign(
        order_id=[f"o{n}" for n in place],
        channel=np.where(place % 3 == 0, "search", "newsletter"),
        coupon=np.where(place % 7 == 0, "WELCOME10", None),
        country=np.select([place % 4 == 1, place % 4 == 2], ["SE", "XX"], "DE"),
        store_view=np.where(place % 2 == 0, "sv", "da"),
        product=[f"CD-{n % 40}" for n in place],
        category=np.where(place % 5 == 0, "jazz", "rock"),
    )


def scored(orders: pd.DataFrame, as_of: date, settings: clv.ScoreSettings) -> pd.DataFrame:
    """Scores of orders as the store keeps them."""
    summary = clv.summarise(orders, as_of)
    people = summary.reset_index().assign(
        **{
            c.SHOP: "eu",
            c.PERSON_KEY: summary.index,
            c.CURRENCY: "EUR",
            c.DAYS_SINCE_LAST_ORDER: (summary[c.T] - summary[c.RECENCY]).to_numpy(),
            c.MARGIN: None,
        }
    )
    found = clv.score_summary(people, settings, as_of=as_of)
    return found.frame.assign(run_id=f"run-{as_of}")


def known_of(
    orders: pd.DataFrame,
    as_of: date = AS_OF,
    settings: clv.ScoreSettings | None = None,
    before: Mapping[str, date] | None = None,
) -> Known:
    """What is known of a shop with these orders, scored on `as_of` and on the days before."""
    settings = settings or clv.ScoreSettings()
    return Known(
        as_of,
        scored(orders, as_of, settings),
        orders,
        orders,
        {
            name: scored(orders[orders[c.ORDERED_AT].dt.date <= day], day, settings)
            for name, day in (before or {}).items()
        },
        settings=settings,
    )


def material_of(known: Known, **changed: Any) -> Material:
    """The same as the page takes it: a shop whose orders all count."""
    net = sum(known.scores[c.HISTORIC_NET], ZERO)
    month = MonthTotals(
        known.as_of.replace(day=1), known.currency, len(known.orders), 0, net, *(ZERO,) * 7, net
    )
    given: dict[str, Any] = {
        "shop": "eu",
        "as_of": known.as_of,
        "currency": known.currency,
        "scores": known.scores,
        "orders": known.orders,
        "lines": known.lines,
        "before": known.before,
        "card": {"model": str(known.scores[c.MODEL].iloc[0]), "warnings": []},
        "choice": None,
        "months": [month],
        "unscored": ZERO,
        "excluded": {},
        "rejected": 0,
    }
    return Material(**given | changed)


def order_rows(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Orders by hand: customer, day, net value."""
    frame = pd.DataFrame(rows, columns=[c.CUSTOMER_ID, "day", c.NET_VALUE])
    frame[c.ORDERED_AT] = pd.to_datetime(frame.pop("day"), utc=True)
    return frame.assign(order_id=[f"o{n}" for n in range(len(frame))])


def hostile_page() -> str:
    """A page of a shop whose every name was written by an enemy."""
    orders = cdnow().head(1500)
    for name in ("product", "category", "channel", "coupon", "country", "store_view"):
        orders[name] = [HOSTILE[n % len(HOSTILE)] for n in range(len(orders))]
    orders[c.CUSTOMER_ID] = [f"{HOSTILE[n % 9]}{n % 400}" for n in range(len(orders))]
    known = known_of(orders)
    named = material_of(known, card={"model": HOSTILE[0], "warnings": [HOSTILE[2]]})
    return page(report(known), named, Spoken.of("en", "EUR"))
