"""The door of Adobe Commerce as a Cloud Service: a token from Adobe IMS, the key, the organisation.

https://developer.adobe.com/commerce/webapi/rest/authentication/server-to-server/ (read 2026-11-23)
tells the headers and the statuses; the refusals' codes and words are ours, none was recorded. That
a missing `Store:` is refused is stricter than that page.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from connectors.sandbox import ACCS_CLIENT_ID, ACCS_CLIENT_SECRET, ACCS_ORG
from connectors.sandbox.magento.errors import MagentoError, unauthorised
from connectors.sandbox.magento.setup import Setup

SCOPE = "commerce.accs"
EXPIRES_IN = 86399


class CloudGate:
    """Gives out tokens and counts their uses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[str, int] = {}

    def token(self, method: str, body: bytes) -> dict[str, Any]:
        """The answer of the token endpoint. Raises MagentoError as IMS refuses."""
        if method != "POST":
            raise _ims(405, "unsupported_method")
        given = {key: values[-1] for key, values in parse_qs(body.decode()).items()}
        if given.get("grant_type") != "client_credentials":
            raise _ims(400, "unsupported_grant_type")
        if (given.get("client_id"), given.get("client_secret")) != (
            ACCS_CLIENT_ID,
            ACCS_CLIENT_SECRET,
        ):
            raise _ims(400, "invalid_client")
        if SCOPE not in given.get("scope", "").replace(" ", ",").split(","):
            raise _ims(400, "invalid_scope")
        fresh = secrets.token_hex(16)
        with self._lock:
            self._uses[fresh] = 0
        return {"access_token": fresh, "token_type": "bearer", "expires_in": EXPIRES_IN}

    def admit(self, request: Request, setup: Setup) -> None:
        """Raises MagentoError where key, organisation or token don't fit."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if request.headers.get("x-api-key") != ACCS_CLIENT_ID:
            raise _gateway(403, "403003", "Api Key is invalid")
        if scheme.lower() != "bearer" or not token:
            raise _gateway(401, "401010", "Oauth token is missing")
        if not self._spent(token, setup.ims_token_uses):
            raise _gateway(401, "401013", "Oauth token is not valid")
        if request.headers.get("x-gw-ims-org-id") != ACCS_ORG:
            raise _gateway(403, "403012", "The organisation doesn't have this service")

    def allow(self, resource: str, setup: Setup) -> None:
        """Raises MagentoError where the role is too narrow."""
        if setup.resources is not None and resource not in setup.resources:
            raise unauthorised(resource)

    def _spent(self, token: str, most: int) -> bool:
        """One use of a token; False for one that is unknown or used up."""
        with self._lock:
            if token not in self._uses or 0 < most <= self._uses[token]:
                return False
            self._uses[token] += 1
            return True


def _ims(status: int, error: str) -> MagentoError:
    refusal = MagentoError(status, error)
    refusal.body = {"error": error}
    return refusal


def _gateway(status: int, code: str, message: str) -> MagentoError:
    refusal = MagentoError(status, message)
    refusal.body = {"error_code": code, "message": message}
    return refusal
