"""The page: numbers, words and pictures put together in one file that lets nothing in or out.

The policy names the digests of the one style and the one script; everything else is forbidden:
no request, no inline handler, no frame, no form. Whatever comes from a shop goes through Jinja's
escaping, or through JSON in a block that no browser runs.
https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
(2026-11-29)
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from connectors.material import Material
from connectors.report import pictures, quality
from connectors.report.spoken import Spoken
from connectors.report.table import table

PAGES = "pages"
#: Cohorts below this are shown, but don't set the scale of the colours.
SMALL_COHORT = 20


def page(told: Mapping[str, Any], material: Material, spoken: Spoken) -> str:
    """The report as HTML. `told`: the numbers, section by section."""
    style, script = (_asset(name) for name in ("style.css", "table.js"))
    tiers = [tier["tier"] for tier in told["tiers"]]
    customers = table(told["customers"], tiers, spoken)
    environment = _environment(spoken)
    return environment.get_template("page.html").render(
        **told,
        shop=material.shop,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
        data=_json(customers),
        tier_names=[tier["tier"] for tier in told["tiers"] if tier["customers"]],
        pictures=pictures.drawn(told, material, spoken),
        bridge=quality.bridge(
            material.months, material.currency, material.unscored, told["headline"]["net"]
        ),
        card=material.card,
        choice=material.choice,
        excluded={why: n for why, n in material.excluded.items() if n},
        guests=sum(month.guest_orders for month in material.months),
        rejected=material.rejected,
        afterwards=material.afterwards,
    )


@lru_cache(16)
def _environment(spoken: Spoken) -> Environment:
    """Kept, since to compile the pages takes longer than to fill them for a small shop."""
    environment = Environment(
        loader=PackageLoader("connectors.report", PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        t=spoken.text,
        spoken=spoken,
        honest=quality.honest,
        tenths=quality.tenths,
        highest_of=highest_of,
    )
    environment.filters.update(
        money=spoken.money,
        cents=partial(spoken.money, cents=True),
        number=spoken.number,
        percent=spoken.percent,
        day=spoken.day,
        month=spoken.month,
        shade=shade,
        class_name=partial(pictures.class_name, spoken=spoken),
    )
    return environment


def highest_of(rows: Sequence[Mapping[str, Any]], key: str) -> float:
    """The highest cell after age 0, where retention is 1 for everybody; of cohorts large enough."""
    least = min(SMALL_COHORT, max((row["customers"] for row in rows), default=0))
    told = [row[key][1:] for row in rows if row["customers"] >= least]
    return max((cell for cells in told for cell in cells if cell is not None), default=0.0)


def shade(value: float | None, highest: float) -> str:
    """A class of the style: how dark a cell is, from s0 to s9."""
    if value is None or highest <= 0:
        return "s0"
    return f"s{min(int(10 * value / highest), 9)}"


def _asset(name: str) -> str:
    return files("connectors.report").joinpath(PAGES, name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_digest(style)}",
            f"script-src {_digest(script)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(content: object) -> Markup:
    """JSON that ends no script block: every sign that HTML could read is written as its number."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_plain)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704  no sign is left that could be markup


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in the page")
