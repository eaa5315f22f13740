"""What follows from the hints that webhooks left: the law's first, then the shop asked by id.

Hints are settled behind what was done about them, so a run that was cut off does it once more; all
of it may be done twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connectors.config import ShopSettings
from connectors.hints import Hint, Hints, beside
from connectors.session import Session


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
