"""Everything that could keep a run from working, looked at beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConnectorError
from connectors.platform import Finding, Platform
from connectors.session import Session
from connectors.store import Store


def examine(
    shops: Sequence[ShopSettings],
    open_shop: Callable[[ShopSettings], Platform],
    store: Store,
    now: datetime,
) -> Iterator[tuple[str, Finding]]:
    """(shop, finding) for the store and then for every shop; a shop that fails stops no other."""
    for shop in shops:
        try:
            for finding in open_shop(shop).check(now):
                yield shop.shop, finding
        except ConnectorError as error:
            yield shop.shop, Finding("reach the shop", "fail", error.message, error.mend)
        yield shop.shop, _stored(shop.shop, store)


def _stored(shop: str, store: Store) -> Finding:
    counts = store.counts(shop)
    told = ", ".join(f"{rows:,} {table}" for table, rows in counts.items() if rows)
    quarantined = len(store.rejects(shop))
    if quarantined:
        return Finding("store", "warn", f"{told}; {quarantined:,} rows put aside", "See `pull`.")
    return Finding("store", "ok", told or "empty", "" if told else "`backfill` fills it.")


def look(at: Session) -> Counter[str]:
    """All findings told, counted by status; a failed one is the session's failure."""
    counts: Counter[str] = Counter(ok=0, warn=0, fail=0)
    for shop, finding in examine(at.shops, at.open, at.store, at.now):
        at.terminal.finding(shop, finding)
        counts[finding.status] += 1
        if finding.status == "fail":
            at.worse(AuthenticationError.exit_code if finding.name == "credentials" else 1)
    return counts
