"""What a reconciliation tells: months that differ from the shop's, and the way to net value."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.causes import UNEXPLAINED, Cause, summed
from connectors.reconcile import Month
from connectors.schema import NO_CURRENCY
from connectors.store.mending import MonthTotals
from connectors.terminal import Terminal


def compared(out: Terminal, shop: str, months: Sequence[Month]) -> None:
    """How many months agreed, those that didn't, and the first twenty orders by name."""
    differing = [month for month in months if not month.agrees]
    agreed = len(months) - len(differing)
    out.tell(
        "reconciled",
        f"{shop}: {agreed:,} of {len(months):,} months agree with the shop",
        shop=shop,
        months=len(months),
        agreed=agreed,
    )
    rows = [(f"{month.begins:%Y-%m}", *_both(month), len(month.differences)) for month in differing]
    columns = ("month", "orders here", "in the shop", "total here", "in the shop ", "differences")
    out.table("month", f"{shop}: months that differed", columns, rows)
    found = [
        (f"{month.begins:%Y-%m}", one.order, one.kind, one.told)
        for month in differing
        for one in month.differences
    ]
    title = f"{shop}: orders that differed, mended but for those put aside"
    out.table("difference", title, ("month", "order", "what", "told"), found[:20])


def _both(month: Month) -> tuple[str, str, str, str]:
    ours, theirs = month.ours, month.theirs
    shown = "" if theirs.total is None else f"{theirs.total:,.2f}"
    return f"{ours.orders:,}", f"{theirs.orders:,}", f"{ours.total:,.2f}", shown


#: From all that was ordered to what the scores rest on: title, column of a month's totals.
BRIDGE = (
    ("ordered", "total"),
    ("cancelled", "cancelled"),
    ("open", "open"),
    ("test", "test"),
    ("of nobody", "nobodys"),
    ("refunded", "refunded"),
    ("tax, shipping", "tax_and_shipping"),
    ("net", "net"),
)


def bridged(out: Terminal, shop: str, months: Sequence[MonthTotals]) -> None:
    """What lies between all that was ordered and what the scores rest on.

    Programs get every month in full, people the last twelve in short, which fits on a terminal.
    Months are those of UTC; `caused` says what a report in the shop's own time zone counts in
    another one.
    """
    shown = [title for title in BRIDGE if any(getattr(one, title[1]) for one in months)]
    if out.json:
        titles = ("month (UTC)", "orders", "guests'", *(title for title, _ in shown), "in")
        rows = [
            (*_counted(one), f"{one.guest_orders:,}", *_summed([one], shown), one.currency)
            for one in months
        ]
        return out.table("totals", "", titles, rows)
    for currency in sorted({one.currency for one in months}):
        own = [one for one in months if one.currency == currency]
        recent = [(*_counted(one), *_in_short(one)) for one in own[-12:]]
        title = f"{shop}: {_headline(own)}"
        out.table("totals", title, ("month (UTC)", "orders", *IN_SHORT), recent)


def _headline(months: Sequence[MonthTotals]) -> str:
    currency = months[0].currency
    unit = "" if currency == NO_CURRENCY else f", {currency}"
    orders, guests = sum(m.orders for m in months), sum(m.guest_orders for m in months)
    return f"from orders to net value{unit}; {guests:,} of {orders:,} orders are guests'"


#: The same in fewer columns.
IN_SHORT = ("ordered", "not counted", "refunded", "tax, shipping", "net")
NOT_COUNTED = ("cancelled", "open", "test", "nobodys")


def _counted(month: MonthTotals) -> tuple[str, str]:
    return f"{month.month:%Y-%m}", f"{month.orders:,}"


def _summed(months: Sequence[MonthTotals], parts: Sequence[tuple[str, str]]) -> list[str]:
    sums = (sum((getattr(one, column) for one in months), Decimal(0)) for _, column in parts)
    return [f"{total:,.2f}" for total in sums]


def _in_short(month: MonthTotals) -> list[str]:
    left_out = sum(getattr(month, column) for column in NOT_COUNTED)
    parts = (month.total, left_out, month.refunded, month.tax_and_shipping, month.net)
    return [f"{part:,.2f}" for part in parts]


def caused(out: Terminal, shop: str, rows: Sequence[Cause], zone: str | None) -> None:
    """From what the shop's own reports show to our net value, each cause by orders and money.

    People see the sum of all months, programs each month. A month where something is left
    unexplained is told by itself.
    """
    clock = zone or "no one time zone told, so UTC"
    title = f"{shop}: from the shop's own reports ({clock}) to net value"
    shown = rows if out.json else summed(rows)
    table = [
        (*((f"{one.month:%Y-%m}",) if out.json else ()), *_told(one), one.currency) for one in shown
    ]
    columns = (*(("month",) if out.json else ()), "what", "orders", "money", "in")
    out.table("cause", title, columns, table)
    for one in (row for row in rows if row.cause == UNEXPLAINED):
        told = (
            f"{shop}: {one.month:%Y-%m} differs from the shop by {one.orders:,} orders and"
            f" {one.money:,.2f} {one.currency}, and nothing explains it: `reconcile --every-order`"
        )
        out.tell("warning", f"[yellow]{told}[/]", shop=shop, warning=told)


def _told(one: Cause) -> tuple[str, str, str]:
    return one.cause, f"{one.orders:,}", f"{one.money:,.2f}"
