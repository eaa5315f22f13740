"""The lines of `doctor` for a Shopify shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.config import ShopSettings
from connectors.errors import ConnectorError
from connectors.http import Answer, Http
from connectors.platform import Finding
from connectors.shopify.documents import API_VERSION, CUSTOMERS, NAMESPACE, SHOP
from connectors.shopify.graphql import PATH, ask, failure

#: Scope -> what fails without it.
SCOPES = {
    "read_orders": "no order can be read",
    "read_all_orders": "Shopify hides every order older than 60 days, without an error",
    "read_customers": "no customer can be read",
    "write_customers": "no score can be written back",
}

CLOCK_TOLERANCE = timedelta(minutes=5)  # the overlap between two pulls is three times that


def findings(http: Http, settings: ShopSettings, now: datetime) -> Iterator[Finding]:
    """Credentials, API version, rights, currency, clock, metafields. Ends where no one answers."""
    try:
        answer = http.request("POST", PATH, json={"query": SHOP, "variables": {}})
        data = _data(http.shop, answer)
    except ConnectorError as error:
        yield _failed("credentials", error)
        return
    yield Finding("credentials", "ok", "the shop takes the token")
    yield _version(answer)
    yield from _rights(data)
    yield _currency(data, settings)
    yield _clock(answer, now)
    yield _metafields(http)


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
    served = answer.headers.get("x-shopify-api-version", "")
    if served == API_VERSION:
        return Finding("API version", "ok", served)
    told = f"asked for {API_VERSION}, got {served or 'none named'}"
    return Finding("API version", "warn", told, "Update clv-sync.")


def hidden(http: Http) -> str:
    """What of the shop's past the app isn't shown; empty where it is shown all of it."""
    granted = _granted(ask(http, SHOP, {}))
    if not granted or "read_all_orders" in granted:
        return ""
    return "without the right read_all_orders Shopify hides every order older than 60 days"


def _granted(data: dict[str, Any]) -> set[str]:
    installation = data.get("currentAppInstallation") or {}
    granted = {str(scope.get("handle")) for scope in installation.get("accessScopes") or ()}
    return granted | {f"read_{scope.removeprefix('write_')}" for scope in granted}  # it implies it


def _rights(data: dict[str, Any]) -> Iterator[Finding]:
    granted = _granted(data)
    for scope, lost in SCOPES.items():
        if scope in granted:
            yield Finding(f"scope {scope}", "ok", "granted")
        else:
            mend = f"Grant {scope} to the app and install it anew" + (
                "; Shopify grants it on request (Partner Dashboard > API access)."
                if scope == "read_all_orders"
                else "."
            )
            yield Finding(f"scope {scope}", "fail", f"missing: {lost}", mend)


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
