"""What a scoring and a backtest have to tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from rich.markup import escape

from connectors.schema import NO_CURRENCY
from connectors.terminal import Terminal

#: A shop without an order for this long is asleep, or its data old.
QUIET_DAYS = 60

TIER_MONEY = ("predicted_clv", "historic_net")

#: What stands in for a model where none could be taken; the warnings say why.
AVERAGES = {"too little data": "the shop's average", "shop average": "the shop's average"}


def scored(out: Terminal, shop: str, card: Mapping[str, Any]) -> None:
    """How many were scored by which model, what the model warns of, and the tiers."""
    customers = card["data"]["customers"]
    out.tell(
        "scored",
        f"{shop}: {customers:,} customers scored by {AVERAGES.get(card['model'], card['model'])}",
        shop=shop,
        customers=customers,
        card=card,
    )
    for warning in (*card["warnings"], *_stale(card["data"])):
        out.tell("warning", f"[yellow]{shop}: {escape(warning)}[/]", shop=shop, warning=warning)
    tiers(out, shop, card)


#: What a backtest shows of each model: title, figure, format.
FIGURES = (
    ("MAE", "mae", ".3f"),
    ("RMSE", "rmse", ".3f"),
    ("orders", "bias_purchases", "+.0%"),
    ("spend", "bias_spend", "+.0%"),
    ("rank", "rank_correlation", ".3f"),
    ("top 10%", "top_decile_spend", ".1%"),
    ("Gini", "gini_spend", ".3f"),
)


def chosen(out: Terminal, shop: str, card: Mapping[str, Any]) -> None:
    """How every model did on the shop's past, origin by origin, and which one was taken."""
    choice = card["choice"]
    if choice is None:
        told = f"{shop}: nothing to compare; {'; '.join(card['warnings'])}"
        return out.tell("warning", f"[yellow]{escape(told)}[/]", shop=shop, warning=told)
    for origin in choice["backtest"]["origins"]:
        title = (
            f"{shop}, known on {origin['as_of']}; {origin['horizon_days']} days brought "
            f"{origin['purchases']:,.0f} purchases worth {origin['spend']:,.2f}"
        )
        rows = [_tried(one["candidate"], origin["candidates"]) for one in choice["ranking"]]
        out.table("origin", title, ("model", *(title for title, _, _ in FIGURES)), rows)
    refused = _refused(choice["refused"])
    out.table("refused", f"{shop}: out", ("why", "models"), refused, whole=True)
    for note in choice["backtest"]["notes"]:
        out.tell("warning", f"[yellow]{shop}: {escape(note)}[/]", shop=shop, warning=note)
    out.tell("chosen", f"{shop}: {escape(choice['why'])}", shop=shop, card=card)


def _tried(key: str, candidates: Mapping[str, Any]) -> tuple[str, ...]:
    """A candidate's figures at one origin; none where it was refused there."""
    told = candidates[key]
    return (
        key,
        *("" if told.get(name) is None else f"{told[name]:{form}}" for _, name, form in FIGURES),
    )


def _refused(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each reason once, with all that it is true of."""
    each = dict.fromkeys(reasons.values())
    return [(why, ", ".join(key for key in reasons if reasons[key] == why)) for why in each]


def _stale(data: Mapping[str, Any]) -> Iterator[str]:
    """A history that ended long ago makes everybody look lost."""
    days = [date.fromisoformat(data[name]) for name in ("last_order_on", "as_of") if name in data]
    quiet = (days[-1] - days[0]).days if days else 0
    if quiet > QUIET_DAYS:
        yield (
            f"nobody ordered in the last {quiet:,} days, so hardly anybody is expected back; for a"
            f" history that ends earlier say so with --as-of"
        )


def tiers(out: Terminal, shop: str, card: Mapping[str, Any]) -> None:
    """Customers and money by tier, in the order of the card."""
    currency = card["data"].get("currency", NO_CURRENCY).replace(NO_CURRENCY, "")
    rows = [
        (tier, f"{told['customers']:,}", *(f"{Decimal(told[name]):,.2f}" for name in TIER_MONEY))
        for tier, told in card["tiers"].items()
        if told["customers"]
    ]
    titles = ("tier", "customers", f"predicted {currency}", f"net to date {currency}")
    columns = [title.strip() for title in titles]
    out.table("tier", f"{shop}: tiers", columns, rows)


def excluded(out: Terminal, shop: str, reasons: Mapping[str, int]) -> None:
    told = ", ".join(f"{orders:,} {reason}" for reason, orders in reasons.items() if orders)
    if told:
        out.tell("excluded", f"{shop}: orders that don't count: {told}", shop=shop, **reasons)
