"""The lines of `doctor` for a Shopify shop: what is wrong, by cause, and the mend."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.config import ShopSettings
from connectors.errors import ConnectorError
from connectors.http import Answer, AnswerDenied, AnswerRefused, Http
from connectors.origin import is_loopback
from connectors.platform import Finding
from connectors.schema import FIELDS
from connectors.shopify.definitions import missing_definitions
from connectors.shopify.documents import API_VERSION, CUSTOMERS, NAMESPACE, SHOP
from connectors.shopify.graphql import PATH, SERVED, ask, failure
from connectors.shopify.history import ALL_ORDERS, MEND, scopes_in
from connectors.shopify.segments import missing_segments

ATTEMPTS = 2  # a doctor is impatient: what fails twice is worth a line

#: Scope -> what fails without it.
SCOPES = {
    "read_orders": "no order can be read",
    ALL_ORDERS: "Shopify hides every order older than 60 days, without an error",
    "read_customers": "no customer can be read",
    "write_customers": "no score can be written back",
}

CLOCK_TOLERANCE = timedelta(minutes=5)  # the overlap between two pulls is three times that


def findings(http: Http, settings: ShopSettings, now: datetime) -> Iterator[Finding]:
    """Way in, API version, rights, plan, currency, clock, fields, segments. Ends where we are shut
    out."""
    try:
        asked = {"query": SHOP, "variables": {}}
        answer = http.request("POST", PATH, json=asked, attempts=ATTEMPTS)
        data = _data(http.shop, answer)
    except ConnectorError as error:
        yield _shut_out(error, settings)
        return
    yield Finding("credentials", "ok", f"the shop takes {_way_in(settings)}")
    yield from _domain(data, settings)
    yield _version(answer)
    yield from _rights(data)
    yield _plan(answer, data)
    yield _currency(data, settings)
    yield _clock(answer, now)
    yield _metafields(http)
    yield _definitions(http)
    if settings.segments:
        yield _segments(http, settings)


def _way_in(settings: ShopSettings) -> str:
    if settings.refresh_token:
        return "tokens that are renewed by a refresh token"
    return "the token" if settings.token else "the app's id and secret"


def _shut_out(error: ConnectorError, settings: ShopSettings) -> Finding:
    """Why nothing can be asked. The shop's own word for it is worth more than its status."""
    prefix = f"CLV_{settings.shop.upper()}"
    if isinstance(error, AnswerRefused) and error.status in SHUT:
        told, mend = SHUT[error.status]
        return Finding("shop", "fail", f"{told} ({error.status})", mend.replace("PREFIX", prefix))
    if not isinstance(error, AnswerDenied):
        return _failed("credentials", error)
    if error.answer.status == 403:
        return Finding(
            "credentials",
            "fail",
            "the shop takes no such token any more (403): of a public app it has to expire",
            f"Let the app ask for expiring tokens and set {prefix}_REFRESH_TOKEN.",
        )
    if settings.token and not settings.refresh_token:
        return Finding(
            "credentials",
            "fail",
            "the shop doesn't know this token (401): mistyped, revoked, or another shop's",
            f"Copy the app's Admin API token into {prefix}_TOKEN, and check {prefix}_URL.",
        )
    return _failed("credentials", error)


#: https://shopify.dev/docs/api/usage/response-codes (2026-11-29)
SHUT = {
    404: (
        "no Shopify shop answers at this address",
        "Set PREFIX_URL to https://<name>.myshopify.com, as in Settings > Domains.",
    ),
    402: ("the shop is frozen", "Its owner has to settle the bill: Settings > Billing."),
    423: ("the shop is locked", "Its owner has to ask Shopify's support."),
}


def _domain(data: dict[str, Any], settings: ShopSettings) -> Iterator[Finding]:
    """A shop that was renamed answers under its old name, too, until somebody else takes it."""
    ours = urlsplit(settings.url).hostname or ""
    theirs = str((data.get("shop") or {}).get("myshopifyDomain") or ours)
    if is_loopback(ours) or not ours or theirs == ours:
        return
    setting = f"CLV_{settings.shop.upper()}_URL"
    told = f"the shop calls itself {theirs}, not {ours}"
    yield Finding("domain", "warn", told, f"Set {setting} to https://{theirs}.")


