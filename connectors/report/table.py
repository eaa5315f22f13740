"""The customer table as data for its script: columns, kinds, words, and the rule for CSV cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.export import RUNS_IN_A_SPREADSHEET
from connectors.report.spoken import Spoken

#: Column -> how it is shown, in the order of the table.
KINDS: Mapping[str, str] = {
    "customer": "text",
    "tier": "text",
    "predicted_clv": "money",
    "clv_low": "money",
    "clv_high": "money",
    "historic_net": "money",
    "at_risk": "money",
    "p_alive": "percent",
    "orders": "number",
    "days_since_last_order": "number",
    "overdue": "tenths",
    "next_order_on": "day",
    "abc": "text",
    "rfm": "word",
}
WORDS = ("shown", "nobody")


def table(customers: Mapping[str, Any], tiers: Sequence[str], spoken: Spoken) -> dict[str, Any]:
    """What the script needs, as plain JSON. `tiers`: the best first, which is how they sort."""
    columns = customers["columns"]
    segments = sorted({str(name) for name in columns["rfm"] if name})
    return {
        "locale": spoken.tag,
        "currency": spoken.currency,
        "columns": [
            {"name": name, "title": spoken.text(f"col_{name}"), "kind": kind}
            for name, kind in KINDS.items()
        ],
        "rows": {name: columns[name] for name in (*KINDS, "slipping", "due")},
        "tiers": list(tiers),
        "segments": {name: spoken.text(f"rfm_{name}") for name in segments},
        "words": {name: spoken.text(name) for name in WORDS},  # the script fills their places
        "risky": RUNS_IN_A_SPREADSHEET.replace("\\x00", "\\u0000"),
    }
