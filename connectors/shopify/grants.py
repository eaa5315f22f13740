"""What Shopify grants for an app's id and secret, and why it refuses.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens (2026-11-21)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError
from connectors.http import AnswerDenied, AnswerRefused, Http

PATH = "/admin/oauth/access_token"
HEADER = "X-Shopify-Access-Token"
RENEWED_BEFORE = 300  # seconds: a token this close to its end is not used any more

APP = "Settings of the app in the Dev Dashboard"

#: Shopify's word for a refusal -> what it means, and the mend; PREFIX is the variables' beginning.
CAUSES: Mapping[str, tuple[str, str]] = {
    "invalid_client": (
        "the shop takes this client secret no more: it was rotated, has expired, or is another "
        "app's",
        f"Copy the secret into PREFIX_CLIENT_SECRET ({APP}).",
    ),
    "invalid_request": (
        "the shop knows no app by this client id",
        f"Copy the client id into PREFIX_CLIENT_ID ({APP}).",
    ),
    "invalid_grant": (
        "the refresh token is good no more: 90 days have passed, or the app was installed anew",
        "Let the app be authorized anew and put the new refresh token into PREFIX_REFRESH_TOKEN.",
    ),
    "shop_not_permitted": (
        "the app may not get tokens of this shop by itself",
        "Install the app in this shop; only apps and shops of one organization may.",
    ),
}
CAUSES = {
    **CAUSES,
    "application_cannot_be_found": CAUSES["invalid_request"],
    "app_not_installed": CAUSES["shop_not_permitted"],
}
UNTOLD = (
    "the shop gives no token for the app's id and secret",
    "Check PREFIX_CLIENT_ID and PREFIX_CLIENT_SECRET, and that the app is installed in this shop.",
)


def granted(http: Http, settings: ShopSettings, **asked: str) -> Mapping[str, Any]:
    """The answer with its `access_token`; AuthenticationError with the cause where there is none.

    What the shop says beyond its own word for the cause is never quoted: it might be the secret.
    """
    body = {"client_id": settings.client_id, "client_secret": settings.client_secret, **asked}
    try:
        answer = http.request("POST", PATH, json=body).data
    except AnswerRefused as refused:
        raise _denied(settings.shop, refused.data, refused.status) from None
    except AnswerDenied as denied:
        raise _denied(settings.shop, denied.answer.data, denied.answer.status) from None
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        raise _denied(settings.shop, answer, 200)
    return answer


def lifetime(answer: Mapping[str, Any], untold: float) -> float:
    """Seconds that the token holds; `untold` where the answer doesn't say."""
    try:
        return float(answer["expires_in"])
    except (KeyError, TypeError, ValueError):
        return untold


def _denied(shop: str, data: object, status: int) -> AuthenticationError:
    word = str(data.get("error")) if isinstance(data, dict) else ""
    told, mend = CAUSES.get(word, UNTOLD)
    return AuthenticationError(
        told,
        mend=mend.replace("PREFIX", f"CLV_{shop.upper()}"),
        shop=shop,
        status=status,
        error=word if word in CAUSES else None,
    )
