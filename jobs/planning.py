"""What the customers should show, against what they do: the plan, and the whole job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors import drift, writeback
from connectors import plan as plans
from connectors import segments as parting
from connectors.config import ShopSettings
from connectors.kept import Kept
from connectors.schema import Shown, normal
from connectors.session import Session
from connectors.showing import Showing, shown_in
from connectors.store.scratch import Scratch
from jobs import shop as shops
from jobs.each import each_shop
from jobs.scoring import score_shop
from jobs.segmenting import segments_of

if TYPE_CHECKING:
    import pandas as pd

#: Which column of a score stands in which field of the customer.
SCORE_OF_FIELD = {
    "tier": "tier",
    "predicted_12m": "predicted_clv",
    "historic_net": "historic_net",
    "currency": "currency",
    "p_alive": "p_alive",
    "next_order_date": "next_order_on",
    "reason": "reason",
    "model": "model",
    "scored_at": "as_of",
}


def whole_job(at: Session, shop: ShopSettings, max_changes: int | None) -> None:
    """Pull, score, plan, and apply if no more than `max_changes` customers have to change."""
    shown = shops.pull(at, shop)
    with at.scoring:
        score_shop(at, shop, at.now.date())
    drawn = plan_shop(at, shop, shown)
    writeback.guard(drawn.changes, max_changes)
    drift.guard(shop.shop, drawn.drift, at.settings.drift)
    shops.write(at, shop, drawn.changes)


def plan_shop(
    at: Session,
    shop: ShopSettings,
    shown: Showing | None = None,
    scratch: Scratch | None = None,
) -> plans.Drawn:
    """A shop's plan, against what its customers show now (asked for here unless given)."""
    many = at.store.scored(shop.shop)
    segments = segments_of(at, shop) if shop.segment_tags and many else {}
    columns = list(SCORE_OF_FIELD.values())

    def scored(shown: Showing) -> Iterator[shops.Some]:
        for batch in at.store.beside_scores(shop.shop, shown.reader, columns):
            fields = fields_of(batch.to_pandas())
            if segments:
                fields = parting.with_segments(fields, segments, shop.platform)
            yield shown_in(batch), fields

    return shops.plan(at, shop, shops.Scored(many, scored), scratch or at.store.scratch(), shown)


def fields_of(scores: pd.DataFrame) -> dict[str, Shown]:
    """The fields of every registered customer with a score, by customer id."""
    registered = scores[scores["customer_id"].notna()]
    if registered.empty:
        return {}
    fields: dict[str, dict[str, str]] = {str(key): {} for key in registered["customer_id"]}
    for field, column in SCORE_OF_FIELD.items():
        values = registered[column]
        for shown, value, known in zip(fields.values(), values, values.notna(), strict=True):
            if known:
                shown[field] = normal(field, value)
    return dict(fields)


def draw(at: Session) -> plans.Plan:
    """The plan of all the session's shops, with the ground it stands on."""
    scratch, changes = at.store.scratch(), Kept()
    counts: Counter[str] = Counter()
    drifts: dict[str, drift.Drift] = {}

    def job(at: Session, shop: ShopSettings) -> None:
        nonlocal changes
        drawn = plan_shop(at, shop, scratch=scratch)
        changes += drawn.changes
        counts.update(drawn.counts)
        drifts[shop.shop] = drawn.drift

    each_shop(at, job)
    based_on = {shop.shop: at.store.standing(shop.shop) for shop in at.shops}
    return plans.Plan(at.now.isoformat(), based_on, counts, drifts, changes)
