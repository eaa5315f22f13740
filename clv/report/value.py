"""Who brings the money: headline, concentration, distribution, tiers."""

from __future__ import annotations

from typing import Any

from clv import columns as c
from clv.customers.segments import ABC
from clv.customers.segments import concentration as shares_of
from clv.customers.spread import concentration_curve, value_classes
from clv.report.known import Known, exact, figure, figures


def headline(known: Known) -> dict[str, Any]:
    """The figures to begin with. `net` is to the cent what the tiers add up to."""
    scores, orders = known.scores, int(known.scores[c.ORDERS].sum())
    net = exact(scores[c.HISTORIC_NET])
    again = int((known.summary[c.FREQUENCY] > 0).sum())
    top = shares_of(known.column(c.HISTORIC_NET))["top_20_share"]
    return {
        "customers": len(scores),
        "orders": orders,
        "net": net,
        "predicted": exact(scores[c.PREDICTED_CLV]),
        "active": figure(known.column(c.P_ALIVE).sum(min_count=1)),
        "average_order": float(net) / orders if orders else None,
        "repeat_rate": again / len(scores) if len(scores) else None,
        "top_20_share": top,
    }


def concentration(known: Known) -> dict[str, Any]:
    """The curve, the shares, and the ABC classes."""
    net = known.column(c.HISTORIC_NET)
    curve = concentration_curve(net)
    return {
        "curve": list(zip(*(figures(curve[name]) for name in curve), strict=True)),
        **shares_of(net),
        "predicted_top_20_share": shares_of(known.column(c.PREDICTED_CLV))["top_20_share"],
        "classes": [_class(known, name) for name in ABC],
    }


def _class(known: Known, name: str) -> dict[str, Any]:
    member = (known.segments["abc_class"] == name).to_numpy()
    people = known.people[member]
    return {
        "class": name,
        "customers": int(member.sum()),
        "net": exact(people[c.HISTORIC_NET]),
        "predicted": exact(people[c.PREDICTED_CLV]),
    }


def distribution(known: Known) -> list[dict[str, Any]]:
    """Customers by class of predicted value."""
    classes = value_classes(known.column(c.PREDICTED_CLV))
    rows = classes.to_dict("records")
    return [{str(name): figure(value) for name, value in row.items()} for row in rows]


def tiers(known: Known) -> list[dict[str, Any]]:
    """Customers and money of each tier, the best first, and the value at which it begins."""
    told = known.card.get("tiers", {})
    found = [*known.settings.tiers.names, *known.scores[c.TIER].unique()]
    return [_tier(known, name, told.get(name, {}).get("from")) for name in dict.fromkeys(found)]


def _tier(known: Known, name: str, begins: str | None) -> dict[str, Any]:
    people = known.scores[known.scores[c.TIER] == name]
    return {
        "tier": name,
        "customers": len(people),
        "net": exact(people[c.HISTORIC_NET]),
        "predicted": exact(people[c.PREDICTED_CLV]),
        "active": figure(people[c.P_ALIVE].mean()) if len(people) else None,
        "from": begins,
    }
