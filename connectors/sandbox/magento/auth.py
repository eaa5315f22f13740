"""Who may ask the Magento sandbox what: Bearer token or OAuth 1.0a with HMAC-SHA256.

As seen on 2.4.7-p3: a missing, a bad and an under-privileged token give the same 401; a signature
counts only when made without the port; a space sent as `+` and more than ten filters in one group
break it. https://developer.adobe.com/commerce/webapi/get-started/authentication/gs-authentication-oauth/
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from oauthlib.oauth1.rfc5849 import signature as oauth_signature
from starlette.requests import Request

from connectors.sandbox import (
    MAGENTO_ACCESS_TOKEN,
    MAGENTO_ACCESS_TOKEN_SECRET,
    MAGENTO_CONSUMER_KEY,
    MAGENTO_CONSUMER_SECRET,
    MAGENTO_TOKEN,
)
from connectors.sandbox.magento.errors import MagentoError, unauthorised
from connectors.sandbox.magento.setup import Setup

_PARAMETER = re.compile(r'(oauth_\w+)="([^"]*)"')
#: Magento sorts such keys as numbers, the standard as text.
_TWO_DIGIT_FILTER = re.compile(r"filters(\]|%5D)(\[|%5B)\d{2,}(\]|%5D)", re.IGNORECASE)


class _Secrets(NamedTuple):
    """The two secrets that sign, under oauthlib's names."""

    client_secret: str = MAGENTO_CONSUMER_SECRET
    resource_owner_secret: str = MAGENTO_ACCESS_TOKEN_SECRET


class Gate:
    """Lets requests through, or raises a MagentoError. Remembers nonces."""

    def __init__(self) -> None:
        self._nonces: set[str] = set()

    def admit(self, request: Request, resource: str, setup: Setup) -> None:
        """`resource` is what the route needs.

        With Bearer switched off an integration's token opens nothing, and the answer is the same.
        """
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "oauth":
            self._verify(request, credentials, resource)
        elif scheme.lower() != "bearer" or credentials != MAGENTO_TOKEN or not setup.bearer:
            raise unauthorised(resource)
        if setup.resources is not None and resource not in setup.resources:
            raise unauthorised(resource)

    def _verify(self, request: Request, credentials: str, resource: str) -> None:
        given = {key: unquote(value) for key, value in _PARAMETER.findall(credentials)}
        method = given.get("oauth_signature_method", "")
        if method != "HMAC-SHA256":
            raise MagentoError(400, "Signature method %1 is not supported", [method])
        known = (given.get("oauth_consumer_key"), given.get("oauth_token"))
        if known != (MAGENTO_CONSUMER_KEY, MAGENTO_ACCESS_TOKEN):
            raise unauthorised(resource)
        expected = _signature(request)
        if not oauth_signature.safe_string_equals(expected, given.get("oauth_signature", "")):
            raise MagentoError(401, "The signature is invalid. Verify and try again.")
        self._spend(given.get("oauth_nonce", ""))

    def _spend(self, nonce: str) -> None:
        if nonce in self._nonces:
            message = 'The nonce is already being used by the consumer with the "%1" ID.'
            raise MagentoError(401, message, ["1"])
        self._nonces.add(nonce)


def _signature(request: Request) -> str:
    """What the signature should be, with this server's quirks."""
    url = urlsplit(str(request.url))
    # The query is taken literally: `+` is a plus sign, not a space.
    query = url.query.replace("+", "%2B")
    if _TWO_DIGIT_FILTER.search(query):
        query += "&sorted_differently=1"
    parameters = oauth_signature.collect_parameters(
        uri_query=_escaped(query),
        headers={"Authorization": request.headers["authorization"]},
    )
    base = oauth_signature.signature_base_string(
        request.method,
        oauth_signature.base_string_uri(f"{url.scheme}://{url.hostname}{url.path}"),
        oauth_signature.normalize_parameters(parameters),
    )
    return str(oauth_signature.sign_hmac_sha256_with_client(base, _Secrets()))


def _escaped(query: str) -> str:
    """The query with brackets and the like encoded, as oauthlib wants it."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return "&".join(
        f"{oauth_signature.utils.escape(key)}={oauth_signature.utils.escape(value)}"
        for key, value in pairs
    )
