"""What the customers should show, against what they do: the plan, and the whole job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors import drift, writeback
from connectors import plan as plans
from connectors import segments as parting
from connectors.config import ShopSettings
from connectors.schema import Change, Shown, normal
from connectors.session import Session
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
    at: Session, shop: ShopSettings, shown: Mapping[str, Shown] | None = None
) -> plans.Drawn:
    scored = fields_of(at.store.latest_scores(shop.shop))
    if shop.segment_tags and scored:
        scored = parting.with_segments(scored, segments_of(at, shop), shop.platform)
    return shops.plan(at, shop, scored, shown)


def fields_of(scores: pd.DataFrame) -> dict[str, Shown]:
    """The fields of every registered customer with a score, by customer id."""
    if scores.empty:
        return {}
    registered = scores[scores["customer_id"].notna()]
    fields: dict[str, dict[str, str]] = {str(key): {} for key in registered["customer_id"]}
    for field, column in SCORE_OF_FIELD.items():
        values = registered[column]
        for shown, value, known in zip(fields.values(), values, values.notna(), strict=True):
            if known:
                shown[field] = normal(field, value)
    return dict(fields)


def draw(at: Session) -> plans.Plan:
    """The plan of all the session's shops, with the ground it stands on."""
    changes: list[Change] = []
    counts: Counter[str] = Counter()
    drifts: dict[str, drift.Drift] = {}

    def job(at: Session, shop: ShopSettings) -> None:
        drawn = plan_shop(at, shop)
        changes.extend(drawn.changes)
        counts.update(drawn.counts)
        drifts[shop.shop] = drawn.drift

    each_shop(at, job)
    based_on = {shop.shop: at.store.standing(shop.shop) for shop in at.shops}
    return plans.Plan(at.now.isoformat(), based_on, counts, drifts, changes)
