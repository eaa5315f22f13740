"""Who may come in: a token without an end, and those that are granted for a while.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens (2026-11-21) and
https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens
(2026-11-29): each use of a refresh token brings a new pair and ends the access token before it; the
refresh token stays good, if the answer got lost, until its successor is used.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from starlette.responses import JSONResponse, Response

from connectors.sandbox import (
    SHOPIFY_CLIENT_ID,
    SHOPIFY_CLIENT_SECRET,
    SHOPIFY_REFRESH_TOKEN,
    SHOPIFY_TOKEN,
)
from connectors.sandbox.shopify.setup import Setup

REFRESH_SECONDS = 90 * 86_400


class Tokens:
    """The tokens of one shop's app, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._refresh = SHOPIFY_REFRESH_TOKEN
        self._before = ""
        self._refreshed = ""

    def admits(self, token: str, setup: Setup) -> bool:
        if token == SHOPIFY_TOKEN:
            return setup.static_token
        return self._ends.get(token, 0.0) > self._clock()

    def grant(self, asked: Mapping[str, str], setup: Setup) -> Response:
        """The answer to a form that wants a token."""
        kind = asked.get("grant_type")
        if kind not in ("client_credentials", "refresh_token"):
            return _denied("invalid_request", "The grant type is missing or not supported")
        if asked.get("client_id") != SHOPIFY_CLIENT_ID:
            told = "Could not find Shopify API application with api_key"
            return _denied("invalid_request", f"{told} {asked.get('client_id')}")
        if asked.get("client_secret") != SHOPIFY_CLIENT_SECRET or setup.secret_expired:
            return _denied("invalid_client", "The client credentials are invalid")
        if kind == "refresh_token":
            return self._renewed(asked.get("refresh_token", ""), setup)
        return JSONResponse(self._made(setup, setup.token_seconds))

    def _renewed(self, refresh: str, setup: Setup) -> Response:
        if refresh not in (self._refresh, self._before or None):
            told = "This request requires an active refresh_token"
            return _denied("invalid_grant", told)
        self._ends.pop(self._refreshed, None)
        pair = self._made(setup, setup.refresh_seconds)
        self._refreshed, self._before = str(pair["access_token"]), refresh
        self._refresh = f"shprt_{secrets.token_hex(16)}"
        also = {"refresh_token": self._refresh, "refresh_token_expires_in": REFRESH_SECONDS}
        return JSONResponse(pair | also)

    def _made(self, setup: Setup, seconds: int) -> dict[str, object]:
        token = f"shpat_{secrets.token_hex(16)}"
        self._ends[token] = self._clock() + seconds
        return {"access_token": token, "scope": ",".join(setup.scopes), "expires_in": seconds}


def _denied(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400)
