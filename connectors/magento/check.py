"""Looks at a Magento shop before work begins: ways in, rights, limits, module, attributes, clock.

Nothing is written, and nothing that costs the server more than a page of customers is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from connectors.config import ShopSettings
from connectors.errors import PayloadError
from connectors.http import Answer, AnswerDenied, Http
from connectors.magento.api import api_of
from connectors.magento.checks import writing
from connectors.magento.checks.asking import Seen, look
from connectors.magento.checks.door import credentials, shut
from connectors.magento.checks.reading import (
    judged,
    limit_of,
    looks,
    page_size,
    probe_of_pages,
    time_zone,
)
from connectors.platform import Finding

SKEW_SECONDS = 60  # from here on the clocks are worth a look
OVERLAP_SECONDS = 600  # from here on the overlap of two pulls doesn't make up for them


def check(http: Http, settings: ShopSettings, fingerprint: str, now: datetime) -> Iterator[Finding]:
    """One finding for each look; few where the shop doesn't answer or lets us in nowhere.

    `fingerprint` is that of our e-mail key, to be held against the module's.
    """
    api = api_of(settings)
    pages = look(http, api.path("orders"), probe_of_pages())
    if finding := shut(http, settings, pages):
        yield finding
        return
    wanted = looks(limit_of(pages))
    seen = {name: look(http, api.path(one.path), one.params) for name, one in wanted.items()}
    way_in = credentials(http, settings, seen)
    yield way_in
    yield from _clock([pages, *seen.values()], now)
    if not any(isinstance(one, Answer) for one in seen.values()) and way_in.status == "fail":
        return
    for name, one in wanted.items():
        yield judged(name, one, seen[name], settings)
    yield from _time_zone(seen["currencies"])
    if not isinstance(pages, AnswerDenied):
        yield page_size(pages)
    ways = writing.ways(http, api, settings)
    yield from writing.findings(ways, settings, fingerprint)


def _time_zone(seen: Seen) -> Iterator[Finding]:
    if not isinstance(seen, Answer):
        return
    try:
        yield time_zone(seen)
    except PayloadError:
        return  # the line of the currencies tells


def _clock(seen: Iterable[Seen], now: datetime) -> Iterator[Finding]:
    """The shop's clock by its Date header, which refusals bear as well; none without one."""
    date = next((date for one in seen if (date := _date(one))), None)
    if date is None:
        return
    off = (now - parsedate_to_datetime(date)).total_seconds()
    if abs(off) < SKEW_SECONDS:
        yield Finding("clock", "ok", "in step with the shop's")
        return
    told = f"this machine is {abs(off):.0f} seconds {'ahead of' if off > 0 else 'behind'} the shop"
    status: Literal["warn", "fail"] = "warn" if abs(off) < OVERLAP_SECONDS else "fail"
    yield Finding("clock", status, told, "Let both machines set their clocks by NTP.")


def _date(seen: Seen) -> str | None:
    answer = seen.answer if isinstance(seen, AnswerDenied) else seen
    return answer.headers.get("date") if isinstance(answer, Answer) else None
