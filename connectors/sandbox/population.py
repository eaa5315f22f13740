"""Fills the books: real purchases (CDNOW), made-up people, and all that happens in a shop.

Every purchase becomes one order whose goods, after discounts and before refunds, without tax and
shipping, are worth exactly what CDNOW's customer paid. Cancelled, unpaid and test orders come on
top of them. The same arguments always give the same books.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count, cycle
from random import Random
from typing import Any, Literal, NamedTuple

from connectors.sandbox import basket, cdnow, refunding
from connectors.sandbox.bodies import OrderBody, State
from connectors.sandbox.books import Books, instant_text
from connectors.sandbox.community import Member, admin_marks, customer_rows, members
from connectors.sandbox.markets import MARKETS, Market, magento_attributes, tax_percent

Role = Literal["purchase", "cancelled", "open", "test"]

#: Roles of the orders that come on top of the purchases, in turn.
EXTRAS: dict[str, tuple[Role, ...]] = {
    "magento": ("cancelled", "open"),
    "shopify": ("cancelled", "test", "open"),
}
#: Rates in percent of all purchases.
EXTRA_RATE, REFUND_RATE, COUPON_RATE, GUEST_RATE = 4, 5, 12, 5
#: Which customers of a shop live abroad: the rest of their number by ONE_IN, and where.
ONE_IN = 16
ABROAD = {"shopify": {3: "CA", 7: "CA", 11: "GB", 15: "MX"}}
_STATES: dict[Role, State] = {"cancelled": "cancelled", "open": "open", "test": "paid"}


class Draft(NamedTuple):
    """An order to be: when, whose, what was paid, and whether it counts."""

    at: datetime
    member: Member
    purchase: cdnow.Purchase
    role: Role


class Made(NamedTuple):
    order: dict[str, Any]
    refunds: list[dict[str, Any]]


def populate(
    books: Books,
    *,
    customers: cdnow.Who = "sample",
    today: date,
    seed: int = 1,
    limit: int | None = None,
) -> None:
    """Both shops anew, the last purchase on the day before `today`.

    `limit` takes the first customers of each shop only. One more customer per shop has an account
    and never bought; in `eu` their stored address lacks the telephone, which makes every PUT 400.
    """
    histories = cdnow.histories(customers)
    halves = [histories[n :: len(MARKETS)][:limit] for n in range(len(MARKETS))]
    last = max(purchase.on for half in halves for history in half for purchase in history)
    books.clear()
    with books.transaction():
        for market, half in zip(MARKETS, halves, strict=True):
            _fill(books, _Shop(market, Random(f"{seed} {market.shop}"), today, last), half)  # noqa: S311
        books.insert("definitions", magento_attributes())


class _Shop(NamedTuple):
    market: Market
    rng: Random
    today: date
    last: date

    def shifted(self, day: date) -> date:
        return day + (self.today - timedelta(days=1) - self.last)

    @property
    def end(self) -> datetime:
        """The last second of yesterday: nothing in the books is later."""
        return datetime.combine(self.today, time(), UTC) - timedelta(seconds=1)


def _fill(books: Books, shop: _Shop, histories: Sequence[Sequence[cdnow.Purchase]]) -> None:
    community = members(shop.rng, shop.market, [shop.shifted(h[0].on) for h in histories])
    drafts = sorted(_drafts(shop, community, histories), key=lambda d: (d.at, d.member.person))
    made = list(_made(shop, drafts))
    books.insert("shops", [shop.market.row()])
    books.insert("customers", customer_rows(shop.rng, shop.market, community))
    books.insert("orders", [m.order for m in made])
    books.insert("refunds", _numbered_refunds(shop, made))
    for table, rows in admin_marks(shop.rng, shop.market, community).items():
        books.insert(table, rows)


def _drafts(
    shop: _Shop, community: Sequence[Member], histories: Sequence[Sequence[cdnow.Purchase]]
) -> Iterator[Draft]:
    roles, due = cycle(EXTRAS[shop.market.platform]), _turns(shop.rng, EXTRA_RATE)
    for member, history in zip(community, histories, strict=False):
        for purchase in history:
            second = shop.rng.randint(6 * 3600, 21 * 3600)
            at = datetime.combine(shop.shifted(purchase.on), time(), UTC)
            at += timedelta(seconds=second)
            yield Draft(at, member, purchase, "purchase")
            if next(due):
                yield Draft(at - timedelta(minutes=4), member, purchase, next(roles))


def _made(shop: _Shop, drafts: Sequence[Draft]) -> Iterator[Made]:
    ids, line_ids = _order_ids(shop.market, len(drafts)), count(1)
    sorts = cycle(refunding.SORTS_OF[shop.market.platform])
    due = _turns(shop.rng, REFUND_RATE)
    sequence: dict[int, Iterator[int]] = {}
    for n, draft in enumerate(drafts):
        body = _body(shop, draft, n, line_ids)
        numbers = sequence.setdefault(draft.member.view.store_id, count(1))
        order = {
            "shop": shop.market.shop, "id": next(ids),
            "number": _number(shop.market, draft.member, next(numbers)),
            "customer_id": None if body["guest"] else draft.member.customer_id,
            "created_at": instant_text(draft.at), "updated_at": _updated(shop, draft),
            "body": body,
        }  # fmt: skip
        refundable = draft.role == "purchase" and draft.at < shop.end - timedelta(days=30)
        given: list[dict[str, Any]] = []
        if refundable and Decimal(body["total"]) > 0 and next(due):
            given = _refund(shop, order, next(sorts), draft.at)
        yield Made(order, given)


def _order_ids(market: Market, orders: int) -> Iterator[int]:
    """Magento's ids have holes, and one wide gap; Shopify's are long and far apart."""
    if market.platform == "shopify":
        return count(5_400_000_000_000, 32_768)
    return iter([3 * n + n % 3 + (25_000 if n > orders // 3 else 0) for n in range(1, orders + 1)])


def _number(market: Market, member: Member, n: int) -> str:
    if market.platform == "shopify":
        return str(1000 + n)
    store = member.view.store_id
    return f"{store if store > 1 else ''}{n:09d}"


def _updated(shop: _Shop, draft: Draft) -> str:
    """The nightly job completes the day's orders, so that many share one `updated_at`."""
    night = datetime.combine(draft.at.date() + timedelta(days=2), time(2), UTC)
    return instant_text(min(night, draft.at + timedelta(minutes=3)) if night > shop.end else night)


