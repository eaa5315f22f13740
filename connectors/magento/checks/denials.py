"""Why Magento refuses us, as far as it can be told apart.

A missing, a wrong and an under-privileged token get the same 401 (seen on 2.4.7-p3), and so does a
right one while Bearer tokens are switched off. What tells them apart: the token's form; whether
some routes are open; and whether Magento looked for a session. It does so only for who isn't
recognised by a token, and then its 401 sets a cookie (seen on 2.4.7-p3; the order of the contexts
is in Magento_Webapi, _Customer and _User, etc/webapi_rest/di.xml, read 2026-11-23).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from connectors.config import ShopSettings
from connectors.http import AnswerDenied
from connectors.magento.auth import is_about_rights
from connectors.magento.checks.asking import Seen, message_of, parameters_of, status_of
from connectors.platform import Finding

SCREEN = "System > Integrations"
BEARER_SWITCH = (
    "Stores > Configuration > Services > OAuth > Consumer Settings: Allow OAuth Access Tokens to "
    "be used as standalone Bearer tokens"
)

#: Resource -> where its box is, in the integration's API tab.
BOXES: Mapping[str, str] = {
    "Magento_Sales::actions_view": "Sales > Operations > Orders > Actions > View",
    "Magento_Sales::sales_creditmemo": "Sales > Operations > Credit Memos",
    "Magento_Customer::customer": "Customers",
    "Magento_Customer::manage": "Customers > All Customers",
    "Magento_Customer::group": "Customers > Customer Groups",
    "ClvSync_CustomerClv::write": "Customers > Write Customer Values",
    "Magento_Backend::store": "Stores > Settings > All Stores",
    "Magento_Logging::system_magento_logging_bulk_operations": "System > Action Logs > Bulk "
    "Actions",
}


#: What pulling and writing back need at least.
NEEDED = (
    "Magento_Sales::actions_view",
    "Magento_Sales::sales_creditmemo",
    "Magento_Customer::customer",
    "Magento_Customer::manage",
    "Magento_Backend::store",
)


class Cause(NamedTuple):
    """What it probably is, and where to mend it."""

    detail: str
    mend: str


def boxes(resources: Iterable[str]) -> str:
    """The mend of a narrow role: which boxes to tick, and where."""
    named = "; ".join(BOXES.get(one, one) for one in sorted(set(resources)))
    return f"Tick in {SCREEN} > the integration > API: {named}. Then save and reauthorize it."


def resources_of(seen: Iterable[Seen]) -> list[str]:
    """The rights that were missing, as Magento names them."""
    named = (parameters_of(one).get("resources") for one in seen)
    return [part for text in named if isinstance(text, str) for part in text.split(", ")]


def narrow(way: str, denied: Mapping[str, Seen]) -> Finding:
    detail = f"{way}: accepted, but the role is too narrow for: {', '.join(denied)}"
    return Finding("credentials", "fail", detail, boxes(resources_of(denied.values())))


def is_recognised(denied: AnswerDenied, stranger: Seen) -> bool | None:
    """Whether the shop knew the token; None where cookies don't tell. `stranger` had no token."""
    if not isinstance(stranger, AnswerDenied) or "set-cookie" not in stranger.answer.headers:
        return None
    return "set-cookie" not in denied.answer.headers


def of_a_token(settings: ShopSettings, recognised: bool | None) -> Cause:
    """Why a Bearer token opens nothing."""
    name = f"CLV_{settings.shop.upper()}_TOKEN"
    token = settings.token
    if recognised:
        return _nothing_allowed()
    if token.count(".") == 2:
        return Cause(
            f"most probably a wrong token; {name} is a person's session token, which ends in hours",
            f"Copy the Access Token from {SCREEN} into {name}.",
        )
    if not re.fullmatch(r"[a-z0-9]{32}", token):
        return Cause(
            f"most probably a wrong token; {name} has {len(token)} characters, an integration's "
            "has 32, small letters and digits",
            f"Copy the Access Token from {SCREEN} into {name}.",
        )
    return Cause(
        "most probably Bearer tokens are switched off in the shop, as they are by default; the "
        "token has the right form",
        f"Switch on {BEARER_SWITCH}; or set the four OAuth keys instead of {name}. If it is on, "
        f"the token was revoked or is another shop's: copy it from {SCREEN}.",
    )


