"""Who was erased stays out: what the shop says of them comes in without them.

An order of theirs is kept, so that all totals stay equal to the shop's, but it is nobody's: no
customer, no person key, no coupon (it may have been made for one person), no country, and no
number but the shop's internal id, because customers know their order by its number. What the shop
says of the customer is not kept at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import pyarrow as pa
from duckdb import DuckDBPyConnection

from connectors.errors import ConfigurationError
from connectors.identity import EmailHasher
from connectors.platform import Page
from connectors.schema import Customer, Order
from connectors.store.connection import registered

CUSTOMER, EMAIL, ORDER, SHOP = "customer", "e-mail", "order", "shop"


class Identity(NamedTuple):
    """What somebody is known by; `kind` is `CUSTOMER` (id), `EMAIL` (keyed hash) or `ORDER`."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Erased:
    """The tombstones of one shop."""

    shop: str
    hasher: EmailHasher
    tombstones: Collection[str]

    def __contains__(self, identity: Identity) -> bool:
        return self.hasher.tombstone(self.shop, *identity) in self.tombstones

    def is_theirs(self, order: Order) -> bool:
        known = ((CUSTOMER, order.customer_id), (EMAIL, order.person_key), (ORDER, order.order_id))
        return any(value is not None and Identity(kind, value) in self for kind, value in known)

    def is_them(self, customer: Customer) -> bool:
        return any(one in self for one in _of(customer))

    def knows(self, customer: Customer) -> bool:
        return all(one in self for one in _of(customer))


def _of(customer: Customer) -> list[Identity]:
    own = [Identity(CUSTOMER, customer.customer_id)]
    return own + ([Identity(EMAIL, customer.email_key)] if customer.email_key else [])


def erased_of(connection: DuckDBPyConnection, shop: str, hasher: EmailHasher | None) -> Erased:
    """Those who were erased; ConfigurationError where it was the whole shop."""
    rows = connection.execute(
        "select kind, tombstone from tombstones where shop = ?", [shop]
    ).fetchall()
    if any(kind == SHOP for kind, _ in rows):
        raise ConfigurationError(
            f"all of {shop} was erased, and nothing of it comes in again",
            mend=f"Take it out of CLV_SHOPS, or `clv-sync readmit --shop {shop}`.",
        )
    if rows and hasher is None:
        raise ConfigurationError("somebody was erased, and can't be known again without the key")
    return Erased(shop, hasher or EmailHasher(bytes(16)), {tombstone for _, tombstone in rows})


def add(
    connection: DuckDBPyConnection, shop: str, hasher: EmailHasher, identities: Iterable[Identity]
) -> list[str]:
    """Keeps the tombstones of these identities, each once; gives them."""
    made = [(one.kind, hasher.tombstone(shop, *one)) for one in identities]
    rows = {
        "shop": [shop for _ in made],
        "kind": [kind for kind, _ in made],
        "tombstone": [tombstone for _, tombstone in made],
    }
    with registered(connection, "made", pa.table(rows)):
        connection.execute(
            "insert into tombstones select distinct * from made"
            " anti join tombstones using (shop, kind, tombstone)"
        )
    return [tombstone for _, tombstone in made]


def anonymous(order: Order) -> Order:
    """The order as nobody's."""
    return replace(
        order,
        customer_id=None,
        person_key=None,
        order_number=order.order_id,
        coupon=None,
        country=None,
    )


def without(page: Page, erased: Erased) -> tuple[Page, list[Customer]]:
    """The page as it may be kept, and customers of whom not every identity is known as erased.

    Somebody whose e-mail was erased may stand in the shop under another id by now, or the other way
    round.
    """
    if not erased.tombstones:
        return page, []
    them = [customer for customer in page.customers if erased.is_them(customer)]
    gone = {customer.customer_id for customer in them}
    shown = {
        one: fields
        for one, fields in page.shown.items()
        if one not in gone and Identity(CUSTOMER, one) not in erased
    }
    return replace(
        page,
        orders=[anonymous(one) if erased.is_theirs(one) else one for one in page.orders],
        customers=[one for one in page.customers if one.customer_id not in gone],
        rejects=[
            one
            for one in page.rejects
            if one.stream != "customers" or Identity(CUSTOMER, one.row_id) not in erased
        ],
        shown=shown,
    ), [one for one in them if not erased.knows(one)]
