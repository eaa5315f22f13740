"""What the shops' totals should be, counted from the books alone: no dialect, no connector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from connectors.sandbox.bodies import OrderBody
from connectors.sandbox.books import Books, Row

COUNTED = ("paid", "complete", "refunded")
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over orders, in the shop's currency. Discounts and goods refunded are without tax.

    goods - discount + tax + shipping = total; net = goods - discount - refunded_goods.
    `refunded_goods` is after discounts, and money given on top or kept as a fee belongs to it.
    """

    orders: int = 0
    units: int = 0
    goods: Decimal = NOTHING
    discount: Decimal = NOTHING
    tax: Decimal = NOTHING
    shipping: Decimal = NOTHING
    total: Decimal = NOTHING
    refunded_goods: Decimal = NOTHING
    refunded_shipping: Decimal = NOTHING
    refunded_total: Decimal = NOTHING

    @property
    def net(self) -> Decimal:
        return self.goods - self.discount - self.refunded_goods

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in Sums.__slots__))


@dataclass(frozen=True, slots=True)
class Ledger:
    """One shop: all orders, those that count, and the latter per person.

    A person is `str(customer id)`, or 'guest:<website>:<e-mail>' for guests without an account in
    their website; guests with one count for that account.
    """

    every: Sums
    counted: Sums
    states: Mapping[str, int]
    tests: int
    guests: int
    refunds: int
    people: Mapping[str, Sums] = field(repr=False)


def ledger(books: Books, shop: str) -> Ledger:
    """Count one shop's books."""
    rows = books.query("SELECT * FROM orders WHERE shop = ? ORDER BY id", (shop,))
    every = [sums(row["body"]) for row in rows]
    counted = [(row, own) for row, own in zip(rows, every, strict=True) if counts(row["body"])]
    accounts = _accounts(books, shop)
    websites = _websites(books, shop)
    people: dict[str, Sums] = {}
    for row, own in counted:
        who = _person(row, accounts, websites)
        people[who] = people.get(who, Sums()) + own
    return Ledger(
        every=sum(every, Sums()),
        counted=sum((own for _, own in counted), Sums()),
        states=Counter(row["body"]["state"] for row in rows),
        tests=sum(row["body"]["test"] for row in rows),
        guests=sum(row["body"]["guest"] for row in rows),
        refunds=books.scalar("SELECT COUNT(*) FROM refunds WHERE shop = ?", (shop,)),
        people=people,
    )


def counts(body: OrderBody) -> bool:
    """Whether an order counts towards a customer's value."""
    return body["state"] in COUNTED and not body["test"]


def sums(body: OrderBody) -> Sums:
    """One order's own sums."""
    lines, shipping, back = body["lines"], body["shipping"], body["refunded"]
    goods_back = Decimal(back["goods"]) - Decimal(back["discount"]) + Decimal(back["adjustment"])
    return Sums(
        orders=1,
        units=sum(line["quantity"] for line in lines),
        goods=sum((Decimal(line["net"]) for line in lines), NOTHING),
        discount=sum((Decimal(line["discount"]) for line in lines), NOTHING),
        tax=sum((Decimal(line["tax"]) for line in lines), Decimal(shipping["tax"])),
        shipping=Decimal(shipping["net"]) - Decimal(shipping["discount"]),
        total=Decimal(body["total"]),
        refunded_goods=goods_back,
        refunded_shipping=Decimal(back["shipping"]),
        refunded_total=Decimal(back["total"]),
    )


def _accounts(books: Books, shop: str) -> dict[tuple[int, str], int]:
    rows = books.query("SELECT id, website_id, email FROM customers WHERE shop = ?", (shop,))
    return {(row["website_id"], row["email"].strip().lower()): row["id"] for row in rows}


def _websites(books: Books, shop: str) -> dict[int, int]:
    views = books.shop(shop)["settings"]["store_views"]
    return {view["id"]: view["website_id"] for view in views}


def _person(row: Row, accounts: Mapping[tuple[int, str], int], websites: Mapping[int, int]) -> str:
    if row["customer_id"] is not None:
        return str(row["customer_id"])
    website, email = websites[row["body"]["store_id"]], row["body"]["email"].strip().lower()
    known = accounts.get((website, email))
    return str(known) if known is not None else f"guest:{website}:{email}"
