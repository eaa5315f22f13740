"""What follows from the hints that webhooks left: the law's first, then the shop asked by id.

Hints are settled behind what was done about them, so a run that was cut off does it once more; all
of it may be done twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connectors import erased, leaving
from connectors.config import ShopSettings
from connectors.hints import COMPLIANCE, Hint, Hints, beside
from connectors.session import Session


def carry_out(at: Session, shop: ShopSettings) -> None:
    """What the law asks for, whatever becomes of the run: persons erased, their data handed out."""
    path = beside(at.settings.store)
    if not path.exists():
        return
    with at.alone, Hints.open(path) as hints:
        told = hints.pending(shop.shop)
        for hint in told:
            if hint.kind in COMPLIANCE:
                hints.settle([*_done(at, shop, hint, told), hint], at.now)


def _done(at: Session, shop: ShopSettings, hint: Hint, told: Sequence[Hint]) -> Sequence[Hint]:
    """Carries it out; which other hints have nobody to be about any more."""
    if hint.kind == "data request":
        file = leaving.hand_out(at, shop, hint)
        at.handed_out.append(str(file))
        erased.handed_out(at.terminal, shop.shop, str(file))
        return []
    if hint.kind == "erase shop":
        leaving.erase_shop(at, shop)
        return told
    leaving.erase_as_told(at, shop, hint)
    return [
        one for one in told if one.kind not in COMPLIANCE and {*one.customers} & {*hint.customers}
    ]


@contextmanager
def pending(at: Session, shop: ShopSettings) -> Iterator[Sequence[Hint]]:
    """The shop's hints; they are settled where the block ends well."""
    path = beside(at.settings.store)
    if not path.exists():
        yield []
        return
    with Hints.open(path) as hints:
        told = hints.pending(shop.shop)
        yield told
        if told:
            hints.settle(told, at.now)
