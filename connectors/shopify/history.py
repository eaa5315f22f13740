"""The sixty days: an app without `read_all_orders` is shown no older order, and not told so.

https://shopify.dev/docs/api/usage/access-scopes#orders-permissions (2026-11-21). A history that is
cut there makes every customer look new, so none is begun. Where one was read before and the right
was lost since, what changes in older orders goes unseen: that is put aside under a name of its own,
the scores are labelled with it, and once the right is back all changes since are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import AuthenticationError
from connectors.http import Http
from connectors.platform import HISTORY, Cursor, Page, Reject
from connectors.shopify.graphql import ask

VISIBLE = timedelta(days=60)
ALL_ORDERS = "read_all_orders"
MEND = (
    "Grant read_all_orders to the app (custom apps: tick it among the scopes; public apps: Partner "
    "Dashboard > API access requests) and install it anew"
)
CUT = (
    "Shopify shows this app no order older than 60 days (the scope read_all_orders is missing): "
    "refunds and changes of older ones are unknown"
)

SCOPES_PATH = "/admin/oauth/access_scopes.json"

SCOPES = """
query Scopes { currentAppInstallation { accessScopes { handle } } }
"""


def sees_all(http: Http, *, rest: bool) -> bool:
    """Whether the app is shown orders of any age; `rest`: it may not ask GraphQL."""
    if not rest:
        return ALL_ORDERS in scopes_in(ask(http, SCOPES, {}))
    found = http.get(SCOPES_PATH).data
    return ALL_ORDERS in _handles(found.get("access_scopes") if isinstance(found, dict) else None)


def scopes_in(data: Mapping[str, Any]) -> set[str]:
    """The rights that an answer says the app has."""
    return _handles((data.get("currentAppInstallation") or {}).get("accessScopes"))


def _handles(listed: object) -> set[str]:
    rows = listed if isinstance(listed, list) else []
    return {str(one["handle"]) for one in rows if isinstance(one, dict) and "handle" in one}


def refuse(shop: str, since: datetime | None, now: datetime) -> None:
    """Raises AuthenticationError unless all that is wanted lies within the sixty days."""
    if since is None or since < now - VISIBLE:
        raise AuthenticationError(
            "Shopify shows this app the orders of the last 60 days only, which ruins every score",
            mend=f"{MEND}. Or read those days alone: `backfill --since "
            f"{(now - VISIBLE + timedelta(days=1)).date()}`.",
            shop=shop,
            missing=ALL_ORDERS,
        )


def begins(cursor: Cursor | None) -> bool:
    """Whether a history is yet to be read, or read halfway."""
    return not cursor or "changed_since" not in cursor


def whole_again(cursor: Cursor) -> Cursor:
    """A cursor that reads all that changed while older orders were hidden."""
    rest = {name: value for name, value in cursor.items() if name != "hidden_since"}
    return {**rest, "changed_since": cursor.get("hidden_since", cursor["changed_since"])}


def labelled(
    pages: Iterator[Page], shop: str, cursor: Cursor, sees_all: Callable[[], bool]
) -> Iterator[Page]:
    """Pages of changes; where older orders are hidden, that is told, and kept in the cursors."""
    hidden: Cursor = {}
    for page in pages:
        if hidden or not sees_all():
            told = [] if hidden else [Reject(shop, "orders", HISTORY, ALL_ORDERS, CUT)]
            hidden = {"hidden_since": cursor.get("hidden_since", cursor["changed_since"])}
            page = replace(page, cursor={**page.cursor, **hidden}, rejects=[*told, *page.rejects])
        yield page


def settled(pages: Iterator[Page]) -> Iterator[Page]:
    """Pages behind which nothing is hidden any more."""
    for page in pages:
        yield replace(page, settled=[*page.settled, ("orders", HISTORY)])
