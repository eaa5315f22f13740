"""GraphQL over the shop's door: a 200 that carries errors or warnings is a failure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from connectors.errors import AuthenticationError, RequestRefused, ShopUnavailable
from connectors.http import Answer, Http
from connectors.shopify.documents import ADDRESS, API_VERSION

log = logging.getLogger(__name__)

PATH = f"/admin/api/{API_VERSION}/graphql.json"
SHORTEST_WAIT = 1.0  # seconds, where the answer doesn't say how long

#: How full REST's bucket is, and how long a full one takes to leak out: 40 at 2 a second, 400 at 20
#: (https://shopify.dev/docs/api/usage/limits, 2026-11-21).
CALL_LIMIT = "X-Shopify-Shop-Api-Call-Limit"
SECONDS_TO_EMPTY = 20

SERVED = "X-Shopify-API-Version"

#: Error codes of the server's own trouble (https://shopify.dev/docs/api/admin-graphql, 2026-11-21).
PASSING = {"INTERNAL_SERVER_ERROR", "TIMEOUT", "THROTTLED"}

#: Seconds before each further try of what the server had its own trouble with.
WAITS = (1.0, 5.0)


def throttled(answer: Answer) -> float | None:
    """Seconds until the bucket holds enough for the same document again; None if it was taken.

    Shopify says THROTTLED inside a 200 and tells what the document costs, what the bucket holds
    and how fast it fills (https://shopify.dev/docs/api/usage/limits, 2026-11-21).
    """
    if "THROTTLED" not in _codes(answer.data):
        return None
    return max(_until_filled(answer.data), SHORTEST_WAIT)


def pause(answer: Answer) -> float:
    """Seconds to leave the shop alone, so that it can take the same again: nothing is guessed.

    GraphQL tells its bucket in the body, REST in a header: `39/40`, and a twentieth of it leaks out
    each second, on every plan.
    """
    return _until_filled(answer.data) or _until_leaked(answer.headers.get(CALL_LIMIT, ""))


def _until_filled(body: object) -> float:
    cost = _at(body, "extensions", "cost")
    asked, status = _at(cost, "requestedQueryCost"), _at(cost, "throttleStatus")
    missing = _number(asked) - _number(_at(status, "currentlyAvailable"))
    rate = _number(_at(status, "restoreRate"))
    return max(missing / rate, 0) if rate > 0 else 0


def _until_leaked(call_limit: str) -> float:
    used, _, size = call_limit.partition("/")
    over = _number(used) + 1 - _number(size)
    return max(over * SECONDS_TO_EMPTY / _number(size), 0) if _number(size) > 0 else 0


def ask(http: Http, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's `data`. Raises what `failure` names for errors and ignored search terms."""
    return ask_counted(http, document, variables)[0]


def ask_counted(
    http: Http, document: str, variables: Mapping[str, Any]
) -> tuple[dict[str, Any], float]:
    """The same, and what the shop counts the document as; 0 where it doesn't say."""
    body = sent(http, document, variables, wholly=True)
    errors = _grave(http.shop, body.get("errors"))
    if errors:
        raise failure(http.shop, errors)
    data = body.get("data")
    if not isinstance(data, dict):
        raise ShopUnavailable("the answer holds no data", shop=http.shop)
    return data, _number(_at(body, "extensions", "cost", "requestedQueryCost"))


def sent(
    http: Http,
    document: str,
    variables: Mapping[str, Any],
    *,
    attempts: int | None = None,
    wholly: bool = False,
) -> dict[str, Any]:
    """The whole answer, errors and all. Raises RequestRefused where a search term was ignored.

    Where the server had trouble of its own it is asked again, a few times: if there are no data,
    and if they lack anything where they are wanted `wholly`. Not where `attempts` are given.
    """
    for wait in WAITS if attempts is None else ():
        body = _sent(http, document, variables, attempts)
        codes = _codes(body)
        if not codes & PASSING or (body.get("data") and not wholly):
            return body
        log.warning("retry shop=%s wait_seconds=%.1f codes=%s", http.shop, wait, ",".join(codes))
        http.wait(wait)
    return _sent(http, document, variables, attempts)


def _sent(
    http: Http, document: str, variables: Mapping[str, Any], attempts: int | None
) -> dict[str, Any]:
    asked = {"query": document, "variables": variables}
    answer = http.request("POST", PATH, json=asked, attempts=attempts)
    compare_version(http.shop, answer)
    body = answer.data if isinstance(answer.data, dict) else {}
    if _at(body, "extensions", "search"):
        # an unknown search field is dropped with a warning, and everything is found
        raise RequestRefused("the shop ignored a part of the search", shop=http.shop)
    return body


def compare_version(shop: str, answer: Answer) -> None:
    """A version that has run out is answered by another one, with a header as the only sign."""
    _tell_version(shop, answer.headers.get(SERVED, "none named"))


@lru_cache
def _tell_version(shop: str, served: str) -> None:
    """Once for each shop and version."""
    level = logging.INFO if served == API_VERSION else logging.WARNING
    log.log(level, "api_version shop=%s asked=%s served=%s", shop, API_VERSION, served)


def _grave(shop: str, errors: object) -> object:
    """The errors but for addresses that the app may not see: those are null, and nothing is lost.

    A country needs the first level of protected customer data, as orders do; e-mails need the
    second (https://shopify.dev/docs/apps/launch/protected-customer-data, 2026-11-29).
    """
    listed = errors if isinstance(errors, list) else []
    grave = [one for one in listed if not _hides_address(one)]
    if len(grave) < len(listed):
        _tell_hidden(shop)
    return grave if listed else errors


def _hides_address(error: object) -> bool:
    path = _at(error, "path")
    denied = _at(error, "extensions", "code") == "ACCESS_DENIED"
    return denied and isinstance(path, list) and ADDRESS in path


@lru_cache
def _tell_hidden(shop: str) -> None:
    """Once for each shop."""
    log.warning("countries_hidden shop=%s: the app may not read addresses", shop)


def failure(shop: str, errors: object) -> Exception:
    """What a list of GraphQL errors means, by their codes; their text could name a person."""
    codes = _codes({"errors": errors})
    told = ",".join(sorted(codes)) or "none"
    if "ACCESS_DENIED" in codes:
        return AuthenticationError(
            "the app may not do this",
            mend="Grant it read_orders, read_all_orders, read_customers and write_customers.",
            shop=shop,
            codes=told,
        )
    if codes & PASSING:
        return ShopUnavailable("the shop fails", mend="Try again later.", shop=shop, codes=told)
    return RequestRefused("the shop refused a GraphQL document", shop=shop, codes=told)


def _codes(body: object) -> set[str]:
    errors = body.get("errors") if isinstance(body, dict) else None
    listed = errors if isinstance(errors, list) else []
    return {str(code) for error in listed if (code := _at(error, "extensions", "code"))}


def _at(value: object, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # what isn't a number is caught
    except (TypeError, ValueError):
        return 0.0
