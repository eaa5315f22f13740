"""What a run does to a shop, step by step: pull, plan, write. Scores come from outside."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from connectors import causes as why
from connectors import drift as drifts
from connectors import hinted, news, reconciled, tracing, writeback
from connectors import plan as plans
from connectors import pull as pulls
from connectors import reconcile as reconciles
from connectors.config import ShopSettings
from connectors.errors import ConfigurationError, GuardStopped, StalePlan
from connectors.hints import Hint
from connectors.kept import Kept, keep
from connectors.platform import HISTORY, Window, Zoned
from connectors.schema import Changes, Shown
from connectors.session import Session
from connectors.showing import Showing
from connectors.store.scratch import Scratch

#: What some customers show, and what those of them show who have a score.
Some = tuple[Mapping[str, Shown], Mapping[str, Shown]]


class Scored(NamedTuple):
    """How many customers have a score, and what tells all who show something, some at a time."""

    many: int
    beside: Callable[[Showing], Iterable[Some]]


@tracing.staged("pull")
def pull(at: Session, shop: ShopSettings, since: datetime | None = None) -> Showing:
    """Customers and orders into the store; what the customers show comes back."""
    if since and at.store.cursor(shop.shop, "orders"):
        news.already_pulled(at.terminal, shop.shop)
    hinted.carry_out(at, shop)
    begun = time.monotonic()
    with hinted.pending(at, shop) as hints:
        customers, orders = _pulled(at, shop, since, hints)
    news.pulled(at.terminal, shop.shop, customers, orders, time.monotonic() - begun)
    at.count(shop.shop, orders=orders.orders, customers=customers.customers)
    if hints:
        at.count(shop.shop, hints=len(hints))
    at.store.tidy()
    quarantined = at.store.rejects(shop.shop)
    if len(quarantined):
        news.quarantined(at.terminal, shop.shop, quarantined)
        at.count(shop.shop, rejected=len(quarantined))
        at.worse(3)
    return customers.shown


def _pulled(
    at: Session, shop: ShopSettings, since: datetime | None, hints: Sequence[Hint]
) -> tuple[pulls.Pulled, pulls.Pulled]:
    platform = at.open(shop)
    with at.watch(f"{shop.shop}: customers") as watch:
        customers = pulls.pull_customers(platform, at.store, at.now, watch)
    with at.watch(f"{shop.shop}: orders") as watch:
        pulls.pull_moved(platform, at.store, customers.shown, at.now, watch)
        orders = pulls.pull_orders(platform, at.store, at.now, since, watch)
        pulls.pull_hinted(platform, at.store, hints, customers.shown, at.now, watch)
    return customers, orders


@tracing.staged("reconcile")
def reconcile(
    at: Session, shop: ShopSettings, since: datetime | None, every_order: bool, forget: bool
) -> None:
    """Pulls what is new, then compares and mends month by month; tells what it found."""
    pull(at, shop)
    asked = Window(reconciles.begins(at.store, shop.shop, since), at.now)
    terms = reconciles.Terms(at.now, at.settings.value, every_order, forget)
    platform = at.open(shop)
    with at.watch(f"{shop.shop}: months") as watch:
        months = list(reconciles.reconcile(platform, at.store, asked, terms, watch))
    reconciled.compared(at.terminal, shop.shop, months)
    totals = at.store.months(shop.shop, *asked, terms.rule)
    reconciled.bridged(at.terminal, shop.shop, totals)
    zone = why.known_zone(platform.time_zone() if isinstance(platform, Zoned) else "UTC")
    moved = at.store.moved(shop.shop, asked, why.edges(*asked, zone))
    rows = why.causes(totals, moved, reconciles.theirs(months))
    reconciled.caused(at.terminal, shop.shop, rows, zone)
    if any(row.cause == why.UNEXPLAINED for row in rows):
        at.worse(3)
    found = Counter(one.kind for month in months for one in month.differences)
    at.count(
        shop.shop, months=len(months), **{kind.replace(" ", "_"): found[kind] for kind in found}
    )
    if found["put aside"]:
        at.worse(3)
    elif since is None:
        at.store.settle_counts(shop.shop)


def currency(at: Session, shop: ShopSettings) -> str | None:
    """The one currency that the shop is scored in; several need a word from the owner.

    So does one that no order is in: everybody would be scored as if they had never bought.
    """
    found = at.store.currencies(shop.shop)
    counts = ", ".join(f"{code} {orders:,}" for code, orders in found.items())
    mend = f"Set CLV_{shop.shop.upper()}_CURRENCY to the one to score."
    if shop.currency and found and shop.currency not in found:
        raise ConfigurationError(f"no order is in {shop.currency} ({counts})", mend=mend)
    if not shop.currency and len(found) > 1:
        raise ConfigurationError(f"orders in {len(found)} currencies ({counts})", mend=mend)
    return shop.currency


def caveats(at: Session, shop: ShopSettings) -> list[str]:
    """What is known to be missing from the shop's history; scores are labelled with it."""
    rejects = at.store.rejects(shop.shop)
    return [str(reason) for reason in rejects[rejects["row_id"] == HISTORY]["reason"]]


