"""Whether the shop opens: is it there, does it know the store view, and which ways in it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConnectorError, PayloadError
from connectors.http import Answer, AnswerDenied, AnswerRefused, Http, Trust
from connectors.magento.api import Api, api_of
from connectors.magento.auth import OAUTH_KEYS, Bearer, OAuth1, open_http, way_in
from connectors.magento.checks import denials
from connectors.magento.checks.asking import (
    Seen,
    failed,
    is_down,
    look,
    message_of,
    status_of,
)
from connectors.magento.checks.denials import Cause
from connectors.magento.fields import Fields
from connectors.platform import Finding

UNKNOWN_STORE = "Specified request cannot be processed."  # 400, seen on 2.4.7-p3
ANY_RIGHT = "store/storeConfigs"


def shut(http: Http, settings: ShopSettings, first: Seen) -> Finding | None:
    """What keeps every look from succeeding, told once; None where the shop answers."""
    if isinstance(first, AuthenticationError) and not isinstance(first, AnswerDenied):
        return failed("credentials", first)  # Adobe's sign-in gives no token
    if isinstance(first, ConnectorError) and is_down(first):
        return _maintenance() if status_of(first) == 503 else failed("shop", first)
    if status_of(first) == 400 and message_of(first) == UNKNOWN_STORE:
        return _unknown_store(http, settings)
    if isinstance(first, AnswerRefused) and status_of(first) == 404:
        return Finding(
            "shop",
            "fail",
            "no Magento web API answers at this address (404)",
            f"Check CLV_{settings.shop.upper()}_URL: the base address, as in Stores > "
            "Configuration > General > Web > Base URLs (Secure).",
        )
    return None


def _maintenance() -> Finding:
    return Finding(
        "shop",
        "fail",
        "the shop is in maintenance mode, or overloaded (503)",
        "Wait until it is open again; `bin/magento maintenance:status` on the server tells.",
    )


def _unknown_store(http: Http, settings: ShopSettings) -> Finding:
    setting = f"CLV_{settings.shop.upper()}_STORE_CODE"
    codes = ", ".join(["all", *_store_codes(http)])
    return Finding(
        "store view",
        "fail",
        f"the shop has no store view with the code {settings.store_code!r}",
        f"Set {setting} to one of: {codes} (Stores > All Stores).",
    )


def _store_codes(http: Http) -> Iterator[str]:
    seen = look(http, Api().path("store/storeViews"))
    rows = seen.data if isinstance(seen, Answer) and isinstance(seen.data, list) else []
    for row in rows:
        try:
            code = Fields(row).text("code")
        except PayloadError:
            continue
        if code != "admin":
            yield code


def credentials(http: Http, settings: ShopSettings, seen: Mapping[str, Seen]) -> Finding:
    """Whether the way in is taken; where it isn't, which of the causes it probably is."""
    way = way_in(settings).way
    denied = {name: one for name, one in seen.items() if _is_about_us(one, way)}
    others = dict(_other_ways(settings))
    if len(denied) == len(seen):
        cause = _cause(http, settings, next(iter(denied.values())), others)
        return Finding("credentials", "fail", f"{way}: {cause.detail}", cause.mend)
    if denied:
        return denials.narrow(way, denied)
    told = [
        f"{other} is {'taken as well' if taken else 'refused'}" for other, taken in others.items()
    ]
    return Finding("credentials", "ok", "; ".join([way, *told]))


def _is_about_us(seen: Seen, way: str) -> bool:
    """A 401 or 403; with OAuth, Magento answers 400 to keys of a wrong length."""
    if isinstance(seen, AnswerDenied):
        return True
    keys = status_of(seen) == 400 and way == OAuth1.way
    return keys and any(word in message_of(seen).lower() for word in ("token", "consumer", "oauth"))


def _cause(http: Http, settings: ShopSettings, denied: Seen, others: Mapping[str, bool]) -> Cause:
    if settings.ims_org:
        return denials.of_the_cloud(settings, denied)
    if status_of(denied) == 403:
        return denials.of_a_wall(settings)
    if not settings.token:
        return denials.of_oauth(settings, denied)
    if others.get(OAuth1.way):
        return denials.of_bearer_off(settings)
    stranger = look(
        Http(settings.url, shop=settings.shop, trust=Trust.of(settings)),
        api_of(settings).path(ANY_RIGHT),
    )
    known = isinstance(denied, AnswerDenied) and denials.is_recognised(denied, stranger)
    return denials.of_a_token(settings, known)


def _other_ways(settings: ShopSettings) -> Iterator[tuple[str, bool]]:
    """Each way that the settings hold the keys of and don't use -> whether the shop takes it."""
    has_keys = all(getattr(settings, key) for key in OAUTH_KEYS)
    if settings.ims_org or not has_keys:
        return
    if settings.token:
        yield OAuth1.way, _is_taken(replace(settings, token=""))
    else:
        yield Bearer.way, _is_taken(replace(settings, token=settings.access_token))


def _is_taken(settings: ShopSettings) -> bool:
    return isinstance(look(open_http(settings), api_of(settings).path(ANY_RIGHT)), Answer)
