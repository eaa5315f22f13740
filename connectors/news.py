"""What a run has to tell, in words, tables and facts; the terminal decides which of them show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from connectors import plan as plans
from connectors.pull import Pulled
from connectors.schema import Change, Outcome
from connectors.store import Refused
from connectors.terminal import Terminal

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd


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
