"""Segments outside: the owner's file of rules, tags in shops that have them, queries to paste.

Shopify's segments know our metafields and a few facts of their own; Magento's customer grid knows
our attributes. A rule that speaks of anything else can't be asked there: the segment itself can,
once it is written (`CLV_<SHOP>_SEGMENT_TAGS=yes`), as a tag in Shopify, as an attribute in Magento.
https://help.shopify.com/en/manual/customers/customer-segmentation/customer-segments (2026-11-29)
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.schema import SEGMENT, TAG, Shown, normal, tier_tag
from connectors.terminal import Terminal

Condition = tuple[str, str, Any]

#: Score column -> our field on the customer.
FIELD_OF = {
    "tier": "tier",
    "previous_tier": "previous_tier",
    "predicted_clv": "predicted_12m",
    "historic_net": "historic_net",
    "p_alive": "p_alive",
}
#: What Magento's administrators read above our attributes.
LABELS = {
    "tier": "Value Tier",
    "previous_tier": "Previous Value Tier",
    "predicted_12m": "Predicted Value, Next 12 Months",
    "historic_net": "Net Value So Far",
    "p_alive": "Chance of Return",
    SEGMENT: "Value Segment",
}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def read_rules(path: Path) -> Sequence[Mapping[str, Any]]:
    """The tables of a TOML file, `[[segment]]` each. Raises ConfigurationError."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            f"{path} can't be read: {told}", mend="Mend it, or leave CLV_SEGMENT_RULES empty."
        ) from error
    tables = found.get("segment")
    if not isinstance(tables, list) or not all(isinstance(one, Mapping) for one in tables):
        raise ConfigurationError(f"{path} holds no [[segment]]", mend="See .env.example.")
    return tables


def segment_tag(name: str) -> str:
    """The tag of a segment: like a tier's, and so a name can't be both."""
    return tier_tag(name)


def with_segments(
    scored: Mapping[str, Shown], segments: Mapping[str, str], platform: str
) -> dict[str, Shown]:
    """The scored customers with the segment of those who have one: as Shopify's tag, or a field."""

    def told(customer: str) -> Shown:
        name = segments.get(customer)
        if name is None:
            return {}
        return (
            {TAG: segment_tag(name)} if platform == "shopify" else {SEGMENT: normal(SEGMENT, name)}
        )

    return {customer: {**fields, **told(customer)} for customer, fields in scored.items()}


def shopify_query(where: Iterable[Condition]) -> str | None:
    """The conditions as a Shopify segment asks them; None where it can't."""
    parts = [_shopify(*condition) for condition in where]
    return None if None in parts else " AND ".join(part for part in parts if part)


def _shopify(column: str, operator: str, value: Any) -> str | None:
    if column == "orders":
        return f"number_of_orders {operator} {value}" if operator != "in" else None
    if column == "days_since_last_order" and operator in TURNED:
        return f"last_order_date {TURNED[operator]} -{value}d"
    field = FIELD_OF.get(column)
    if field is None:
        return None
    name = f"metafields.clv.{field}"
    if operator == "in":
        return "(" + " OR ".join(f"{name} = {_literal(one)}" for one in value) + ")"
    return f"{name} {operator} {_literal(value)}"


def _literal(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def tag_query(name: str) -> str:
    return f"customer_tags CONTAINS '{segment_tag(name)}'"


def attribute_filter(name: str) -> str:
    return f"{LABELS[SEGMENT]}: {name}"


def magento_filter(where: Iterable[Condition]) -> str | None:
    """What to choose under Customers > All Customers > Filters; None where the grid can't."""
    parts = [_magento(*condition) for condition in where]
    return None if None in parts else "; ".join(part for part in parts if part)


def _magento(column: str, operator: str, value: Any) -> str | None:
    label = LABELS.get(FIELD_OF.get(column, ""))
    if label is None or operator in ("!=", "in"):
        return None
    if operator == "=":
        return f"{label}: {value}"
    return f"{label}: {'from' if operator in ('>', '>=') else 'to'} {value}"


# ------------------------------------------------------------------------------------ to people

COLUMNS = ("customers", "net", "predicted")
#: Platform -> where to paste.
PLACES = {
    "shopify": "to paste under Customers > Segments > Create segment",
    "magento": "to choose under Customers > All Customers > Filters",
}
#: Platform -> how a rule is asked there, how a segment that is written, and as what it is.
ASKED = {"shopify": shopify_query, "magento": magento_filter}
ASKED_AS_WRITTEN = {"shopify": tag_query, "magento": attribute_filter}
WRITTEN_AS = {"shopify": "as tags", "magento": "as the attribute clv_segment"}


def told(out: Terminal, shop: str, grouping: str, groups: Sequence[Mapping[str, Any]]) -> None:
    """The groups of one kind, with customers, net value to date and predicted value."""
    rows = [
        (group["name"], f"{group['customers']:,}", *(f"{group[m]:,.2f}" for m in COLUMNS[1:]))
        for group in groups
    ]
    out.table(grouping, f"{shop}: by {grouping}", (grouping, *COLUMNS), rows)


def to_paste(
    out: Terminal, shop: ShopSettings, rules: Sequence[tuple[str, Sequence[Condition]]]
) -> None:
    """How to ask the shop for each rule; those that it can't answer by what it knows are named."""
    if shop.platform not in ASKED:
        return
    asked = [(name, _asked(shop, name, where)) for name, where in rules]
    out.tell("paste", f"{shop.shop}: {PLACES[shop.platform]}", shop=shop.shop)
    for name, query in asked:  # line by line, since a table might cut what is to be copied
        if query:
            text = f"  [bold]{escape(name)}[/]  {escape(query)}"
            out.tell("query", text, shop=shop.shop, segment=name, query=query)
    silent = ", ".join(name for name, query in asked if not query)
    if silent:
        setting, how = f"CLV_{shop.shop.upper()}_SEGMENT_TAGS", WRITTEN_AS[shop.platform]
        text = f"{shop.shop}: the shop itself can't tell {silent}; {setting}=yes writes them {how}"
        out.tell("silent", escape(text), shop=shop.shop, segments=silent)


def _asked(shop: ShopSettings, name: str, where: Sequence[Condition]) -> str | None:
    return ASKED[shop.platform](where) or (
        ASKED_AS_WRITTEN[shop.platform](name)
        if shop.segment_tags and segment_tag(name) in shop.tags
        else None
    )