def of_bearer_off(settings: ShopSettings) -> Cause:
    """OAuth 1.0a opens the shop, the token doesn't."""
    name = f"CLV_{settings.shop.upper()}_TOKEN"
    return Cause(
        "Bearer tokens are switched off in the shop, or the token is wrong; OAuth 1.0a is taken",
        f"Leave {name} out, so that the four OAuth keys are used; or switch on {BEARER_SWITCH}.",
    )


def of_oauth(settings: ShopSettings, seen: Seen) -> Cause:
    """Why a signed request is refused: there Magento says what it doesn't like."""
    if isinstance(seen, AnswerDenied) and is_about_rights(seen):
        return _nothing_allowed()
    prefix, said = f"CLV_{settings.shop.upper()}", message_of(seen).lower()
    cause = next((cause for word, cause in _OAUTH.items() if word in said), _SOME_KEY)
    return Cause(cause.detail.format(prefix=prefix), cause.mend.format(prefix=prefix))


#: A word of Magento's message -> the cause. The first one that fits counts.
_OAUTH: Mapping[str, Cause] = {
    "signature": Cause(
        "most probably a wrong secret; the shop knows the keys and finds another signature",
        f"Copy {{prefix}}_CONSUMER_SECRET and {{prefix}}_ACCESS_TOKEN_SECRET from {SCREEN}; if "
        "they fit, a proxy hides the address of {prefix}_URL from Magento (X-Forwarded-Proto).",
    ),
    "timestamp": Cause(
        "this machine's clock is more than ten minutes ahead of the shop's",
        "Let both machines set their clocks by NTP.",
    ),
    "nonce": Cause(
        "the shop saw one of our requests twice", "Does a proxy between us repeat requests?"
    ),
    "consumer": Cause(
        "most probably a wrong key: the shop knows no {prefix}_CONSUMER_KEY like that",
        f"Copy {{prefix}}_CONSUMER_KEY from {SCREEN}.",
    ),
    "token": Cause(
        "most probably a wrong or revoked token; look at {prefix}_ACCESS_TOKEN",
        f"Copy {{prefix}}_ACCESS_TOKEN and {{prefix}}_ACCESS_TOKEN_SECRET from {SCREEN}.",
    ),
}


_SOME_KEY = Cause(
    "one of the four OAuth keys is wrong, or the integration was changed",
    f"Copy all four from {SCREEN}: {{prefix}}_CONSUMER_KEY, _CONSUMER_SECRET, _ACCESS_TOKEN and "
    "_ACCESS_TOKEN_SECRET.",
)


def of_the_cloud(settings: ShopSettings, seen: Seen) -> Cause:
    """https://developer.adobe.com/commerce/webapi/rest/authentication/server-to-server/"""
    prefix = f"CLV_{settings.shop.upper()}"
    if status_of(seen) == 403:
        return Cause(
            "Adobe knows the project, but it may not reach this shop",
            f"Check {prefix}_IMS_ORG and {prefix}_CLIENT_ID, and in the Adobe Developer Console "
            "that the project's credential has this shop's product profile.",
        )
    return Cause(
        "Adobe gave a token that the shop doesn't take",
        "Add the API 'Adobe Commerce as a Cloud Service' to the project's credential in the Adobe "
        f"Developer Console, and check {prefix}_IMS_ORG and the tenant in {prefix}_URL.",
    )


def of_a_wall(settings: ShopSettings) -> Cause:
    """A 403: Magento's own web API answers 401."""
    return Cause(
        "something before Magento (a firewall, a CDN, basic auth) refuses us: 403",
        f"Allow this machine's address and the path /rest on the way to CLV_{settings.shop.upper()}"
        "_URL.",
    )


def _nothing_allowed() -> Cause:
    return Cause(
        "the shop knows us, but the integration is switched off or its role allows nothing",
        f"{SCREEN}: activate the integration. {boxes(NEEDED)}",
    )
