"""The model that fits a shop, its scores, and the card that says what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import pyarrow as pa

from connectors import scored, tracing
from connectors.config import NEW, Settings, ShopSettings
from connectors.schema import Rule
from connectors.session import Session
from connectors.store import Numbers
from jobs import shop as shops
from jobs.engine import clv

if TYPE_CHECKING:
    import pandas as pd

#: How long a model stays that the shop's past has chosen: models that change by the day confuse.
CHOSEN_FOR_DAYS = 30


@tracing.staged("score")
def score_shop(at: Session, shop: ShopSettings, as_of: date, model: str | None = None) -> None:
    """Model, scores, tiers; kept under this run with the card that says what they rest on."""
    known = known_on(at, shop, as_of)
    settings = score_settings(at.settings)
    named = model or at.settings.model
    fitted = model_of(at, shop, past_of(at, shop, known), settings, named)
    traits = clv.looks_at_traits(fitted)
    asked: Numbers = {**known, "with_traits": traits}
    scorer = scorer_of(at, shop, fitted, settings, asked)
    totals = at.store.score(at.run_id, shop.shop, partial(clv.scored_batch, scorer), **asked)
    card = clv.model_card(scorer, totals or clv.Totals())
    card["warnings"] = [*card["warnings"], *shops.caveats(at, shop)]
    at.store.save_card(at.run_id, shop.shop, as_of, card)
    scored.scored(at.terminal, shop.shop, card)
    tiers = {name: told["customers"] for name, told in card["tiers"].items() if told["customers"]}
    at.count(shop.shop, scored=card["data"]["customers"], **tiers)
    left_out = at.store.excluded(shop.shop, as_of=as_of, currency=known["currency"])
    scored.excluded(at.terminal, shop.shop, left_out)


def scorer_of(
    at: Session,
    shop: ShopSettings,
    fitted: clv.Predictor,
    settings: clv.ScoreSettings,
    asked: Numbers,
) -> clv.Scorer:
    """What scores each batch, knowing the whole shop."""
    some = partial(at.store.spread, shop.shop, **asked)
    crowd = at.store.tally(shop.shop, partial(clv.crowd_of, fitted, settings), **asked)
    crowd = crowd or clv.Crowd.of(fitted, some(1), settings)
    return clv.Scorer.knowing(crowd, some, fitted, asked["as_of"], settings)


def scores_then(
    at: Session, shop: ShopSettings, day: date, choice: Mapping[str, Any] | None
) -> pd.DataFrame | None:
    """The scores that a day in the past would have had, from what was known then; kept nowhere.

    By the model of the settings, or by the best of the last `choice` that can be fitted to what was
    known. None where none can, or nobody had bought.
    """
    known = known_on(at, shop, day)
    past = past_of(at, shop, known)
    settings = score_settings(at.settings)
    fitted = _first_fitted(past, settings, _best_first(at.settings.model, choice))
    if fitted is None:
        return None
    traits = clv.looks_at_traits(fitted)
    asked: Numbers = {**known, "with_traits": traits}
    scorer = scorer_of(at, shop, fitted, settings, asked)
    batches = at.store.to_score(shop.shop, **asked)
    tables = [scorer.score(clv.people(batch)) for batch in batches]
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


#: What a model is made of: one candidate, or those of a mean, by key with their weights.
Parts = Mapping[str, float]


def _best_first(named: str, choice: Mapping[str, Any] | None) -> list[Parts]:
    """Which to try."""
    if named != clv.AUTO:
        return [{named: 1.0}]
    ranking = [{one["candidate"]: 1.0} for one in choice["ranking"]] if choice else []
    best = [_parts(choice), *ranking] if choice else []
    return [parts for parts in best if _known(parts)] or [{"bg": 1.0}]


def _parts(choice: Mapping[str, Any]) -> Parts:
    parts: Parts = choice.get("parts", {choice["chosen"]: 1.0})
    return parts


def _known(parts: Parts) -> bool:
    return all(key in clv.CANDIDATES for key in parts)


def _first_fitted(
    past: clv.Past, settings: clv.ScoreSettings, best_first: Sequence[Parts]
) -> clv.Predictor | None:
    for parts in best_first if len(past.summary) else ():
        try:
            return clv.refitted(past, settings, parts)
        except clv.errors.NamedModelFails:
            continue
    return None


class Known(TypedDict):
    """Which of a shop's orders count, and as what."""

    as_of: date
    rule: Rule
    currency: str | None


def known_on(at: Session, shop: ShopSettings, as_of: date) -> Known:
    return {"as_of": as_of, "rule": at.settings.value, "currency": shops.currency(at, shop)}


def past_of(at: Session, shop: ShopSettings, known: Known) -> clv.Past:
    days, traits = (read(shop.shop, **known) for read in (at.store.purchase_days, at.store.traits))
    return clv.past_of(days, known["as_of"], traits)


def model_of(
    at: Session, shop: ShopSettings, past: clv.Past, settings: clv.ScoreSettings, model: str
) -> clv.Predictor:
    """The model of that name; `auto` keeps what the shop's past has chosen, for a month."""
    standing = standing_choice(at, shop, past.as_of) if model == clv.AUTO else None
    return clv.kept(past, settings, *standing) if standing else clv.fitted(past, settings, model)


def standing_choice(
    at: Session, shop: ShopSettings, as_of: date
) -> tuple[Parts, clv.Calibration] | None:
    """What was chosen within a month, with what the same backtest has found about its
    intervals. None where the choice has to be made."""
    chosen = [card for card in at.store.cards(shop.shop) if card.card.get("choice")]
    if not chosen or not 0 <= (as_of - chosen[-1].as_of).days < CHOSEN_FOR_DAYS:
        return None
    card = chosen[-1].card
    parts = _parts(card["choice"])
    # Only a backtest knows the bounds where no model takes part.
    if not _known(parts) or not any(clv.CANDIDATES[key].kind == "model" for key in parts):
        return None
    return parts, clv.Calibration.from_dict(card.get("calibration", {}))


def score_settings(settings: Settings) -> clv.ScoreSettings:
    return clv.ScoreSettings(
        horizon_days=settings.horizon_days,
        discount_per_year=settings.discount_rate,
        margin=settings.margin,
        cac=settings.cac,
        lifespan_years=settings.lifespan_years,
        tiers=clv.Tiers(settings.tiers, NEW if settings.new_days else None, settings.new_days),
    )


@tracing.staged("backtest")
def backtest_shop(at: Session, shop: ShopSettings, as_of: date) -> None:
    """The comparison, and the choice that the next scorings keep to."""
    past = past_of(at, shop, known_on(at, shop, as_of))
    card = clv.predictor_card(clv.fitted(past, score_settings(at.settings)))
    if card["choice"]:
        at.store.save_card(at.run_id, shop.shop, as_of, card)
    scored.chosen(at.terminal, shop.shop, card)
