"""The two ways into Magento: an integration token as Bearer, or OAuth 1.0a with HMAC-SHA256.

https://developer.adobe.com/commerce/webapi/get-started/authentication/ (read 2026-11-21)
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.http import AuthBase, PreparedRequest

OAUTH_KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


class Bearer(AuthBase):
    """Off by default since 2.4.4: `oauth/consumer/enable_integration_as_bearer`."""

    way = "integration token as Bearer"

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class OAuth1(AuthBase):
    """Signs with a fresh nonce and timestamp at every call. JSON bodies are not signed.

    Magento verifies the URL without its port, whichever port it answers on (seen on 2.4.7-p3).
    Since 2.4.4 it takes no other method than HMAC-SHA256.
    """

    way = "OAuth 1.0a"

    def __init__(self, consumer_key: str, consumer_secret: str, token: str, secret: str) -> None:
        self._client = Client(
            consumer_key,
            client_secret=consumer_secret,
            resource_owner_key=token,
            resource_owner_secret=secret,
            signature_method=SIGNATURE_HMAC_SHA256,
        )

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        _, headers, _ = self._client.sign(_without_port(request.url or ""), request.method)
        request.headers.update(headers)
        return request


def way_in(settings: ShopSettings) -> Bearer | OAuth1:
    """The signer that the settings ask for; all that is missing is told at once."""
    if settings.token:
        return Bearer(settings.token)
    prefix = f"CLV_{settings.shop.upper()}"
    missing = [key for key in OAUTH_KEYS if not getattr(settings, key)]
    if missing:
        names = ", ".join(f"{prefix}_{key.upper()}" for key in missing)
        raise ConfigurationError(
            "there is no complete way into Magento",
            mend=f"Set {prefix}_TOKEN, or {names}: System > Integrations shows them.",
            shop=settings.shop,
        )
    return OAuth1(*(getattr(settings, key) for key in OAUTH_KEYS))


def _without_port(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=re.sub(r":\d*$", "", parts.netloc)))
