"""The ways into Magento: an integration's token as Bearer, OAuth 1.0a, or Adobe's cloud (ims.py).

https://developer.adobe.com/commerce/webapi/get-started/authentication/ (read 2026-11-21)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.http import AnswerDenied, AuthBase, Http, PreparedRequest, Trust
from connectors.magento.ims import ImsToken
from connectors.origin import PORTS, origin_of

OAUTH_KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")

#: Missing, wrong and under-privileged tokens all get the same 401 (seen on 2.4.7-p3).
DENIED = (
    "Magento says the same for a wrong token, for Bearer tokens switched off and for a role that "
    "is too narrow: `doctor` tells which it is."
)


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

    Since 2.4.4 Magento takes no other method than HMAC-SHA256. It verifies the address as its web
    server passes it on. On a port of its own that was without the port (seen on 2.4.7-p3), though
    by Magento's code it is as the Host header says it: `other_form` is for shops that do so.
    https://github.com/magento/magento2/blob/2.4-develop/lib/internal/Magento/Framework/Oauth/Helper/Request.php
    (read 2026-11-23)
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
        self._with_port = False

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        url = request.url or ""
        _refuse_what_no_signature_fits(url)
        address = url if self._with_port else _without_port(url)
        _, headers, _ = self._client.sign(address, request.method)
        request.headers.update(headers)
        return request

    def other_form(self) -> Mapping[str, str]:
        """From now on signs the address with its port, or without it again."""
        self._with_port = not self._with_port
        return {}


def way_in(settings: ShopSettings) -> Bearer | OAuth1 | ImsToken:
    """The signer that the settings ask for; all that is missing is told at once."""
    if settings.ims_org:
        return ImsToken(settings)
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


def open_http(settings: ShopSettings, **patience: Any) -> Http:
    """The shop's door, signed as the settings ask for. `patience`: Http's `retry` and `sleep`."""
    auth = way_in(settings)
    if isinstance(auth, ImsToken):
        patience |= {"renew": auth.dropped}
    if isinstance(auth, OAuth1) and _has_port(settings.url):
        patience |= {"renew": auth.other_form, "renewable": _may_be_the_port}
    return Http(
        settings.url,
        shop=settings.shop,
        auth=auth,
        denied_mend=DENIED,
        trust=Trust.of(settings),
        **patience,
    )


def is_about_rights(denied: AnswerDenied) -> bool:
    """Whether Magento names the resource that a role lacks; OAuth's own refusals name none."""
    data = denied.answer.data
    parameters = data.get("parameters") if isinstance(data, dict) else None
    return isinstance(parameters, dict) and "resources" in parameters


def _may_be_the_port(denied: AnswerDenied) -> bool:
    return denied.answer.status == 401 and not is_about_rights(denied)


def _has_port(url: str) -> bool:
    origin = origin_of(url)
    return origin is not None and origin.port != PORTS[origin.scheme]


def _without_port(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=re.sub(r":\d*$", "", parts.netloc)))


def _refuse_what_no_signature_fits(url: str) -> None:
    """Magento sorts parameters as people would (2 before 10) and keeps the last of two equals."""
    keys = [key for key, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    if any(re.search(r"\[\d{2,}\]", key) for key in keys) or len(set(keys)) < len(keys):
        raise ValueError("at most 10 filters, groups and sort orders can be signed, each key once")
