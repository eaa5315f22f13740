"""Tiers: who brings the money, in a word that fits on a tag.

By default, customers in order of their predicted value are `high` as long as those before them
bring less than half of all predicted value, `medium` up to four fifths, and `low` beyond. Of the
23,570 CDNOW customers (as of 1997-09-30, one year ahead) 6% are then high, 20% medium and 74% low:
few enough high ones to write to by hand, nearly all of them (99.7%) with repeat purchases, and a
low tier that may be left alone at the price of a fifth of the value. Shares of value, not of
customers, keep that meaning in shops where value is spread more evenly.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    def names(self) -> tuple[str, ...]:
        ranked = tuple(name for name, _ in self.by_value_share)
        return ranked if self.new is None else (*ranked, self.new)


@dataclass(frozen=True)
class Assigned:
    """A tier for each customer, and the lowest value in each ranked tier that has anybody."""

    tiers: list[str]
    lowest_cents: Mapping[str, int]


def assign(
    predicted_cents: Ints, net_cents: Ints, is_new: NDArray[np.bool_], tiers: Tiers
) -> Assigned:
    """Sort customers into tiers. Ties go to the higher net, then to the earlier row.

    New customers stand apart: they take no part in the ranking. Nobody without predicted value
    gets above the last tier.
    """
    names = np.array([name for name, _ in tiers.by_value_share], dtype=object)
    shares = np.array([share for _, share in tiers.by_value_share[:-1]])
    ranked = np.flatnonzero(~is_new) if tiers.new is not None else np.arange(len(is_new))
    order = ranked[np.lexsort((-net_cents[ranked], -predicted_cents[ranked]))]
    value = predicted_cents[order].astype(np.float64)
    before = np.cumsum(value) - value
    places = np.searchsorted(shares * value.sum(), before, side="right")
    assigned = np.full(len(is_new), tiers.new, dtype=object)
    assigned[order] = names[places]
    lowest = {str(names[place]): int(value[places == place].min()) for place in np.unique(places)}
    return Assigned(assigned.tolist(), lowest)
