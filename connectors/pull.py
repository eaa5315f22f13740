"""From a shop into the order store, page by page: each page's rows and cursor are one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors import tracing
from connectors.errors import Interrupted
from connectors.hints import Hint
from connectors.platform import ByName, Page, Platform
from connectors.showing import Showing
from connectors.store import Store


@dataclass(slots=True)
class Pulled:
    """What one pull brought. `changed` rows were new or different; the rest the store had.

    `shown` tells what every customer of the shop shows today.
    """

    orders: int = 0
    customers: int = 0
    refunds: int = 0
    changed: int = 0
    rejected: int = 0
    shown: Showing = field(default_factory=Showing)

    def add(self, page: Page, changed: int) -> None:
        self.orders += len(page.orders)
        self.customers += len(page.customers)
        self.refunds += len(page.refunds)
        self.changed += changed
        self.rejected += len(page.rejects)
        if page.shown:
            self.shown.add(page.shown)


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on while pages or changes go by: a progress bar, and a wish to stop.

    `advance(rows, expected)` is called behind each commit; `stopping()` before the next.
    """

    advance: Callable[[int, int | None], None] = lambda rows, expected: None
    stopping: Callable[[], bool] = lambda: False

    def checked(self) -> None:
        """Raises Interrupted where somebody wants to stop; all so far is committed."""
        if self.stopping():
            raise Interrupted("stopped where asked to; all so far is kept", mend="Run it again.")


def pull_customers(platform: Platform, store: Store, now: datetime, watch: Watch) -> Pulled:
    """A whole scan of the shop's customers, from the first one on; who is gone leaves the store.

    Not so where a row could not be read: it may be anybody's.
    """
    pages = _marked(platform.pull_customers(None, now))
    pulled = Pulled(shown=Showing(store.scratch))
    _commit(pulled, platform.shop, "customers", pages, store, now, watch)
    if pulled.shown and not pulled.rejected:
        store.forget_other_customers(platform.shop, pulled.shown)
    return pulled


def pull_orders(
    platform: Platform, store: Store, now: datetime, since: datetime | None, watch: Watch
) -> Pulled:
    """Orders and refunds from where the last pull ended, however it ended."""
    cursor = store.cursor(platform.shop, "orders")
    pages = platform.pull_orders(cursor, now, since)
    if cursor is None:
        pages = _marked(pages)
    pulled = Pulled()
    _commit(pulled, platform.shop, "orders", pages, store, now, watch)
    return pulled


def pull_moved(
    platform: Platform, store: Store, customer_ids: Iterable[str], now: datetime, watch: Watch
) -> Pulled:
    """Orders of customers who are none of these any more, asked for by their ids.

    Where two customers are merged, the orders of one move to the other and look unchanged.
    """
    pulled = Pulled()
    if not isinstance(platform, ByName):
        return pulled
    for page in platform.pull_named(store.orders_of_others(platform.shop, customer_ids)):
        watch.checked()
        page = store.without_erased(platform.shop, page)
        pulled.add(page, store.mend(platform.shop, page, at=now))
    return pulled


def pull_hinted(
    platform: Platform,
    store: Store,
    hints: Sequence[Hint],
    customer_ids: Iterable[str],
    now: datetime,
    watch: Watch,
) -> Pulled:
    """What webhooks told of and the pull before didn't bring, asked for by id.

    Orders that were deleted leave if the shop has them no more, customers who went if they are
    none of `customer_ids`. An order that merely isn't found stays: an app that lost a right sees
    less, and `reconcile` looks closer.
    """
    pulled, shop = Pulled(), platform.shop
    if not isinstance(platform, ByName):
        return pulled
    deleted = {order for hint in hints if hint.kind == "order deleted" for order in hint.orders}
    told = _changed_at(hints)
    due = store.behind(shop, told, deleted)
    seen: set[str] = set()
    for page in platform.pull_named(due, store.cursor(shop, "orders")) if due else ():
        watch.checked()
        seen |= {order.order_id for order in page.orders} | {one.row_id for one in page.rejects}
        page = store.without_erased(shop, page)
        pulled.add(page, store.mend(shop, page, at=now))
    store.forget_orders(shop, deleted - seen)
    gone = {one for hint in hints if hint.kind == "customer gone" for one in hint.customers}
    if gone:
        store.forget_customers(shop, gone.difference(customer_ids))
    return pulled


def _changed_at(hints: Sequence[Hint]) -> dict[str, datetime | None]:
    """When each order changed last; None where a hint doesn't say. They come in any order."""
    told: dict[str, datetime | None] = {}
    for hint in hints:
        for order in hint.orders:
            known, at = told.get(order, hint.triggered_at), hint.triggered_at
            told[order] = max(known, at) if known and at else None
    return told


def _marked(pages: Iterator[Page]) -> Iterator[Page]:
    """The pages of a reading from the start, the first one marked as such."""
    for number, page in enumerate(pages):
        yield page if number else replace(page, begins=True)


def _commit(
    pulled: Pulled,
    shop: str,
    stream: str,
    pages: Iterator[Page],
    store: Store,
    now: datetime,
    watch: Watch,
) -> None:
    for page in pages:
        watch.checked()
        with tracing.stage("page", stream=stream, **_counts(page)) as tell:
            changed = store.commit(shop, stream, page, at=now)
            tell(changed=changed)
        pulled.add(store.without_erased(shop, page) if page.shown else page, changed)
        watch.advance(len(page.orders) + len(page.customers), page.expected)


def _counts(page: Page) -> dict[str, int]:
    kinds = ("orders", "lines", "refunds", "customers", "rejects")
    return {kind: len(getattr(page, kind)) for kind in kinds}
