"""Who we are to Shopify: a token, or an app's id and secret that are changed into tokens.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens (2026-11-21):
the client-credentials grant gives tokens that hold 24 hours; they stay in memory alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConfigurationError
from connectors.http import AnswerRefused, AuthBase, Http, PreparedRequest, Trust

HEADER = "X-Shopify-Access-Token"
RENEWED_BEFORE = 300  # seconds: a token this close to its end is not used any more

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
    url, trust = checked_url(settings), Trust.of(settings)
    if settings.token:
        token = {HEADER: settings.token}
        return Http(
            url,
            shop=settings.shop,
            headers=token,
            throttled=throttled,
            pause=pause,
            trust=trust,
        )
    grant = ClientCredentials(settings, Http(url, shop=settings.shop, trust=trust))
    return Http(
        url,
        shop=settings.shop,
        auth=grant,
        renew=grant.dropped,
        throttled=throttled,
        pause=pause,
        trust=trust,
    )


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
            self._token, self._ends_at = self._granted()
        request.headers[HEADER] = self._token
        return request

    def dropped(self) -> Mapping[str, str]:
        """Forgets a token that the shop no longer takes; the next request brings a new one."""
        self._token = ""
        return {}

    def _granted(self) -> tuple[str, float]:
        body = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
        }
        try:
            answer = self._http.request("POST", "/admin/oauth/access_token", json=body).data
        except AnswerRefused as refused:
            raise self._denied(refused.status) from None
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise self._denied(200)
        return answer["access_token"], self._clock() + float(answer.get("expires_in", 0))

    def _denied(self, status: int) -> AuthenticationError:
        prefix = f"CLV_{self._settings.shop.upper()}"
        return AuthenticationError(
            "the shop gives no token for the app's id and secret",
            mend=f"Check {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET, and that the app is "
            "installed in this shop.",
            shop=self._settings.shop,
            status=status,
        )
