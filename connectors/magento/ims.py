"""Who we are to Adobe Commerce as a Cloud Service: a project's id and secret, changed into tokens.

https://developer.adobe.com/commerce/webapi/rest/authentication/server-to-server/ (read 2026-11-23)
Tokens hold 24 hours and stay in memory alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConfigurationError
from connectors.http import AnswerDenied, AnswerRefused, AuthBase, Http, PreparedRequest, Trust
from connectors.origin import may_sign_in

SIGN_IN = "https://ims-na1.adobelogin.com"
TOKEN = "/ims/token/v3"  # noqa: S105  a path
SCOPES = (
    "openid",
    "AdobeID",
    "email",
    "profile",
    "additional_info.roles",
    "additional_info.projectedProductContext",
    "commerce.accs",
)
RENEWED_BEFORE = 300  # seconds: a token this close to its end is not used any more

#: What Adobe calls the trouble -> where it is mended.
_MENDS = {
    "invalid_client": "Check {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET",
    "invalid_scope": "Add the API 'Adobe Commerce as a Cloud Service' to the project",
}


class ImsToken(AuthBase):
    """Signs requests with a token that it gets, keeps in memory and renews before it ends.

    The secret goes to Adobe's sign-in and nowhere else, the token to the shop alone. `Http` lets
    one thread at a time sign or renew.
    """

    way = "Adobe IMS client credentials"

    def __init__(
        self,
        settings: ShopSettings,
        http: Http | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._prefix = f"CLV_{settings.shop.upper()}"
        self._http = http or self._sign_in()
        self._clock = clock
        self._token = ""
        self._ends_at = 0.0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if not self._token or self._clock() > self._ends_at - RENEWED_BEFORE:
            self._token, self._ends_at = self._granted()
        request.headers["Authorization"] = f"Bearer {self._token}"
        request.headers["x-api-key"] = self._settings.client_id
        request.headers["x-gw-ims-org-id"] = self._settings.ims_org
        request.headers["Store"] = self._settings.store_code
        return request

    def dropped(self) -> Mapping[str, str]:
        """Forgets a token that the shop no longer takes; the next request brings a new one."""
        self._token = ""
        return {}

    def _sign_in(self) -> Http:
        url = self._settings.ims_url or SIGN_IN
        setting = f"{self._prefix}_IMS_URL"
        if not may_sign_in(url):
            raise ConfigurationError(
                "the client secret goes to Adobe's sign-in alone",
                mend=f"Leave {setting} out.",
                shop=self._settings.shop,
            )
        return Http(url, shop=self._settings.shop, setting=setting, trust=Trust.of(self._settings))

    def _granted(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "scope": ",".join(SCOPES),
        }
        try:
            answer = self._http.request("POST", TOKEN, form=form)
        except AnswerRefused as refused:
            raise self._denied(refused.status, refused.data) from None
        except AnswerDenied as denied:
            raise self._denied(denied.answer.status, denied.answer.data) from None
        data = answer.data if isinstance(answer.data, dict) else {}
        token, seconds = data.get("access_token"), data.get("expires_in")
        if not isinstance(token, str) or type(seconds) is not int:
            raise self._denied(answer.status, data)
        return token, self._clock() + seconds

    def _denied(self, status: int, data: Any) -> AuthenticationError:
        code = data.get("error") if isinstance(data, dict) else None
        known = code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else None
        mend = _MENDS.get(known or "", _MENDS["invalid_client"]).format(prefix=self._prefix)
        return AuthenticationError(
            "Adobe gives no token for the project's id and secret",
            mend=f'{mend} (Adobe Developer Console > project > OAuth "Server-to-Server").',
            shop=self._settings.shop,
            status=status,
            said=known,
        )
