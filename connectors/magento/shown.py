"""What a Magento customer shows, in the schema's words: custom attributes `clv_*`.

Magento gives a decimal as "77.2500" and a date as "2026-11-22 00:00:00"; both come back here in the
schema's own form, so that what we wrote and what we read compare equal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.magento.fields import NUMBER
from connectors.schema import FIELDS, Kind, Shown

PREFIX = "clv_"
PLACES: Mapping[Kind, Decimal] = {"money": Decimal("0.01"), "number": Decimal("0.0001")}


def parse_shown(raw: Any) -> Shown:
    """Our fields among a customer's custom attributes; those that are empty are absent."""
    values = _custom_values(raw)
    shown = {
        field: _normal(kind, str(values[PREFIX + field]))
        for field, kind in FIELDS.items()
        if values.get(PREFIX + field) not in (None, "")
    }
    return {field: text for field, text in shown.items() if text}


def custom_attributes(shown: Shown, wanted: Shown) -> list[dict[str, str]]:
    """What to send so that a customer shows `wanted`: differences only, "" where a value goes."""
    return [
        {"attribute_code": PREFIX + field, "value": wanted.get(field, "")}
        for field in FIELDS
        if shown.get(field, "") != wanted.get(field, "")
    ]


def _custom_values(raw: Any) -> dict[str, Any]:
    rows = raw.get("custom_attributes") if isinstance(raw, Mapping) else None
    return {
        str(row.get("attribute_code")): row.get("value")
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping)
    }


def _normal(kind: Kind, text: str) -> str:
    """The schema's form; what doesn't fit stays as it is, and so differs from all we write."""
    if kind in PLACES and NUMBER.fullmatch(text):
        return str(Decimal(text).quantize(PLACES[kind]))
    if kind == "date" and re.match(r"\d{4}-\d\d-\d\d( |$)", text):
        return text[:10]
    return text
