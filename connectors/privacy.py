"""What is known of a person, and how it leaves: `erase`, `subject-export`, the shops' own requests.

Somebody is named as the shop names them (customer id), by e-mail, or by the keyed hash of it. What
leaves: their customer record, scores, write-backs, quarantined rows and the identity on their
orders, in the store, its log, and the files made from it. What stays: a tombstone for each identity
(a keyed hash that tells them again and nobody else), so that no later pull brings them back; and
their orders as nobody's, so that totals still equal the shop's.

The last bytes leave when the store is closed: the file is written anew then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from connectors import made_files
from connectors.identity import EmailHasher
from connectors.made_files import Theirs
from connectors.store import Store, erasure, known
from connectors.store.erasure import Erasure, Person
from connectors.store.tombstones import SHOP, Identity

__all__ = ["Erased", "Erasure", "Person", "erase_customer", "erase_shop", "subject_export"]

#: Magento numbers its websites from 1; guests of one without registered customers are found so.
WEBSITES = tuple(map(str, range(1, 100)))


class Erased(NamedTuple):
    """What was done: the audit line, and the files made from the store that held them.

    `files`: path -> rewritten, deleted, or why it couldn't be (to be looked at by hand).
    """

    audit: Erasure
    files: Mapping[Path, str]


def person(
    store: Store, hasher: EmailHasher, shop: str, *named: str, orders: Collection[str] = ()
) -> Person:
    """Whom these names mean in this shop: customer ids, e-mails or keyed hashes of one person.

    `orders`: ids of orders that are theirs, too, where the shop says so.
    """
    ids = {name for name in named if "@" not in name and not name.startswith(hasher.PREFIX)}
    keys = {name for name in named if name.startswith(hasher.PREFIX)}
    for email in (name for name in named if "@" in name):
        keys |= _keys(store, hasher, shop, email)
    found = erasure.person(store.connection, shop, ids, keys)
    return Person(shop, found.ids, found.keys, frozenset(orders))


def _keys(store: Store, hasher: EmailHasher, shop: str, email: str) -> set[str]:
    """Its hashes: in no website, in those with customers, and wherever the store has it."""
    sure = {hasher.key_of(email, website) for website in ("", *store.websites(shop))}
    maybe = {hasher.key_of(email, website) for website in WEBSITES}
    found = {key for key in maybe - sure if key and known.holds_key(store.connection, shop, key)}
    return {key for key in sure | found if key}


def erase_customer(
    store: Store,
    hasher: EmailHasher,
    shop: str,
    *named: str,
    at: datetime,
    orders: Collection[str] = (),
) -> Erased:
    """One person leaves the store and the files made from it, and stays out.

    Also for somebody of whom nothing is known yet: then only the tombstones are new.
    """
    who = person(store, hasher, shop, *named, orders=orders)
    audit = erasure.erase(store.connection, hasher, who, at)
    theirs = Theirs(shop, frozenset((*who.ids, *who.keys)))
    return Erased(audit, made_files.cleaned(store, theirs))


def erase_shop(store: Store, hasher: EmailHasher, shop: str, *, at: datetime) -> Erased:
    """All of a shop leaves the store and the files made from it; nothing of it comes in again."""
    audit = erasure.erase_shop(store.connection, hasher, shop, at)
    return Erased(audit, made_files.cleaned(store, Theirs(shop, None)))


def readmit(store: Store, hasher: EmailHasher, shop: str, *named: str) -> int:
    """Lifts the tombstones of a person, or of the shop where nobody is named; how many there were.

    The next full reading (`backfill --full-refresh`) brings back what the shop still says.
    """
    who = person(store, hasher, shop, *named).identities() if named else [Identity(SHOP, shop)]
    return erasure.readmit(store.connection, shop, hasher, who)


def subject_export(
    store: Store, hasher: EmailHasher, shop: str, *named: str, at: datetime
) -> dict[str, Any]:
    """All that is known of a person, as plain JSON: for them to read (GDPR, article 15)."""
    who = person(store, hasher, shop, *named)
    tombstones = [hasher.tombstone(shop, *one) for one in who.identities()]
    return {
        "shop": shop,
        "exported_at": at.isoformat(timespec="seconds"),
        "customer_ids": sorted(who.ids),
        "email_hashes": sorted(who.keys),
        "erased": [
            one.erased_at.isoformat()
            for one in erasure.erasures(store.connection)
            if set(one.tombstones) & set(tombstones)
        ],
        "known": known.of_person(store.connection, who),
        "about": ABOUT,
    }


#: What article 15 asks for beside the data.
ABOUT: Mapping[str, str] = {
    "purpose": "Estimate what a customer is worth to the shop, to choose offers and service.",
    "source": "The shop's own orders and customer records.",
    "logic": "A statistical model of when customers buy and how much they spend. Each score names "
    "its model and the reason in one sentence. No name, address, phone or clear e-mail is used.",
    "recipients": "The shop itself, as customer fields. Nobody else.",
    "kept": "As long as the shop is connected, or until erased.",
}


def known_rows(exported: Mapping[str, Any]) -> int:
    """How many rows an export holds."""
    return sum(len(rows) for rows in exported["known"].values())