def _body(shop: _Shop, draft: Draft, n: int, line_ids: Iterator[int]) -> OrderBody:
    rng, market, member = shop.rng, shop.market, draft.member
    percent_off = 10 if _chance(rng, COUPON_RATE) else 0
    bought = basket.Basket(
        draft.purchase.value, draft.purchase.quantity, percent_off,
        tax_percent(member.view, n), market.prices_include_tax,
    )  # fmt: skip
    lines = basket.lines(rng, bought, line_ids)
    shipped = basket.shipping(rng, lines, bought)
    guest = member.customer_id is None or _chance(rng, GUEST_RATE)
    young = draft.at > shop.end - timedelta(days=3)
    body: OrderBody = {
        "email": _typed(rng, member.person.email) if guest else member.person.email,
        "first_name": member.person.first_name, "last_name": member.person.last_name,
        "guest": guest, "test": draft.role == "test",
        "state": _STATES.get(draft.role, "paid" if young else "complete"),
        "store_id": member.view.store_id, "channel": rng.choice(market.channels),
        "coupon": "WELCOME10" if percent_off else None,
        "display_currency": member.view.display_currency, "rate": member.view.rate,
        "prices_include_tax": market.prices_include_tax,
        "shipping": shipped, "lines": lines,
        "refunded": {"goods": "0.00", "discount": "0.00", "tax": "0.00", "shipping": "0.00",
                     "adjustment": "0.00", "total": "0.00"},
        "total": str(basket.total(lines, shipped)),
    }  # fmt: skip
    if abroad := ABROAD.get(market.platform):
        body["country"] = abroad.get(member.person.number % ONE_IN, member.view.country)
    if draft.role == "cancelled":
        body["cancelled_at"] = _updated(shop, draft)
    return body


def _typed(rng: Random, email: str) -> str:
    """As guests type their e-mail: sometimes with capitals."""
    return email.capitalize() if rng.random() < 1 / 3 else email


def _refund(
    shop: _Shop, order: dict[str, Any], sort: refunding.Sort, placed: datetime
) -> list[dict[str, Any]]:
    """Refund an order some days after it was placed; moves its `updated_at`."""
    bodies = refunding.refunds(order["body"], sort)
    refunding.settle(order["body"], bodies)
    at = placed + timedelta(days=3)
    rows = []
    for body in bodies:
        at += timedelta(days=shop.rng.randint(0, 9), seconds=shop.rng.randint(0, 3600))
        # A credit memo can be a second younger than its order's last update (seen on 2.4.7-p3).
        late = instant_text(at + timedelta(seconds=1))
        order["updated_at"] = instant_text(at)
        rows.append({"shop": shop.market.shop, "id": 0, "order_id": order["id"],
                     "created_at": late, "updated_at": late, "body": body})  # fmt: skip
    return rows


def _numbered_refunds(shop: _Shop, made: Sequence[Made]) -> list[dict[str, Any]]:
    rows = sorted((row for m in made for row in m.refunds), key=lambda r: str(r["created_at"]))
    first, step = (900_000_000_000, 4_096) if shop.market.platform == "shopify" else (1, 1)
    return [{**row, "id": first + n * step} for n, row in enumerate(rows)]


def _turns(rng: Random, percent: int) -> Iterator[bool]:
    """True now and then, `percent` of the time, but never far apart: small shops have it all."""
    usual = 100 // percent
    while True:
        yield from (False for _ in range(rng.randint(usual // 2, usual + usual // 2) - 1))
        yield True


def _chance(rng: Random, percent: int) -> bool:
    return rng.random() * 100 < percent
