"""What a Magento customer shows, in the schema's words: custom attributes `clv_*`.

Magento gives a decimal as "77.2500" and a date as "2026-11-22 00:00:00"; both come back here in the
schema's own form, so that what we wrote and what we read compare equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.schema import FIELDS, Shown, as_shown

PREFIX = "clv_"


def parse_shown(raw: Any) -> Shown:
    """Our fields among a customer's custom attributes; those that are empty are absent."""
    values = _custom_values(raw)
    return {
        field: as_shown(field, values[PREFIX + field])
        for field in FIELDS
        if values.get(PREFIX + field) not in (None, "")
    }


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
