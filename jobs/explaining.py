"""One customer: who it is, what is known of them, and what would move their score."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors import explained
from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.session import Session
from jobs.engine import clv
from jobs.scoring import known_on, model_of, past_of, score_settings


def explain(at: Session, customer: str) -> int:
    """Tells every score of somebody; how many. Raises ConfigurationError where there is none."""
    found = [
        told_of(at, shop, score)
        for shop in at.shops
        for score in at.store.score_of(shop.shop, person_keys(at, shop, customer))
    ]
    if not found:
        raise ConfigurationError(
            "no score for that customer", mend="`score` first; use the shop's customer id."
        )
    for told in found:
        explained.explained(at.terminal, told)
    return len(found)


def person_keys(at: Session, shop: ShopSettings, customer: str) -> list[str]:
    """The keys under which somebody may stand; a clear e-mail goes no further than here."""
    if "@" not in customer:
        return [customer]
    websites = ["", *at.store.websites(shop.shop)]
    hashed = [at.hasher.key_of(customer, website) for website in websites]
    return at.store.persons(shop.shop, [key for key in hashed if key])


def told_of(at: Session, shop: ShopSettings, score: Mapping[str, Any]) -> explained.Told:
    """All that is known of one customer, and what the model would say after other steps."""
    key, settings = score["person_key"], at.settings
    known = known_on(at, shop, score["as_of"])
    card = card_of(at, shop, score["run_id"])
    begins = {
        tier: None if told["from"] is None else Decimal(told["from"])
        for tier, told in card.get("tiers", {}).items()
    }
    return explained.Told(
        score=score,
        orders=at.store.orders_of(shop.shop, key, settings.value),
        summary=at.store.summary_of(shop.shop, key, **known),
        begins=begins,
        moves=moves_of(at, shop, score, begins),
        lifespan_years=settings.lifespan_years,
        margin=settings.margin,
        discount_rate=settings.discount_rate,
    )


def moves_of(
    at: Session, shop: ShopSettings, score: Mapping[str, Any], begins: Mapping[str, Decimal | None]
) -> list[dict[str, Any]]:
    """By the model that gave the score, fitted anew.

    None where the shop has chosen another since, or the person is not in a large shop's sample.
    """
    key, known = score["person_key"], known_on(at, shop, score["as_of"])
    past, settings = past_of(at, shop, known), score_settings(at.settings)
    if key not in past.summary.index:
        return []
    predictor = model_of(at, shop, past, settings, at.settings.model)
    if predictor.name != score["model"]:
        return []
    return clv.what_if(predictor, past.summary.loc[[key]], settings, begins)


def card_of(at: Session, shop: ShopSettings, run_id: str) -> Mapping[str, Any]:
    """The model card of a scoring; empty where none was kept."""
    found = [card.card for card in at.store.cards(shop.shop) if card.run_id == run_id]
    return found[-1] if found else {}
