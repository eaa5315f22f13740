"""Erasures as a command does them: which shop is meant, and what the shop itself still shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors import erased, made_files, plan, privacy
from connectors.config import ShopSettings
from connectors.errors import ConfigurationError, ConnectorError
from connectors.files import written_whole
from connectors.hints import COMPLIANCE, Hint, Hints, beside
from connectors.privacy import Erasure, Person
from connectors.schema import Change, Outcome
from connectors.session import Session
from connectors.store import erasure, journal


def shops_of(at: Session, customer: str) -> Sequence[ShopSettings]:
    """The shops to look in. An e-mail is the same person everywhere, an id is not."""
    if "@" not in customer and len(at.shops) > 1:
        raise ConfigurationError(
            "the same id is somebody else in each shop", mend="Say which one with --shop."
        )
    return at.shops


def the_one_shop(at: Session, named: Sequence[str], customer: str | None = None) -> ShopSettings:
    """The shop that was named, and only it: never taken for granted, and with nobody beside it."""
    if len(named) != 1 or customer:
        raise ConfigurationError(
            "this is for one whole shop", mend="Name it with --shop, and no customer."
        )
    return at.shops[0]


def nothing_asked(meant: bool) -> None:
    """Whoever agrees to an erasure means one: a list of earlier ones would look like its answer."""
    if meant:
        raise ConfigurationError(
            "nobody is named to be erased",
            mend="Name a customer by id or e-mail, or a whole shop by `--shop X --everything`.",
        )


def question(at: Session, shop: ShopSettings, customer: str) -> str:
    """What to ask before: how much is known."""
    rows = privacy.known_rows(
        privacy.subject_export(at.store, at.hasher, shop.shop, customer, at=at.now)
    )
    if rows:
        return f"{shop.shop}: erase one customer, of whom {rows:,} rows are known?"
    return f"{shop.shop}: nothing is known of them. Keep them out of later pulls?"


def erase(at: Session, shop: ShopSettings, customer: str, keep_in_shop: bool) -> None:
    """Our fields off the customer in the shop first, while it is known what they are; then here."""
    left = [] if keep_in_shop else _taken_off(at, shop, customer)
    who = privacy.person(at.store, at.hasher, shop.shop, customer)
    done = privacy.erase_customer(at.store, at.hasher, shop.shop, customer, at=at.now)
    _settle_hints(at, shop, who)
    _told(at, done, left)


def _settle_hints(at: Session, shop: ShopSettings, who: Person) -> None:
    """What webhooks told of them is wiped out; changed orders are found without, by the next pull.

    What the law asks for waits for its own turn.
    """
    path = beside(at.settings.store)
    if not path.exists():
        return
    with Hints.open(path) as hints:
        told = [one for one in hints.pending(shop.shop) if one.kind not in COMPLIANCE]
        hints.settle([one for one in told if {*one.customers} & {*who.ids}], at.now)


def erase_as_told(at: Session, shop: ShopSettings, hint: Hint) -> None:
    """Somebody whom the shop itself erases: nothing there is left to take off."""
    done = privacy.erase_customer(
        at.store, at.hasher, shop.shop, *_named(hint), at=at.now, orders=hint.orders
    )
    _told(at, done, [])


def hand_out(at: Session, shop: ShopSettings, hint: Hint) -> Path:
    """What is known of somebody who asked the shop for it, as a file beside the store."""
    told = privacy.subject_export(at.store, at.hasher, shop.shop, *_named(hint), at=at.now)
    name = f"{shop.shop}-data-request-{hint.request or hint.number}.json"
    out = at.settings.store.parent / "exports" / name
    at.store.note_file(out, made_files.SUBJECT_EXPORT, at.now)
    keep([told], out)
    return out


def _named(hint: Hint) -> Sequence[str]:
    return [*hint.customers, *filter(None, [hint.email_key])]


def erase_shop(at: Session, shop: ShopSettings) -> None:
    _told(at, privacy.erase_shop(at.store, at.hasher, shop.shop, at=at.now), [])


def _told(at: Session, done: privacy.Erased, left: Sequence[Outcome]) -> None:
    erased.erased(at.terminal, done, left)
    at.count(done.audit.shop, erased=sum(done.audit.counts.values()))
    if left or any(told.startswith("can't") for told in done.files.values()):
        at.worse(3)


def _taken_off(at: Session, shop: ShopSettings, customer: str) -> list[Outcome]:
    """What the shop would not take off.

    Not journalled: the journal is about to forget them, and there is no way back from an erasure.
    """
    who = privacy.person(at.store, at.hasher, shop.shop, customer)
    written = journal.last_applied(at.store.connection, shop.shop, who.ids)
    changes = [
        Change(shop.shop, one, before=shown, after=plan.group_of(shown))
        for one, shown in sorted(written.items())
        if plan.ours(shown)
    ]
    try:
        outcomes = list(at.open(shop).push(changes)) if changes else []
    except ConnectorError:
        at.terminal.error("nothing was erased yet; --keep-in-shop leaves the shop alone")
        raise
    return [outcome for outcome in outcomes if outcome.status != "applied"]


def subject_export(at: Session, customer: str, out: Path) -> int:
    """All that is known of somebody into `out`; of how many rows."""
    told = [
        privacy.subject_export(at.store, at.hasher, shop.shop, customer, at=at.now)
        for shop in shops_of(at, customer)
    ]
    at.store.note_file(out, made_files.SUBJECT_EXPORT, at.now)
    keep(told, out)
    return sum(map(privacy.known_rows, told))


def keep(told: Sequence[Mapping[str, Any]], out: Path) -> None:
    """What is known, as JSON, 0600."""
    with written_whole(out) as fresh:
        fresh.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def readmit(at: Session, named: Sequence[str], customer: str | None) -> int:
    """Lets somebody in again, without `customer` the one named shop; how many tombstones went."""
    shops = shops_of(at, customer) if customer else [the_one_shop(at, named)]
    whom = [customer] if customer else []
    return sum(privacy.readmit(at.store, at.hasher, shop.shop, *whom) for shop in shops)


def erasures(at: Session) -> list[Erasure]:
    """Those of the session's shops, the oldest first."""
    names = {shop.shop for shop in at.shops}
    return [one for one in erasure.erasures(at.store.connection) if one.shop in names]
