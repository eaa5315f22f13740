"""Groups of customers by the owner's rules, and the tags that tell them in the shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from connectors import export as exports
from connectors import made_files
from connectors import material as materials
from connectors import segments as parting
from connectors.config import Settings, ShopSettings
from connectors.errors import ConfigurationError
from connectors.session import Session
from jobs.engine import clv
from jobs.reporting import known_of, out_of


def segment_shop(
    at: Session, shop: ShopSettings, rules: Sequence[clv.segments.Rule], out: Path | None
) -> None:
    """Every grouping with its customers and money, and how to ask the shop for it."""
    known = known_of(at, materials.read(at.store, shop.shop, at.settings.value, at.now))
    facts = clv.segments.facts(known)
    facts["segment"] = clv.segments.segment_of(facts, rules)
    for column, order in (("segment", [rule.name for rule in rules]), ("abc", "ABC"), ("rfm", "")):
        groups = clv.segments.totals(known, facts[column], order)
        parting.told(at.terminal, shop.shop, column, groups)
    asked = [(rule.name, rule.where) for rule in (*rules, *clv.segments.ready(known))]
    parting.to_paste(at.terminal, shop, asked)
    if out:
        people = facts[["segment", "abc", "rfm"]].join(known.people["customer_id"])
        path = out_of(at, shop, out)
        rows = people.rename_axis("person_key").reset_index().assign(shop=shop.shop)
        at.store.note_file(path, made_files.EXPORT, at.now)
        exports.export(rows, path, "csv")


def segments_of(at: Session, shop: ShopSettings) -> dict[str, str]:
    """The segment of every registered customer who has one, by customer id."""
    known = known_of(at, materials.read(at.store, shop.shop, at.settings.value, at.now))
    found = clv.segments.segment_of(clv.segments.facts(known), rules_of(at.settings))
    named = found[found != clv.segments.REST].groupby(known.people["customer_id"]).first()
    return {str(customer): str(name) for customer, name in named.items()}


def rules_of(settings: Settings) -> Sequence[clv.segments.Rule]:
    path = settings.segment_rules
    return clv.segments.rules_of(parting.read_rules(path)) if path else clv.segments.DEFAULT


def with_segment_tags(settings: Settings) -> Settings:
    """Tags of segments are ours in the shops whose customers are to show them (as tags or not)."""
    if not any(shop.segment_tags for shop in settings.shops):
        return settings
    tags = {parting.segment_tag(rule.name) for rule in rules_of(settings)}
    clash = tags & {tag for shop in settings.shops for tag in shop.tags}
    if clash:
        told = f"{', '.join(sorted(clash))} would be the tag of a tier and of a segment"
        raise ConfigurationError(told, mend="Rename one in CLV_TIERS or CLV_SEGMENT_RULES.")
    shops = [
        replace(shop, tags=shop.tags | tags) if shop.segment_tags else shop
        for shop in settings.shops
    ]
    return replace(settings, shops=tuple(shops))