@tracing.staged("plan")
def plan(
    at: Session,
    shop: ShopSettings,
    scored: Scored,
    scratch: Scratch,
    shown: Showing | None = None,
) -> plans.Drawn:
    """What would change, against what the customers show now (read here unless given).

    Their changes go to `scratch`.
    """
    platform = at.open(shop)
    if shown is None:
        with at.watch(f"{shop.shop}: customers") as watch:
            shown = pulls.pull_customers(platform, at.store, at.now, watch).shown
    drawn = plans.Drawn()
    with at.alone:
        for some in scored.beside(shown):
            drawn += _drawn(at, shop, some, platform.shows, scratch)
    drawn.counts["!"] = scored.many - drawn.scored
    if drawn.bearing and not scored.many:
        raise GuardStopped(
            f"{drawn.bearing:,} customers show a score, but the store holds none;"
            " nothing is taken away",
            mend="Run `backfill` first. `undo RUN` takes earlier writes back.",
        )
    news.planned(at.terminal, shop.shop, drawn)
    at.count(shop.shop, planned=len(drawn.changes))
    return drawn


def _drawn(
    at: Session, shop: ShopSettings, some: Some, shows: Sequence[str], scratch: Scratch
) -> plans.Drawn:
    """The part of a shop's plan that is of these customers."""
    shown, scored = some
    ours = {customer: plans.ours(fields) for customer, fields in shown.items()}
    scored = plans.with_groups(scored, shown, shop.groups)
    changes, counts = plans.draw(shop.shop, shown, scored, shows, at.settings.tolerance)
    return plans.Drawn(
        keep(scratch, changes),
        counts,
        drifts.drift(ours, scored),
        plans.biggest(changes),
        plans.moves(changes),
        bearing=sum(map(bool, ours.values())),
        scored=len(scored),
    )


def standing_plan(at: Session, file: Path) -> plans.Plan:
    """The plan in `file`; StalePlan where a shop was scored or written to since it was made."""
    drawn = plans.read_plan(file, at.hasher.seal, at.store.scratch())
    for shop, standing in drawn.based_on.items():
        at.settings.shop(shop)
        if at.store.standing(shop) != standing:
            raise StalePlan(
                f"{shop} was scored or written to since {file} was made", mend="Plan anew."
            )
    return drawn


def taken_back(at: Session, run: str) -> Kept:
    """What gives every customer back what they showed before that run."""
    changes = keep(at.store.scratch(), writeback.undoing(at.store, run))
    for name in changes.shops:
        at.settings.shop(name)  # one that is no longer configured must not be passed over
    return changes


@tracing.staged("apply")
def write(at: Session, shop: ShopSettings, changes: Changes) -> None:
    """The changes into the shop, read back and journalled."""
    if not changes:
        return at.count(shop.shop, applied=0)
    before, limit = at.store.refused(shop.shop), at.settings.max_refusals
    again = [one.customer_id for one in changes if one.customer_id in before] if before else []
    with at.watch(f"{shop.shop}: writing") as watch:
        counts, refused = writeback.write(at.open(shop), at.store, at.run_id, changes, watch, limit)
    news.written(at.terminal, shop.shop, at.run_id, counts, refused)
    news.tried_again(at.terminal, shop.shop, again, at.store.refused(shop.shop))
    at.count(shop.shop, applied=counts["applied"])
    if refused:
        at.count(shop.shop, refused=len(refused))
        at.worse(3)