def _data(shop: str, answer: Answer) -> dict[str, Any]:
    body = answer.data if isinstance(answer.data, dict) else {}
    if body.get("errors") or not isinstance(body.get("data"), dict):
        raise failure(shop, body.get("errors"))
    return dict(body["data"])


def _failed(name: str, error: ConnectorError) -> Finding:
    facts = " ".join(f"{k}={v}" for k, v in error.evidence.items() if v is not None)
    return Finding(name, "fail", f"{error.message} ({facts})", error.mend or "Try again later.")


def _version(answer: Answer) -> Finding:
    """An API version that has run out is answered by another, with this header as the only sign."""
    served = answer.headers.get(SERVED, "")
    if served == API_VERSION:
        return Finding("API version", "ok", served)
    told = f"asked for {API_VERSION}, got {served or 'none named'}"
    if served and served < API_VERSION:
        told += ": an older one, which lacks what we ask for"
        mend = "Does something between us and Shopify change addresses? Else ask its support."
        return Finding("API version", "fail", told, mend)
    return Finding("API version", "warn", told, "Update clv-sync.")


def _rights(data: dict[str, Any]) -> Iterator[Finding]:
    granted = scopes_in(data)
    granted |= {f"read_{scope.removeprefix('write_')}" for scope in granted}  # writing implies it
    for scope, lost in SCOPES.items():
        if scope in granted:
            yield Finding(f"scope {scope}", "ok", "granted")
        else:
            mend = MEND if scope == ALL_ORDERS else f"Grant {scope} to the app and install it anew"
            yield Finding(f"scope {scope}", "fail", f"missing: {lost}", f"{mend}.")


def _plan(answer: Answer, data: dict[str, Any]) -> Finding:
    """How much the plan lets us ask: nothing to mend, but it tells how long things take."""
    name = ((data.get("shop") or {}).get("plan") or {}).get("publicDisplayName") or "unknown"
    cost = (answer.data.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    rate, most = status.get("restoreRate"), status.get("maximumAvailable")
    told = f"{rate:,.0f} points a second, {most:,.0f} at once" if rate and most else "not told"
    return Finding("plan", "ok", f"{name}: {told}")


def _currency(data: dict[str, Any], settings: ShopSettings) -> Finding:
    shop = data.get("shop") or {}
    currency, told = (
        shop.get("currencyCode"),
        f"{shop.get('currencyCode')}, {shop.get('ianaTimezone')}",
    )
    if settings.currency in (None, currency):
        return Finding("currency, time zone", "ok", told)
    prefix = f"CLV_{settings.shop.upper()}_CURRENCY"
    return Finding(
        "currency, time zone",
        "fail",
        f"{told}, but {prefix} says {settings.currency}",
        f"Set {prefix} to {currency} or leave it out.",
    )


def _clock(answer: Answer, now: datetime) -> Finding:
    try:
        ahead = now - parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return Finding("clock", "warn", "the shop doesn't tell its time", "Nothing to mend here.")
    told = f"{ahead.total_seconds():+.0f} s against the shop's"
    if abs(ahead) <= CLOCK_TOLERANCE:
        return Finding("clock", "ok", told)
    return Finding("clock", "fail", told, "Set this machine's clock (NTP).")


def _metafields(http: Http) -> Finding:
    try:
        ask(http, CUSTOMERS, {"first": 1, "after": None})
    except ConnectorError as error:
        return _failed("metafields", error)
    return Finding("metafields", "ok", f"namespace {NAMESPACE} can be read on customers")


def _definitions(http: Http) -> Finding:
    try:
        missing = missing_definitions(http)
    except ConnectorError as error:
        return _failed("definitions", error)
    if len(missing) == len(FIELDS):
        return Finding("definitions", "ok", "missing as yet: the first write creates and pins them")
    if missing:
        told = f"missing: {', '.join(missing)}"
        return Finding("definitions", "warn", told, "The next `apply` creates and pins them.")
    return Finding("definitions", "ok", "every field is defined on customers")


def _segments(http: Http, settings: ShopSettings) -> Finding:
    try:
        missing = missing_segments(http, settings.tags, settings.tiers)
    except ConnectorError as error:
        found = _failed("segments", error)
        mend = f"{found.mend} Or set CLV_{settings.shop.upper()}_SEGMENTS=no."
        return Finding("segments", "warn", found.detail, mend)
    told = f"to come with the first write: {', '.join(missing)}" if missing else "one for each tag"
    return Finding("segments", "ok", told)
