"""What a run has to tell, in words, tables and facts; the terminal decides which of them show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from connectors import plan as plans
from connectors.privacy import Erased, Erasure
from connectors.pull import Pulled
from connectors.schema import NO_CURRENCY, Change, Outcome
from connectors.store import Refused
from connectors.terminal import Terminal

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd

#: A shop without an order for this long is asleep, or its data old.
QUIET_DAYS = 60

TIER_MONEY = ("predicted_clv", "historic_net")

PLAN_WORDS = {
    "=": "stay",
    "+": "are new",
    "*": "change",
    "-": "lose it",
    "!": "left the shop",
    "~": "are left alone",
}


def pulled(out: Terminal, shop: str, customers: Pulled, orders: Pulled, seconds: float) -> None:
    changed = orders.changed + customers.changed
    out.tell(
        "pulled",
        f"{shop}: {orders.orders:,} orders, {orders.refunds:,} refunds, "
        f"{customers.customers:,} customers pulled in {seconds:.1f} s; {changed:,} new or changed",
        shop=shop,
        orders=orders.orders,
        refunds=orders.refunds,
        customers=customers.customers,
        changed=changed,
        rejected=customers.rejected + orders.rejected,
    )


def already_pulled(out: Terminal, shop: str) -> None:
    told = f"{shop}: was pulled before, so --since has no effect without --full-refresh"
    out.tell("warning", f"[yellow]{told}[/]", shop=shop, warning=told)


def quarantined(out: Terminal, shop: str, rejects: pd.DataFrame) -> None:
    """Rows that could not be read: people see where the first ten are, programs all of them."""
    named = rejects if out.json else rejects.head(10)[["row_id", "field", "reason"]]
    more = f"; the first {len(named)} (--json: all)" if len(named) < len(rejects) else ""
    title = f"{shop}: {len(rejects):,} rows could not be read and were put aside{more}"
    rows = list(named.itertuples(index=False, name=None))
    out.table("reject", title, list(named.columns), rows, whole=True)


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


def planned(out: Terminal, shop: str, drawn: plans.Drawn) -> None:
    """The plan in one line, how far it moves the shop, and its ten biggest changes."""
    changes, counts, drift = drawn.changes, drawn.counts, drawn.drift
    signs = [sign for sign in plans.SYMBOLS if counts[sign] or sign != "~"]
    told = ", ".join(f"{sign} {counts[sign]:,} {PLAN_WORDS[sign]}" for sign in signs)
    facts = {"counts": dict(counts), "changes": len(changes), "drift": drift.told()}
    out.tell("plan", f"{shop}: {told}", shop=shop, **facts)
    if drift.customers and changes:
        out.tell(
            "drift",
            f"{shop}: {drift.moved:,} of {drift.customers:,} change their tier; predicted in all "
            f"{drift.before:,.0f} > {drift.after:,.0f}",
            shop=shop,
            **drift.told(),
        )
    rows = [
        (
            plans.symbol(change),
            change.customer_id,
            moved(change, "tier"),
            moved(change, "predicted_12m"),
            change.after.get("reason"),
        )
        for change in drawn.biggest
    ]
    columns = ("", "customer", "tier", "predicted", "why")
    out.table("change", f"{shop}: the biggest changes", columns, rows)
    if drawn.moving:
        told = (
            f"{shop}: {drawn.moving:,} customers would move to another customer group; "
            "prices, taxes and promotions may hang on a group"
        )
        out.tell("warning", f"[yellow]{told}[/]", shop=shop, warning=told)


def moved(change: Change, field: str) -> str:
    """`low > high`, or the one of the two that there is."""
    steps = [change.before.get(field), change.after.get(field)]
    return " > ".join(dict.fromkeys(step for step in steps if step))


def written(
    out: Terminal, shop: str, run_id: str, counts: Counter[str], refused: Sequence[Outcome]
) -> None:
    """What became of the changes; refusals by name, on a terminal the first twenty of them."""
    out.tell(
        "applied",
        f"{shop}: {counts['applied']:,} customers written and read back, "
        f"{counts['conflict']:,} left alone, {counts['rejected']:,} refused",
        shop=shop,
        run_id=run_id,
        **{status: counts[status] for status in ("applied", "conflict", "rejected")},
    )
    named = refused if out.json else refused[:20]
    rows = [(outcome.customer_id, outcome.status, outcome.reason) for outcome in named]
    more = f", the first {len(named)} of {len(refused):,}" if len(named) < len(refused) else ""
    columns = ("customer", "status", "reason")
    out.table("refused", f"{shop}: not written{more}", columns, rows, whole=True)


def tried_again(
    out: Terminal, shop: str, customers: Sequence[str], refused: Mapping[str, Refused]
) -> None:
    """What became of those whom the shop had refused before; who stays refused, how often."""
    if not customers:
        return
    still = [one for one in customers if one in refused]
    out.tell(
        "retried",
        f"{shop}: {len(customers):,} refused earlier were tried again: {len(still):,} stay refused",
        shop=shop,
        tried=len(customers),
        refused=len(still),
    )
    named = still if out.json else still[:20]
    rows = [(one, refused[one].times, refused[one].reason) for one in named]
    out.table("still_refused", "", ("customer", "times", "reason"), rows, whole=True)


def wrote(out: Terminal, runs: Sequence[tuple[str, str, datetime, int, int]]) -> None:
    """The runs that wrote to a shop, the newest first."""
    rows = [
        (run_id, command, f"{at:%Y-%m-%d %H:%M}", customers, applied)
        for run_id, command, at, customers, applied in runs
    ]
    columns = ("run", "command", "started (UTC)", "customers", "applied")
    out.table("run", "Runs that wrote", columns, rows)


def handed_out(out: Terminal, shop: str, file: str) -> None:
    told = f"{shop}: a customer asked for their data; hand them {escape(file)}"
    out.tell("data request", told, shop=shop, file=file)


def erased(out: Terminal, done: Erased, left: Sequence[Outcome]) -> None:
    """What has left, what was done to files, and what the shop still shows."""
    audit = done.audit
    rows = ", ".join(f"{table} {count:,}" for table, count in audit.counts.items() if count)
    out.tell(
        "erased",
        f"{audit.shop}: erased ({rows or 'nothing was known'}); tombstones:"
        f" {_first(audit.tombstones)}",
        shop=audit.shop,
        what=audit.what,
        counts=dict(audit.counts),
        tombstones=list(audit.tombstones),
    )
    for path, told in done.files.items():
        out.tell("file", f"  {escape(str(path))}: {told}", file=str(path), told=told)
    for outcome in left:
        out.tell(
            "left",
            f"  the shop still shows our fields on one of them: {escape(outcome.reason)}",
            status=outcome.status,
            reason=outcome.reason,
        )


def erased_so_far(out: Terminal, erasures: Sequence[Erasure]) -> None:
    """The audit lines."""
    columns = ("erased at", "shop", "what", "rows", "tombstones")
    rows = [
        (
            one.erased_at.isoformat(timespec="seconds"),
            one.shop,
            one.what,
            sum(one.counts.values()),
            ",".join(one.tombstones) if out.json else _first(one.tombstones),
        )
        for one in erasures
    ]
    out.table("erasure", "Erasures", columns, rows)


def _first(tombstones: Sequence[str]) -> str:
    """One of them is enough to find an erasure again."""
    more = f" and {len(tombstones) - 1:,} more" if len(tombstones) > 1 else ""
    return f"{tombstones[0]}{more}" if tombstones else ""


def reported(out: Terminal, shop: str, path: Path, as_of: date) -> None:
    """Where the page lies."""
    told = f"{shop}: report as of {as_of}: {escape(str(path))}"
    out.tell("report", told, shop=shop, file=str(path), as_of=as_of)


def shop_done(
    out: Terminal, shop: str, exit_code: int, seconds: float | None, counts: Mapping[str, int]
) -> None:
    """How one of several shops ended; without `seconds` it was not begun."""
    state = f"ended with exit code {exit_code}" if exit_code else "done"
    did = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    took = "not begun" if seconds is None else f"{seconds:.1f} s"
    facts = {"seconds": None if seconds is None else round(seconds, 1), "counts": dict(counts)}
    out.summary(
        f"{shop}: {state}, {took}" + (f": {did}" if did else ""),
        event="shop",
        shop=shop,
        exit_code=exit_code,
        **facts,
    )
