"""Who we are to Shopify: a token, or an app's id and secret that are changed into tokens.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens (2026-11-21):
the client-credentials grant gives tokens that hold 24 hours; they stay in memory alone. Tokens that
hold an hour and are renewed by a refresh token are kept (`tokens.py`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import partial

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.http import AuthBase, Http, PreparedRequest, Trust
from connectors.shopify.grants import HEADER, RENEWED_BEFORE, granted, lifetime
from connectors.shopify.tokens import RefreshedTokens

_CLOUD = re.compile(r"https://[a-z0-9][a-z0-9-]*\.myshopify\.com/?")
_LOOPBACK = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/[\w-]+)*/?")


def checked_url(settings: ShopSettings) -> str:
    """The shop's address: `https://<name>.myshopify.com`, or a shop on this very machine.

    Raises ConfigurationError for every other host, so that a token never goes astray.
    """
    if not (_CLOUD.fullmatch(settings.url) or _LOOPBACK.fullmatch(settings.url)):
        raise ConfigurationError(
            "the address is not that of a Shopify shop",
            mend=f"Set CLV_{settings.shop.upper()}_URL to https://<name>.myshopify.com.",
            shop=settings.shop,
        )
    return settings.url.rstrip("/")


def open_http(
    settings: ShopSettings,
    throttled: Callable[..., float | None],
    pause: Callable[..., float],
) -> Http:
    """The shop's door, signed with the token that is given or that the app's secret brings."""
    door = partial(Http, checked_url(settings), shop=settings.shop, trust=Trust.of(settings))
    if settings.token and not settings.refresh_token:
        return door(headers={HEADER: settings.token}, throttled=throttled, pause=pause)
    way = RefreshedTokens if settings.refresh_token else ClientCredentials
    grant = way(settings, door())
    return door(auth=grant, renew=grant.dropped, throttled=throttled, pause=pause)


class ClientCredentials(AuthBase):
    """Signs requests with a token that it gets, keeps in memory and renews before it ends."""

    def __init__(
        self, settings: ShopSettings, http: Http, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._token = ""
        self._ends_at = 0.0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if not self._token or self._clock() > self._ends_at - RENEWED_BEFORE:
            answer = granted(self._http, self._settings, grant_type="client_credentials")
            self._token = str(answer["access_token"])
            self._ends_at = self._clock() + lifetime(answer, 0)
        request.headers[HEADER] = self._token
        return request

    def dropped(self) -> Mapping[str, str]:
        """Forgets a token that the shop no longer takes; the next request brings a new one."""
        self._token = ""
        return {}
