"""Looks at a Magento shop before work begins: rights, attributes, store views, clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from connectors.errors import AuthenticationError, ConnectorError, PayloadError
from connectors.http import Answer, Http
from connectors.magento.fields import Fields
from connectors.magento.parse import parse_store_views
from connectors.magento.search import criteria
from connectors.magento.shown import PREFIX
from connectors.platform import Finding
from connectors.schema import FIELDS

#: Missing, wrong and under-privileged tokens all get the same 401 (seen on 2.4.7-p3).
DENIED = (
    "Magento says the same for three causes: a wrong or revoked token; Bearer tokens switched off "
    "(set oauth/consumer/enable_integration_as_bearer, or give the four OAuth keys instead); "
    "a role without Sales, Customers or Stores (System > Integrations > API)."
)
NARROW = "Give the integration the missing resources (System > Integrations > API)."
SKEW_SECONDS = 60  # from here on the clocks are worth a look
OVERLAP_SECONDS = 600  # from here on the overlap of two pulls doesn't make up for them


def check(http: Http, way: str, now: datetime) -> Iterator[Finding]:
    """One finding for each look; only one where the shop doesn't answer or lets us in nowhere."""
    answers: dict[str, Answer | ConnectorError] = {}
    for name, look in LOOKS.items():
        answers[name] = _answer(http, look)
        if _is_down(answers[name]):
            yield _failed("shop", answers[name])
            return
    credentials = _credentials(way, answers)
    yield credentials
    if credentials.status == "fail":
        return
    for name, look in LOOKS.items():
        yield _judged(name, look, answers[name])
    yield from _clock(answers, now)


def _answer(http: Http, look: Look) -> Answer | ConnectorError:
    params = [*criteria([], 1), ("fields", "total_count")] if look.counts else []
    try:
        return http.get(look.path, params=params)
    except ConnectorError as error:
        return error


def _is_down(answer: Answer | ConnectorError) -> bool:
    """No look can succeed: no answer at all, maintenance, a redirect, a bad certificate."""
    if isinstance(answer, Answer):
        return False
    status = answer.evidence.get("status")
    return not isinstance(status, int) or status < 400 or status == 503


def _failed(name: str, answer: Answer | ConnectorError) -> Finding:
    assert isinstance(answer, ConnectorError)  # noqa: S101  # tells the type checker
    said = answer.evidence.get("said")
    status = answer.evidence.get("status")
    detail = ", ".join(str(part) for part in (answer.message, said, status) if part)
    return Finding(name, "fail", detail, answer.mend)


def _credentials(way: str, answers: dict[str, Answer | ConnectorError]) -> Finding:
    denied = [isinstance(answer, AuthenticationError) for answer in answers.values()]
    if all(denied):
        return Finding("credentials", "fail", f"{way}: refused everywhere", DENIED)
    if any(denied):
        return Finding("credentials", "warn", f"{way}: accepted, but the role is narrow", NARROW)
    return Finding("credentials", "ok", way)


def _judged(name: str, look: Look, answer: Answer | ConnectorError) -> Finding:
    if isinstance(answer, AuthenticationError):
        return Finding(name, "fail", "the role doesn't allow this", NARROW)
    if isinstance(answer, ConnectorError):
        return _failed(name, answer)
    try:
        return look.judge(name, answer)
    except PayloadError as error:
        return Finding(name, "fail", f"the answer can't be read: {error.field} {error.message}")


def _counted(name: str, answer: Answer) -> Finding:
    return Finding(name, "ok", f"{Fields(answer.data).number('total_count')} to read")


def _attributes(name: str, answer: Answer) -> Finding:
    there = {row.text("attribute_code") for row in Fields({"rows": answer.data}).rows("rows")}
    missing = [PREFIX + field for field in FIELDS if PREFIX + field not in there]
    if not missing:
        return Finding(name, "ok", f"all {len(FIELDS)} customer attributes are there")
    mend = (
        "Install the module in magento-module/, or add them under Stores > Attributes > Customer."
    )
    return Finding(name, "fail", f"missing: {', '.join(missing)}", mend)


def _store_views(name: str, answer: Answer) -> Finding:
    views = parse_store_views(answer.data).values()
    websites = {view.website for view in views if view.website != "0"}  # 0 is the admin
    count = sum(view.website != "0" for view in views)
    return Finding(name, "ok", f"{count} store views in {len(websites)} websites")


def _currencies(name: str, answer: Answer) -> Finding:
    rows = Fields({"rows": answer.data}).rows("rows")
    codes = sorted({row.currency("base_currency_code") for row in rows})
    if len(codes) < 2:
        return Finding(name, "ok", f"base currency {', '.join(codes) or 'unknown'}")
    mend = "Values in different currencies are never added up; score the websites apart."
    return Finding(name, "warn", f"several base currencies: {', '.join(codes)}", mend)


def _clock(answers: dict[str, Answer | ConnectorError], now: datetime) -> Iterator[Finding]:
    """The shop's clock by its Date header; none where no answer brings one."""
    dates = [a.headers.get("date") for a in answers.values() if isinstance(a, Answer)]
    date = next((date for date in dates if date), None)
    if date is None:
        return
    off = abs((parsedate_to_datetime(date) - now).total_seconds())
    status: Literal["ok", "warn", "fail"] = (
        "ok" if off < SKEW_SECONDS else "warn" if off < OVERLAP_SECONDS else "fail"
    )
    mend = "" if status == "ok" else "Let both machines set their clocks by NTP."
    yield Finding("clock", status, f"{off:.0f} seconds between this machine and the shop", mend)


class Look(NamedTuple):
    path: str
    judge: Callable[[str, Answer], Finding]
    counts: bool = False


LOOKS = {
    "orders": Look("/rest/all/V1/orders", _counted, counts=True),
    "credit memos": Look("/rest/all/V1/creditmemos", _counted, counts=True),
    "customers": Look("/rest/all/V1/customers/search", _counted, counts=True),
    "attributes": Look("/rest/all/V1/attributeMetadata/customer", _attributes),
    "store views": Look("/rest/all/V1/store/storeViews", _store_views),
    "currencies": Look("/rest/all/V1/store/storeConfigs", _currencies),
}
