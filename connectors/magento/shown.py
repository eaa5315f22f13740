"""What a Magento customer shows, in the schema's words: custom attributes `clv_*`, and the group.

Magento gives a decimal as "77.2500" and a date as "2026-11-22 00:00:00"; both come back here in the
schema's own form, so that what we wrote and what we read compare equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.schema import GROUP, KINDS, Kind, Shown, as_shown

GONE: Mapping[Kind, None] = {"money": None, "number": None}
PREFIX = "clv_"  # the default of CLV_<SHOP>_ATTRIBUTE_PREFIX


def parse_shown(raw: Any, prefix: str = PREFIX, *, group: bool = False) -> Shown:
    """Our fields among a customer's custom attributes; those that are empty are absent.

    `group`: whether the customer's group is ours to show, too.
    """
    values = custom_values(raw)
    shown = {
        field: as_shown(field, values[prefix + field])
        for field in KINDS
        if values.get(prefix + field) not in (None, "")
    }
    if group and isinstance(raw, Mapping) and type(raw.get("group_id")) is int:
        shown[GROUP] = str(raw["group_id"])
    return shown


def custom_attributes(
    shown: Shown, wanted: Shown, prefix: str = PREFIX
) -> list[dict[str, str | None]]:
    """What to send so that a customer shows `wanted`: differences only.

    A value that goes is "", but null for decimals: "" would make them 0 (seen on 2.4.7-p3).
    """
    return [
        {"attribute_code": prefix + field, "value": wanted.get(field, GONE.get(kind, ""))}
        for field, kind in KINDS.items()
        if shown.get(field, "") != wanted.get(field, "")
    ]


def custom_values(raw: Any) -> dict[str, Any]:
    """All custom attributes of a customer, ours and others', by their code."""
    rows = raw.get("custom_attributes") if isinstance(raw, Mapping) else None
    return {
        str(row.get("attribute_code")): row.get("value")
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping)
    }
