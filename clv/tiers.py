"""Tiers: who brings the money, in a word that fits on a tag.

By default, customers are `high` as long as those worth more than they bring less than half of all
predicted value, `medium` up to four fifths, and `low` beyond. Of the
23,570 CDNOW customers (as of 1997-09-30, one year ahead) 6% are then high, 20% medium and 74% low:
few enough high ones to write to by hand, nearly all of them (99.7%) with repeat purchases, and a
low tier that may be left alone at the price of a fifth of the value. Shares of value, not of
customers, keep that meaning in shops where value is spread more evenly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clv.errors import BadSettings

Ints = NDArray[np.int64]

LONGEST_NAME = 40


@dataclass(frozen=True)
class Tiers:
    """Names from the most valuable on, each with the share of value at which it ends.

    `new` is for those with one order, placed within the last `new_days` days, whatever they are
    worth: they say too little about themselves yet. None: nobody is new. Names are ASCII, because
    Magento's text columns mangle anything else.
    """

    by_value_share: tuple[tuple[str, float], ...] = (("high", 0.5), ("medium", 0.8), ("low", 1.0))
    new: str | None = "new"
    new_days: int = 30

    def __post_init__(self) -> None:
        shares = [share for _, share in self.by_value_share]
        if not shares or shares[-1] != 1 or shares[0] <= 0 or shares != sorted(set(shares)):
            raise BadSettings("tier shares must rise from above 0 to 1", shares=shares)
        if len(set(self.names)) < len(self.names):
            raise BadSettings("tier names must differ", names=self.names)
        for name in self.names:
            if not (name.isascii() and name.isprintable() and 0 < len(name) <= LONGEST_NAME):
                raise BadSettings("tier names are 1 to 40 ASCII characters", name=ascii(name))

    @property
    def ranked(self) -> tuple[str, ...]:
        """Without `new`, the most valuable first."""
        return tuple(name for name, _ in self.by_value_share)

    @property
    def names(self) -> tuple[str, ...]:
        return self.ranked if self.new is None else (*self.ranked, self.new)


@dataclass(frozen=True)
class Cuts:
    """Where a shop's tiers begin: `cents` has the lowest predicted value in each ranked tier.

    None: the tier has nobody. One cut serves any part of the shop: a customer's tier depends on
    their own value alone.
    """

    tiers: Tiers
    cents: tuple[int | None, ...]

    def places(self, predicted_cents: Ints) -> NDArray[np.intp]:
        """The rank of each value's tier, 0 for the most valuable."""
        placed = np.full(len(predicted_cents), len(self.cents) - 1)
        for place, cut in reversed(list(enumerate(self.cents[:-1]))):
            if cut is not None:
                placed[predicted_cents >= cut] = place
        return placed

    def assign(self, predicted_cents: Ints, is_new: NDArray[np.bool_]) -> NDArray[np.object_]:
        """The tier of each customer. Pure: equal values get the same tier in any batch."""
        names = np.array(self.tiers.ranked, dtype=object)[self.places(predicted_cents)]
        if self.tiers.new is not None:
            names[is_new] = self.tiers.new
        return names

    def lowest(self, name: str) -> int | None:
        """The predicted value from which on a tier begins; None for an empty one, and for `new`."""
        ranked = self.tiers.ranked
        return self.cents[ranked.index(name)] if name in ranked else None


def cuts(predicted_cents: Ints, is_new: NDArray[np.bool_], tiers: Tiers) -> Cuts:
    """The cuts of a shop from all its customers, in any order.

    A customer's tier is the first whose share of all value isn't reached yet by those worth more.
    New customers stand apart and take no share. Nobody without predicted value gets above the last
    tier.
    """
    ranked = predicted_cents if tiers.new is None else predicted_cents[~is_new]
    return cuts_of(*np.unique(ranked, return_counts=True), tiers)


def cuts_of(cents: Ints, customers: Ints, tiers: Tiers) -> Cuts:
    """The same from values that rise, and how many customers (none of them new) have each."""
    brought = (cents * customers.astype(np.float64))[::-1]
    above = np.cumsum(brought) - brought
    shares = np.array([share for _, share in tiers.by_value_share[:-1]])
    places = np.searchsorted(shares * brought.sum(), above, side="right")
    found = [cents[::-1][places == place] for place in range(len(tiers.ranked))]
    return Cuts(tiers, tuple(int(values[-1]) if len(values) else None for values in found))
